//! Times as texts.

use crate::data::date_parts;
use std::time::{SystemTime, UNIX_EPOCH};

/// A time, as `2026-11-30 13:40:05 UTC`.
pub fn utc(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    let (year, month, day) = date_parts((seconds / 86_400) as i32);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}
