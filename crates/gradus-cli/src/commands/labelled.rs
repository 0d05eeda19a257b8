//! Rows with targets, for a model or a run.

use crate::copies;
use gradus::data::{Data, table_of};
use gradus::experiment::run_folder::CONFIG;
use gradus::experiment::{Experiment, unfamiliar};
use gradus::{Error, Model, Result};
use std::path::Path;

/// The rows of a run that a word in `--data` names.
const PARTS: [&str; 3] = ["train", "validation", "test"];

/// The rows that SPEC names with their name, a part of a run folder if it is one.
pub fn rows(model: &Model, given: &Path, spec: &str) -> Result<(Data, String)> {
    if is_part(given, spec) {
        return Ok((part(model, given, spec)?, spec.to_owned()));
    }
    let data = super::labelled_for(model, spec)?;
    if let Some(mut unfamiliar) = unfamiliar(model, spec)? {
        unfamiliar.add_all(&data)?;
        super::say(Some(unfamiliar), data.sample().name());
    }
    let name = data.sample().name().to_owned();
    Ok((data, name))
}

/// True if a word names rows of the run. Beside a model file, it may be a folder of pictures with
/// that name.
fn is_part(given: &Path, spec: &str) -> bool {
    PARTS.contains(&spec) && (given.is_dir() || !Path::new(spec).exists())
}

/// True if SPEC names rows that the model was trained on: those of the run, a table of which it
/// trained on some, or a built-in set's part of that name.
pub fn are_trained_on(given: &Path, spec: &str) -> bool {
    if is_part(given, spec) {
        return spec == "train";
    }
    let table = |spec: &str| {
        let (path, _) = table_of(spec).ok().flatten()?;
        path.canonicalize().ok()
    };
    let of_run = given.join(CONFIG);
    let of_run = of_run.to_str().and_then(table);
    spec.ends_with(":train") || of_run.is_some() && of_run == table(spec)
}

/// The run's own rows of that part, as in its training.
fn part(model: &Model, run: &Path, part: &str) -> Result<Data> {
    let config = run.join(CONFIG);
    if !config.is_file() {
        let expected = format!("a run folder, whose `{CONFIG}` says which rows are `{part}`");
        return Err(Error::file(
            run,
            format!("found as MODEL, expected {expected}"),
        ));
    }
    let rows = Experiment::read(&config)?.data(model, copies::shown())?;
    let found = match part {
        "train" => Some(&rows.train),
        "validation" => rows.validation.as_ref(),
        _ => rows.test.as_ref(),
    };
    found.cloned().ok_or_else(|| {
        let has = [("validation", &rows.validation), ("test", &rows.test)];
        let has = has.iter().filter(|(_, rows)| rows.is_some());
        let has: Vec<String> = has.map(|(name, _)| format!(", `{name}`")).collect();
        let expected = format!("rows that the run has: `train`{}", has.concat());
        Error::invalid("--data", format!("`{part}`"), expected)
    })
}
