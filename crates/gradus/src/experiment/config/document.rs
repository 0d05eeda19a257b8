//! A configuration as it was given: TOML and its overrides.

use super::overrides::Override;
use super::{Config, problem_at};
use crate::base::registry::Value;
use crate::data;
use crate::error::{Error, Result, join};
use std::path::{Path, PathBuf};

/// The built-in default: the default recipe on the built-in digits.
const DEFAULT: &str = include_str!("../../../recipes/digits.toml");

/// The problem of a table where its configuration is expected.
const NO_CONFIG: &str = "is a table, expected a configuration that names it: a file such as \
    `table.toml` with the lines `data.table = \"FILE.csv\"`, `data.target = \"COLUMN\"`, \
    `data.validation = { fraction = 0.1, shuffle = true }` and `model.recipe = \"default\"`";

/// A configuration as given.
#[derive(Clone, Debug)]
pub struct Document {
    origin: Origin,
    overrides: Vec<Override>,
    value: Value,
    /// The number of folds of a cross-validation, which is no key of the configuration.
    folds: Option<usize>,
}

/// The origin of a configuration.
#[derive(Clone, Debug)]
enum Origin {
    /// The library.
    BuiltIn,
    /// The program that calls the library.
    Program,
    /// A file.
    File(PathBuf),
}

impl Document {
    /// Reads a file.
    pub fn open(path: &Path) -> Result<Self> {
        let text = data::config_text(path)?;
        let value = from_toml(&text).map_err(|problem| match is_table(path) {
            true => Error::file(path, NO_CONFIG),
            false => Error::file(path, problem),
        })?;
        Ok(Self::new(Origin::File(path.to_owned()), value))
    }

    /// Reads the built-in default.
    pub fn built_in() -> Result<Self> {
        let value = from_toml(DEFAULT).map_err(Error::Internal)?;
        Ok(Self::new(Origin::BuiltIn, value))
    }

    /// Reads TOML.
    pub fn of_text(text: &str) -> Result<Self> {
        let value = from_toml(text).map_err(|problem| problem_at("", &problem))?;
        Ok(Self::of_value(value))
    }

    /// Takes plain data.
    pub fn of_value(value: Value) -> Self {
        Self::new(Origin::Program, value)
    }

    fn new(origin: Origin, value: Value) -> Self {
        Document {
            origin,
            overrides: Vec::new(),
            value,
            folds: None,
        }
    }

    /// Overrides one key.
    pub fn set(&mut self, over: Override) -> Result<()> {
        over.apply(&mut self.value)?;
        self.overrides.push(over);
        Ok(())
    }

    /// Reads another file under the same overrides.
    pub fn over_file(&self, path: &Path) -> Result<Self> {
        let mut document = Self::open(path)?;
        for over in &self.overrides {
            document.set(over.clone())?;
        }
        Ok(document)
    }

    /// True of the built-in default.
    pub fn is_built_in(&self) -> bool {
        matches!(self.origin, Origin::BuiltIn)
    }

    /// The file, if it comes from one.
    fn path(&self) -> Option<&Path> {
        match &self.origin {
            Origin::File(path) => Some(path),
            Origin::BuiltIn | Origin::Program => None,
        }
    }

    /// Notes the number of folds of a cross-validation, for the places of errors.
    pub fn of_folds(self, folds: usize) -> Self {
        Document {
            folds: Some(folds),
            ..self
        }
    }

    /// Reads and checks the settings.
    pub fn read(&self) -> Result<Config> {
        Config::from_value(&self.value).map_err(|error| self.locate(error))
    }

    /// The folder from which relative paths start.
    pub fn base(&self) -> &Path {
        let folder = self.path().and_then(Path::parent);
        match folder {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// The name of its runs: the file's, or the built-in set's.
    pub fn name(&self) -> String {
        match &self.origin {
            Origin::BuiltIn => "digits".into(),
            Origin::File(path) => {
                let stem = path.file_stem().unwrap_or_default();
                stem.to_string_lossy().into_owned()
            }
            Origin::Program => "experiment".into(),
        }
    }

    /// Adds the file or the override that a key stands in to the error.
    pub fn locate(&self, error: Error) -> Error {
        if let Error::Invalid {
            at,
            found,
            expected,
        } = &error
            && at == "data.validation.folds"
            && self.folds.is_some()
        {
            return Error::invalid("--folds", found, expected);
        }
        let (at, whole) = match &error {
            Error::UnknownName {
                at, found, family, ..
            }
            | Error::OldName {
                at, found, family, ..
            } if *family == "key" => (at, join(at, found)),
            Error::UnknownName { at, .. }
            | Error::OldName { at, .. }
            | Error::Invalid { at, .. }
            | Error::Config { at, .. }
            | Error::Shape { at, .. } => (at, at.clone()),
            _ => return error,
        };
        let whole = whole.replace('[', ".").replace(']', "");
        let is_here = |over: &&Override| {
            let key = over.key();
            whole
                .strip_prefix(&*key)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if let Some(over) = self.overrides.iter().rev().find(is_here) {
            return Error::file(format!("--set {}", over.key()), error);
        }
        match &self.origin {
            Origin::File(path) => Error::file(path, error),
            Origin::BuiltIn if !at.is_empty() => Error::file("the default configuration", error),
            Origin::BuiltIn | Origin::Program => error,
        }
    }
}

fn is_table(path: &Path) -> bool {
    let spec = path.to_string_lossy();
    // A configuration that names a table is none.
    let is_config = spec.to_ascii_lowercase().ends_with(".toml");
    !is_config && matches!(data::is_table(&spec), Ok(true))
}

/// TOML as plain data.
pub fn from_toml(text: &str) -> std::result::Result<Value, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
    plain("", toml::Value::Table(table))
}

/// Converts every TOML value except dates, NaN and infinity.
fn plain(at: &str, value: toml::Value) -> std::result::Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Float(number) if number.is_finite() => number.into(),
        toml::Value::Float(number) => {
            return Err(format!("{at}: found {number}, expected a finite number"));
        }
        toml::Value::Datetime(date) => {
            return Err(format!("{at}: found the date {date}, which no key takes"));
        }
        toml::Value::Array(items) => {
            let items = items.into_iter().enumerate();
            items
                .map(|(i, item)| plain(&format!("{at}[{i}]"), item))
                .collect::<std::result::Result<Vec<_>, _>>()?
                .into()
        }
        toml::Value::Table(fields) => {
            let fields = fields.into_iter();
            let fields = fields.map(|(key, value)| {
                let value = plain(&join(at, &key), value)?;
                Ok((key, value))
            });
            Value::Object(fields.collect::<std::result::Result<_, String>>()?)
        }
    })
}
