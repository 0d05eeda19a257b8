//! What type a column has.

use super::cell::{is, is_missing};
use super::dates::{Evidence, seems_date};
use super::{DateFormat, DatesRead, Kind};

/// The types that a text may have, the narrowest first.
pub(super) const NARROW: [Kind; 3] = [Kind::Number, Kind::Boolean, Kind::Date];
/// The place of dates, with times or without.
pub(super) const DATE: usize = 2;

/// As what a column's cells are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub kind: Kind,
    /// How its dates are written.
    pub dates: DateFormat,
}

/// What is said of a column before its cells are looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    pub kind: Option<Kind>,
    /// How its dates are written.
    pub dates: Option<DateFormat>,
    /// The same of all columns that are written so.
    pub date_format: Option<DateFormat>,
}

/// What the cells of a column look like.
#[derive(Default)]
pub(super) struct Found {
    filled: usize,
    /// How many cells are numbers, booleans, dates.
    can_be: [usize; 3],
    /// The first cell that is none of that type, with its line.
    not: [Option<(usize, String)>; 3],
    /// How its dates are written.
    dates: Evidence,
    /// How many cells that are no dates look like some, and the first.
    like_dates: (usize, Option<String>),
}

/// The place in [`NARROW`] of what a text may be; a text is one of them at most.
pub(super) fn narrow(cell: &str) -> Option<usize> {
    (0..3).find(|&n| is(NARROW[n], cell))
}

impl Found {
    /// None yet, of a column of which this is said.
    pub fn of(said: &Said) -> Self {
        let pattern = match said.date_format {
            Some(DateFormat::Pattern(pattern)) => Some(pattern),
            _ => None,
        };
        Found {
            dates: Evidence::new(
                said.dates
                    .or(said.date_format.filter(|_| pattern.is_none())),
                pattern,
            ),
            ..Found::default()
        }
    }

    /// The place in [`NARROW`] of what a text may be in this column.
    pub fn narrow(&self, cell: &str) -> Option<usize> {
        match (&self.dates.said, &self.dates.pattern) {
            (None, None) => narrow(cell),
            (Some(_), _) if self.dates.is_date(cell) => Some(DATE),
            (Some(_), _) => narrow(cell).filter(|&n| n != DATE),
            (None, Some(_)) => narrow(cell).or_else(|| self.dates.is_date(cell).then_some(DATE)),
        }
    }

    /// Counts a cell, whatever it is.
    pub fn add(&mut self, line: usize, cell: &str) {
        if !is_missing(cell) {
            self.count(line, cell, self.narrow(cell), 1);
        }
    }

    /// Counts cells of this text, not missing, the first of which is in `line`.
    #[inline]
    pub fn count(&mut self, line: usize, cell: &str, narrow: Option<usize>, cells: usize) {
        self.filled += cells;
        match narrow {
            Some(DATE) => self.dates.add(line, cell, cells),
            None if seems_date(cell) => {
                self.like_dates.0 += cells;
                self.like_dates.1.get_or_insert_with(|| cell.to_owned());
            }
            _ => {}
        }
        for n in 0..3 {
            if narrow == Some(n) {
                self.can_be[n] += cells;
            } else if self.not[n].is_none() {
                self.not[n] = Some((line, cell.chars().take(40).collect()));
            }
        }
    }

    /// Adds what was found further down.
    pub fn append(&mut self, below: Found) {
        self.filled += below.filled;
        self.dates.append(below.dates);
        self.like_dates.0 += below.like_dates.0;
        self.like_dates.1 = self.like_dates.1.take().or(below.like_dates.1);
        for (n, not) in below.not.into_iter().enumerate() {
            self.can_be[n] += below.can_be[n];
            self.not[n] = self.not[n].take().or(not);
        }
    }

    /// Whether there are cells, and all have one narrow type.
    pub fn is_narrow(&self) -> bool {
        self.filled > 0 && self.can_be.contains(&self.filled)
    }

    /// As what the column is read, and what is to be said of that, or why it cannot be.
    pub fn way(&self, said: &Said, name: &str) -> Result<(Way, DatesRead), String> {
        // Who says how dates are written says that they are dates.
        let given = said.kind.or(said.dates.map(|_| Kind::Date));
        let mut kind = self.kind(given)?;
        if kind == Kind::Date && said.kind.is_none() && self.dates.is_timed() {
            kind = Kind::DateTime;
        }
        let mut read = DatesRead::default();
        if matches!(kind, Kind::Date | Kind::DateTime) {
            let settled = self.dates.settle(name, kind == Kind::DateTime)?;
            (read.format, read.notes) = (settled.format, settled.notes);
        } else if let (Kind::Category, None, (cells, Some(cell))) =
            (kind, said.kind, &self.like_dates)
            && *cells == self.filled
        {
            read.notes.push(format!(
                "is a category, though its texts look like dates (`{cell}`): \
                 `data.date_format = {{ {name:?} = \"%d.%m.%y\" }}` or the like reads them as dates, \
                 `data.columns = {{ {name:?} = \"category\" }}` says that they are none"
            ));
        }
        let dates = read.format;
        Ok((Way { kind, dates }, read))
    }

    /// The column's type, or why it has none.
    fn kind(&self, given: Option<Kind>) -> Result<Kind, String> {
        let wrong = |n: usize| match &self.not[n] {
            Some((line, cell)) => format!("line {line} has `{cell}`"),
            None => String::new(),
        };
        if let Some(kind) = given {
            let narrow = match kind {
                Kind::DateTime => Some(DATE),
                _ => NARROW.iter().position(|&k| k == kind),
            };
            return match narrow {
                Some(n) if self.can_be[n] < self.filled => {
                    let written = match self.dates.said {
                        Some(format) if n == DATE => format!(", written {format}"),
                        _ => String::new(),
                    };
                    Err(format!("{}, expected a {}{written}", wrong(n), kind.name()))
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
