//! From the `[data]` table to the rows of a run.

use crate::data::builtin::BuiltIn;
use crate::data::config::{DataConfig, Files, ScaleName, Validation};
use crate::data::dataset::{Dataset, Split};
use crate::data::npy::read_npy;
use crate::data::scale::Scale;
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
    /// A built-in set's test split.
    pub test: Option<Dataset>,
}

impl DataConfig {
    /// Reads the data, splits it and scales it. Relative paths are relative to
    /// `base`, the folder of the configuration.
    pub fn load(&self, base: &Path) -> Result<Loaded> {
        self.check().map_err(|error| error.under("data"))?;
        let (rows, test, set) = self.rows(base)?;
        let (train, validation) = self.split(rows, base)?;
        let scales = self.scales(set, &train);
        let scaled = |data: Dataset| match &scales {
            None => Ok(data),
            Some(scales) => data.map_inputs(|input, tensor| tensor.scaled(scales[input].clone())),
        };
        Ok(Loaded {
            train: scaled(train)?,
            validation: validation.map(scaled).transpose()?,
            test: test.map(scaled).transpose()?,
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
        } else {
            let table = self.table.as_deref().unwrap_or_default();
            return Err(spec::not_trained_on("data.table", table));
        };
        let rows = match &self.sample_weight {
            None => rows,
            Some(path) => rows.with_sample_weight(read_one("data.sample_weight", path, base)?)?,
        };
        Ok((rows, test, set))
    }

    /// The rows to train on, and those held out.
    fn split(&self, rows: Dataset, base: &Path) -> Result<(Dataset, Option<Dataset>)> {
        let at = "data.validation";
        match &self.validation {
            None => Ok((rows, None)),
            Some(Validation::First { first }) => {
                let (held_out, rest) = rows.split_first(*first).map_err(|error| error.under(at))?;
                Ok((rest, Some(held_out)))
            }
            Some(Validation::Fraction { fraction }) => {
                let split = rows.split_fraction(*fraction);
                let (rest, held_out) = split.map_err(|error| error.under(at))?;
                Ok((rest, Some(held_out)))
            }
            Some(Validation::Files { x, y }) => {
                let held_out = read(at, x, Some(y), base)?;
                same_shapes(rows.inputs(), held_out.inputs())?;
                same_shapes(rows.targets(), held_out.targets())?;
                Ok((rows, Some(held_out)))
            }
            Some(Validation::Table { table }) => {
                Err(spec::not_trained_on("data.validation.table", table))
            }
        }
    }

    /// A scale for each input, or nothing if they stay as they are.
    fn scales(&self, set: Option<&BuiltIn>, train: &Dataset) -> Option<Vec<Scale>> {
        let usual = match set {
            Some(_) => ScaleName::Unit,
            None => ScaleName::None,
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

/// Refuses validation rows of other shapes than the training rows'.
fn same_shapes(train: &[Tensor], validation: &[Tensor]) -> Result<()> {
    if train.len() != validation.len() {
        let expected = format!("{} as in training", train.len());
        return Err(Error::invalid(
            "data.validation",
            format!("{} arrays", validation.len()),
            expected,
        ));
    }
    for (train, validation) in train.iter().zip(validation) {
        if train.shape() != validation.shape() && train.size() + validation.size() != 2 {
            let expected = format!("{} as {} has", train.shape(), train.name());
            return Err(Error::shape(
                validation.name(),
                validation.shape(),
                expected,
            ));
        }
    }
    Ok(())
}
