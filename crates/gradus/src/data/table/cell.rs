//! What a cell's text may stand for.

use super::Kind;

/// Whether a cell is missing: empty, or one of the usual words for it.
pub(super) fn is_missing(text: &str) -> bool {
    const WORDS: [&str; 6] = ["na", "n/a", "nan", "null", "none", "?"];
    text.is_empty() || (text.len() <= 4 && WORDS.iter().any(|w| text.eq_ignore_ascii_case(w)))
}

/// Whether a cell that is not missing can be read so.
pub(super) fn is(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Number => number(text).is_some(),
        Kind::Boolean => boolean(text).is_some(),
        Kind::Date => date(text).is_some(),
        Kind::Category => true,
    }
}

/// A finite number that a 32-bit float can hold.
pub(super) fn number(text: &str) -> Option<f32> {
    let starts = text.as_bytes().first()?;
    // `inf` and `nan` are no numbers to train on.
    if !(starts.is_ascii_digit() || b"+-.".contains(starts)) {
        return None;
    }
    let number: f32 = text.parse().ok()?;
    number.is_finite().then_some(number)
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
    boolean(text).or_else(|| number(text).filter(|&x| x == 0.0 || x == 1.0))
}

/// The days since 1970-01-01 of `2026-11-23`, or of that with a time behind it.
pub(super) fn date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    let behind = bytes.get(10).copied();
    if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    if !matches!(behind, None | Some(b'T' | b' ')) || bytes.len() > 35 {
        return None;
    }
    let part = |range: std::ops::Range<usize>| -> Option<i32> {
        let digits = bytes.get(range)?;
        let mut digits = digits.iter();
        digits.try_fold(0, |n, d| {
            d.is_ascii_digit().then(|| n * 10 + i32::from(d - b'0'))
        })
    };
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days).contains(&day) {
        return None;
    }
    Some(day_of(year, month, day))
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
