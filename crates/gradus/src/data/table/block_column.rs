//! A block's share of a column, and the assembly of columns from them.

use super::cell::{boolean, number, said_boolean};
use super::gaps::{Gap, Gaps};
use super::infer::{DATE, Found, Said, Way};
use super::number::NumberFormat;
use super::{Cells, DateFormat, Kind};
use foldhash::fast::RandomState;
use std::collections::HashMap;

pub(super) type Places = HashMap<String, u32, RandomState>;

/// The cells that one block has of a column, read as the type that the column seems to have.
/// Cells of every type are counted anyway: all blocks decide the type.
pub(super) struct BlockColumn<'a> {
    cells: Cells,
    /// Format of its dates.
    dates: DateFormat,
    found: Found,
    format: NumberFormat,
    /// True if cells that look like plain numbers are.
    plain: bool,
    gaps: &'a Gaps,
    /// Index of each category.
    places: Places,
    /// Count, first line and type of each category.
    seen: Vec<(usize, usize, Option<usize>)>,
}

impl<'a> BlockColumn<'a> {
    pub fn new(way: Way, said: &Said, gaps: &'a Gaps, rows: usize) -> Self {
        BlockColumn {
            cells: Cells::new(way.kind, rows),
            dates: way.dates,
            found: Found::of(said),
            format: way.format,
            plain: way.format.is_plain() && !gaps.numbers,
            gaps,
            places: Places::default(),
            seen: Vec::new(),
        }
    }

    #[inline]
    pub fn add(&mut self, line: usize, cell: &str) {
        let found = &mut self.found;
        let mut of_type = |n: usize, fits: bool| match fits {
            true => found.count(line, cell, Some(n), 1),
            false => found.add(line, cell, self.gaps),
        };
        match &mut self.cells {
            Cells::Number(all) => match number(cell) {
                Some(number) if self.plain => {
                    found.plain(line, cell, number);
                    all.push(number);
                }
                _ => {
                    found.add(line, cell, self.gaps);
                    let number = otherwise(&self.format, self.gaps, cell);
                    all.push(number.unwrap_or(f64::NAN));
                }
            },
            Cells::Boolean(all) => {
                let truth = boolean(cell);
                of_type(1, truth.is_some());
                let truth = truth.or_else(|| said_boolean(cell));
                all.push(truth.unwrap_or(f32::NAN));
            }
            Cells::Date(all) => {
                let date = self.dates.read(cell);
                of_type(DATE, date.is_some());
                all.push(date.map(|moment| moment.day));
            }
            Cells::DateTime(all) => {
                let date = self.dates.read(cell);
                of_type(DATE, date.is_some());
                all.push(date.map(|moment| moment.micros));
            }
            Cells::Category { names, codes } => {
                let code = match self.places.get(cell) {
                    Some(&code) => code,
                    None if self.gaps.of(cell) == Gap::Always => {
                        self.found.gap(line, cell, Gap::Always, 1);
                        return codes.push(None);
                    }
                    None => {
                        self.seen.push((0, line, self.found.narrow(cell)));
                        place(cell.to_owned(), names, &mut self.places)
                    }
                };
                self.seen[code as usize].0 += 1;
                codes.push(Some(code));
            }
        }
    }

    /// The share without the helpers of its making, and the statistics.
    pub fn done(mut self) -> (Cells, Found) {
        if let Cells::Category { names, .. } = &self.cells {
            for (name, (cells, line, narrow)) in names.iter().zip(self.seen) {
                match self.gaps.of(name) {
                    Gap::Never => self.found.count(line, name, narrow, cells),
                    gap => self.found.gap(line, name, gap, cells),
                }
            }
        }
        (self.cells, self.found)
    }
}

/// The number in a cell that is not plain, or may not be read as plain.
fn otherwise(format: &NumberFormat, gaps: &Gaps, cell: &str) -> Option<f64> {
    match gaps.of(cell) {
        Gap::Never => format.number(cell, number),
        _ => None,
    }
}

/// The index of a category, which is added if it is new.
pub(super) fn place(name: String, names: &mut Vec<String>, places: &mut Places) -> u32 {
    if let Some(&code) = places.get(&name) {
        return code;
    }
    let code = names.len() as u32;
    names.push(name.clone());
    places.insert(name, code);
    code
}

/// A column from its shares, all of its type, in their order.
pub(super) fn join(kind: Kind, rows: usize, parts: impl Iterator<Item = Cells>) -> Cells {
    let gaps = Gaps::default();
    let mut whole = BlockColumn::new(Way::plain(kind), &Said::default(), &gaps, rows);
    for part in parts {
        match (&mut whole.cells, part) {
            (Cells::Number(all), Cells::Number(more)) => all.extend(more),
            (Cells::Boolean(all), Cells::Boolean(more)) => all.extend(more),
            (Cells::Date(all), Cells::Date(more)) => all.extend(more),
            (Cells::DateTime(all), Cells::DateTime(more)) => all.extend(more),
            (
                Cells::Category { names, codes },
                Cells::Category {
                    names: more,
                    codes: of_part,
                },
            ) => {
                let mut here = Vec::with_capacity(more.len());
                for name in more {
                    here.push(place(name, names, &mut whole.places));
                }
                codes.extend(of_part.into_iter().map(|code| Some(here[code? as usize])));
            }
            // Shares of another type were read again before.
            _ => {}
        }
    }
    whole.cells
}
