//! A configuration as it was given: a file and its overrides.

use super::Config;
use super::overrides::Override;
use gradus::config::{Value, join};
use gradus::{Error, Result};
use std::path::{Path, PathBuf};

/// What `gradus train` trains without a file.
const DEFAULT: &str = include_str!("../../recipes/digits.toml");

/// What is said of a table where its configuration is expected.
const NO_CONFIG: &str = "is a table, expected a configuration that names it: a file such as \
    `table.toml` with the lines `data.table = \"FILE.csv\"`, `data.target = \"COLUMN\"`, \
    `data.validation = { fraction = 0.1, shuffle = true }` and `model.recipe = \"default\"`";

/// A configuration as it was given.
#[derive(Debug)]
pub struct Document {
    /// The file, if there is one.
    path: Option<PathBuf>,
    overrides: Vec<Override>,
    value: Value,
    /// What `--folds` says.
    folds: Option<usize>,
}

impl Document {
    /// Reads the file, or the built-in default, and applies the overrides.
    pub fn open(path: Option<&Path>, sets: &[String], seed: Option<u64>) -> Result<Self> {
        let text = match path {
            None => DEFAULT.to_owned(),
            Some(path) => std::fs::read_to_string(path).map_err(|cause| match cause.kind() {
                std::io::ErrorKind::InvalidData => Error::file(path, "is not a text file"),
                std::io::ErrorKind::IsADirectory => {
                    Error::file(path, "is a folder, expected a configuration file")
                }
                _ => Error::io("read", path, cause),
            })?,
        };
        let mut value = from_toml(&text).map_err(|problem| match path {
            Some(path) if is_table(path) => Error::file(path, NO_CONFIG),
            Some(path) => Error::file(path, problem),
            None => Error::Internal(problem),
        })?;
        let mut overrides = sets
            .iter()
            .map(|set| Override::parse(set))
            .collect::<Result<Vec<_>>>()?;
        overrides.extend(seed.map(Override::seed));
        for over in &overrides {
            over.apply(&mut value)?;
        }
        Ok(Document {
            path: path.map(Path::to_owned),
            overrides,
            value,
            folds: None,
        })
    }

    /// The same for a cross-validation, whose number of folds is an option.
    pub fn of_folds(self, folds: usize) -> Self {
        Document {
            folds: Some(folds),
            ..self
        }
    }

    /// The configuration.
    pub fn read(&self) -> Result<Config> {
        Config::from_value(&self.value).map_err(|error| self.locate(error))
    }

    /// The folder that relative paths are relative to.
    pub fn base(&self) -> &Path {
        let folder = self.path.as_deref().and_then(Path::parent);
        match folder {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// What its runs are called: the file's name, or the built-in set's.
    pub fn name(&self) -> String {
        let stem = self.path.as_deref().and_then(Path::file_stem);
        stem.map_or("digits".into(), |stem| stem.to_string_lossy().into_owned())
    }

    /// The same error, with the file or the option that the key stands in.
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
            } if *family == "key" => (at, join(at, found)),
            Error::UnknownName { at, .. }
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
        match &self.path {
            Some(path) => Error::file(path, error),
            None if at.is_empty() => error,
            None => Error::file("the default configuration", error),
        }
    }
}

fn is_table(path: &Path) -> bool {
    let spec = path.to_string_lossy();
    // A configuration that names a table is none.
    let is_config = spec.to_ascii_lowercase().ends_with(".toml");
    !is_config && matches!(gradus::data::is_table(&spec), Ok(true))
}

/// TOML as plain data.
pub fn from_toml(text: &str) -> std::result::Result<Value, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
    plain("", toml::Value::Table(table))
}

/// Every TOML value but dates and numbers that are no numbers.
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
