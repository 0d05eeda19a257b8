//! The logs of a run: callbacks that write files of its folder while it is trained.

use super::config::from_toml;
use super::run_folder::EVENTS;
use crate::artifacts::callbacks::TensorBoard;
use crate::base::registry::Value;
use crate::error::join;
use crate::train::{Callback, History};
use std::path::Path;

/// A log: the kind of its files, in messages, and the callback.
pub type Log = (&'static str, Box<dyn Callback>);

/// The logs of a training in that folder, which goes on behind the epochs and samples of a history.
pub fn logs(folder: &Path, config: &str, before: &History) -> Vec<Log> {
    // Indented, it is code in Markdown, whatever is in it.
    let lines = config.lines().map(|line| format!("    {line}\n"));
    let board = TensorBoard::new(folder.join(EVENTS))
        .resumes(before.health.samples.len())
        .run(lines.collect(), hparams(config));
    vec![(EVENTS, Box::new(board))]
}

/// The hyper-parameters of a resolved configuration: its seed, and each plain value of `[train]`.
fn hparams(config: &str) -> Vec<(String, Value)> {
    // It is the run's own, and was read before.
    let config = from_toml(config).unwrap_or_default();
    let mut found = Vec::new();
    flatten("seed", &config["seed"], &mut found);
    flatten("", &config["train"], &mut found);
    found
}

/// Appends the plain values in a value with their paths of keys.
fn flatten(at: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(&join(at, key), value, found);
            }
        }
        Value::Array(_) | Value::Null => {}
        plain => found.push((at.to_owned(), plain.clone())),
    }
}
