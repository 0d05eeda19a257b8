//! What type a column has.

use super::Kind;
use super::cell::{is, is_missing, said_boolean};

/// The types that a text may have, the narrowest first.
pub(super) const NARROW: [Kind; 3] = [Kind::Number, Kind::Boolean, Kind::Date];

/// What the cells of a column look like.
#[derive(Default)]
pub(super) struct Found {
    filled: usize,
    /// How many cells are numbers, booleans, dates.
    can_be: [usize; 3],
    /// The first cell that is none of that type, with its line.
    not: [Option<(usize, String)>; 3],
    /// The same of booleans in a column that is said to be of such: 1 and 0 are two.
    not_said_boolean: Option<(usize, String)>,
}

/// The place in [`NARROW`] of what a text may be; a text is one of them at most.
pub(super) fn narrow(cell: &str) -> Option<usize> {
    (0..3).find(|&n| is(NARROW[n], cell))
}

impl Found {
    /// Counts a cell, whatever it is.
    pub fn add(&mut self, line: usize, cell: &str) {
        if !is_missing(cell) {
            self.count(line, cell, narrow(cell), 1);
        }
    }

    /// Counts cells of this text, not missing, the first of which is in `line`.
    #[inline]
    pub fn count(&mut self, line: usize, cell: &str, narrow: Option<usize>, cells: usize) {
        self.filled += cells;
        let stray = || Some((line, cell.chars().take(40).collect()));
        for n in 0..3 {
            if narrow == Some(n) {
                self.can_be[n] += cells;
            } else if self.not[n].is_none() {
                self.not[n] = stray();
            }
        }
        if self.not_said_boolean.is_none() && narrow != Some(1) && said_boolean(cell).is_none() {
            self.not_said_boolean = stray();
        }
    }

    /// Adds what was found further down.
    pub fn append(&mut self, below: Found) {
        self.filled += below.filled;
        for (n, not) in below.not.into_iter().enumerate() {
            self.can_be[n] += below.can_be[n];
            self.not[n] = self.not[n].take().or(not);
        }
        self.not_said_boolean = self.not_said_boolean.take().or(below.not_said_boolean);
    }

    /// Whether there are cells, and all have one narrow type.
    pub fn is_narrow(&self) -> bool {
        self.filled > 0 && self.can_be.contains(&self.filled)
    }

    /// The column's type, or why it has none.
    pub fn kind(&self, given: Option<Kind>) -> Result<Kind, String> {
        let wrong = |n: usize| match &self.not[n] {
            Some((line, cell)) => format!("line {line} has `{cell}`"),
            None => String::new(),
        };
        if given == Some(Kind::Boolean) {
            return match &self.not_said_boolean {
                Some((line, cell)) => Err(format!(
                    "line {line} has `{cell}`, expected a boolean: true, false, yes, no, 1 or 0"
                )),
                None => Ok(Kind::Boolean),
            };
        }
        if let Some(kind) = given {
            return match NARROW.iter().position(|&k| k == kind) {
                Some(n) if self.can_be[n] < self.filled => {
                    Err(format!("{}, expected a {}", wrong(n), kind.name()))
                }
                _ => Ok(kind),
            };
        }
        if let Some(n) = (0..3).find(|&n| self.can_be[n] == self.filled) {
            return Ok(NARROW[n]);
        }
        // A few strays are a mistake; many are texts that look like numbers at times.
        let strays = |n: usize| self.filled - self.can_be[n];
        let few = |n: &usize| strays(*n) * 20 <= self.filled || strays(*n) == 1 && self.filled > 2;
        match (0..3).find(few) {
            None => Ok(Kind::Category),
            Some(n) => Err(format!(
                "{}, but {} of its {} filled cells are {}s: mend it, leave it empty, or say that \
                 the column is a category",
                wrong(n),
                self.can_be[n],
                self.filled,
                NARROW[n].name()
            )),
        }
    }
}
