//! The result of a check.

use crate::base::shown::{first, sentence, value};
use crate::data::dataset::Dataset;
use crate::data::table::Table;
use crate::error::Error;
use serde::Serialize;
use std::fmt;

/// Severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Training is impossible.
    Error,
    /// Probably a mistake.
    Warning,
    /// Information.
    Note,
}

impl Severity {
    /// Name: `error`, `warning` or `note`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// Location of a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Where {
    /// The file, data set, or part of a configuration or model.
    pub source: String,
    /// The column: a name, or its index in the row, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The row, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<usize>,
    /// Line of the table's file in which the row begins, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

impl Where {
    /// A location that names only a source.
    pub fn of(source: impl Into<String>) -> Self {
        Where {
            source: source.into(),
            ..Where::default()
        }
    }
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&value(&self.source))?;
        if let Some(column) = &self.column {
            match column.parse::<usize>() {
                Ok(place) => write!(f, ", column {place}")?,
                Err(_) => write!(f, ", column `{}`", value(column))?,
            }
        }
        match (self.row, self.line) {
            (_, Some(line)) => write!(f, ", line {line}"),
            (Some(row), None) => write!(f, ", row {row}"),
            (None, None) => Ok(()),
        }
    }
}

/// The first few of these columns, and the number of the others.
pub(crate) fn named(places: &[usize]) -> String {
    const NAMED: usize = 8;
    first(NAMED, places)
}

/// A suspicious fact found by a check, and advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Severity.
    pub severity: Severity,
    /// The check's name, under which it can be silenced.
    pub check: &'static str,
    /// Its location.
    #[serde(rename = "where")]
    pub place: Where,
    /// The fact found.
    pub found: String,
    /// Advice for the user.
    pub advice: String,
}

impl Finding {
    /// A finding with the usual severity, a warning.
    pub fn warning(
        check: &'static str,
        place: Where,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Finding {
            severity: Severity::Warning,
            check,
            place,
            found: found.into(),
            advice: advice.into(),
        }
    }

    /// The finding for a model's error about this data; in a table, the row is given as a line of
    /// the file.
    pub fn refused(error: &Error, data: &Dataset, is_table: bool) -> Self {
        let (place, found, advice) = match error {
            Error::Data {
                source_name,
                row,
                column,
                found,
                expected,
            } => {
                let place = Where {
                    column: column.map(|place| place.to_string()),
                    row: *row,
                    line: row
                        .filter(|_| is_table)
                        .and_then(|row| Table::line_of_row(data.name(), row)),
                    ..Where::of(source_name)
                };
                (place, found.clone(), expected.clone())
            }
            Error::Invalid {
                at,
                found,
                expected,
            } => (Where::of(at), found.clone(), expected.clone()),
            Error::Shape {
                at,
                found,
                expected,
            } => (
                Where::of(at),
                format!("shape {found}"),
                expected.to_string(),
            ),
            other => {
                let (place, advice) = (Where::of(data.name()), "the model cannot take it");
                return Finding::warning("data", place, other.to_string(), advice)
                    .severity(Severity::Error);
            }
        };
        let (found, advice) = (format!("found {found}"), format!("expected {advice}"));
        Finding::warning("data", place, found, advice).severity(Severity::Error)
    }

    /// The same finding with another severity.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// As an error about the table `at` of a configuration, if training is impossible.
    pub fn into_error(self, at: &str) -> Error {
        let (place, name) = (self.place, self.check);
        Error::Config {
            at: at.to_owned(),
            problem: format!("{place}: {}; {} [{name}]", self.found, self.advice),
        }
    }
}

/// As it is printed: fact, advice and the check's name.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}: {}; {} [{}]",
            self.severity.name(),
            self.place,
            sentence(&self.found),
            sentence(&self.advice),
            self.check
        )
    }
}
