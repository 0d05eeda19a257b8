//! The `[data]` table of a configuration.

mod files;
mod held_out;
mod images;
mod scale;

pub use files::Files;
pub use held_out::{Choice, HeldOut};
pub use scale::ScaleName;

use crate::base::registry::{Value, read, table};
use crate::data::builtin::{HOUSING, housing};
use crate::data::checks::Silenced;
use crate::data::images::Images;
use crate::data::memory::Memory;
use crate::data::schema::TableOptions;
use crate::data::table::TextOptions;
use crate::error::{Error, Result, join};
use serde::{Deserialize, Deserializer, Serialize};
use std::path::Path;

/// What the `[data]` table says: where the rows come from, which are held out
/// for validation, how the numbers are scaled.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DataConfig {
    /// A built-in set's name: `fashion-mnist`. Of `housing`, a `table` is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// The inputs' array files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<Files>,
    /// The targets' array files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<Files>,
    /// A table file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// What the table's columns are for.
    #[serde(flatten)]
    pub columns: TableOptions,
    /// A folder of pictures.
    #[serde(flatten)]
    pub images: Option<Images>,
    /// The rows that are held out to watch the training. The default is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<HeldOut>,
    /// The rows that are held out to the end. They are taken first, the
    /// validation's from the rest. The default is a built-in set's own, else none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<HeldOut>,
    /// How the inputs are scaled. The default is `unit` for pictures, of a
    /// built-in set or a folder, and `none` for other files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<ScaleName>,
    /// A weight for each row's loss: an array file, or a column of the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_weight: Option<String>,
    /// The checks that are not made before training.
    #[serde(skip_serializing_if = "Silenced::is_empty")]
    pub checks: Silenced,
    /// What the rows of arrays, pictures or a table may take of the memory: larger ones
    /// stay in their files, and are read while a model is trained. The default is half of
    /// the machine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
}

/// The table as it is read, before its values are looked at.
#[derive(Deserialize)]
struct Raw {
    dataset: Option<String>,
    x: Option<Value>,
    y: Option<Value>,
    table: Option<String>,
    target: Option<Value>,
    exclude: Option<Value>,
    columns: Option<Value>,
    date_format: Option<Value>,
    missing: Option<Value>,
    target_scale: Option<Value>,
    header: Option<Value>,
    decimal: Option<Value>,
    thousands: Option<Value>,
    missing_values: Option<Value>,
    images: Option<String>,
    size: Option<Value>,
    resize: Option<String>,
    color_mode: Option<String>,
    validation: Option<Value>,
    test: Option<Value>,
    scale: Option<String>,
    sample_weight: Option<String>,
    checks: Option<Value>,
    memory: Option<Value>,
}

impl DataConfig {
    /// A table of which this is said, no row held out.
    pub fn of(columns: TableOptions) -> Self {
        DataConfig {
            sample_weight: columns.sample_weight.clone(),
            columns,
            ..DataConfig::default()
        }
    }

    /// Sets which rows are held out to watch the training.
    pub fn validation(mut self, rows: HeldOut) -> Self {
        self.validation = Some(rows);
        self
    }

    /// Sets which rows are held out to the end.
    pub fn test(mut self, rows: HeldOut) -> Self {
        self.test = Some(rows);
        self
    }

    /// Reads the table from a configuration; `at` is where it stands (`data`).
    ///
    /// Unknown keys, keys that exclude each other and a table that names no
    /// data are errors. Files are not looked at yet.
    pub fn from_value(at: &str, value: &Value) -> Result<Self> {
        let mut raw: Raw = read(at, table(at, value)?)?;
        if raw.table.is_none() && raw.dataset.as_deref() == Some(HOUSING) {
            // The one built-in set that is a table.
            let path = housing()?;
            let path = std::path::absolute(&path).map_err(|e| Error::io("find", path, e))?;
            (raw.dataset, raw.table) = (None, Some(path.display().to_string()));
        }
        let files = |key: &str, value: Option<Value>| {
            let at = join(at, key);
            value
                .map(|value| Files::from_value(&at, &value))
                .transpose()
        };
        let held_out = |key: &str, value: Option<Value>| {
            let at = join(at, key);
            value
                .map(|value| HeldOut::from_value(&at, &value))
                .transpose()
        };
        let columns = [
            raw.target,
            raw.exclude,
            raw.columns,
            raw.date_format,
            raw.missing,
            raw.target_scale,
        ];
        let text = [raw.header, raw.decimal, raw.thousands, raw.missing_values];
        let columns = TableOptions::from_values(at, columns)?;
        let mut columns = columns.text(TextOptions::from_values(at, text)?);
        if raw.table.is_some() {
            columns.sample_weight.clone_from(&raw.sample_weight);
        }
        let config = DataConfig {
            dataset: raw.dataset,
            x: files("x", raw.x)?,
            y: files("y", raw.y)?,
            table: raw.table,
            columns,
            images: images::Keys {
                images: raw.images,
                size: raw.size,
                resize: raw.resize,
                color_mode: raw.color_mode,
            }
            .read(at)?,
            validation: held_out("validation", raw.validation)?,
            test: held_out("test", raw.test)?,
            scale: match raw.scale {
                Some(name) => Some(ScaleName::from_name(&join(at, "scale"), &name)?),
                None => None,
            },
            sample_weight: raw.sample_weight,
            checks: match raw.checks {
                Some(checks) => Silenced::from_value(&join(at, "checks"), &checks)?,
                None => Silenced::default(),
            },
            memory: match raw.memory {
                Some(value) => Some(Memory::from_value(&join(at, "memory"), &value)?),
                None => None,
            },
        };
        config.check().map_err(|error| error.under(at))?;
        Ok(config)
    }

    /// The same table with its files' paths made absolute: they are relative
    /// to `base`, the folder of the configuration that they stood in.
    pub fn absolute(&self, base: &Path) -> Result<Self> {
        let base = std::path::absolute(base).map_err(|cause| Error::io("find", base, cause))?;
        let full = &|path: &String| base.join(path).display().to_string();
        let files = |files: &Files| files.map(full);
        Ok(DataConfig {
            x: self.x.as_ref().map(files),
            y: self.y.as_ref().map(files),
            table: self.table.as_ref().map(full),
            images: self.images.clone().map(|images| Images {
                folder: full(&images.folder),
                ..images
            }),
            // A table's is a column.
            sample_weight: match self.table {
                Some(_) => self.sample_weight.clone(),
                None => self.sample_weight.as_ref().map(full),
            },
            validation: self.validation.as_ref().map(|v| v.map_paths(full)),
            test: self.test.as_ref().map(|t| t.map_paths(full)),
            ..self.clone()
        })
    }

    /// Refuses keys that contradict each other.
    pub(super) fn check(&self) -> Result<()> {
        let sources = [
            ("dataset", self.dataset.is_some()),
            ("x", self.x.is_some()),
            ("table", self.table.is_some()),
            ("images", self.images.is_some()),
        ];
        let named: Vec<&str> = sources.iter().filter(|s| s.1).map(|s| s.0).collect();
        match named[..] {
            [] => {
                let problem =
                    "no data is named: give `dataset`, or `x` and `y`, or `table`, or `images`";
                return Err(contradiction(problem));
            }
            [_] => {}
            [a, b, ..] => return Err(excluded(a, b)),
        }
        if let (Some(_), [source @ ("dataset" | "table" | "images")]) = (&self.y, &named[..]) {
            return Err(excluded(source, "y"));
        }
        if let [source @ ("dataset" | "x" | "images")] = named[..]
            && let Some(key) = self.columns.given()
        {
            return Err(excluded(source, key));
        }
        if let (Some(_), [source @ "dataset"]) = (self.memory, &named[..]) {
            let problem = format!(
                "`memory` belongs to arrays (`x`), `table` and `images`: a `{source}` is read as a \
                 whole"
            );
            return Err(contradiction(&problem));
        }
        if let (Some(scale), [source @ "table"]) = (self.scale, &named[..])
            && scale != ScaleName::None
        {
            let problem = format!(
                "`scale` belongs to arrays: the model of a `{source}` standardizes its numbers itself"
            );
            return Err(contradiction(&problem));
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for DataConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value("", &value).map_err(serde::de::Error::custom)
    }
}

fn excluded(a: &str, b: &str) -> Error {
    contradiction(&format!(
        "`{a}` and `{b}` exclude each other: give one of them"
    ))
}

fn contradiction(problem: &str) -> Error {
    Error::Config {
        at: String::new(),
        problem: problem.to_owned(),
    }
}
