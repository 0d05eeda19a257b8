//! A chunk, some rows of a copy: a checksum, then for each column the bytes per cell, four or
//! eight, and its cells, then the texts of each text column.
//!
//! A number or boolean is a float, of eight bytes if four would round one; a date is a whole number
//! of days or, in eight bytes, of microseconds; a category is an index into the texts of its column
//! in this chunk: their number, the length of each, their bytes.

use super::super::block_column::{Places, place};
use super::super::dates::DAY;
use super::super::{Cells, Kind};
use std::ops::Range;

/// Bytes of a cell, and of a wide one.
pub(super) const CELL: usize = 4;
pub(super) const WIDE: usize = 8;
/// Bytes of the checksum.
pub(super) const SUM: usize = 4;
pub(super) const NO_DATE: i32 = i32::MIN;
pub(super) const NO_TIME: i64 = i64::MIN;
pub(super) const NO_TEXT: u32 = u32::MAX;

/// The columns of a chunk.
pub(super) struct Chunk<'a> {
    /// Cells of each column, of four or eight bytes.
    cells: Vec<Column<'a>>,
    /// Texts of each text column.
    texts: Vec<Option<Texts<'a>>>,
}

/// A column's cells.
#[derive(Clone, Copy)]
enum Column<'a> {
    Narrow(&'a [[u8; CELL]]),
    Wide(&'a [[u8; WIDE]]),
}

/// The texts of a column.
struct Texts<'a> {
    ends: Vec<usize>,
    all: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// Parses a chunk; `None` if the bytes are not of `rows` rows of such columns.
    pub fn of(bytes: &'a [u8], kinds: &[Kind], rows: usize) -> Option<Self> {
        let mut rest = bytes.get(SUM..)?;
        let mut cells = Vec::with_capacity(kinds.len());
        for _ in kinds {
            let (&width, behind) = rest.split_first()?;
            let width = usize::from(width);
            let (column, behind) = behind.split_at_checked(rows.checked_mul(width)?)?;
            cells.push(match width {
                CELL => Column::Narrow(column.as_chunks().0),
                WIDE => Column::Wide(column.as_chunks().0),
                _ => return None,
            });
            rest = behind;
        }
        let mut texts = Vec::with_capacity(kinds.len());
        for kind in kinds {
            texts.push(match kind {
                Kind::Category => Some(Texts::of(&mut rest)?),
                _ => None,
            });
        }
        rest.is_empty().then_some(Chunk { cells, texts })
    }
}

impl<'a> Texts<'a> {
    fn of(rest: &mut &'a [u8]) -> Option<Self> {
        let (&count, behind) = rest.split_first_chunk::<4>()?;
        let count = u32::from_le_bytes(count) as usize;
        let (lengths, behind) = behind.split_at_checked(count.checked_mul(4)?)?;
        let mut end = 0_usize;
        let ends = lengths.as_chunks::<4>().0.iter().map(|&length| {
            end = end.checked_add(u32::from_le_bytes(length) as usize)?;
            Some(end)
        });
        let ends = ends.collect::<Option<Vec<usize>>>()?;
        let (all, behind) = behind.split_at_checked(end)?;
        *rest = behind;
        Some(Texts { ends, all })
    }

    fn get(&self, place: usize) -> Option<&'a str> {
        let start = match place {
            0 => 0,
            _ => *self.ends.get(place - 1)?,
        };
        std::str::from_utf8(self.all.get(start..*self.ends.get(place)?)?).ok()
    }
}

/// A column in the making, from the rows of several chunks.
pub(super) struct Growing {
    cells: Cells,
    places: Places,
}

impl Growing {
    pub fn new(kind: Kind) -> Self {
        Growing {
            cells: Cells::new(kind, 0),
            places: Places::default(),
        }
    }

    /// Adds rows of a chunk's column; `None` if they are damaged.
    pub fn add(&mut self, chunk: &Chunk<'_>, column: usize, rows: Range<usize>) -> Option<()> {
        let from = match *chunk.cells.get(column)? {
            Column::Narrow(all) => Column::Narrow(all.get(rows)?),
            Column::Wide(all) => Column::Wide(all.get(rows)?),
        };
        match (&mut self.cells, from) {
            (Cells::Number(all), Column::Narrow(from)) => {
                all.extend(from.iter().map(|&x| f64::from(f32::from_le_bytes(x))));
            }
            (Cells::Number(all), Column::Wide(from)) => {
                all.extend(from.iter().map(|&x| f64::from_le_bytes(x)));
            }
            (Cells::Boolean(all), Column::Narrow(from)) => {
                all.extend(from.iter().map(|&x| f32::from_le_bytes(x)));
            }
            (Cells::Date(all), Column::Narrow(from)) => all.extend(from.iter().map(|&day| {
                let day = i32::from_le_bytes(day);
                (day != NO_DATE).then_some(day)
            })),
            // Midnights of a file that has times.
            (Cells::Date(all), Column::Wide(from)) => all.extend(from.iter().map(|&time| {
                let time = i64::from_le_bytes(time);
                (time != NO_TIME).then(|| time.div_euclid(DAY) as i32)
            })),
            (Cells::DateTime(all), Column::Wide(from)) => all.extend(from.iter().map(|&time| {
                let time = i64::from_le_bytes(time);
                (time != NO_TIME).then_some(time)
            })),
            (Cells::Category { names, codes }, Column::Narrow(from)) => {
                let texts = chunk.texts.get(column)?.as_ref()?;
                // Only the texts of these rows get an index.
                let mut known = vec![NO_TEXT; texts.ends.len()];
                for &code in from {
                    let code = u32::from_le_bytes(code);
                    codes.push(match code {
                        NO_TEXT => None,
                        code => {
                            let known = known.get_mut(code as usize)?;
                            if *known == NO_TEXT {
                                let text = texts.get(code as usize)?;
                                *known = match self.places.get(text) {
                                    Some(&place) => place,
                                    None => place(text.to_owned(), names, &mut self.places),
                                };
                            }
                            Some(*known)
                        }
                    });
                }
            }
            _ => return None,
        }
        Some(())
    }

    pub fn done(self) -> Cells {
        self.cells
    }
}

#[cfg(test)]
mod tests {
    use super::super::encode::{Encoded, encode, is_whole};
    use super::*;

    fn columns() -> Vec<Cells> {
        let rows = 20_000;
        vec![
            Cells::Number((0..rows).map(|i| i as f64 * 0.5).collect()),
            Cells::Boolean((0..rows).map(|i| [0.0, 1.0, f32::NAN][i % 3]).collect()),
            Cells::Date(
                (0..rows)
                    .map(|i| (i % 5 > 0).then_some(i as i32 - 9))
                    .collect(),
            ),
            Cells::Category {
                names: (0..700).map(|i| format!("text {i}")).collect(),
                codes: (0..rows)
                    .map(|i| (i % 7 > 0).then_some((i / 30) as u32))
                    .collect(),
            },
        ]
    }

    /// Columns of eight bytes a cell: numbers that float32 rounds, and times.
    fn wide() -> [Cells; 2] {
        let rows = 0..20_000;
        [
            Cells::Number(rows.clone().map(|i| 1.7e9 + f64::from(i)).collect()),
            Cells::DateTime(
                rows.map(|i| (i % 5 > 0).then_some(i64::from(i) * 1_000_003))
                    .collect(),
            ),
        ]
    }

    #[test]
    fn what_four_bytes_would_round_has_eight() {
        let columns = wide();
        let kinds = [Kind::Number, Kind::DateTime];
        let mut all = kinds.map(Growing::new);
        let mut days = Growing::new(Kind::Date);
        for Encoded { rows, bytes, .. } in encode(&columns) {
            let chunk = Chunk::of(&bytes, &kinds, rows).unwrap();
            for (n, growing) in all.iter_mut().enumerate() {
                growing.add(&chunk, n, 0..rows).unwrap();
            }
            // In a file whose times are all midnight.
            days.add(&chunk, 1, 0..rows).unwrap();
        }
        assert_eq!(all.map(Growing::done), columns);
        let Cells::Date(days) = days.done() else {
            panic!()
        };
        assert_eq!((days[0], days[1], days.len()), (None, Some(0), 20_000));
    }

    const KINDS: [Kind; 4] = [Kind::Number, Kind::Boolean, Kind::Date, Kind::Category];

    fn text(cells: &Cells, row: usize) -> String {
        match cells {
            Cells::Number(all) => format!("{:?}", all[row]),
            Cells::Boolean(all) => format!("{:?}", all[row]),
            Cells::Date(all) => format!("{:?}", all[row]),
            Cells::DateTime(all) => format!("{:?}", all[row]),
            Cells::Category { names, codes } => {
                format!("{:?}", codes[row].map(|code| &names[code as usize]))
            }
        }
    }

    #[test]
    fn rows_come_back_from_any_part_of_any_chunk() {
        let columns = columns();
        let chunks = encode(&columns);
        assert!(chunks.len() > 3);
        let mut start = 0;
        for Encoded { rows, bytes, .. } in &chunks {
            assert!(is_whole(bytes));
            let chunk = Chunk::of(bytes, &KINDS, *rows).unwrap();
            for part in [0..*rows, 1..3, rows - 1..*rows] {
                for (n, kind) in KINDS.into_iter().enumerate() {
                    let mut growing = Growing::new(kind);
                    growing.add(&chunk, n, part.clone()).unwrap();
                    let cells = growing.done();
                    for row in part.clone() {
                        let (now, was) = (row - part.start, start + row);
                        assert_eq!(text(&cells, now), text(&columns[n], was));
                    }
                }
            }
            start += rows;
        }
        assert_eq!(start, 20_000);
    }

    #[test]
    fn damaged_bytes_are_none_and_never_a_panic() {
        let Encoded { rows, bytes, .. } = encode(&columns()).remove(0);
        let read = |bytes: &[u8], rows: usize| -> Option<()> {
            let chunk = Chunk::of(bytes, &KINDS, rows)?;
            (0..4).try_for_each(|n| Growing::new(KINDS[n]).add(&chunk, n, 0..rows))
        };
        read(&bytes, rows).unwrap();
        for length in (0..bytes.len()).step_by(97) {
            assert!(read(&bytes[..length], rows).is_none());
        }
        assert!(read(&bytes, rows + 1).is_none() && read(&bytes, usize::MAX).is_none());
        let texts = SUM + (1 + rows * CELL) * 4;
        for at in (texts - rows * CELL..bytes.len()).step_by(13) {
            let mut bytes = bytes.clone();
            bytes[at] = 0xff;
            assert!(!is_whole(&bytes) || bytes[at] == 0xff);
            // The damaged bytes may still be valid text.
            let _ = read(&bytes, rows);
        }
        let mut many = bytes.clone();
        many[texts..texts + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(read(&many, rows).is_none());
    }
}
