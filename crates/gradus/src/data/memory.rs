//! Amounts of memory in human-readable form.

use crate::base::registry::Value;
use crate::error::{Error, Result};
use serde::{Serialize, Serializer};
use std::fmt;

/// An amount of memory: `"500 MB"`, `"2 GiB"`, or a number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Memory(u64);

/// Larger units first among those of one base, since a text is written in the first unit that
/// divides the amount.
const UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
];

const EXPECTED: &str = "an amount of memory, such as \"500 MB\" or \"2 GiB\"";

impl Memory {
    /// The default memory limit for streamed rows: 500 MB.
    pub const USUAL: Memory = Memory(500_000_000);

    /// The amount in bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// Reads `500 MB`; `at` is its path of keys.
    pub fn from_text(at: &str, text: &str) -> Result<Self> {
        let wrong = || Error::invalid(at, format!("`{text}`"), EXPECTED);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, unit) = text.split_at(end.unwrap_or(text.len()));
        let unit = match unit.trim() {
            "" | "B" => 1,
            unit => {
                let unit = UNITS
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(unit));
                unit.ok_or_else(wrong)?.1
            }
        };
        let bytes = number.parse::<f64>().map_err(|_| wrong())? * unit as f64;
        match bytes.round() {
            bytes if (1.0..9e18).contains(&bytes) => Ok(Memory(bytes as u64)),
            _ => Err(wrong()),
        }
    }

    /// Reads a configuration's text or number of bytes.
    pub(super) fn from_value(at: &str, value: &Value) -> Result<Self> {
        match (value, value.as_u64()) {
            (Value::String(text), _) => Self::from_text(at, text),
            (_, Some(bytes)) if bytes > 0 => Ok(Memory(bytes)),
            (other, _) => Err(Error::invalid(at, other, EXPECTED)),
        }
    }

    /// The amount rounded up to two digits.
    pub(super) fn at_least(bytes: u64) -> Self {
        let mut unit = 1;
        while bytes / unit >= 100 {
            unit *= 10;
        }
        Memory(bytes.div_ceil(unit) * unit)
    }

    /// The machine's memory, or this process' limit if that is lower; `None` if the system does not
    /// state it in a file.
    pub fn of_machine() -> Option<Self> {
        let read = |path: &str| std::fs::read_to_string(path).ok();
        let about = read("/proc/meminfo")?;
        let line = about.lines().find_map(|l| l.strip_prefix("MemTotal:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        let allowed = [
            "/sys/fs/cgroup/memory.max",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        ];
        let allowed = allowed
            .iter()
            .filter_map(|path| read(path)?.trim().parse().ok());
        allowed.chain([kib.saturating_mul(1024)]).min().map(Memory)
    }
}

/// Rows that would take more memory than they may.
#[derive(Clone, Copy, Debug)]
pub(super) struct Excess {
    /// The memory that they may take.
    pub memory: Memory,
    /// The memory that all of them would take, about.
    pub whole: Memory,
}

impl Excess {
    /// The error of a call that needs all rows in memory.
    pub fn error(self) -> Error {
        let Excess { memory, whole } = self;
        let expected = format!(
            "at most {memory} (`data.memory`, or half of the machine's): what is larger is not \
             read as a whole, but trained on, evaluated and predicted meanwhile"
        );
        Error::invalid("data", format!("rows of {whole}"), expected)
    }
}

impl From<u64> for Memory {
    fn from(bytes: u64) -> Self {
        Memory(bytes)
    }
}

/// The amount as text: `500 MB`; rounded to a decimal if it is no whole number of a unit.
impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0;
        if let Some((name, unit)) = UNITS
            .iter()
            .find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit))
        {
            return write!(f, "{} {name}", bytes / unit);
        }
        match UNITS
            .iter()
            .find(|(name, unit)| !name.contains('i') && bytes >= *unit)
        {
            Some((name, unit)) => write!(f, "{:.1} {name}", bytes as f64 / *unit as f64),
            None => write!(f, "{bytes} B"),
        }
    }
}

/// As a configuration has it, unrounded.
impl Serialize for Memory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.to_string();
        match Memory::from_text("", &text) {
            Ok(same) if same == *self => serializer.serialize_str(&text),
            _ => serializer.serialize_u64(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written() {
        for (text, bytes, shown) in [
            ("500 MB", 500_000_000, "500 MB"),
            ("500mb", 500_000_000, "500 MB"),
            ("1.5 GB", 1_500_000_000, "1500 MB"),
            ("2GiB", 2 << 30, "2 GiB"),
            ("123", 123, "123 B"),
            ("1234567 B", 1_234_567, "1.2 MB"),
        ] {
            let memory = Memory::from_text("memory", text).unwrap();
            assert_eq!(
                (memory.bytes(), memory.to_string().as_str()),
                (bytes, shown)
            );
        }
        for text in [
            "",
            "MB",
            "5 XB",
            "-5 MB",
            "0",
            "1e99 GB",
            "1.2.3 MB",
            "99999999 TB",
        ] {
            assert!(Memory::from_text("memory", text).is_err(), "{text}");
        }
        assert_eq!(Memory::at_least(1234).to_string(), "1.3 kB");
    }
}
