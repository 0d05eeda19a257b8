//! Some rows of a copy: a checksum, then the cells of each column, four bytes each, then
//! the texts of each column of such.
//!
//! A number or boolean is a float, a date a whole number of days, a category a place
//! among the texts of its column in this chunk: how many, the length of each, all of
//! them.

use super::super::part::{Places, place};
use super::super::{Cells, Kind};
use std::ops::Range;

/// A cell.
pub(super) const CELL: usize = 4;
/// The checksum.
pub(super) const SUM: usize = 4;
pub(super) const NO_DATE: i32 = i32::MIN;
pub(super) const NO_TEXT: u32 = u32::MAX;

/// A chunk's columns.
pub(super) struct Chunk<'a> {
    rows: usize,
    cells: &'a [u8],
    /// Of each column of texts.
    texts: Vec<Option<Texts<'a>>>,
}

/// The texts of a column.
struct Texts<'a> {
    ends: Vec<usize>,
    all: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// None where the bytes are not of so many rows of such columns.
    pub fn of(bytes: &'a [u8], kinds: &[Kind], rows: usize) -> Option<Self> {
        let bytes = bytes.get(SUM..)?;
        let cells = rows.checked_mul(kinds.len())?.checked_mul(CELL)?;
        let (cells, mut rest) = bytes.split_at_checked(cells)?;
        let mut texts = Vec::with_capacity(kinds.len());
        for kind in kinds {
            texts.push(match kind {
                Kind::Category => Some(Texts::of(&mut rest)?),
                _ => None,
            });
        }
        rest.is_empty().then_some(Chunk { rows, cells, texts })
    }

    /// Four bytes for each of these rows.
    fn column(&self, place: usize, rows: Range<usize>) -> Option<&[[u8; CELL]]> {
        let start = place * self.rows;
        let range = (start + rows.start) * CELL..(start + rows.end) * CELL;
        Some(self.cells.get(range)?.as_chunks().0)
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

/// A column in the making, of the rows of several chunks.
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

    /// Adds rows of a chunk's column; none where they are damaged.
    pub fn add(&mut self, chunk: &Chunk<'_>, column: usize, rows: Range<usize>) -> Option<()> {
        let from = chunk.column(column, rows)?;
        match &mut self.cells {
            Cells::Number(all) | Cells::Boolean(all) => {
                all.extend(from.iter().map(|&x| f32::from_le_bytes(x)));
            }
            Cells::Date(all) => all.extend(from.iter().map(|&day| {
                let day = i32::from_le_bytes(day);
                (day != NO_DATE).then_some(day)
            })),
            Cells::Category { names, codes } => {
                let texts = chunk.texts.get(column)?.as_ref()?;
                // Only the texts of these rows get a place.
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
            Cells::Number((0..rows).map(|i| i as f32 * 0.5).collect()),
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

    const KINDS: [Kind; 4] = [Kind::Number, Kind::Boolean, Kind::Date, Kind::Category];

    fn text(cells: &Cells, row: usize) -> String {
        match cells {
            Cells::Number(all) | Cells::Boolean(all) => format!("{:?}", all[row]),
            Cells::Date(all) => format!("{:?}", all[row]),
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
        let texts = 4 + rows * 16;
        for at in (4 + rows * 12..bytes.len()).step_by(13) {
            let mut bytes = bytes.clone();
            bytes[at] = 0xff;
            assert!(!is_whole(&bytes) || bytes[at] == 0xff);
            // It may be text still.
            let _ = read(&bytes, rows);
        }
        let mut many = bytes.clone();
        many[texts..texts + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(read(&many, rows).is_none());
    }
}
