//! Dates from texts: what `data/schema` makes of a date, by the operators of opset 20 that take
//! texts apart. A text that is no date of the column's format makes the runtime fail, as it makes
//! `gradus predict` fail.

use super::super::messages::data_type;
use super::graph::{Builder, int};
use crate::data::DateFormat;

/// Days of a year before each month, and in each month.
const BEFORE: [i64; 13] = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS: [i64; 13] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// The time behind a date.
const TIME: &str = r"([T ][0-9]{1,2}(:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?Z?)?";

/// Year first.
const ISO: &str = r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}";

/// Year last.
const YEAR_LAST: &str = r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4}";

/// A column's date as whole numbers.
struct Day {
    year: String,
    month: String,
    day: String,
}

impl Builder {
    /// The parts of the dates of a column of texts, and the column's description; the reason if
    /// its format cannot be read here.
    pub fn date_parts(
        &mut self,
        column: &str,
        format: DateFormat,
        timed: bool,
    ) -> Result<(String, String), String> {
        let day_first = match format {
            DateFormat::Iso => None,
            DateFormat::DayFirst => Some(true),
            DateFormat::MonthFirst => Some(false),
            DateFormat::Pattern(pattern) => {
                return Err(format!(
                    "ONNX cannot read dates by the pattern `{}`; `gradus convert --core` \
                     takes their parts as numbers",
                    pattern.text()
                ));
            }
        };
        let days = match day_first {
            None => ISO.to_owned(),
            Some(_) => format!("({ISO}|{YEAR_LAST})"),
        };
        // A gap is read as some day, and becomes NaN at the end.
        let (empty, some_day) = (self.text(""), self.text("1970-01-01"));
        let is_gap = self.op("Equal", &[column, &empty]);
        let filled = self.op("Where", &[&is_gap, &some_day, column]);
        let pattern = super::graph::text("pattern", &format!("{days}{TIME}"));
        let is_date = self.node("RegexFullMatch", &[&filled], vec![pattern]);
        let blank = self.replaced(&filled, "T", " ", 1);
        let words = self.split(&blank, " ", 1);
        let date = self.replaced(&words[0], "/", "-", 2);
        let date = self.replaced(&date, ".", "-", 2);
        let numbers = self.split(&date, "-", 2);
        let [a, month, c] = [0, 1, 2].map(|n| self.cast(&numbers[n], data_type::INT64));
        let (year, mut month, day) = match day_first {
            None => (a, month, c),
            Some(day_first) => {
                let pattern = super::graph::text("pattern", &format!("{ISO}{TIME}"));
                let is_iso = self.node("RegexFullMatch", &[&filled], vec![pattern]);
                let mut either = |iso: &str, other: &str| self.op("Where", &[&is_iso, iso, other]);
                let year = either(&a, &c);
                match day_first {
                    true => (year, month, either(&c, &a)),
                    false => (year, either(&month, &a), either(&c, &month)),
                }
            }
        };
        let last = self.whole_scalar(12);
        let in_year = self.op("LessOrEqual", &[&month, &last]);
        let is_date = self.op("And", &[&is_date, &in_year]);
        month = self.op("Min", &[&month, &last]);
        let day = Day { year, month, day };
        let (of_year, is_in_month) = self.day_of_year(&day);
        let mut is_date = self.op("And", &[&is_date, &is_in_month]);
        let weekday = self.weekday(&day, &of_year);
        let mut parts = vec![day.year, day.month, day.day, weekday, of_year];
        for part in &mut parts {
            *part = self.cast(part, data_type::FLOAT);
        }
        let mut doc = "dates such as 2024-05-31, a gap as the empty text".to_owned();
        if timed {
            let (times, is_time) = self.time(&words[1]);
            parts.extend(times);
            is_date = self.op("And", &[&is_date, &is_time]);
            doc = "times such as 2024-05-31 13:45:00, in UTC where rows have offsets, a gap as \
                   the empty text"
                .to_owned();
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let parts = self.node("Concat", &parts, vec![int("axis", -1)]);
        let parts = self.or_fail(&parts, &is_date);
        let nan = self.scalar(f32::NAN);
        Ok((self.op("Where", &[&is_gap, &nan, &parts]), doc))
    }

    /// The text with some separators replaced by others; more of the latter behind it.
    fn replaced(&mut self, x: &str, from: &str, to: &str, most: usize) -> String {
        let parts = self.split(x, from, most);
        let to = self.text(to);
        let mut whole = parts[0].clone();
        for part in &parts[1..] {
            let before = self.op("StringConcat", &[&whole, &to]);
            whole = self.op("StringConcat", &[&before, part]);
        }
        whole
    }

    /// The parts between separators, the empty text where there are fewer: one more than `most`
    /// separators.
    fn split(&mut self, x: &str, separator: &str, most: usize) -> Vec<String> {
        // Texts without a separator have as many parts as the others.
        let behind = self.text(&separator.repeat(most));
        let padded = self.op("StringConcat", &[x, &behind]);
        let delimiter = super::graph::text("delimiter", separator);
        let parts = self.node("StringSplit", &[&padded], vec![delimiter]);
        // A second output, the number of parts, is the operator's.
        if let Some(node) = self.graph.node.last_mut() {
            node.output.push(format!("{parts}/count"));
        }
        let part = |n: usize| {
            let place = self.whole_scalar(n as i64);
            self.node("Gather", &[&parts, &place], vec![int("axis", -1)])
        };
        (0..=most).map(part).collect()
    }

    /// The day of the year from 1, and true where the month has that day.
    fn day_of_year(&mut self, of: &Day) -> (String, String) {
        let zero = self.whole_scalar(0);
        let mut divides = |by: i64| {
            let by = self.whole_scalar(by);
            let rest = self.op("Mod", &[&of.year, &by]);
            self.op("Equal", &[&rest, &zero])
        };
        let (by_4, by_100, by_400) = (divides(4), divides(100), divides(400));
        let is_no_century = self.op("Not", &[&by_100]);
        let either = self.op("Or", &[&is_no_century, &by_400]);
        let is_leap = self.op("And", &[&by_4, &either]);
        let [second, one] = [2, 1].map(|n| self.whole_scalar(n));
        let is_later = self.op("Greater", &[&of.month, &second]);
        let is_second = self.op("Equal", &[&of.month, &second]);
        let extra = |builder: &mut Self, in_months: &str| {
            let is = builder.op("And", &[&is_leap, in_months]);
            builder.cast(&is, data_type::INT64)
        };
        let (before, days) = (self.whole("before", &BEFORE), self.whole("days", &DAYS));
        let before = self.op("Gather", &[&before, &of.month]);
        let leap = extra(self, &is_later);
        let before = self.op("Add", &[&before, &leap]);
        let of_year = self.op("Add", &[&before, &of.day]);
        let days = self.op("Gather", &[&days, &of.month]);
        let leap = extra(self, &is_second);
        let days = self.op("Add", &[&days, &leap]);
        let not_after = self.op("LessOrEqual", &[&of.day, &days]);
        let not_before = self.op("GreaterOrEqual", &[&of.day, &one]);
        (of_year, self.op("And", &[&not_after, &not_before]))
    }

    /// The weekday from Monday = 0: with y the year before, it is y + y/4 - y/100 + y/400 days
    /// more than whole weeks after Monday, the 1st of January of year 1.
    fn weekday(&mut self, of: &Day, of_year: &str) -> String {
        // 400 years are whole weeks; without them the year before 0 would be negative.
        let [more, one, week] = [399, 1, 7].map(|n| self.whole_scalar(n));
        let year = self.op("Add", &[&of.year, &more]);
        let mut days = self.op("Sub", &[of_year, &one]);
        for (operator, by) in [("Add", 1), ("Add", 4), ("Sub", 100), ("Add", 400)] {
            let by = self.whole_scalar(by);
            let part = self.op("Div", &[&year, &by]);
            days = self.op(operator, &[&days, &part]);
        }
        self.op("Mod", &[&days, &week])
    }

    /// Sine and cosine of the time of day, and its second; true where a clock shows it.
    fn time(&mut self, text: &str) -> ([String; 3], String) {
        let without_zone = self.split(text, "Z", 1);
        let nothing = self.text("0");
        let padded = self.op("StringConcat", &[&nothing, &without_zone[0]]);
        let behind = self.text(":0:0");
        let padded = self.op("StringConcat", &[&padded, &behind]);
        let parts = self.split(&padded, ":", 2);
        let mut seconds = self.double(0.0);
        let mut is_time: Option<String> = None;
        for (part, (factor, end)) in parts
            .iter()
            .zip([(3600.0, 24.0), (60.0, 60.0), (1.0, 60.0)])
        {
            let number = self.cast(part, data_type::DOUBLE);
            let (factor, end) = (self.double(factor), self.double(end));
            let fits = self.op("Less", &[&number, &end]);
            is_time = Some(match is_time {
                None => fits,
                Some(before) => self.op("And", &[&before, &fits]),
            });
            let scaled = self.op("Mul", &[&number, &factor]);
            seconds = self.op("Add", &[&seconds, &scaled]);
        }
        let turn = self.double(std::f64::consts::TAU / 86_400.0);
        let angle = self.op("Mul", &[&seconds, &turn]);
        let sine = self.op("Sin", &[&angle]);
        let cosine = self.op("Cos", &[&angle]);
        let parts = [sine, cosine, seconds].map(|part| self.cast(&part, data_type::FLOAT));
        (parts, is_time.unwrap_or_default())
    }

    /// `x` where all is well; else the runtime fails, for it is asked for the second of one.
    fn or_fail(&mut self, x: &str, is_well: &str) -> String {
        let one = self.whole_scalar(1);
        let well = self.cast(is_well, data_type::INT64);
        let place = self.op("Sub", &[&one, &well]);
        let zero = self.numbers("zero", &[1], &[0.0]);
        let zero = self.op("Gather", &[&zero, &place]);
        self.op("Add", &[x, &zero])
    }
}
