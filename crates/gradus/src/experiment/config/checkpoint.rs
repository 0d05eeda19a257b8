//! `[checkpoint]`: when a training writes checkpoints, and the number that is kept.

use super::{text_of, whole};
use crate::base::registry::{Value, read, table};
use crate::error::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};
use std::num::NonZeroUsize;
use std::time::Duration;

/// `[checkpoint]`, read.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointConfig {
    /// The time between two checkpoints, as it was given.
    every: Option<String>,
    /// The number of checkpoints that are kept, if it was given.
    keep: Option<usize>,
}

/// Checkpoints, from which `--resume` goes on.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "Checkpoint", default)]
pub(super) struct Raw {
    /// The time between two checkpoints: `"30s"`, `"5m"` or `"2h"`. Default after each epoch, and
    /// every five seconds within a longer one.
    #[schemars(with = "Option<String>", regex(pattern = "^\\s*[0-9.]+\\s*[smh]\\s*$"), extend("examples" = ["5m"]))]
    every: Option<Value>,
    /// The number of checkpoints that are kept, the newest first.
    #[schemars(with = "Option<NonZeroUsize>", extend("default" = KEEP), extend("examples" = [3]))]
    keep: Option<Value>,
}

const EVERY: &str = "a time such as \"30s\", \"5m\" or \"2h\"";

/// The number of checkpoints that are kept by default: the newest, and one to fall back to.
const KEEP: usize = 2;

impl CheckpointConfig {
    /// Reads the table; `at` is its path of keys.
    pub fn from_value(at: &str, value: &Value) -> Result<Self> {
        let raw: Raw = read(at, table(at, value)?)?;
        let (every, keep) = (format!("{at}.every"), format!("{at}.keep"));
        let text = raw.every.map(|value| text_of(&every, &value, EVERY));
        let text = text.transpose()?;
        if let Some(text) = &text
            && duration(text).is_none()
        {
            return Err(Error::invalid(&every, format!("\"{text}\""), EVERY));
        }
        let number = raw.keep.map(|value| whole(&keep, &value, 1));
        Ok(CheckpointConfig {
            every: text,
            keep: number.transpose()?,
        })
    }

    /// The time between two checkpoints, if it is given.
    pub fn every(&self) -> Option<Duration> {
        self.every.as_deref().and_then(duration)
    }

    /// The number of checkpoints that are kept.
    pub fn keep(&self) -> usize {
        self.keep.unwrap_or(KEEP)
    }

    /// The keys that were given.
    pub fn given(&self) -> Value {
        let every = self.every.as_ref().map(|every| json!(every));
        let keep = self.keep.map(|keep| json!(keep));
        let all = [("every", every), ("keep", keep)].into_iter();
        let given = all.filter_map(|(key, value)| Some((key.to_owned(), value?)));
        given.collect::<Map<_, _>>().into()
    }
}

/// Reads `30s`, `5m`, `2h`, also with a decimal point.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = match text.chars().last()? {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3600.0,
        _ => return None,
    };
    let number = text[..text.len() - 1].trim_end();
    let plain = |b: u8| b.is_ascii_digit() || b == b'.';
    let number: f64 = number.bytes().all(plain).then(|| number.parse().ok())??;
    Duration::try_from_secs_f64(number * unit)
        .ok()
        .filter(|duration| !duration.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_number_and_a_unit() {
        for (text, seconds) in [
            ("30s", 30.0),
            ("5m", 300.0),
            ("2h", 7200.0),
            ("1.5 m", 90.0),
        ] {
            assert_eq!(duration(text).unwrap().as_secs_f64(), seconds, "{text}");
        }
        for wrong in [
            "", "5", "m", "-5m", "0s", "5 min", "1e3s", "infs", "9e99h", "é",
        ] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
