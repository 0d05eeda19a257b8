//! The `[data]` table of a configuration.

use crate::base::memory::Memory;
use crate::base::registry::{Value, field_names, refuse_unknown, table};
use crate::base::url::join as join_path;
use crate::data::checks::Silenced;
use crate::data::conflict::{conflict, excluded};
use crate::data::kept::Kept;
use crate::data::purpose::Purpose;
use crate::data::scale_name::ScaleName;
use crate::data::schema::TableOptions;
use crate::data::source::{Request, Source, read_own};
use crate::data::split::HoldOut;
use crate::data::table::TextOptions;
use crate::error::{Error, Result, join};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Map;
use std::path::Path;

/// The `[data]` table of a configuration: where the rows come from, which are held out for
/// validation, how the numbers are scaled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Data", default)]
pub struct DataConfig {
    /// The data that is named.
    #[serde(flatten)]
    pub(super) source: Option<Source>,
    /// The uses of a table's columns.
    #[serde(flatten)]
    pub columns: TableOptions,
    /// The rows that are kept of a built-in set or of arrays: those of some classes, the first so
    /// many to train on. Default all.
    #[serde(flatten)]
    pub(super) kept: Kept,
    /// The validation rows, which the training is watched by. Default none.
    #[schemars(extend("examples" = [{ "fraction": 0.1, "shuffle": true }]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<HoldOut>,
    /// The test rows, which the trained model is measured on. They are taken first, the validation
    /// rows from the rest. Default a built-in set's own, else none.
    #[schemars(extend("examples" = [{ "fraction": 0.2, "shuffle": true }]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<HoldOut>,
    /// The way inputs are scaled. Default `"unit"` for pictures, of a built-in set or a folder, and
    /// `"none"` for arrays; the model of a table scales its columns itself.
    #[schemars(extend("examples" = ["standard"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<ScaleName>,
    /// A weight for each row's loss: an array file, or a column of the table. Default 1 for all.
    #[schemars(extend("examples" = ["weights.npy"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_weight: Option<String>,
    /// Checks of the rows before training, turned off one by one, or all with `false`. Default all
    /// are made.
    #[schemars(extend("examples" = [{ "constant": false }]))]
    #[serde(skip_serializing_if = "Silenced::is_empty")]
    pub checks: Silenced,
    /// The memory that the rows of arrays, pictures or a table may take: larger ones stay in their
    /// files, and are read while a model is trained. Default half of the machine's.
    #[schemars(extend("examples" = ["2 GiB"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
}

/// The keys that are the same for every kind of data, before their values are looked at.
#[derive(Deserialize)]
struct Raw {
    classes: Option<Value>,
    rows: Option<Value>,
    validation: Option<Value>,
    test: Option<Value>,
    scale: Option<String>,
    sample_weight: Option<String>,
    checks: Option<Value>,
    memory: Option<Value>,
}

/// The keys of a table's columns.
#[derive(Deserialize)]
struct RawColumns {
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
}

impl DataConfig {
    /// A table whose columns are used so, no row held out.
    pub fn of(columns: TableOptions) -> Self {
        DataConfig {
            sample_weight: columns.sample_weight.clone(),
            columns,
            ..DataConfig::default()
        }
    }

    /// The rows of a source, with the usual settings.
    pub(super) fn of_source(source: Source) -> Self {
        DataConfig {
            source: Some(source),
            ..DataConfig::default()
        }
    }

    /// Sets the rows that are held out to watch the training.
    pub fn validation(mut self, rows: HoldOut) -> Self {
        self.validation = Some(rows);
        self
    }

    /// Sets the rows that are held out to the end.
    pub fn test(mut self, rows: HoldOut) -> Self {
        self.test = Some(rows);
        self
    }

    /// Reads the table from a configuration; `at` is its path of keys (`data`).
    ///
    /// Unknown keys, keys that exclude each other and a table that names no data are errors. Files
    /// are not opened yet.
    pub fn from_value(at: &str, value: &Value) -> Result<Self> {
        let mut fields = table(at, value)?;
        let known: Vec<&str> = Source::all_keys()
            .concat()
            .into_iter()
            .chain(field_names::<Raw>().iter().copied())
            .collect();
        refuse_unknown(at, ("table", at), &fields, &known)?;
        fields.retain(|_, value| !value.is_null());
        let named = Source::read(at, &fields)?;
        let raw: Raw = read_own(at, &fields)?;
        let held_out = |key: &str, value: Option<Value>| {
            let at = join(at, key);
            value
                .map(|value| HoldOut::from_value(&at, &value))
                .transpose()
        };
        let mut config = DataConfig {
            source: None,
            columns: columns(at, &fields)?,
            kept: Kept::from_values(at, raw.classes, raw.rows)?,
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
        let source = only(named, &fields).map_err(|error| error.under(at))?;
        if source.kind().table().is_some() {
            config
                .columns
                .sample_weight
                .clone_from(&config.sample_weight);
        }
        config.source = Some(source);
        config.check().map_err(|error| error.under(at))?;
        Ok(config)
    }

    /// The same table with its files' paths made absolute: they are relative to `base`, the folder
    /// of the configuration that names them.
    pub fn absolute(&self, base: &Path) -> Result<Self> {
        let base = std::path::absolute(base).map_err(|cause| Error::io("find", base, cause))?;
        let full = &|path: &String| join_path(&base, path).display().to_string();
        Ok(DataConfig {
            source: self.source.as_ref().map(|source| source.map_paths(full)),
            // For a table it is a column.
            sample_weight: match self.table() {
                Some(_) => self.sample_weight.clone(),
                None => self.sample_weight.as_ref().map(full),
            },
            validation: self.validation.as_ref().map(|v| v.map_paths(full)),
            test: self.test.as_ref().map(|t| t.map_paths(full)),
            ..self.clone()
        })
    }

    /// The table file, if the data is a table's.
    pub fn table(&self) -> Option<&str> {
        self.source.as_ref()?.kind().table()
    }

    /// True for pictures, whose preparation a model has to know: those of a folder, or of a
    /// built-in set.
    pub fn is_pictures(&self) -> bool {
        let source = self.source.as_ref();
        source.is_some_and(|source| source.kind().is_pictures())
    }

    /// SPEC of the rows that are never trained on, if the data has some of its own.
    pub fn test_spec(&self) -> Option<String> {
        if self.kept.renumbers() {
            return None;
        }
        self.source.as_ref()?.kind().test_spec()
    }

    /// The data that is named, or an error; and of settings that make no sense for it.
    pub(super) fn check(&self) -> Result<&Source> {
        let source = self.source.as_ref().ok_or_else(unnamed)?;
        source.kind().check(self.scale, self.memory)?;
        if !source.kind().keeps() {
            self.kept.refuse()?;
        }
        Ok(source)
    }

    /// The settings, for rows that are used so.
    pub(super) fn request<'a>(
        &'a self,
        base: &'a Path,
        seed: u64,
        purpose: Purpose<'a>,
    ) -> Request<'a> {
        Request {
            columns: &self.columns,
            kept: &self.kept,
            validation: self.validation.as_ref(),
            test: self.test.as_ref(),
            scale: self.scale,
            sample_weight: self.sample_weight.as_ref(),
            memory: self.memory,
            base,
            seed,
            purpose,
        }
    }
}

/// The only source of those that are named, none of the keys being another's.
fn only(named: Vec<Source>, fields: &Map<String, Value>) -> Result<Source> {
    let mut named = named.into_iter();
    let source = named.next().ok_or_else(unnamed)?;
    let keys = source.keys();
    if let Some(second) = named.next() {
        return Err(excluded(keys[0], second.keys()[0]));
    }
    // The first key of another would have named it too.
    let others = Source::all_keys().into_iter().flat_map(|keys| &keys[1..]);
    let mut strange = others.filter(|key| !keys.contains(key) && fields.contains_key(**key));
    match strange.next() {
        Some(key) => Err(excluded(keys[0], key)),
        None => Ok(source),
    }
}

fn unnamed() -> Error {
    conflict("no data is named: give `dataset`, or `x` and `y`, or `table`, or `images`")
}

/// The uses of a table's columns, and the way its text is read.
fn columns(at: &str, fields: &Map<String, Value>) -> Result<TableOptions> {
    let raw: RawColumns = read_own(at, fields)?;
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
    Ok(columns.text(TextOptions::from_values(at, text)?))
}

impl<'de> Deserialize<'de> for DataConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value("", &value).map_err(serde::de::Error::custom)
    }
}
