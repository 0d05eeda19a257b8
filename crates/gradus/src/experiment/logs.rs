//! The logs of a run: callbacks that write files of its folder while it is trained.

use super::changes::flatten;
use super::config::from_toml;
use super::report::Live;
use super::run_folder::{EVENTS, REPORT};
use crate::artifacts::callbacks::TensorBoard;
use crate::base::registry::Value;
use crate::train::{Callback, History};
use std::collections::BTreeMap;
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
    let live = Live::new(folder, config, before);
    vec![(EVENTS, Box::new(board)), (REPORT, Box::new(live))]
}

/// The hyper-parameters of a resolved configuration: its seed, and each plain value of `[train]`.
fn hparams(config: &str) -> Vec<(String, Value)> {
    // It is the run's own, and was read before.
    let config = from_toml(config).unwrap_or_default();
    let mut found = BTreeMap::new();
    flatten("seed", &config["seed"], &mut found);
    flatten("", &config["train"], &mut found);
    found.retain(|_, value| !value.is_array() && !value.is_null());
    found.into_iter().collect()
}
