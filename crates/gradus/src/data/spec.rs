//! SPEC: the syntax that names data on the command line.

use crate::base::files;
use crate::base::random::SEED;
use crate::base::registry::Value;
use crate::base::url::{Url, join};
use crate::data::config::DataConfig;
use crate::data::dataset::{Dataset, Split};
use crate::data::load::excess;
use crate::data::purpose::Purpose;
use crate::data::schema::TableOptions;
use crate::data::source::{Source, unknown};
use crate::data::stream::Data;
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// The data that SPEC names, in memory: `digits`, `fashion-mnist:test`, `x.npy`,
/// `x.npy,y.npy`, `file.npz:key`, `file.npz:x,file.npz:y`, a folder of pictures, or
/// `config.toml` with a `[data]` table.
///
/// A built-in set and a folder of pictures come with their pixels scaled between 0 and 1;
/// array files come as they are, a `[data]` table as it says. Where SPEC names no split,
/// `default` says which rows are meant: `Train` is those of a training run; `Test` the ones
/// that such a run does not train on, which are a set's test split, else the validation rows,
/// else all.
///
/// The uses of a table's columns are a model's to say: see [`open`].
pub fn load(spec: &str, default: Split) -> Result<Dataset> {
    let purpose = Purpose {
        in_memory: true,
        ..Purpose::default()
    };
    match open(spec, default, purpose)? {
        Data::Memory(data) => Ok(data),
        _ => Err(Error::Internal(format!("{spec} is not in memory"))),
    }
}

/// As [`load`], for a model that takes rows for this `purpose`; also a table's, `table.csv`.
/// Rows that are larger than the memory they may take are read when they are needed.
pub fn open(spec: &str, default: Split, purpose: Purpose<'_>) -> Result<Data> {
    if let Some((config, base, seed)) = config_of(spec)? {
        // It says itself how its pictures are read.
        let purpose = Purpose {
            input: None,
            pictures: None,
            ..purpose
        };
        let run = config.open(&base, seed, purpose)?;
        return Ok(match default {
            Split::Train => run.train,
            Split::Test => run.test.or(run.validation).unwrap_or(run.train),
        });
    }
    let source = recognised(spec)?;
    let config = DataConfig::of_source(source.clone());
    let request = config.request(Path::new(""), SEED, purpose);
    // Arrays that are wanted in memory are read there whatever they take.
    let excess = match purpose.in_memory && !source.kind().is_pictures() {
        true => None,
        false => excess(&source, &request)?,
    };
    if let Some(excess) = excess.filter(|_| purpose.in_memory) {
        return Err(excess.error());
    }
    source.kind().rows(spec, default, &request, excess)
}

/// True for a SPEC that names a table.
pub fn is_table(spec: &str) -> Result<bool> {
    Ok(table_of(spec)?.is_some())
}

/// The table file that SPEC names, and the configured column options; `None` if it names other
/// data.
pub fn table_of(spec: &str) -> Result<Option<(PathBuf, TableOptions)>> {
    if let Some((config, base, _)) = config_of(spec)? {
        let path = config.table().map(|table| join(&base, table));
        return Ok(path.map(|path| (path, config.columns)));
    }
    let source = recognised(spec)?;
    let path = source.kind().table().map(PathBuf::from);
    Ok(path.map(|path| (path, TableOptions::new())))
}

/// The source that SPEC names, which is no configuration.
fn recognised(spec: &str) -> Result<Source> {
    Url::check(Path::new(spec))?;
    Source::recognise(spec)?.ok_or_else(|| unknown(spec))
}

/// Size limit of a configuration's file.
const MOST_BYTES: u64 = 16 << 20;

/// The text of a configuration's file.
pub(crate) fn config_text(path: &Path) -> Result<String> {
    files::read_text(path, "a configuration file", MOST_BYTES)
}

/// The `[data]` table of a configuration that SPEC names, the folder that its paths start
/// from, and the seed; `None` where it names other data.
fn config_of(spec: &str) -> Result<Option<(DataConfig, PathBuf, u64)>> {
    if !spec.to_ascii_lowercase().ends_with(".toml") {
        return Ok(None);
    }
    let path = Path::new(spec);
    let text = config_text(path)?;
    let config: Value = toml::from_str(&text).map_err(|error| Error::file(path, error))?;
    let seed = config.get("seed").and_then(Value::as_u64).unwrap_or(SEED);
    let Some(table) = config.get("data") else {
        return Err(Error::file(path, "it has no `[data]` table"));
    };
    let base = path.parent().unwrap_or(Path::new("")).to_owned();
    let config = DataConfig::from_value("data", table)?;
    Ok(Some((config, base, seed)))
}
