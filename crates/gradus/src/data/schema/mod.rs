//! What a table's columns are to a model: features, targets, ids.
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

/// What the columns of a table are to a model. With it, a model is fed with
/// tables: columns are found by name, and its numbers are given back as classes'
/// names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The columns that the model looks at.
    pub features: Vec<Feature>,
    /// The columns that it predicts.
    pub targets: Vec<Target>,
    /// Columns that say which row it is: kept beside the predictions.
    #[serde(default)]
    pub ids: Vec<String>,
    /// Columns that may be in a table, and are not looked at.
    #[serde(default)]
    pub dropped: Vec<String>,
    /// The words that are gaps among texts, if not the usual ones: see
    /// [`TextOptions::missing_values`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_values: Option<Vec<String>>,
    /// The texts of its features that a model knows, where one reads by it.
    #[serde(skip)]
    pub(crate) known: KnownTexts,
}

/// A column that a model looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// The column's name.
    pub name: String,
    /// The name of the model's input. It is the column's, with `_` for `/`.
    pub input: String,
    /// What the column holds.
    pub kind: Kind,
    /// The format of its numbers where they are text.
    #[serde(default, skip_serializing_if = "NumberFormat::is_plain")]
    pub format: NumberFormat,
    /// The format of its dates where they are text.
    #[serde(default, skip_serializing_if = "DateFormat::is_iso")]
    pub dates: DateFormat,
    /// What is subtracted from its numbers when rows are read: float32, which the model
    /// takes, would not tell them apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<f64>,
}

/// A column that a model predicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The column's name.
    pub name: String,
    /// The cells' type. Numbers may be classes, too.
    pub kind: Kind,
    /// The classes' names in the order of their numbers; none where a number is predicted.
    #[serde(default)]
    pub classes: Vec<String>,
    /// The format of its numbers where they are text.
    #[serde(default, skip_serializing_if = "NumberFormat::is_plain")]
    pub format: NumberFormat,
}

impl Target {
    /// The name of the output that gives it, where a model has several: the column's, of
    /// the letters that TensorFlow takes.
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
    /// Every column that it names.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let features = self.features.iter().map(|f| f.name.as_str());
        let targets = self.targets.iter().map(|t| t.name.as_str());
        let others = self.ids.iter().chain(&self.dropped).map(String::as_str);
        features.chain(targets).chain(others)
    }

    /// The same with only the features that these inputs are fed with; the others
    /// are dropped.
    pub fn keep_inputs(&mut self, inputs: &[&str]) {
        let (kept, left) = std::mem::take(&mut self.features)
            .into_iter()
            .partition(|f| inputs.contains(&f.input.as_str()));
        self.features = kept;
        let left: Vec<Feature> = left;
        self.dropped.extend(left.into_iter().map(|f| f.name));
    }

    /// Refuses what [`Schema::of`] never makes: a column in two places, targets
    /// whose classes are not clear.
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

/// Refuses a name that is there twice.
fn once<'a>(what: &str, mut names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = HashSet::new();
    match names.find(|name| !seen.insert(*name)) {
        Some(name) => Err(Error::invalid(what, format!("`{name}` twice"), "each once")),
        None => Ok(()),
    }
}
