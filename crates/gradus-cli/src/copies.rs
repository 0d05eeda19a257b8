//! How the binary copy of a large table looks while it is made.

use crate::output::message;
use gradus::data::CopyProgress;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Shows the progress of copies: a bar on a terminal, otherwise a line a table; nothing if
/// `quiet`.
pub fn shown(quiet: bool) -> impl Fn(CopyProgress<'_>) {
    let now: RefCell<Option<(PathBuf, ProgressBar)>> = RefCell::new(None);
    move |copy| {
        if quiet {
            return;
        }
        let mut now = now.borrow_mut();
        if now.as_ref().is_none_or(|(table, _)| table != copy.table) {
            *now = Some((copy.table.to_owned(), begin(&copy)));
        }
        if let Some((_, bar)) = &*now {
            bar.set_position(copy.done);
            if copy.done >= copy.all {
                bar.finish_and_clear();
            }
        }
    }
}

fn begin(copy: &CopyProgress<'_>) -> ProgressBar {
    let name = copy.table.file_name().unwrap_or_default().to_string_lossy();
    let bytes = std::fs::metadata(copy.table).map_or(0, |about| about.len());
    if !std::io::stderr().is_terminal() {
        let bytes = HumanBytes(bytes);
        message(&format!("{name}, {bytes}: a binary copy is made of it"));
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(copy.all), ProgressDrawTarget::stderr());
    // Rows of a Parquet file are no bytes.
    let template = match copy.all == bytes {
        true => "{prefix} {bar:20} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
        false => "{prefix} {bar:20} {pos}/{len} rows {eta} left",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(format!("copying {name}"));
    bar
}
