//! `gradus evaluate MODEL|RUN --data SPEC|train|validation|test [--json]`.

use super::labelled;
use crate::args::Evaluate;
use crate::models;
use crate::output;
use crate::ranks;
use gradus::Result;
use gradus::error::visible;
use serde_json::{Map, Value};

/// Runs the command.
pub fn run(args: Evaluate) -> Result<()> {
    let ranks = ranks::join()?;
    let opened = models::open(&args.model)?;
    super::warn_of_nan(&opened.model, &opened.path);
    let model = opened.into_evaluable()?;
    let (data, name) = labelled::rows(&model, &args.model, &args.data)?;
    let logs = match ranks {
        Some(ranks) => model.evaluate_on_ranks(&data, ranks)?,
        None => model.evaluate(&data)?,
    };
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
