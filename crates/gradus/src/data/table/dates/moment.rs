//! Parsing of a cell into a day and a time.

use super::super::calendar::{MONTHS, day_of};

/// Microseconds of a day.
pub(in crate::data::table) const DAY: i64 = 86_400_000_000;

/// The date and time of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data::table) struct Moment {
    /// Microseconds since 1970-01-01: in UTC if the cell has an offset, else as written.
    pub micros: i64,
    /// The day as written, in days since 1970-01-01.
    pub day: i32,
    /// True if it has a time of day other than midnight.
    pub timed: bool,
    /// The offset from UTC in minutes, if there is one.
    pub offset: Option<i32>,
    /// True if digits below a microsecond were cut off.
    pub cut: bool,
}

/// A cell under both orders of day and month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data::table) struct BothOrders {
    pub day_first: Option<Moment>,
    pub month_first: Option<Moment>,
    /// True if the year comes first, so that the order is clear.
    pub year_first: bool,
    /// True if day, month and year are separated by points.
    pub points: bool,
}

impl BothOrders {
    /// The moment, if the year comes first.
    pub fn iso(&self) -> Option<Moment> {
        self.day_first.filter(|_| self.year_first)
    }
}

/// A time of day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Time {
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub micros: i64,
    pub offset: Option<i32>,
    pub cut: bool,
}

impl Time {
    /// The moment of this time on a day.
    pub fn on(self, (year, month, day): (i64, i64, i64)) -> Option<Moment> {
        let day = date(year, month, day)?;
        let of_day = ((self.hour * 60 + self.minute) * 60 + self.second) * 1_000_000 + self.micros;
        let ahead = i64::from(self.offset.unwrap_or(0)) * 60_000_000;
        Some(Moment {
            micros: i64::from(day) * DAY + of_day - ahead,
            day,
            timed: of_day != 0,
            offset: self.offset,
            cut: self.cut,
        })
    }

    /// The same with the hour of a 12-hour clock converted.
    pub fn of_twelve(mut self, afternoon: bool) -> Option<Self> {
        if !(1..=12).contains(&self.hour) {
            return None;
        }
        self.hour = self.hour % 12 + if afternoon { 12 } else { 0 };
        Some(self)
    }
}

/// The days since 1970-01-01 of a valid date.
fn date(year: i64, month: i64, day: i64) -> Option<i32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    ((0..=9999).contains(&year) && (1..=days).contains(&day))
        .then(|| day_of(year as i32, month as i32, day as i32))
}

/// The unparsed rest of a cell.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a>(pub &'a [u8]);

impl Cursor<'_> {
    /// A number of at most this many digits, and its number of digits.
    pub fn digits(&mut self, most: usize) -> Option<(i64, usize)> {
        let digits = self.0.iter().take(most);
        let count = digits.take_while(|b| b.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let number = digits.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0'));
        (count > 0).then_some((number, count))
    }

    /// A number of at most this many digits, and at most this value.
    pub fn number(&mut self, digits: usize, most: i64) -> Option<i64> {
        let (number, _) = self.digits(digits)?;
        (number <= most).then_some(number)
    }

    /// Skips one of these bytes and returns it.
    pub fn skip(&mut self, any: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        any.contains(&first).then(|| {
            self.0 = rest;
            first
        })
    }

    /// Skips a word, in any case; false if it does not come next.
    pub fn word(&mut self, word: &str) -> bool {
        let there = self.0.get(..word.len());
        let is_there = there.is_some_and(|there| there.eq_ignore_ascii_case(word.as_bytes()));
        if is_there {
            self.0 = &self.0[word.len()..];
        }
        is_there
    }

    pub fn blanks(&mut self) {
        while self.skip(b" ").is_some() {}
    }

    /// The microseconds of a fraction, and true if digits were cut off.
    pub fn fraction(&mut self) -> Option<(i64, bool)> {
        let (micros, count) = self.digits(6)?;
        let micros = micros * 10_i64.pow(6 - count as u32);
        let mut cut = false;
        while let Some(digit) = self.skip(b"0123456789") {
            cut |= digit != b'0';
        }
        Some((micros, cut))
    }

    /// `AM` or `PM`: true for the afternoon.
    pub fn half(&mut self) -> Option<bool> {
        let words = [("am", false), ("pm", true), ("a.m.", false), ("p.m.", true)];
        let found = words.into_iter().find(|(word, _)| self.word(word));
        found.map(|(_, afternoon)| afternoon)
    }

    /// `Z`, `UTC`, `+02`, `+0200` or `+02:00`, in minutes.
    pub fn zone(&mut self) -> Option<i32> {
        if ["UTC", "GMT", "Z"].into_iter().any(|word| self.word(word)) {
            return Some(0);
        }
        let sign = match self.skip(b"+-")? {
            b'-' => -1,
            _ => 1,
        };
        let (hours, count) = self.digits(2)?;
        if count != 2 || hours > 23 {
            return None;
        }
        let colon = self.skip(b":").is_some();
        let minutes = match self.digits(2) {
            Some((minutes @ 0..60, 2)) => minutes,
            None if !colon => 0,
            _ => return None,
        };
        Some(sign * (hours * 60 + minutes) as i32)
    }

    /// A time after a date: nothing, or `13:45`, `13:45:30.25 +02:00`, `1:45 PM`.
    fn time(mut self) -> Option<Time> {
        if self.0.is_empty() {
            return Some(Time::default());
        }
        self.skip(b"Tt ")?;
        self.blanks();
        let hour = self.number(2, 23)?;
        let mut time = Time {
            hour,
            ..Time::default()
        };
        if self.skip(b":").is_some() {
            time.minute = self.two(59)?;
            if self.skip(b":").is_some() {
                time.second = self.two(60)?;
                if self.skip(b".,").is_some() {
                    (time.micros, time.cut) = self.fraction()?;
                }
            }
        }
        self.blanks();
        if let Some(afternoon) = self.half() {
            time = time.of_twelve(afternoon)?;
            self.blanks();
        }
        if !self.0.is_empty() {
            time.offset = Some(self.zone()?);
        }
        self.0.is_empty().then_some(time)
    }

    /// A number of two digits.
    fn two(&mut self, most: i64) -> Option<i64> {
        let (number, count) = self.digits(2)?;
        (count == 2 && number <= most).then_some(number)
    }
}

/// A cell as a date, with or without a time, if it is one: `2024-05-31`, `31/05/2024`, `5.31.2024`,
/// the time after a `T` or a blank.
pub(in crate::data::table) fn look(text: &str) -> Option<BothOrders> {
    let bytes = text.as_bytes();
    // Longer cells, and those that begin with a letter, are rejected early.
    if bytes.len() < 8 || bytes.len() > 48 || !bytes[0].is_ascii_digit() {
        return None;
    }
    let mut cursor = Cursor(bytes);
    let (a, digits) = cursor.digits(4)?;
    let between = cursor.skip(b"-/.")?;
    let (b, _) = cursor.digits(2)?;
    cursor.skip(&[between])?;
    let (c, last) = cursor.digits(4)?;
    let points = between == b'.';
    if digits == 4 {
        if last > 2 {
            return None;
        }
        let moment = cursor.time()?.on((a, b, c))?;
        return Some(BothOrders {
            day_first: Some(moment),
            month_first: Some(moment),
            year_first: true,
            points,
        });
    }
    if digits > 2 || last != 4 {
        return None;
    }
    let time = cursor.time()?;
    let looked = BothOrders {
        day_first: time.on((c, b, a)),
        month_first: time.on((c, a, b)),
        year_first: false,
        points,
    };
    (looked.day_first.is_some() || looked.month_first.is_some()).then_some(looked)
}

/// True if a text that is not a date looks like one: with a year of two digits, or the name of a
/// month.
pub(in crate::data::table) fn seems_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !(6..=40).contains(&bytes.len()) || !bytes.iter().any(u8::is_ascii_digit) {
        return false;
    }
    by_two_digits(Cursor(bytes)).unwrap_or(false) || by_name(text)
}

/// True if it consists of day, month and year of two digits at most, in any order, and an optional
/// time.
fn by_two_digits(mut cursor: Cursor<'_>) -> Option<bool> {
    let (a, first) = cursor.digits(2)?;
    let between = cursor.skip(b"-/.")?;
    let (b, _) = cursor.digits(2)?;
    cursor.skip(&[between])?;
    let (c, last) = cursor.digits(2)?;
    let day_and_month = |a: i64, b: i64| (1..=31).contains(&a) && (1..=12).contains(&b);
    let year_last = last == 2 && (day_and_month(a, b) || day_and_month(b, a));
    let year_first = first == 2 && day_and_month(c, b);
    Some((year_last || year_first) && cursor.time().is_some())
}

/// True if its first three words are the name of a month and two numbers.
fn by_name(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let (mut months, mut numbers) = (0, 0);
    for word in words.filter(|word| !word.is_empty()).take(3) {
        let lower = word.to_ascii_lowercase();
        let is_month =
            |month: &&str| word.len() >= 3 && month.to_ascii_lowercase().starts_with(&lower);
        months += usize::from(MONTHS.iter().any(is_month));
        // `5th` is a number, too.
        let digits = word.trim_end_matches(char::is_alphabetic);
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        numbers += usize::from(is_number);
    }
    months == 1 && numbers == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(text: &str) -> Option<i64> {
        look(text)?.iso().map(|m| m.micros)
    }

    #[test]
    fn a_date_with_a_time_is_its_instant() {
        // datetime(2024, 5, 1, 13, 45, tzinfo=UTC).timestamp()
        let at = 1_714_571_100_000_000;
        for text in [
            "2024-05-01T13:45:00Z",
            "2024-05-01 13:45",
            "2024/05/01 13:45:00 UTC",
            "2024-05-01 1:45 PM",
            "2024-05-01T15:45:00+02:00",
            "2024-05-01T15:45+0200",
            "2024-05-01T08:15:00.000-05:30",
        ] {
            assert_eq!(iso(text), Some(at), "{text}");
        }
        assert_eq!(iso("2024-05-01 13:45:00.25"), Some(at + 250_000));
        assert_eq!(iso("2024-05-01 12:00 AM"), iso("2024-05-01"));
        let fine = look("2024-05-01T13:45:00.000000500").and_then(|l| l.iso());
        assert!(fine.is_some_and(|m| m.cut && m.timed));
    }

    #[test]
    fn what_no_clock_shows_is_no_date() {
        for text in [
            "2024-02-30",
            "2024-05-01 24:00",
            "2024-05-01 13:60",
            "2024-05-01 13:45 PM",
            "2024-05-01 0:45 AM",
            "2024-05-01 noon",
            "2024-05-01T13:45+2",
            "2024-05-01-07",
            "1.2.3.4",
            "127.0.0.1",
            "32/13/2024",
            "01/02/24",
        ] {
            assert_eq!(look(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_of_either_order_is_known_by_its_size() {
        let both = look("03/04/2024").unwrap();
        assert_eq!(
            both.day_first.map(|m| m.day),
            look("2024-04-03").unwrap().day_first.map(|m| m.day)
        );
        assert_eq!(
            both.month_first.map(|m| m.day),
            look("2024-03-04").unwrap().day_first.map(|m| m.day)
        );
        let day = look("31.12.2024 23:59").unwrap();
        assert!(day.month_first.is_none() && day.day_first.is_some() && day.points);
        assert!(look("12/31/2024").unwrap().day_first.is_none());
    }

    #[test]
    fn other_dates_are_noticed() {
        for text in [
            "31.12.24",
            "5/1/24 13:45",
            "5 Jan 2024",
            "January 5, 2024",
            "05-Jan-24",
        ] {
            assert!(seems_date(text) && look(text).is_none(), "{text}");
        }
        for text in [
            "1.2.3",
            "May",
            "10-20-30-40",
            "March of 1000 men",
            "a/b/c",
            "99/99/99",
        ] {
            assert!(!seems_date(text), "{text}");
        }
    }
}
