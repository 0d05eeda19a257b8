//! Array files that are larger than memory: rows that are read from them meanwhile.

use super::super::kind::Request;
use super::super::streams::Streams;
use super::files::{array, same_shapes};
use crate::data::files::Files;
use crate::data::split::{HoldOut, take_end};
use crate::data::stream::{NpyRows, Stream};
use crate::error::{Error, Result, join};
use std::path::{Path, PathBuf};

/// The rows of a run, by their use.
pub(super) fn open(x: &Files, y: Option<&Files>, request: &Request<'_>) -> Result<Streams> {
    let base = request.base;
    let all = Stream::new(rows("data", x, y, request.sample_weight, base)?)?;
    let mut left = 0..all.rows();
    let mut held_out = |at: &str, how: Option<&HoldOut>| match how {
        None => Ok(None),
        Some(HoldOut::Files {
            x,
            y,
            sample_weight,
        }) => {
            let own = Stream::new(rows(at, x, Some(y), sample_weight.as_ref(), base)?)?;
            let (train, held_out) = (all.sample(), own.sample());
            same_shapes(at, train.inputs(), held_out.inputs())?;
            same_shapes(at, train.targets(), held_out.targets())?;
            Ok(Some(own))
        }
        Some(own) if own.is_own() => {
            let expected = "array files (`x` and `y`), as the training rows are";
            Err(Error::invalid(at, own, expected))
        }
        Some(how) => {
            let rows = take_end(how, &mut left).map_err(|error| error.under(at))?;
            all.slice(rows).map(Some)
        }
    };
    let test = held_out("data.test", request.test)?;
    let validation = held_out("data.validation", request.validation)?;
    let targets = match y {
        None => None,
        Some(y) => {
            let targets = Stream::new(rows("data", y, Some(y), None, base)?)?;
            Some(targets.slice(left.clone())?)
        }
    };
    Ok(Streams {
        train: all.slice(left)?,
        validation,
        test,
        targets,
    })
}

/// Inputs, targets and weights in their files; `at` is where their keys stand.
fn rows(
    at: &str,
    x: &Files,
    y: Option<&Files>,
    weight: Option<&String>,
    base: &Path,
) -> Result<NpyRows> {
    let path = |key: &str, path: &str| Ok(base.join(array(&join(at, key), path)?));
    let paths = |key: &str, files: &Files| -> Result<Vec<PathBuf>> {
        files
            .paths()
            .into_iter()
            .map(|file| path(key, file))
            .collect()
    };
    let inputs = paths("x", x)?;
    let targets = match y {
        Some(y) => paths("y", y)?,
        None => Vec::new(),
    };
    let names = y.map(Files::names).unwrap_or_default();
    let rows = NpyRows::from_parts(&inputs, &targets)?.with_names(&x.names(), &names);
    match weight {
        None => Ok(rows),
        Some(weight) => rows.with_sample_weight(path("sample_weight", weight)?),
    }
}
