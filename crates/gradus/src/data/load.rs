//! From the `[data]` table to the rows of a run.

use crate::data::array_keys::ArrayKeys;
use crate::data::builtin::BuiltIn;
use crate::data::check;
use crate::data::config::{DataConfig, Files, HeldOut, ScaleName};
use crate::data::dataset::{Dataset, Split};
use crate::data::hold_out;
use crate::data::images::{self, Images, Order, Pictures};
use crate::data::load_stream::too_large;
use crate::data::load_table;
use crate::data::npy::read_npy;
use crate::data::scale::Scale;
use crate::data::schema::{LeftOut, Schema, Summary};
use crate::data::spec::{self, Source};
use crate::data::tensor::Tensor;
use crate::error::{Error, Result, join};
use std::path::Path;

/// The rows of a run.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it trains on.
    pub train: Dataset,
    /// What is held out to watch it.
    pub validation: Option<Dataset>,
    /// What is held out to the end: as `data.test` says, or a built-in set's own.
    pub test: Option<Dataset>,
    /// What the columns of a table are to the model.
    pub schema: Option<Schema>,
    /// How pictures were read, if they are not as a model is usually given them.
    pub pictures: Option<Pictures>,
    /// Columns that were left out, since training rows tell nothing by them.
    pub left_out: Vec<LeftOut>,
    /// What the training rows of a table are like.
    pub summary: Option<Summary>,
    /// What is held out at an end of the source: `validation`, `test`.
    pub neighbours: Vec<&'static str>,
    /// What a user should know of how a table's text was read.
    pub notes: Vec<String>,
}

impl Loaded {
    /// The same rows with only the inputs of these names, of a table that has others.
    pub fn keep_inputs(self, names: &[&str]) -> Result<Loaded> {
        let Some(mut schema) = self.schema else {
            return Ok(self);
        };
        schema.keep_inputs(names);
        let keep = |data: Dataset| data.keep_inputs(names);
        Ok(Loaded {
            train: keep(self.train)?,
            validation: self.validation.map(keep).transpose()?,
            test: self.test.map(keep).transpose()?,
            schema: Some(schema),
            pictures: self.pictures,
            left_out: self.left_out,
            summary: self.summary,
            neighbours: self.neighbours,
            notes: self.notes,
        })
    }
}

impl DataConfig {
    /// Reads the data, splits it and scales it. Relative paths are relative to
    /// `base`, the folder of the configuration; what is drawn at random is drawn
    /// by `seed`.
    pub fn load(&self, base: &Path, seed: u64) -> Result<Loaded> {
        self.load_for(base, seed, None)
    }

    /// As [`DataConfig::load`], for a model that knows a table's columns already.
    /// An error where the rows are larger than the memory they may take: see
    /// [`DataConfig::open`].
    pub fn load_for(&self, base: &Path, seed: u64, known: Option<&Schema>) -> Result<Loaded> {
        self.check().map_err(|error| error.under("data"))?;
        match self.larger_than_memory(base)? {
            Some(sizes) => Err(too_large(sizes)),
            None => self.load_here(base, seed, known),
        }
    }

    /// Reads the data into memory.
    pub(super) fn load_here(
        &self,
        base: &Path,
        seed: u64,
        known: Option<&Schema>,
    ) -> Result<Loaded> {
        if let Some(table) = &self.table {
            return load_table::load(self, &base.join(table), base, seed, known);
        }
        let (rows, test, set) = self.rows(base)?;
        let Loaded {
            train,
            validation,
            test,
            ..
        } = self.split(rows, test, base, seed)?;
        let pictures = self.pictures_of(set, &train);
        let scales = self.scales(set, &train);
        let scaled = |data: Dataset| match &scales {
            None => Ok(data),
            Some(scales) => data.map_inputs(|input, tensor| tensor.scaled(scales[input].clone())),
        };
        Ok(Loaded {
            train: scaled(train)?,
            validation: validation.map(scaled).transpose()?,
            test: test.map(scaled).transpose()?,
            schema: None,
            pictures,
            left_out: Vec::new(),
            summary: None,
            neighbours: self.neighbours(),
            notes: Vec::new(),
        })
    }

    /// All rows but a built-in set's test split, this split, and the set.
    fn rows(&self, base: &Path) -> Result<(Dataset, Option<Dataset>, Option<&'static BuiltIn>)> {
        let (rows, test, set) = if let Some(name) = &self.dataset {
            let Source::BuiltIn(set, split) = spec::source(name)? else {
                let expected = "a built-in set; files go under `x` and `y`";
                return Err(Error::invalid(
                    "data.dataset",
                    format!("`{name}`"),
                    expected,
                ));
            };
            let test = match split {
                None => Some(set.load(Split::Test)?),
                Some(_) => None,
            };
            (set.load(split.unwrap_or(Split::Train))?, test, Some(set))
        } else if let Some(x) = &self.x {
            (read("data", x, self.y.as_ref(), base)?, None, None)
        } else if let Some(images) = &self.images {
            (self.pictures(images, base)?, None, None)
        } else {
            return Err(Error::Internal("data without a source".into()));
        };
        let rows = match &self.sample_weight {
            None => rows,
            Some(path) => weighted(rows, "data.sample_weight", path, base)?,
        };
        Ok((rows, test, set))
    }

    /// The pictures of a folder, each class spread over the rows.
    fn pictures(&self, images: &Images, base: &Path) -> Result<Dataset> {
        let data = images.load(base, Order::Spread, None)?;
        check_classes(&data)?;
        Ok(data)
    }

    /// The rows to train on, and those held out; `own_test` is a built-in set's.
    fn split(
        &self,
        rows: Dataset,
        own_test: Option<Dataset>,
        base: &Path,
        seed: u64,
    ) -> Result<Loaded> {
        if let (Some(_), Some(own), Some(name)) = (&self.test, &own_test, &self.dataset) {
            let found = format!("a test beside {}, which is the set's own", own.name());
            let expected = format!("one of the two: `dataset = \"{name}:train\"` leaves it out");
            return Err(Error::invalid("data.test", found, expected));
        }
        let keys = ArrayKeys { data: &rows, base };
        let chosen = hold_out::choose(self, &keys, seed)?;
        let part = |at: &str, how: &Option<HeldOut>, chosen: Option<Vec<usize>>| match how {
            None => Ok(None),
            Some(how) => match chosen {
                Some(chosen) => rows.select(&chosen).map(Some),
                None => from_files(at, how, self.images.as_ref(), &rows, base).map(Some),
            },
        };
        Ok(Loaded {
            validation: part("data.validation", &self.validation, chosen.validation)?,
            test: part("data.test", &self.test, chosen.test)?.or(own_test),
            train: rows.select(&chosen.train)?,
            schema: None,
            pictures: None,
            left_out: Vec::new(),
            summary: None,
            neighbours: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// What a model that is trained on these rows has to know of new ones.
    pub(super) fn pictures_of(&self, set: Option<&BuiltIn>, train: &Dataset) -> Option<Pictures> {
        let scale = self.scale.unwrap_or_default();
        match (set, &self.images) {
            (_, Some(images)) => Some(Pictures {
                resize: images.resize.unwrap_or_default(),
                scale,
                classes: train.class_names().to_vec(),
            }),
            (Some(_), _) if scale != ScaleName::default() => Some(Pictures {
                scale,
                ..Pictures::default()
            }),
            _ => None,
        }
    }

    /// A scale for each input, or nothing if they stay as they are.
    fn scales(&self, set: Option<&BuiltIn>, train: &Dataset) -> Option<Vec<Scale>> {
        let usual = match (set, &self.images) {
            (None, None) => ScaleName::None,
            _ => ScaleName::Unit,
        };
        match self.scale.unwrap_or(usual) {
            ScaleName::None => None,
            ScaleName::Unit => {
                let unit = set.map_or(Scale::Divide(255.0), BuiltIn::unit_scale);
                Some(vec![unit; train.inputs().len()])
            }
            ScaleName::Standard => Some(train.inputs().iter().map(Scale::standard).collect()),
        }
    }
}

/// Refuses pictures that a network cannot learn to tell apart.
pub(super) fn check_classes(data: &Dataset) -> Result<()> {
    if let [only] = data.class_names() {
        let found = format!("one class folder, `{only}`");
        let expected = "two at least: one class cannot be told from another";
        return Err(Error::invalid(data.name(), found, expected));
    }
    if data.targets().is_empty() {
        return Err(images::no_classes(data.name().as_ref()));
    }
    Ok(())
}

/// Inputs and targets from their files.
fn read(at: &str, x: &Files, y: Option<&Files>, base: &Path) -> Result<Dataset> {
    let inputs = read_each(&join(at, "x"), x, base)?;
    let targets = match y {
        Some(y) => read_each(&join(at, "y"), y, base)?,
        None => Vec::new(),
    };
    let target_names = y.map(Files::names).unwrap_or_default();
    Dataset::from_parts(inputs, targets)?.with_names(&x.names(), &target_names)
}

fn read_each(at: &str, files: &Files, base: &Path) -> Result<Vec<Tensor>> {
    match files {
        Files::One(path) => Ok(vec![read_one(at, path, base)?]),
        Files::Named(files) => {
            let files = files.iter();
            files
                .map(|(name, path)| read_one(&join(at, name), path, base))
                .collect()
        }
    }
}

fn read_one(at: &str, path: &str, base: &Path) -> Result<Tensor> {
    read_npy(&base.join(spec::array(at, path)?))
}

/// Rows with weights from a file.
pub(super) fn weighted(rows: Dataset, at: &str, path: &str, base: &Path) -> Result<Dataset> {
    let weights = read_one(at, path, base)?;
    check::weights(&weights)?;
    rows.with_sample_weight(weights)
}

/// Rows that have files of their own, as many numbers each as the training rows.
fn from_files(
    at: &str,
    how: &HeldOut,
    images: Option<&Images>,
    train: &Dataset,
    base: &Path,
) -> Result<Dataset> {
    match how {
        HeldOut::Files {
            x,
            y,
            sample_weight,
        } => {
            let mut held_out = read(at, x, Some(y), base)?;
            if let Some(path) = sample_weight {
                held_out = weighted(held_out, &join(at, "sample_weight"), path, base)?;
            }
            same_shapes(at, train.inputs(), held_out.inputs())?;
            same_shapes(at, train.targets(), held_out.targets())?;
            Ok(held_out)
        }
        HeldOut::Table { table } => {
            let expected = "array files (`x` and `y`), as the training rows are";
            Err(Error::invalid(
                &join(at, "table"),
                format!("`{table}`"),
                expected,
            ))
        }
        HeldOut::Images { images: folder } => {
            let Some(options) = images else {
                let expected = "rows of the same kind: `images` goes with `data.images`";
                return Err(Error::invalid(at, format!("`{folder}`"), expected));
            };
            // In the size of those that are trained on.
            let options = options.other(folder).fitting(train.inputs()[0].shape());
            options.load(base, Order::Spread, Some(train.class_names()))
        }
        other => Err(Error::Internal(format!("{at}: {other} has no files"))),
    }
}

/// Refuses held-out rows of other shapes than the training rows'.
pub(super) fn same_shapes(at: &str, train: &[Tensor], held_out: &[Tensor]) -> Result<()> {
    if train.len() != held_out.len() {
        let found = format!("{} arrays", held_out.len());
        let expected = format!("{} as in training", train.len());
        return Err(Error::invalid(at, found, expected));
    }
    for (train, held_out) in train.iter().zip(held_out) {
        if train.shape() != held_out.shape() && train.size() + held_out.size() != 2 {
            let expected = format!("{} as {} has", train.shape(), train.name());
            return Err(Error::shape(held_out.name(), held_out.shape(), expected));
        }
    }
    Ok(())
}
