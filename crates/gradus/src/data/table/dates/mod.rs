//! Dates and times in texts.
//!
//! `moment` parses a cell, `pattern` parses by a user's format, `evidence` infers from all cells of
//! a column which number is the month.

mod evidence;
mod moment;
mod pattern;

pub(super) use evidence::Evidence;
pub(super) use moment::{DAY, Moment, look, seems_date};
pub use pattern::DatePattern;

use super::calendar::{date_text, day_of};
use crate::error::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The format of a column's dates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateFormat {
    /// Year, month, day: `2024-05-31`, `2024/05/31`.
    #[default]
    Iso,
    /// Day, month, year: `31/05/2024`; also everything that [`DateFormat::Iso`] reads.
    DayFirst,
    /// Month, day, year: `05/31/2024`; also everything that [`DateFormat::Iso`] reads.
    MonthFirst,
    /// A user's pattern.
    Pattern(DatePattern),
}

impl DateFormat {
    const NAMES: [(&'static str, DateFormat); 3] = [
        ("iso", DateFormat::Iso),
        ("day-first", DateFormat::DayFirst),
        ("month-first", DateFormat::MonthFirst),
    ];

    /// Reads `iso`, `day-first`, `month-first` or a pattern such as `%d/%m/%Y %H:%M`; `at` is its
    /// path of keys.
    pub fn from_text(at: &str, text: &str) -> Result<Self> {
        let mut named = Self::NAMES.into_iter();
        if let Some((_, format)) = named.find(|(name, _)| *name == text) {
            return Ok(format);
        }
        if !text.contains('%') {
            let known = Self::NAMES.into_iter().map(|(name, _)| name);
            return Err(match crate::error::nearest(text, known.clone()) {
                Some(_) => Error::unknown(at, "date format", text, known),
                None => Error::invalid(
                    at,
                    format!("`{text}`"),
                    "a pattern such as `%d/%m/%Y %H:%M`, or one of iso, day-first, month-first",
                ),
            });
        }
        DatePattern::new(at, text).map(DateFormat::Pattern)
    }

    /// True for the default.
    pub fn is_iso(&self) -> bool {
        *self == DateFormat::Iso
    }

    /// The date and time of a cell in this format.
    pub(super) fn read(&self, text: &str) -> Option<Moment> {
        match self {
            DateFormat::Pattern(pattern) => pattern.read(text),
            DateFormat::Iso => look(text)?.iso(),
            DateFormat::DayFirst => look(text)?.day_first,
            DateFormat::MonthFirst => look(text)?.month_first,
        }
    }
}

impl fmt::Display for DateFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = Self::NAMES.into_iter();
        match (self, names.find(|(_, format)| format == self)) {
            (DateFormat::Pattern(pattern), _) => f.write_str(pattern.text()),
            (_, Some((name, _))) => f.write_str(name),
            _ => Ok(()),
        }
    }
}

impl Serialize for DateFormat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DateFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text("date_format", &text).map_err(serde::de::Error::custom)
    }
}

/// The time at this many microseconds since 1970-01-01, as text: `2024-05-31 13:45:00`, with a
/// fraction if there is one.
pub(super) fn moment_text(micros: i64) -> String {
    let (day, time) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (seconds, fraction) = (time / 1_000_000, time % 1_000_000);
    let mut text = format!(
        "{} {:02}:{:02}:{:02}",
        date_text(day as i32),
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    if fraction > 0 {
        let digits = format!("{fraction:06}");
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
    text
}

/// The day since 1970-01-01 and the microsecond within it.
pub(in crate::data) fn day_and_time(micros: i64) -> (i32, i64) {
    (micros.div_euclid(DAY) as i32, micros.rem_euclid(DAY))
}

/// True if a day's year is written with four digits.
pub(super) fn is_day(day: i64) -> bool {
    (day_of(0, 1, 1).into()..=day_of(9999, 12, 31).into()).contains(&day)
}
