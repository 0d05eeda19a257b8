//! Progress display of a download.

use crate::output::message;
use gradus::data::remote::RemoteFile;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// A bar on a terminal, otherwise one line per file.
pub struct Shown(ProgressBar);

impl Shown {
    /// For a file, before its first byte.
    pub fn new(file: &RemoteFile) -> Self {
        if !std::io::stderr().is_terminal() {
            message(&format!("{}, {}", file.name, HumanBytes(file.length)));
            return Shown(ProgressBar::hidden());
        }
        let target = ProgressDrawTarget::stderr();
        let bar = ProgressBar::with_draw_target(Some(file.length), target);
        let template = "{prefix} {bar:20} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(file.name);
        Shown(bar)
    }

    /// Number of bytes so far.
    pub fn at(&self, bytes: u64) {
        self.0.set_position(bytes);
    }

    /// A remark for the user that is no error yet.
    pub fn say(&self, text: &str) {
        self.0.suspend(|| message(text));
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
