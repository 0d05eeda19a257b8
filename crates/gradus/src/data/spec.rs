//! SPEC: the words that name data on the command line.

use crate::base::random::SEED;
use crate::base::registry::Value;
use crate::data::builtin::{self, BUILT_IN, BuiltIn, HOUSING};
use crate::data::config::DataConfig;
use crate::data::dataset::{Dataset, Split};
use crate::data::npy;
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// What a SPEC names.
#[derive(Debug)]
pub enum Source {
    /// A built-in set, and the split if one was named.
    BuiltIn(&'static BuiltIn, Option<Split>),
    /// Array files: inputs, and targets if they were named.
    Arrays {
        /// `x.npy` or `file.npz:key`.
        x: PathBuf,
        /// `y.npy` or `file.npz:key`.
        y: Option<PathBuf>,
    },
    /// A table file: `.csv` or `.tsv`.
    Table(PathBuf),
    /// A TOML file with a `[data]` table.
    Config(PathBuf),
}

/// What the words of SPEC name: `digits`, `fashion-mnist:test`, `x.npy`,
/// `x.npy,y.npy`, `file.npz:key`, `file.npz:x,file.npz:y`, `table.csv`, or `config.toml`.
pub fn source(spec: &str) -> Result<Source> {
    let lower = spec.to_ascii_lowercase();
    if lower.ends_with(".toml") {
        return Ok(Source::Config(spec.into()));
    }
    let parts: Vec<&str> = spec.split(',').map(str::trim).collect();
    if parts.iter().any(|part| npy::is_array(part)) {
        let (x, y) = match parts[..] {
            [x] => (array("data", x)?, None),
            [x, y] => (array("data", x)?, Some(array("data", y)?)),
            _ => {
                let expected = "one or two array files: `x.npy,y.npy`";
                return Err(Error::invalid("data", format!("`{spec}`"), expected));
            }
        };
        return Ok(Source::Arrays { x, y });
    }
    if lower.ends_with(".csv") || lower.ends_with(".tsv") {
        return Ok(Source::Table(spec.into()));
    }
    if Path::new(spec).exists() || lower.contains('.') {
        array("data", spec)?;
    }
    if spec == HOUSING {
        return builtin::housing().map(Source::Table);
    }
    let (name, split) = match spec.split_once(':') {
        None => (spec, None),
        Some((name, split)) => (name, Some(split)),
    };
    let set = BuiltIn::find("data", name)?;
    let split = match split {
        None => None,
        Some("train") => Some(Split::Train),
        Some("test") => Some(Split::Test),
        Some(other) => return Err(Error::unknown("data", "split", other, ["train", "test"])),
    };
    Ok(Source::BuiltIn(set, split))
}

/// The data that SPEC names. A built-in set comes with its pixels scaled
/// between 0 and 1, array files as they are, a `[data]` table as it says.
///
/// Where SPEC names no split, `default` says which rows are meant: `Train` is
/// those of a training run; `Test` the ones that such a run does not train on,
/// which are a set's test split, else the validation rows, else all.
pub fn load(spec: &str, default: Split) -> Result<Dataset> {
    match source(spec)? {
        Source::BuiltIn(set, split) => {
            let data = set.load(split.unwrap_or(default))?;
            data.map_inputs(|_, input| input.scaled(set.unit_scale()))
        }
        Source::Arrays { x, y } => {
            let x = npy::read_npy(&x)?;
            match y {
                None => Ok(Dataset::unlabelled(x)),
                Some(y) => Dataset::new(x, npy::read_npy(&y)?),
            }
            .map(|data| data.named(spec))
        }
        Source::Table(path) => Err(not_trained_on("data", &path.display().to_string())),
        Source::Config(path) => {
            let base = path.parent().unwrap_or(Path::new(""));
            let (table, seed) = data_table(&path)?;
            let loaded = DataConfig::from_value("data", &table)?.load(base, seed)?;
            Ok(match default {
                Split::Train => loaded.train,
                Split::Test => loaded.test.or(loaded.validation).unwrap_or(loaded.train),
            })
        }
    }
}

/// An array file's path, or an error that says which files are read. `at` is
/// where it stands, for the error's text.
pub(super) fn array(at: &str, path: &str) -> Result<PathBuf> {
    if npy::is_array(path) {
        return Ok(path.into());
    }
    let names: Vec<&str> = BUILT_IN.iter().map(|set| set.name).collect();
    let expected = format!(
        "array files (`x.npy`, `x.npy,y.npy`, `file.npz:key`), a `.toml` file with a `[data]` \
         table, or a built-in set ({})",
        names.join(", ")
    );
    Err(Error::invalid(at, format!("`{path}`"), expected))
}

/// A table where rows of numbers are wanted.
pub(super) fn not_trained_on(at: &str, path: &str) -> Error {
    let expected = "array files (`x.npy`): tables are only shown yet (`gradus data show`)";
    Error::invalid(at, format!("`{path}`"), expected)
}

/// The `[data]` table of a configuration, and its seed.
fn data_table(path: &Path) -> Result<(Value, u64)> {
    let text = std::fs::read_to_string(path).map_err(|cause| Error::io("read", path, cause))?;
    let mut config: Value = toml::from_str(&text).map_err(|error| Error::file(path, error))?;
    let seed = config.get("seed").and_then(Value::as_u64).unwrap_or(SEED);
    match config.get_mut("data") {
        Some(table) => Ok((table.take(), seed)),
        None => Err(Error::file(path, "it has no `[data]` table")),
    }
}
