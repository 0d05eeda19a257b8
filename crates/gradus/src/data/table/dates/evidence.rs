//! Inference of the format of a column's dates, from all of its cells.

use super::moment::{BothOrders, Moment, look};
use super::{DateFormat, DatePattern};

/// The candidate formats of a column, in this order.
const FORMATS: [DateFormat; 2] = [DateFormat::DayFirst, DateFormat::MonthFirst];
/// Limit of distinct offsets.
const OFFSETS: usize = 8;

/// Statistics of a column's dates.
#[derive(Clone, Debug, Default)]
pub(in crate::data::table) struct Evidence {
    /// The format given by the user or the model.
    pub said: Option<DateFormat>,
    /// A pattern for every column that matches it.
    pub pattern: Option<DatePattern>,
    cells: usize,
    /// Number of dates that fit the pattern, the day first, the month first.
    by_pattern: usize,
    by: [usize; 2],
    /// First cell that does not fit each, with its line.
    not: [Option<(usize, String)>; 2],
    /// Number of dates without a leading year, and an example of which both orders make a date, but
    /// different ones.
    ordered: usize,
    both: Option<String>,
    points: bool,
    timed: bool,
    offsets: Vec<Option<i32>>,
    cut: Option<(usize, String)>,
}

/// The decision on a column of dates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::data::table) struct Settled {
    pub format: DateFormat,
    /// Remarks for the user.
    pub notes: Vec<String>,
}

impl Evidence {
    /// Empty statistics, for a column with the format `said`, or possibly the pattern.
    pub fn new(said: Option<DateFormat>, pattern: Option<DatePattern>) -> Self {
        Evidence {
            said,
            pattern,
            ..Evidence::default()
        }
    }

    /// True if a cell is a date.
    pub fn is_date(&self, text: &str) -> bool {
        match (&self.said, &self.pattern) {
            (Some(format), _) => format.read(text).is_some(),
            (None, pattern) => {
                look(text).is_some() || pattern.is_some_and(|p| p.read(text).is_some())
            }
        }
    }

    /// Counts cells of this text, which is a date.
    pub fn add(&mut self, line: usize, text: &str, cells: usize) {
        self.cells += cells;
        if let Some(format) = self.said {
            if let Some(moment) = format.read(text) {
                self.moment(line, text, &moment);
            }
            return;
        }
        let of_pattern = self.pattern.and_then(|pattern| pattern.read(text));
        self.by_pattern += if of_pattern.is_some() { cells } else { 0 };
        let looked = look(text);
        let both = match looked {
            Some(BothOrders {
                day_first,
                month_first,
                ..
            }) => [day_first, month_first],
            None => [None, None],
        };
        for (n, moment) in both.iter().enumerate() {
            match moment {
                Some(_) => self.by[n] += cells,
                None if self.not[n].is_none() => self.not[n] = Some((line, short(text))),
                None => {}
            }
        }
        if let Some(looked) = looked.filter(|looked| !looked.year_first) {
            self.ordered += cells;
            self.points |= looked.points;
            if let (Some(a), Some(b)) = (looked.day_first, looked.month_first)
                && a.day != b.day
                && self.both.is_none()
            {
                self.both = Some(short(text));
            }
        }
        if let Some(moment) = of_pattern.or(both[0]).or(both[1]) {
            self.moment(line, text, &moment);
        }
    }

    fn moment(&mut self, line: usize, text: &str, moment: &Moment) {
        self.timed |= moment.timed;
        if !self.offsets.contains(&moment.offset) && self.offsets.len() < OFFSETS {
            self.offsets.push(moment.offset);
        }
        if moment.cut && self.cut.is_none() {
            self.cut = Some((line, short(text)));
        }
    }

    /// Adds the statistics of later rows.
    pub fn append(&mut self, below: Evidence) {
        self.said = self.said.or(below.said);
        self.pattern = self.pattern.or(below.pattern);
        self.cells += below.cells;
        self.by_pattern += below.by_pattern;
        for (n, not) in below.not.into_iter().enumerate() {
            self.by[n] += below.by[n];
            self.not[n] = self.not[n].take().or(not);
        }
        self.ordered += below.ordered;
        self.both = self.both.take().or(below.both);
        self.points |= below.points;
        self.timed |= below.timed;
        for offset in below.offsets {
            if !self.offsets.contains(&offset) && self.offsets.len() < OFFSETS {
                self.offsets.push(offset);
            }
        }
        self.cut = self.cut.take().or(below.cut);
    }

    /// True if one of the dates has a time of day.
    pub fn is_timed(&self) -> bool {
        self.timed
    }

    /// The format of all dates, or the reason why it is unclear. `timed` keeps times of day; `name`
    /// is the column's, for the advice.
    pub fn settle(&self, name: &str, timed: bool) -> Result<Settled, String> {
        let mut settled = Settled::default();
        settled.format = match (self.said, self.pattern) {
            (Some(format), _) => format,
            (None, Some(pattern)) if self.by_pattern == self.cells && self.cells > 0 => {
                DateFormat::Pattern(pattern)
            }
            _ => self.order(name, &mut settled.notes)?,
        };
        if timed {
            self.offsets(&mut settled.notes);
            if let Some((line, cell)) = &self.cut {
                settled.notes.push(format!(
                    "times are kept to a microsecond: line {line} has `{cell}`"
                ));
            }
        }
        Ok(settled)
    }

    fn order(&self, name: &str, notes: &mut Vec<String>) -> Result<DateFormat, String> {
        if self.ordered == 0 && self.by[0] == self.cells {
            return Ok(DateFormat::Iso);
        }
        let key = |format: &str| format!("`data.date_format = {{ {name:?} = {format:?} }}`");
        let all = |n: usize| self.by[n] == self.cells;
        match (all(0), all(1)) {
            (true, true) => {
                // Points suggest Central Europe; for other dates pandas takes the month first, too.
                let (n, other, words) = match self.points {
                    true => (0, 1, "the day first"),
                    false => (1, 0, "the month first"),
                };
                if let Some(cell) = &self.both {
                    let other_words = ["the day", "the month"][other];
                    notes.push(format!(
                        "its dates, such as `{cell}`, fit day first and month first in all rows: \
                         read with {words}; {} reads {other_words} first",
                        key(&FORMATS[other].to_string()),
                    ));
                }
                Ok(FORMATS[n])
            }
            (true, false) => Ok(DateFormat::DayFirst),
            (false, true) => Ok(DateFormat::MonthFirst),
            (false, false) => {
                let at = |n: usize| match &self.not[n] {
                    Some((line, cell)) => format!("line {line} has `{cell}`"),
                    None => String::new(),
                };
                Err(format!(
                    "its dates are written in several ways: {}, which is not day first, and {}, \
                     which is not month first: write them alike, or say how they are written, such \
                     as {}",
                    at(0),
                    at(1),
                    key("%d/%m/%Y")
                ))
            }
        }
    }

    fn offsets(&self, notes: &mut Vec<String>) {
        let known: Vec<i32> = self.offsets.iter().flatten().copied().collect();
        let mixed = self.offsets.len() > 1;
        if known.iter().all(|&offset| offset == 0) && !mixed {
            return;
        }
        let mut names: Vec<String> = known.iter().map(|&offset| offset_text(offset)).collect();
        if self.offsets.contains(&None) {
            names.push("none, which is taken for UTC".into());
        }
        let what = match mixed {
            true => "mixes offsets from UTC",
            false => "has an offset from UTC",
        };
        notes.push(format!(
            "{what} ({}): its hours and days are those of UTC",
            names.join(", ")
        ));
    }
}

fn offset_text(offset: i32) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
