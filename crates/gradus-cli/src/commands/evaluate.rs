//! `gradus evaluate MODEL|RUN --data SPEC|train|validation|test [--json]`.

use crate::args::Evaluate;
use crate::copies;
use crate::models;
use crate::output;
use gradus::data::Data;
use gradus::error::visible;
use gradus::experiment::run_folder::CONFIG;
use gradus::experiment::{Experiment, unfamiliar};
use gradus::{Error, Model, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// The rows of a run that a word in `--data` names.
const PARTS: [&str; 3] = ["train", "validation", "test"];

/// Runs the command.
pub fn run(args: Evaluate) -> Result<()> {
    let opened = models::open(&args.model)?;
    super::warn_of_nan(&opened.model, &opened.path);
    let model = opened.into_evaluable()?;
    // Beside a model file, it may be a folder of pictures with that name.
    let is_part = PARTS.contains(&&*args.data);
    let is_part = is_part && (args.model.is_dir() || !Path::new(&args.data).exists());
    let (data, name) = match is_part {
        true => (part(&model, &args.model, &args.data)?, args.data.clone()),
        false => {
            let data = super::labelled_for(&model, &args.data)?;
            if let Some(mut unfamiliar) = unfamiliar(&model, &args.data)? {
                unfamiliar.add_all(&data)?;
                super::say(Some(unfamiliar), data.sample().name());
            }
            let name = data.sample().name().to_owned();
            (data, name)
        }
    };
    let logs = model.evaluate(&data)?;
    if args.json {
        let object: Map<String, Value> =
            logs.iter().map(|(n, v)| (n.to_owned(), v.into())).collect();
        return output::json(&object.into());
    }
    let mut text = format!("{name}: {} rows\n", data.rows().unwrap_or_default());
    let width = logs.names().map(str::len).max().unwrap_or(0);
    for (name, value) in logs.iter() {
        let name = visible(name);
        text += &format!("{name:width$}  {}\n", output::number(value));
    }
    output::result(&text)
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
