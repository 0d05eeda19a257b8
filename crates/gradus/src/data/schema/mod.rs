//! The roles of a table's columns in a model: features, targets, ids.
//!
//! [`Schema`] is plain data, kept by the model and its file; `of` makes it from a
//! table and a user's [`TableOptions`], `target` what is predicted; `read` reads another table as it says;
//! `columns` makes tensors of columns, `offset` what is subtracted from them; `summary` is what a
//! model is made by;
//! `known` are the texts that a model knows, `unfamiliar` what new rows have besides.

mod columns;
mod describe;
mod different;
mod known;
mod of;
mod offset;
mod options;
mod read;
mod summary;
mod target;
mod unfamiliar;

pub(crate) use columns::{DATE_PARTS, DATETIME_PARTS};
pub(crate) use different::Different;
pub(crate) use known::KnownTexts;
pub use of::LeftOut;
pub use options::{DateFormats, Missing, TableOptions, TargetScale, Treat};
pub use summary::Summary;
pub(crate) use summary::{Look, Moments, NumberLook};
pub use unfamiliar::Unfamiliar;

#[cfg(doc)]
use super::table::TextOptions;
use super::table::{DateFormat, Kind, NumberFormat};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The roles and encodings of a table's columns. With it, a model reads tables: columns are found
/// by name, and predictions come back as classes' names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// Features: the columns of the inputs.
    pub features: Vec<Feature>,
    /// Targets: the predicted columns.
    pub targets: Vec<Target>,
    /// Columns that identify each row: kept beside the predictions.
    #[serde(default)]
    pub ids: Vec<String>,
    /// Columns that a table may have, and that are ignored.
    #[serde(default)]
    pub dropped: Vec<String>,
    /// Texts that count as missing, if not the usual ones: see [`TextOptions::missing_values`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_values: Option<Vec<String>>,
    /// The model's dictionaries, while a table is read by them.
    #[serde(skip)]
    pub(crate) known: KnownTexts,
}

/// A feature: a column that a model reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// The column's name.
    pub name: String,
    /// The name of the model's input. It is the column's, with `_` for `/`.
    pub input: String,
    /// Type of the column.
    pub kind: Kind,
    /// Format of its numbers in text files.
    #[serde(default, skip_serializing_if = "NumberFormat::is_plain")]
    pub format: NumberFormat,
    /// Format of its dates in text files.
    #[serde(default, skip_serializing_if = "DateFormat::is_iso")]
    pub dates: DateFormat,
    /// Constant subtracted from its values on reading, if float32, the model's input type, would
    /// round distinct ones to equal ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<f64>,
}

/// A target: a column that a model predicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The column's name.
    pub name: String,
    /// Type of the cells. Numbers may be classes, too.
    pub kind: Kind,
    /// Names of the classes in the order of their labels; empty for a number.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Format of its numbers in text files.
    #[serde(default, skip_serializing_if = "NumberFormat::is_plain")]
    pub format: NumberFormat,
}

impl Target {
    /// Name of its output in a model with several: the column's, in letters that TensorFlow allows.
    pub fn output(&self) -> String {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let name: String = self
            .name
            .chars()
            .map(|c| if allowed(c) { c } else { '_' })
            .collect();
        match name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            true => name,
            false => format!("y{name}"),
        }
    }
}

impl Schema {
    /// Every column named.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let features = self.features.iter().map(|f| f.name.as_str());
        let targets = self.targets.iter().map(|t| t.name.as_str());
        let others = self.ids.iter().chain(&self.dropped).map(String::as_str);
        features.chain(targets).chain(others)
    }

    /// The same with only the features of these inputs; the others become dropped columns.
    pub fn keep_inputs(&mut self, inputs: &[&str]) {
        let inputs: HashSet<&str> = inputs.iter().copied().collect();
        let (kept, left) = std::mem::take(&mut self.features)
            .into_iter()
            .partition(|f| inputs.contains(f.input.as_str()));
        self.features = kept;
        let left: Vec<Feature> = left;
        self.dropped.extend(left.into_iter().map(|f| f.name));
    }

    /// Refuses schemas that [`Schema::of`] never makes: a column in two roles, targets with
    /// ambiguous classes.
    pub fn check(&self) -> Result<()> {
        once("columns", self.columns())?;
        once("inputs", self.features.iter().map(|f| f.input.as_str()))?;
        let outputs: Vec<String> = self.targets.iter().map(Target::output).collect();
        once("outputs", outputs.iter().map(String::as_str))?;
        for target in &self.targets {
            let count = target.classes.len();
            let of_classes = target.kind != Kind::Number;
            if count == 1 || of_classes && count == 0 {
                let found = format!("{count} classes");
                let expected = match of_classes {
                    true => "two or more",
                    false => "none, or two or more",
                };
                return Err(Error::invalid(&target.name, found, expected));
            }
            once(&target.name, target.classes.iter().map(String::as_str))?;
        }
        match self.features.is_empty() {
            true => Err(Error::invalid("columns", "no features", "at least one")),
            false => Ok(()),
        }
    }
}

/// Refuses a repeated name.
fn once<'a>(what: &str, mut names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = HashSet::new();
    match names.find(|name| !seen.insert(*name)) {
        Some(name) => Err(Error::invalid(what, format!("`{name}` twice"), "each once")),
        None => Ok(()),
    }
}
