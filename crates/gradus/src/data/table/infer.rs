//! What type a column has.

use super::affix::Affix;
use super::cell::{boolean, number, said_boolean};
use super::dates::{self, Evidence, seems_date};
use super::gaps::{Gap, Gaps};
use super::number::{NumberFormat, look};
use super::written::{Around, Guess, Written};
use super::{DateFormat, Kind};
use serde::{Deserialize, Serialize};

/// The types that a text may have, the narrowest first.
pub(super) const NARROW: [Kind; 3] = [Kind::Number, Kind::Boolean, Kind::Date];
/// Their places; that of dates is of dates with times, too.
const NUMBER: usize = 0;
const BOOLEAN: usize = 1;
pub(super) const DATE: usize = 2;

/// As what a column's cells are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Way {
    pub kind: Kind,
    /// The format of its numbers.
    #[serde(default, skip_serializing_if = "NumberFormat::is_plain")]
    pub format: NumberFormat,
    /// The format of its dates.
    #[serde(default, skip_serializing_if = "DateFormat::is_iso")]
    pub dates: DateFormat,
}

impl Way {
    /// With plain numbers and dates.
    pub fn plain(kind: Kind) -> Self {
        Way {
            kind,
            format: NumberFormat::PLAIN,
            dates: DateFormat::Iso,
        }
    }
}

/// What is said of a column before its cells are looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    pub kind: Option<Kind>,
    /// The format of numbers that a model knows.
    pub format: Option<NumberFormat>,
    /// The format of its dates.
    pub dates: Option<DateFormat>,
    /// The same of all columns that are written so.
    pub date_format: Option<DateFormat>,
    /// True if words for true and false stay texts.
    pub as_written: bool,
}

/// What is to be said of how a column was read.
#[derive(Default)]
pub(super) struct Notes {
    /// What was chosen where its numbers could be read in another way, too.
    pub guess: Option<Guess>,
    /// The same of its dates, and what else a user should know of them.
    pub dates: Vec<String>,
}

/// What the cells of a column look like.
#[derive(Default)]
pub(super) struct Found {
    filled: usize,
    /// How many cells are numbers, booleans, dates.
    can_be: [usize; 3],
    /// The first cell that is none of that type, with its line.
    not: [Option<(usize, String)>; 3],
    /// How many are the same text as the first that is no number.
    like_not: usize,
    /// What stands beside numbers in texts.
    affix: Affix,
    /// How the numbers are written.
    pub numbers: Written,
    /// Words for a gap, and how often each is there.
    gaps: Vec<(String, usize)>,
    /// The same of those that are gaps among numbers and dates alone. They do not count
    /// as filled.
    soft: Vec<(String, usize)>,
    /// The format of its dates.
    dates: Evidence,
    /// How many cells that are no dates look like some, and the first.
    like_dates: (usize, Option<String>),
    /// The same of booleans in a column that is said to be of such: 1 and 0 are two.
    not_said_boolean: Option<(usize, String)>,
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
    pub fn add(&mut self, line: usize, cell: &str, gaps: &Gaps) {
        match gaps.of(cell) {
            Gap::Never => self.count(line, cell, self.narrow(cell), 1),
            gap => self.gap(line, cell, gap, 1),
        }
    }

    /// The same, of plain numbers no more than is cheap.
    pub fn add_quickly(&mut self, line: usize, cell: &str, gaps: &Gaps) {
        match number(cell) {
            Some(value) if !gaps.numbers => self.plain(line, cell, value),
            _ => self.add(line, cell, gaps),
        }
    }

    /// Counts cells of this text that are gaps, in some columns at least.
    pub fn gap(&mut self, line: usize, cell: &str, gap: Gap, cells: usize) {
        match gap {
            Gap::Always if cell.is_empty() => {}
            Gap::Always => word(&mut self.gaps, cell, cells),
            _ => {
                word(&mut self.soft, cell, cells);
                self.not[BOOLEAN].get_or_insert_with(|| (line, cell.to_owned()));
            }
        }
    }

    /// Counts cells of this text, not missing, the first of which is in `line`.
    #[inline]
    pub fn count(&mut self, line: usize, cell: &str, narrow: Option<usize>, cells: usize) {
        self.count_type(line, cell, narrow, cells);
        if narrow == Some(NUMBER)
            && let Some(looked) = look(cell)
        {
            self.numbers.add(line, cell, &looked, cells);
        }
        if narrow.is_none() {
            self.affix.add(cell, cells);
        }
    }

    /// Counts a plain number.
    #[inline]
    pub fn plain(&mut self, line: usize, cell: &str, value: impl Into<f64>) {
        self.count_type(line, cell, Some(NUMBER), 1);
        self.numbers.plain(line, cell, value);
    }

    #[inline]
    fn count_type(&mut self, line: usize, cell: &str, narrow: Option<usize>, cells: usize) {
        self.filled += cells;
        match narrow {
            Some(DATE) => self.dates.add(line, cell, cells),
            None if seems_date(cell) => {
                self.like_dates.0 += cells;
                self.like_dates.1.get_or_insert_with(|| cell.to_owned());
            }
            _ => {}
        }
        let stray = || Some((line, cell.chars().take(40).collect::<String>()));
        for n in 0..3 {
            if narrow == Some(n) {
                self.can_be[n] += cells;
            } else if self.not[n].is_none() {
                self.not[n] = stray();
            }
        }
        if narrow != Some(NUMBER)
            && let Some((_, not)) = &self.not[NUMBER]
            && not == cell
        {
            self.like_not += cells;
        }
        if self.not_said_boolean.is_none()
            && narrow != Some(BOOLEAN)
            && said_boolean(cell).is_none()
        {
            self.not_said_boolean = stray();
        }
    }

    /// Adds what was found further down.
    pub fn append(&mut self, below: Found) {
        self.filled += below.filled;
        self.dates.append(below.dates);
        self.like_dates.0 += below.like_dates.0;
        self.like_dates.1 = self.like_dates.1.take().or(below.like_dates.1);
        match (&self.not[NUMBER], &below.not[NUMBER]) {
            (Some((_, here)), Some((_, there))) if here != there => {}
            _ => self.like_not += below.like_not,
        }
        for (n, not) in below.not.into_iter().enumerate() {
            self.can_be[n] += below.can_be[n];
            self.not[n] = self.not[n].take().or(not);
        }
        self.numbers.append(below.numbers);
        self.affix.append(below.affix);
        for (of, below) in [(&mut self.gaps, below.gaps), (&mut self.soft, below.soft)] {
            below
                .iter()
                .for_each(|(text, cells)| word(of, text, *cells));
        }
        self.not_said_boolean = self.not_said_boolean.take().or(below.not_said_boolean);
    }

    /// The place in [`NARROW`] of the type that all cells have.
    pub fn all_narrow(&self) -> Option<usize> {
        (0..3).find(|&n| self.filled > 0 && self.can_be[n] == self.filled)
    }

    /// True if there are cells, and none is of this type.
    pub fn has_no(&self, narrow: usize) -> bool {
        self.filled > 0 && self.can_be[narrow] == 0
    }

    /// True if a column of which this is said holds numbers.
    pub fn is_number(&self, said: &Said) -> bool {
        said.dates.is_none() && self.kind(said.kind) == Ok(Kind::Number)
    }

    /// True if nothing is there at all, not even a word for it.
    pub fn is_empty(&self) -> bool {
        self.filled == 0 && self.soft.is_empty() && self.gaps.is_empty()
    }

    /// The words that are gaps in a column of this type, and how often each is there.
    pub fn gaps(&self, kind: Kind) -> Vec<(String, usize)> {
        let soft = match kind {
            Kind::Number | Kind::Date | Kind::DateTime => &self.soft[..],
            Kind::Boolean | Kind::Category => &[],
        };
        self.gaps.iter().chain(soft).cloned().collect()
    }

    /// As what the column is read, and what is to be said of that, or why it cannot be.
    pub fn way(&self, said: &Said, name: &str, around: &Around) -> Result<(Way, Notes), String> {
        // Who says how dates are written says that they are dates.
        let given = said.kind.or(said.dates.map(|_| Kind::Date));
        let kind = self.kind(given)?;
        match kind {
            Kind::Number => self.numbers_way(said, around),
            Kind::Date | Kind::DateTime => self.dates_way(said, kind, name),
            Kind::Boolean if said.as_written && given.is_none() => {
                Ok((Way::plain(Kind::Category), Notes::default()))
            }
            Kind::Boolean => Ok((Way::plain(kind), Notes::default())),
            Kind::Category => Ok((Way::plain(kind), self.texts_notes(said, name))),
        }
    }

    /// How dates are written, with times if there are any and nothing else is said.
    fn dates_way(&self, said: &Said, kind: Kind, name: &str) -> Result<(Way, Notes), String> {
        let timed = kind == Kind::DateTime || said.kind.is_none() && self.dates.is_timed();
        let settled = self.dates.settle(name, timed)?;
        let way = Way {
            dates: settled.format,
            ..Way::plain(if timed { Kind::DateTime } else { Kind::Date })
        };
        let notes = Notes {
            guess: None,
            dates: settled.notes,
        };
        Ok((way, notes))
    }

    /// Why texts are categories that look like something else.
    fn texts_notes(&self, said: &Said, name: &str) -> Notes {
        if said.kind.is_some() {
            return Notes::default();
        }
        let dates = match &self.like_dates {
            (cells, Some(cell)) if *cells == self.filled => vec![format!(
                "is a category, though its texts look like dates (`{cell}`): \
                 `data.date_format = {{ {name:?} = \"%d.%m.%y\" }}` or the like reads them as dates, \
                 `data.columns = {{ {name:?} = \"category\" }}` says that they are none"
            )],
            _ => Vec::new(),
        };
        Notes {
            guess: self.one_word(),
            dates,
        }
    }

    /// How numbers are written.
    fn numbers_way(&self, said: &Said, around: &Around) -> Result<(Way, Notes), String> {
        let of = |format, guess| {
            let way = Way {
                format,
                ..Way::plain(Kind::Number)
            };
            let notes = Notes {
                guess,
                dates: Vec::new(),
            };
            (way, notes)
        };
        let chosen = self.numbers.choose(said.format, around);
        let format = chosen.format;
        let Some((line, cell)) = chosen.other.filter(|_| chosen.others > 0) else {
            return Ok(of(format, chosen.guess));
        };
        let (others, filled) = (chosen.others, self.filled);
        let written = match format.is_plain() {
            true => "plainly written (1234.5)".to_owned(),
            false => format!("written with {format}"),
        };
        Err(if said.format.is_some() {
            format!("line {line} has `{cell}`, expected a number {written}, as the model knows it")
        } else if around.allowed != u8::MAX {
            format!(
                "line {line} has `{cell}`, expected a number {written}, as `data.decimal` and \
                 `data.thousands` say"
            )
        } else if others * 20 <= filled || others == 1 && filled > 2 {
            format!(
                "line {line} has `{cell}`, but {} of its {filled} filled cells are numbers \
                 {written}: mend it, leave it empty, or say that the column is a category",
                filled - others
            )
        } else {
            format!(
                "its numbers are written in several ways: line {line} has `{cell}`, {} of its \
                 {filled} filled cells are {written}: write them alike, or say that the column is \
                 a category",
                filled - others
            )
        })
    }

    /// A single word among numbers, or beside each, makes them categories.
    fn one_word(&self) -> Option<Guess> {
        if let Some(text) = self.affix.note(self.filled) {
            return Some(Guess {
                text,
                otherwise: None,
            });
        }
        let (_, text) = self.not[NUMBER].as_ref()?;
        let others = self.filled - self.can_be[NUMBER];
        (others == self.like_not && self.can_be[NUMBER] * 2 > self.filled).then(|| {
            let text = format!(
                "is a category by `{text}`, all other cells are numbers: `data.missing_values = \
                 [\"{text}\"]` reads it as a gap"
            );
            Guess {
                text,
                otherwise: None,
            }
        })
    }

    /// The column's type, or why it has none.
    fn kind(&self, given: Option<Kind>) -> Result<Kind, String> {
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
        let soft: usize = self.soft.iter().map(|(_, cells)| cells).sum();
        // `none` is a third value beside true and false.
        let filled = |n: usize| self.filled + if n == BOOLEAN { soft } else { 0 };
        if let Some(kind) = given {
            let narrow = match kind {
                Kind::DateTime => Some(DATE),
                _ => NARROW.iter().position(|&k| k == kind),
            };
            return match narrow {
                Some(n) if self.can_be[n] < filled(n) => {
                    let written = match self.dates.said {
                        Some(format) if n == DATE => format!(", written {format}"),
                        _ => String::new(),
                    };
                    Err(format!("{}, expected a {}{written}", wrong(n), kind.name()))
                }
                _ => Ok(kind),
            };
        }
        if self.filled == 0 && soft > 0 {
            return Ok(Kind::Category);
        }
        if let Some(n) = (0..3).find(|&n| self.can_be[n] == filled(n)) {
            return Ok(NARROW[n]);
        }
        // A few strays are a mistake; many are texts that look like numbers at times.
        let strays = |n: usize| filled(n) - self.can_be[n];
        let few = |n: &usize| strays(*n) * 20 <= filled(*n) || strays(*n) == 1 && filled(*n) > 2;
        match (0..3).find(few) {
            None => Ok(Kind::Category),
            Some(n) => Err(format!(
                "{}, but {} of its {} filled cells are {}s: mend it, leave it empty, name it in \
                 `data.missing_values`, or say that the column is a category",
                wrong(n),
                self.can_be[n],
                filled(n),
                NARROW[n].name()
            )),
        }
    }
}

/// Counts a word.
fn word(words: &mut Vec<(String, usize)>, text: &str, cells: usize) {
    match words.iter_mut().find(|(word, _)| word == text) {
        Some((_, sum)) => *sum += cells,
        None => words.push((text.to_owned(), cells)),
    }
}

/// True if a cell that is not missing can be read so.
fn is(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Number => number(text).is_some() || look(text).is_some(),
        Kind::Boolean => boolean(text).is_some(),
        Kind::Date | Kind::DateTime => dates::look(text).is_some(),
        Kind::Category => true,
    }
}
