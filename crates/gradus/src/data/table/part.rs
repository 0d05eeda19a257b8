//! A block's share of a column, and columns put together from such shares.

use super::cell::{boolean, date, is_missing, number, said_boolean};
use super::infer::{Found, narrow};
use super::{Cells, Kind};
use foldhash::fast::RandomState;
use std::collections::HashMap;

pub(super) type Places = HashMap<String, u32, RandomState>;

/// What one block has of a column, read as the type that the column seems to have.
/// What its cells are is counted anyway: a type is decided by all blocks.
pub(super) struct Part {
    cells: Cells,
    found: Found,
    /// The place of each category.
    places: Places,
    /// How often and first in which line each category stands, of what type.
    seen: Vec<(usize, usize, Option<usize>)>,
}

impl Part {
    pub fn new(kind: Kind, rows: usize) -> Self {
        Part {
            cells: Cells::new(kind, rows),
            found: Found::default(),
            places: Places::default(),
            seen: Vec::new(),
        }
    }

    #[inline]
    pub fn add(&mut self, line: usize, cell: &str) {
        let found = &mut self.found;
        let mut of_type = |n: usize, fits: bool| match fits {
            true => found.count(line, cell, Some(n), 1),
            false => found.add(line, cell),
        };
        match &mut self.cells {
            Cells::Number(all) => {
                let number = number(cell);
                of_type(0, number.is_some());
                all.push(number.unwrap_or(f32::NAN));
            }
            Cells::Boolean(all) => {
                let truth = boolean(cell);
                of_type(1, truth.is_some());
                let truth = truth.or_else(|| said_boolean(cell));
                all.push(truth.unwrap_or(f32::NAN));
            }
            Cells::Date(all) => {
                let date = date(cell);
                of_type(2, date.is_some());
                all.push(date);
            }
            Cells::Category { names, codes } => {
                let code = match self.places.get(cell) {
                    Some(&code) => code,
                    None if is_missing(cell) => return codes.push(None),
                    None => {
                        self.seen.push((0, line, narrow(cell)));
                        place(cell.to_owned(), names, &mut self.places)
                    }
                };
                self.seen[code as usize].0 += 1;
                codes.push(Some(code));
            }
        }
    }

    /// The part without what only its making needs, and what its cells look like.
    pub fn done(mut self) -> (Cells, Found) {
        if let Cells::Category { names, .. } = &self.cells {
            for (name, (cells, line, narrow)) in names.iter().zip(self.seen) {
                self.found.count(line, name, narrow, cells);
            }
        }
        (self.cells, self.found)
    }
}

/// The place of a category, which it gets if it has none.
pub(super) fn place(name: String, names: &mut Vec<String>, places: &mut Places) -> u32 {
    if let Some(&code) = places.get(&name) {
        return code;
    }
    let code = names.len() as u32;
    names.push(name.clone());
    places.insert(name, code);
    code
}

/// One column from its parts, which are of its type, in their order.
pub(super) fn join(kind: Kind, rows: usize, parts: impl Iterator<Item = Cells>) -> Cells {
    let mut whole = Part::new(kind, rows);
    for part in parts {
        match (&mut whole.cells, part) {
            (Cells::Number(all), Cells::Number(more))
            | (Cells::Boolean(all), Cells::Boolean(more)) => all.extend(more),
            (Cells::Date(all), Cells::Date(more)) => all.extend(more),
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
            // A part of another type is read again before.
            _ => {}
        }
    }
    whole.cells
}
