//! Amounts of memory: as text, as there are, and as they may be taken.

use crate::base::registry::Value;
use crate::error::{Error, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
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
    pub(crate) fn from_value(at: &str, value: &Value) -> Result<Self> {
        match (value, value.as_u64()) {
            (Value::String(text), _) => Self::from_text(at, text),
            (_, Some(bytes)) if bytes > 0 => Ok(Memory(bytes)),
            (other, _) => Err(Error::invalid(at, other, EXPECTED)),
        }
    }

    /// The amount rounded up to two digits.
    pub(crate) fn at_least(bytes: u64) -> Self {
        let mut unit = 1;
        while bytes / unit >= 100 {
            unit *= 10;
        }
        Memory(bytes.div_ceil(unit) * unit)
    }

    /// The amount to a decimal of a unit.
    fn about(self) -> String {
        let bytes = self.0;
        let mut decimal = UNITS.iter().filter(|(name, _)| !name.contains('i'));
        match decimal.find(|(_, unit)| bytes >= *unit) {
            Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
            None => format!("{bytes} B"),
        }
    }

    /// The machine's memory, or this process' limit if that is lower; `None` if the system does not
    /// state it in a file.
    pub fn of_machine() -> Option<Self> {
        let all = kib("/proc/meminfo", "MemTotal:")?;
        groups_limit().into_iter().chain([all]).min().map(Memory)
    }

    /// The memory that this process can still get; `None` if the system does not state it in a file.
    fn free() -> Option<Self> {
        let free = kib("/proc/meminfo", "MemAvailable:")?;
        let swap = kib("/proc/meminfo", "SwapFree:").unwrap_or(0);
        let own = |what| kib("/proc/self/status", what).unwrap_or(0);
        let of_group = groups_limit().map(|most| most.saturating_sub(own("RssAnon:")));
        let of_process = address_space().map(|most| most.saturating_sub(own("VmSize:")));
        let limits = of_group.into_iter().chain(of_process);
        limits.chain([free.saturating_add(swap)]).min().map(Memory)
    }
}

/// Refuses what takes more memory than there is, before it is allocated: the allocator would end the
/// process. `bytes` is `None` if there are more than can be counted; `found` says what takes them.
pub(crate) fn check(
    at: &str,
    bytes: Option<u64>,
    found: impl FnOnce(&str) -> String,
) -> Result<()> {
    /// Amounts that every machine has need no question.
    const SMALL: u64 = 1 << 24;
    if matches!(bytes, Some(0..=SMALL)) {
        return Ok(());
    }
    let free = Memory::free();
    let whole = bytes.and_then(|bytes| usize::try_from(bytes).ok());
    let fits = whole.is_some_and(|whole| {
        // Systems that state no amount may still refuse one.
        let is_given = || Vec::<u8>::new().try_reserve_exact(whole).is_ok();
        free.is_none_or(|free| whole as u64 <= free.0) && is_given()
    });
    if fits {
        return Ok(());
    }
    let amount = match bytes {
        Some(bytes) => Memory(bytes).about(),
        None => "more bytes than can be counted".to_owned(),
    };
    let expected = match free {
        Some(free) => format!("at most {}, the memory that is free", free.about()),
        None => "what fits into memory".to_owned(),
    };
    Err(Error::invalid(at, found(&amount), expected))
}

/// The bytes of a product of sizes; `None` if there are more than can be counted.
pub(crate) fn bytes(of_each: usize, sizes: &[usize]) -> Option<u64> {
    let mut sizes = sizes.iter().map(|&size| size as u64);
    match sizes.clone().any(|size| size == 0) {
        true => Some(0),
        false => sizes.try_fold(of_each as u64, u64::checked_mul),
    }
}

/// A line's number of KiB in a file of the system, in bytes.
fn kib(path: &str, line: &str) -> Option<u64> {
    let about = std::fs::read_to_string(path).ok()?;
    let found = about.lines().find_map(|l| l.strip_prefix(line))?;
    let kib: u64 = found.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib.saturating_mul(1024))
}

/// The limit of this process' group, as of a container.
fn groups_limit() -> Option<u64> {
    let limits = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ];
    let read = |path| std::fs::read_to_string(path).ok()?.trim().parse().ok();
    limits.into_iter().filter_map(read).min()
}

/// The limit of this process' addresses (`ulimit -v`).
fn address_space() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let mut lines = limits.lines();
    let limit = lines.find_map(|line| line.strip_prefix("Max address space"))?;
    limit.split_whitespace().next()?.parse().ok()
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
        f.write_str(&self.about())
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

impl JsonSchema for Memory {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Memory".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "integer", "minimum": 1 }] })
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
