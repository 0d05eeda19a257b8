//! SPEC: the words that name data on the command line.

use crate::base::random::SEED;
use crate::base::registry::Value;
use crate::base::shape::Shape;
use crate::data::builtin::{self, BUILT_IN, BuiltIn, HOUSING};
use crate::data::config::{DataConfig, Files};
use crate::data::dataset::{Dataset, Split};
use crate::data::images::{Images, Order, Pictures};
use crate::data::load_stream::too_large;
use crate::data::load_stream_table;
use crate::data::npy;
use crate::data::opened::Asked;
use crate::data::scale::Scale;
use crate::data::schema::{Schema, TableOptions};
use crate::data::stream::Data;
use crate::data::table::Listener;
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
    /// A table file: `.csv`, `.tsv` or `.parquet`.
    Table(PathBuf),
    /// A folder of pictures.
    Images(PathBuf),
    /// A TOML file with a `[data]` table.
    Config(PathBuf),
}

/// What the words of SPEC name: `digits`, `fashion-mnist:test`, `x.npy`,
/// `x.npy,y.npy`, `file.npz:key`, `file.npz:x,file.npz:y`, `table.csv`, a folder of
/// pictures, or `config.toml`.
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
    if [".csv", ".tsv", ".parquet"]
        .iter()
        .any(|ending| lower.ends_with(ending))
    {
        return Ok(Source::Table(spec.into()));
    }
    let (name, split) = match spec.split_once(':') {
        None => (spec, None),
        Some((name, split)) => (name, Some(split)),
    };
    if spec == HOUSING {
        return builtin::housing().map(Source::Table);
    }
    // A set's name means the set, whatever lies in this folder.
    if BUILT_IN.iter().all(|set| set.name != name) {
        if Path::new(spec).is_dir() {
            return Ok(Source::Images(spec.into()));
        }
        if Path::new(spec).exists() || lower.contains(['.', '/']) {
            array("data", spec)?;
        }
    }
    let set = BuiltIn::find("data", name)?;
    let split = match split {
        None => None,
        Some("train") => Some(Split::Train),
        Some("test") => Some(Split::Test),
        Some(other) => return Err(Error::unknown("data", "split", other, ["train", "test"])),
    };
    Ok(Source::BuiltIn(set, split))
}

/// The data that SPEC names. A built-in set and a folder of pictures come with
/// their pixels scaled between 0 and 1, or as the model was given them that they are
/// for; array files come as they are, a `[data]` table as it says.
///
/// Where SPEC names no split, `default` says which rows are meant: `Train` is
/// those of a training run; `Test` the ones that such a run does not train on,
/// which are a set's test split, else the validation rows, else all.
///
/// What the columns of a table are is a model's to say: see [`load_for`].
pub fn load(spec: &str, default: Split) -> Result<Dataset> {
    load_for(spec, default, Takes::default())
}

/// What a model takes of data that can be had in several ways.
#[derive(Clone, Copy, Debug, Default)]
pub struct Takes<'a> {
    /// The shape of its input, without the batch: the pictures of a folder come in
    /// this size, and in its colours.
    pub input: Option<&'a Shape>,
    /// The columns of a table that it knows.
    pub schema: Option<&'a Schema>,
    /// What it knows of pictures.
    pub pictures: Option<&'a Pictures>,
    /// Whether a table's targets are left out, as for predictions.
    pub unlabelled: bool,
    /// Who is told how far the copy of a table is that is larger than memory.
    pub listener: Listener<'a>,
}

impl Takes<'_> {
    /// How the pictures of a folder are read.
    fn images(&self, folder: &Path) -> Images {
        let mut images = Images::of(&folder.display().to_string());
        if let Some(shape) = self.input {
            images = images.fitting(shape);
        }
        images.resize = self.pictures.map(|known| known.resize);
        images
    }

    /// The classes of pictures, if they are known and count.
    fn classes(&self) -> Option<&[String]> {
        let classes = self.pictures.map(|known| &known.classes[..]);
        classes.filter(|classes| !self.unlabelled && !classes.is_empty())
    }

    /// The scale of pixels whose usual one is `unit`.
    fn scale(&self, unit: Scale) -> Result<Scale> {
        match self.pictures {
            Some(known) => known.scale_of_new(unit),
            None => Ok(unit),
        }
    }
}

/// As [`load`], for a model that takes this.
pub fn load_for(spec: &str, default: Split, takes: Takes<'_>) -> Result<Dataset> {
    let Takes { input, schema, .. } = takes;
    let labelled = !takes.unlabelled;
    let scale_of = |unit: Scale| takes.scale(unit);
    match source(spec)? {
        Source::Images(path) => {
            let images = takes.images(&path);
            let config = DataConfig {
                images: Some(images.clone()),
                ..DataConfig::default()
            };
            if let Some(sizes) = config.larger_than_memory(Path::new(""))? {
                return Err(too_large(sizes));
            }
            let data = images.load(Path::new(""), Order::Sorted, takes.classes())?;
            let scale = scale_of(Scale::Divide(255.0))?;
            data.map_inputs(|_, pictures| {
                let pictures = pictures.scaled(scale.clone())?;
                match input {
                    // (28, 28) without channels, as the built-in sets have it.
                    Some(shape) if shape.size() == pictures.size() => {
                        pictures.reshaped(shape.dims())
                    }
                    _ => Ok(pictures),
                }
            })
        }
        Source::BuiltIn(set, split) => {
            let data = set.load(split.unwrap_or(default))?;
            let scale = scale_of(set.unit_scale())?;
            data.map_inputs(|_, input| input.scaled(scale.clone()))
        }
        Source::Arrays { x, y } => {
            let x = npy::read_npy(&x)?;
            match y {
                None => Ok(Dataset::unlabelled(x)),
                Some(y) => Dataset::new(x, npy::read_npy(&y)?),
            }
            .map(|data| data.named(spec))
        }
        Source::Table(path) => match schema {
            Some(schema) => schema.rows(path, labelled),
            None => {
                let expected = "arrays (`x.npy`), which the model takes: its inputs are no columns";
                Err(Error::invalid("data", format!("`{spec}`"), expected))
            }
        },
        Source::Config(path) => {
            let (config, base, seed) = of_config(&path)?;
            let loaded = config.load_for(&base, seed, schema)?;
            Ok(match default {
                Split::Train => loaded.train,
                Split::Test => loaded.test.or(loaded.validation).unwrap_or(loaded.train),
            })
        }
    }
}

/// As [`load_for`], but what is larger than the memory it may take is read when it is
/// needed: see [`DataConfig::open`].
pub fn open_for(spec: &str, default: Split, takes: Takes<'_>) -> Result<Data> {
    let name = |path: &Path| Files::One(path.display().to_string());
    let (config, base, seed) = match source(spec)? {
        Source::Config(path) => of_config(&path)?,
        Source::Arrays { x, y } => {
            let config = DataConfig {
                x: Some(name(&x)),
                y: y.as_deref().map(name),
                ..DataConfig::default()
            };
            // What is small is called as SPEC has it.
            match config.larger_than_memory(Path::new(""))? {
                Some(_) => (config, PathBuf::new(), SEED),
                None => return load_for(spec, default, takes).map(Data::from),
            }
        }
        Source::Table(path) => {
            let config = DataConfig {
                table: Some(path.display().to_string()),
                ..DataConfig::default()
            };
            return match (config.larger_than_memory(Path::new(""))?, takes.schema) {
                (Some((memory, _)), Some(schema)) => {
                    let (labelled, listener) = (!takes.unlabelled, takes.listener);
                    load_stream_table::rows_of(&path, schema, labelled, memory, listener)
                }
                _ => load_for(spec, default, takes).map(Data::from),
            };
        }
        Source::Images(path) => {
            let images = takes.images(&path);
            let config = DataConfig {
                images: Some(images.clone()),
                ..DataConfig::default()
            };
            let Some((memory, _)) = config.larger_than_memory(Path::new(""))? else {
                return load_for(spec, default, takes).map(Data::from);
            };
            let stream = images.stream(Order::Sorted, takes.classes(), takes.input, memory)?;
            let scale = takes.scale(Scale::Divide(255.0))?;
            return stream.scaled(vec![scale]).map(Data::from);
        }
        _ => return load_for(spec, default, takes).map(Data::from),
    };
    let asked = Asked {
        known: takes.schema,
        listener: takes.listener,
        ids: takes.unlabelled,
    };
    let opened = config.open_asked(&base, seed, asked)?;
    Ok(match default {
        Split::Train => opened.train(),
        Split::Test => {
            let held_out = opened.test().or_else(|| opened.validation());
            held_out.unwrap_or_else(|| opened.train())
        }
    })
}

/// Whether SPEC names a table.
pub fn is_table(spec: &str) -> Result<bool> {
    Ok(table_of(spec)?.is_some())
}

/// The table file that SPEC names, and what a configuration says of its columns; none
/// if it names other data.
pub fn table_of(spec: &str) -> Result<Option<(PathBuf, TableOptions)>> {
    Ok(match source(spec)? {
        Source::Table(path) => Some((path, TableOptions::new())),
        Source::BuiltIn(..) | Source::Arrays { .. } | Source::Images(_) => None,
        Source::Config(path) => {
            let (config, base, _) = of_config(&path)?;
            config.table.map(|table| (base.join(table), config.columns))
        }
    })
}

/// An array file's path, or an error that says which files are read. `at` is
/// where it stands, for the error's text.
pub(super) fn array(at: &str, path: &str) -> Result<PathBuf> {
    if npy::is_array(path) {
        return Ok(path.into());
    }
    let names: Vec<&str> = BUILT_IN.iter().map(|set| set.name).collect();
    let expected = format!(
        "array files (`x.npy`, `x.npy,y.npy`, `file.npz:key`), a folder of pictures, a `.toml` \
         file with a `[data]` table, or a built-in set ({})",
        names.join(", ")
    );
    Err(Error::invalid(at, format!("`{path}`"), expected))
}

/// The `[data]` table of a configuration, the folder that its paths start from, and the
/// seed.
fn of_config(path: &Path) -> Result<(DataConfig, PathBuf, u64)> {
    let text = std::fs::read_to_string(path).map_err(|cause| Error::io("read", path, cause))?;
    let config: Value = toml::from_str(&text).map_err(|error| Error::file(path, error))?;
    let seed = config.get("seed").and_then(Value::as_u64).unwrap_or(SEED);
    let Some(table) = config.get("data") else {
        return Err(Error::file(path, "it has no `[data]` table"));
    };
    let base = path.parent().unwrap_or(Path::new("")).to_owned();
    Ok((DataConfig::from_value("data", table)?, base, seed))
}
