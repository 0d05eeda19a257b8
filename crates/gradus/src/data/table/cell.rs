//! What a cell's text may stand for.

use super::dates::look;
use super::{Kind, number};

/// Whether a cell that is not missing can be read so.
pub(super) fn is(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Number => number(text).is_some() || number::look(text).is_some(),
        Kind::Boolean => boolean(text).is_some(),
        Kind::Date | Kind::DateTime => look(text).is_some(),
        Kind::Category => true,
    }
}

/// A finite number that a 32-bit float can hold.
pub(super) fn number(text: &str) -> Option<f64> {
    let starts = text.as_bytes().first()?;
    // `inf` and `nan` are no numbers to train on.
    if !(starts.is_ascii_digit() || b"+-.".contains(starts)) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    (number as f32).is_finite().then_some(number)
}

/// `true`, `yes`, `false`, `no`, in any case.
pub(in crate::data) fn boolean(text: &str) -> Option<f32> {
    let is = |words: [&str; 2]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match (is(["true", "yes"]), is(["false", "no"])) {
        (true, _) => Some(1.0),
        (_, true) => Some(0.0),
        _ => None,
    }
}

/// As [`boolean`], and 1 and 0, which are numbers unless the column is said to be of
/// booleans.
pub(super) fn said_boolean(text: &str) -> Option<f32> {
    boolean(text).or_else(|| match number(text) {
        Some(0.0) => Some(0.0),
        Some(1.0) => Some(1.0),
        _ => None,
    })
}

/// The days since 1970-01-01 of a date that there is.
pub(in crate::data) fn day_of(year: i32, month: i32, day: i32) -> i32 {
    // Years that begin in March have the odd day at their end.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let before = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    before + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// The date of so many days since 1970-01-01, as text.
pub(super) fn date_text(days: i32) -> String {
    let (year, month, day) = date_parts(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of so many days since 1970-01-01.
pub(in crate::data) fn date_parts(days: i32) -> (i32, i32, i32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (of_year * 5 + 2) / 153;
    let (day, year) = (of_year - (month * 153 + 2) / 5 + 1, year + era * 400);
    let (year, month) = if month < 10 {
        (year, month + 3)
    } else {
        (year + 1, month - 9)
    };
    (year, month, day)
}
