//! The logs of a run: callbacks that write files of its folder while it is trained.

use super::report::Live;
use super::run_folder::REPORT;
use crate::train::{Callback, History};
use std::path::Path;

/// A log: the kind of its files, in messages, and the callback.
pub type Log = (&'static str, Box<dyn Callback>);

/// The logs of a training in that folder, which goes on behind the epochs and samples of a history.
pub fn logs(folder: &Path, config: &str, before: &History) -> Vec<Log> {
    vec![(REPORT, Box::new(Live::new(folder, config, before)))]
}
