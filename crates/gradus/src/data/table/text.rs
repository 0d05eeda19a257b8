//! What a user says of a table's text: its header, its numbers, its gaps.

use crate::base::registry::Value;
use crate::error::{Error, Result, join};
use serde::{Deserialize, Serialize};

/// How the text of a CSV or TSV file is to be read where its own look does not decide.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextOptions {
    /// Whether the first line has the columns' names. The default is to see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// What stands before a number's fraction, `.` or `,`, in all columns. The default is
    /// to see, column by column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal: Option<char>,
    /// What stands between a number's groups of three digits, in all columns: `.`, `,`, a
    /// space or `'`. The default is to see, column by column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thousands: Option<char>,
    /// The words that are gaps in columns of texts, in any case, in place of the usual ones
    /// (`NA`, `N/A`, `#N/A`, `<NA>`, `NaN`, `null`, `?`). An empty cell always is one. In
    /// columns of numbers and dates the usual ones and `none` are gaps, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_values: Option<Vec<String>>,
}

impl TextOptions {
    /// A key of a configuration that says something, if any does.
    pub(in crate::data) fn given(&self) -> Option<&'static str> {
        let keys = [
            ("header", self.header.is_some()),
            ("decimal", self.decimal.is_some()),
            ("thousands", self.thousands.is_some()),
            ("missing_values", self.missing_values.is_some()),
        ];
        keys.into_iter().find(|key| key.1).map(|key| key.0)
    }

    /// Reads `header`, `decimal`, `thousands` and `missing_values` of a configuration; `at`
    /// is where they stand.
    pub(in crate::data) fn from_values(
        at: &str,
        [header, decimal, thousands, missing_values]: [Option<Value>; 4],
    ) -> Result<Self> {
        let header = header.map(|value| match value {
            Value::Bool(header) => Ok(header),
            other => Err(Error::invalid(&join(at, "header"), other, "true or false")),
        });
        let separator = |key: &str, value: Option<Value>, all: &str, expected: &str| {
            let separator = value.map(|value| {
                let mut chars = value.as_str().unwrap_or_default().chars();
                match (chars.next(), chars.next()) {
                    (Some(c), None) if all.contains(c) => Ok(c),
                    _ => Err(Error::invalid(&join(at, key), &value, expected)),
                }
            });
            separator.transpose()
        };
        let options = TextOptions {
            header: header.transpose()?,
            decimal: separator("decimal", decimal, ".,", "\".\" or \",\"")?,
            thousands: separator(
                "thousands",
                thousands,
                ".,' ",
                "\",\", \".\", \" \" or \"'\"",
            )?,
            missing_values: missing_values
                .map(|value| words(&join(at, "missing_values"), &value))
                .transpose()?,
        };
        if let (Some(decimal), Some(thousands)) = (options.decimal, options.thousands)
            && decimal == thousands
        {
            let found = format!("\"{thousands}\", which `decimal` is too");
            let expected = "another one than stands before the fraction";
            return Err(Error::invalid(&join(at, "thousands"), found, expected));
        }
        Ok(options)
    }
}

/// A list of texts, or one.
fn words(at: &str, value: &Value) -> Result<Vec<String>> {
    let word = |value: &Value| match value.as_str() {
        Some(word) => Ok(word.trim().to_owned()),
        None => {
            let expected = "a list of texts, such as [\"?\", \"none\"]";
            Err(Error::invalid(at, value, expected))
        }
    };
    match value {
        Value::Array(all) => all.iter().map(word).collect(),
        one => Ok(vec![word(one)?]),
    }
}
