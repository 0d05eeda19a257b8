//! The user's options for a table's text: header, numbers, missing values.

use crate::base::registry::{Value, table};
use crate::error::{Error, Result, join};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// Overrides of the inferred format of a CSV or TSV file's text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TextOptions {
    /// True if the first line has the columns' names. Default it is detected.
    #[schemars(extend("examples" = [false]))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// Decimal separator, `"."` or `","`, for all columns or by column. Default it is inferred,
    /// column by column.
    #[schemars(extend("examples" = [","]))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Separator>,
    /// Separator of groups of three digits: `"."`, `","`, a space or `"'"`, for all columns or by
    /// column. Default it is inferred, column by column.
    #[schemars(extend("examples" = ["."]))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thousands: Option<Separator>,
    /// Words that mean missing in columns of texts, in any case, in place of the usual ones (`NA`,
    /// `N/A`, `#N/A`, `<NA>`, `NaN`, `null`, `?`). An empty cell is always missing. In columns of
    /// numbers and dates the usual ones and `none` mean missing, too. Default the usual ones.
    #[schemars(schema_with = "words_schema", extend("examples" = [["?", "unknown"]]))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_values: Option<Vec<String>>,
}

/// A separator, for all or some columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(
    untagged,
    expecting = "expected one character, or a table of them by column"
)]
pub enum Separator {
    /// One for all columns.
    All(char),
    /// One for each of these columns: `{ price = "," }`.
    Columns(BTreeMap<String, char>),
}

impl Separator {
    fn of(&self, column: &str) -> Option<char> {
        match self {
            Separator::All(separator) => Some(*separator),
            Separator::Columns(columns) => columns.get(column).copied(),
        }
    }

    fn from_value(at: &str, value: &Value, all: &str, expected: &str) -> Result<Self> {
        let one = |at: &str, value: &Value| {
            let mut chars = value.as_str().unwrap_or_default().chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) if all.contains(c) => Ok(c),
                _ => Err(Error::invalid(at, value, expected)),
            }
        };
        if value.as_object().is_none() {
            return one(at, value).map(Separator::All);
        }
        let mut columns = BTreeMap::new();
        for (name, value) in table(at, value)? {
            columns.insert(name.clone(), one(&join(at, &name), &value)?);
        }
        Ok(Separator::Columns(columns))
    }
}

impl TextOptions {
    /// The decimal separator and the separator of groups of digits given for a column, if any.
    pub(super) fn separators(&self, column: &str) -> (Option<char>, Option<char>) {
        let of = |separator: &Option<Separator>| separator.as_ref()?.of(column);
        (of(&self.decimal), of(&self.thousands))
    }

    /// True if a separator is given for a column.
    pub(in crate::data) fn says(&self, column: &str) -> bool {
        self.separators(column) != (None, None)
    }

    /// The columns named, with the configuration key that names them.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let both = [("decimal", &self.decimal), ("thousands", &self.thousands)];
        both.into_iter().flat_map(|(key, separator)| {
            let columns = match separator {
                Some(Separator::Columns(columns)) => Some(columns.keys()),
                _ => None,
            };
            columns.into_iter().flatten().map(move |name| (key, name))
        })
    }

    /// Reads `header`, `decimal`, `thousands` and `missing_values` of a configuration; `at` is
    /// their path of keys.
    pub(in crate::data) fn from_values(
        at: &str,
        [header, decimal, thousands, missing_values]: [Option<Value>; 4],
    ) -> Result<Self> {
        let header = header.map(|value| match value {
            Value::Bool(header) => Ok(header),
            other => Err(Error::invalid(&join(at, "header"), other, "true or false")),
        });
        let separator = |key: &str, value: Option<Value>, all: &str, expected: &str| {
            let at = join(at, key);
            let read = value.map(|value| Separator::from_value(&at, &value, all, expected));
            read.transpose()
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
        let named = options.columns().map(|(_, name)| name.as_str());
        for name in named.chain([""]) {
            if let (Some(decimal), Some(thousands)) = options.separators(name)
                && decimal == thousands
            {
                let found = format!("\"{thousands}\", which `decimal` is too");
                let expected = "another one than stands before the fraction";
                return Err(Error::invalid(&join(at, "thousands"), found, expected));
            }
        }
        Ok(options)
    }
}

fn words_schema(_: &mut SchemaGenerator) -> Schema {
    let several = json!({ "type": "array", "items": { "type": "string" } });
    json_schema!({ "anyOf": [{ "type": "string" }, several] })
}

/// A list of texts, or a single text.
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
