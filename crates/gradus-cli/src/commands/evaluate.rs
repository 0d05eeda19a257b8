//! `gradus evaluate MODEL --data SPEC [--json]`.

use crate::args::Evaluate;
use crate::output;
use gradus::artifacts::keras::load_keras;
use gradus::{Error, Result};
use serde_json::{Map, Value};

/// Runs the command.
pub fn run(args: Evaluate) -> Result<()> {
    let model = load_keras(&args.model)?;
    if model.compiled.is_none() {
        let problem = "was saved without a loss, so it cannot be evaluated; it can predict";
        return Err(Error::file(&args.model, problem));
    }
    let data = super::labelled_for(&model, &args.data)?;
    if let Some(mut unfamiliar) = super::unfamiliar(&model, &args.data)? {
        unfamiliar.add_all(&data)?;
        super::say(Some(unfamiliar), data.sample().name());
    }
    let logs = model.evaluate(&data)?;
    if args.json {
        let object: Map<String, Value> =
            logs.iter().map(|(n, v)| (n.to_owned(), v.into())).collect();
        return output::result(&format!("{}\n", Value::from(object)));
    }
    let mut text = format!(
        "{}: {} rows\n",
        data.sample().name(),
        data.rows().unwrap_or_default()
    );
    let width = logs.names().map(str::len).max().unwrap_or(0);
    for (name, value) in logs.iter() {
        text += &format!("{name:width$}  {}\n", output::number(value));
    }
    output::result(&text)
}
