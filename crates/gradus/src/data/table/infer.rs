//! Inference of a column's type.

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
/// Their indices; the one of dates includes dates with times.
const NUMBER: usize = 0;
const BOOLEAN: usize = 1;
pub(super) const DATE: usize = 2;

/// The type and formats by which a column's cells are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Way {
    pub kind: Kind,
    /// Format of its numbers.
    #[serde(default, skip_serializing_if = "NumberFormat::is_plain")]
    pub format: NumberFormat,
    /// Format of its dates.
    #[serde(default, skip_serializing_if = "DateFormat::is_iso")]
    pub dates: DateFormat,
}

impl Way {
    /// A type with plain formats.
    pub fn plain(kind: Kind) -> Self {
        Way {
            kind,
            format: NumberFormat::PLAIN,
            dates: DateFormat::Iso,
        }
    }
}

/// The options for a column, known before its cells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    pub kind: Option<Kind>,
    /// Format of numbers stored by a model.
    pub format: Option<NumberFormat>,
    /// Format of its dates.
    pub dates: Option<DateFormat>,
    /// One format for every column that matches it.
    pub date_format: Option<DateFormat>,
    /// True if the words for true and false stay texts.
    pub as_written: bool,
}

/// Remarks on the reading of a column.
#[derive(Default)]
pub(super) struct Notes {
    /// The choice made, if its numbers are ambiguous.
    pub guess: Option<Guess>,
    /// The same for its dates, and other remarks for the user.
    pub dates: Vec<String>,
}

/// Statistics of a column's cells.
#[derive(Default)]
pub(super) struct Found {
    filled: usize,
    /// Number of cells that are numbers, booleans, dates.
    can_be: [usize; 3],
    /// First cell that is not of each type, with its line.
    not: [Option<(usize, String)>; 3],
    /// Number of cells with the same text as the first that is not a number.
    like_not: usize,
    /// A fixed word beside numbers.
    affix: Affix,
    /// Formats in which the numbers can be read.
    pub numbers: Written,
    /// Words for missing values, with their counts.
    gaps: Vec<(String, usize)>,
    /// The same for words that are missing values only among numbers and dates. They don't count as
    /// filled.
    soft: Vec<(String, usize)>,
    /// Format of its dates.
    dates: Evidence,
    /// Number of cells that look like dates but are none, and the first.
    like_dates: (usize, Option<String>),
    /// The same for booleans in a column declared boolean, where 1 and 0 are two of them.
    not_said_boolean: Option<(usize, String)>,
}

/// The index in [`NARROW`] of a text's type; a text has one at most.
pub(super) fn narrow(cell: &str) -> Option<usize> {
    (0..3).find(|&n| is(NARROW[n], cell))
}

impl Found {
    /// Empty statistics, for a column with these options.
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

    /// The index in [`NARROW`] of a text's type in this column.
    pub fn narrow(&self, cell: &str) -> Option<usize> {
        match (&self.dates.said, &self.dates.pattern) {
            (None, None) => narrow(cell),
            (Some(_), _) if self.dates.is_date(cell) => Some(DATE),
            (Some(_), _) => narrow(cell).filter(|&n| n != DATE),
            (None, Some(_)) => narrow(cell).or_else(|| self.dates.is_date(cell).then_some(DATE)),
        }
    }

    /// Counts a cell.
    pub fn add(&mut self, line: usize, cell: &str, gaps: &Gaps) {
        match gaps.of(cell) {
            Gap::Never => self.count(line, cell, self.narrow(cell), 1),
            gap => self.gap(line, cell, gap, 1),
        }
    }

    /// The same, with only cheap counting of plain numbers.
    pub fn add_quickly(&mut self, line: usize, cell: &str, gaps: &Gaps) {
        match number(cell) {
            Some(value) if !gaps.numbers => self.plain(line, cell, value),
            _ => self.add(line, cell, gaps),
        }
    }

    /// Counts cells with a text that means missing, at least in some columns.
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

    /// Counts cells with this text, not missing; `line` is the first one's.
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

    /// Adds the statistics of later rows.
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

    /// The index in [`NARROW`] of the type that all cells share.
    pub fn all_narrow(&self) -> Option<usize> {
        (0..3).find(|&n| self.filled > 0 && self.can_be[n] == self.filled)
    }

    /// True if there are cells, none of this type.
    pub fn has_no(&self, narrow: usize) -> bool {
        self.filled > 0 && self.can_be[narrow] == 0
    }

    /// True if a column with these options is one of numbers.
    pub fn is_number(&self, said: &Said) -> bool {
        said.dates.is_none() && self.kind(said.kind) == Ok(Kind::Number)
    }

    /// True if all cells are empty.
    pub fn is_empty(&self) -> bool {
        self.filled == 0 && self.soft.is_empty() && self.gaps.is_empty()
    }

    /// The words that are missing values in a column of this type, with their counts.
    pub fn gaps(&self, kind: Kind) -> Vec<(String, usize)> {
        let soft = match kind {
            Kind::Number | Kind::Date | Kind::DateTime => &self.soft[..],
            Kind::Boolean | Kind::Category => &[],
        };
        self.gaps.iter().chain(soft).cloned().collect()
    }

    /// The way to read the column and remarks on it, or the reason why it cannot be read.
    pub fn way(&self, said: &Said, name: &str, around: &Around) -> Result<(Way, Notes), String> {
        // A date format makes the column one of dates.
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

    /// The formats of dates, with times if the cells have them and the options don't decide.
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

    /// The reason why texts that look like another type are categories.
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

    /// The format of numbers.
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

    /// A note if one repeated word among the numbers, or one beside each, makes them categories.
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

    /// The column's type, or the reason why it has none.
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
        // A few strays are a mistake; many mean texts that sometimes look like numbers.
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
