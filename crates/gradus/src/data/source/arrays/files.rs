//! Array files that a configuration names, read into memory.

use crate::data::builtin::BUILT_IN;
use crate::data::check;
use crate::data::dataset::Dataset;
use crate::data::files::Files;
use crate::data::npy::{is_array, read_npy};
use crate::data::split::HoldOut;
use crate::data::tensor::Tensor;
use crate::error::{Error, Result, join};
use std::path::{Path, PathBuf};

/// The path of an array file, or an error that says which files are read. `at` is the key
/// that names it, for the error's text.
pub(in crate::data::source) fn array(at: &str, path: &str) -> Result<PathBuf> {
    if is_array(path) {
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

/// Inputs and targets from their files; `at` is where their keys stand.
pub(super) fn read(at: &str, x: &Files, y: Option<&Files>, base: &Path) -> Result<Dataset> {
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
    read_npy(&base.join(array(at, path)?))
}

/// The rows with weights from a file.
pub(in crate::data::source) fn read_weights(
    rows: Dataset,
    at: &str,
    path: &str,
    base: &Path,
) -> Result<Dataset> {
    let weights = read_one(at, path, base)?;
    check::weights(&weights)?;
    rows.with_sample_weight(weights)
}

/// Held-out rows of their own array files, as many numbers each as the training rows.
pub(in crate::data::source) fn own_rows(
    at: &str,
    how: &HoldOut,
    train: &Dataset,
    base: &Path,
) -> Result<Dataset> {
    match how {
        HoldOut::Files {
            x,
            y,
            sample_weight,
        } => {
            let mut held_out = read(at, x, Some(y), base)?;
            if let Some(path) = sample_weight {
                held_out = read_weights(held_out, &join(at, "sample_weight"), path, base)?;
            }
            same_shapes(at, train.inputs(), held_out.inputs())?;
            same_shapes(at, train.targets(), held_out.targets())?;
            Ok(held_out)
        }
        HoldOut::Table { table } => {
            let expected = "array files (`x` and `y`), as the training rows are";
            Err(Error::invalid(
                &join(at, "table"),
                format!("`{table}`"),
                expected,
            ))
        }
        HoldOut::Images { images } => {
            let expected = "rows of the same kind: `images` goes with `data.images`";
            Err(Error::invalid(at, format!("`{images}`"), expected))
        }
        other => Err(Error::Internal(format!("{at}: {other} has no files"))),
    }
}

/// Refuses held-out rows whose shapes differ from the training rows'.
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
