//! How the binary copy of a large table looks while it is made.

use crate::output::message;
use gradus::data::Told;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Shows what it is told: a bar on a terminal, otherwise a line a table; nothing if
/// `quiet`.
pub fn shown(quiet: bool) -> impl Fn(Told<'_>) {
    let now: RefCell<Option<(PathBuf, ProgressBar)>> = RefCell::new(None);
    move |told| {
        if quiet {
            return;
        }
        let mut now = now.borrow_mut();
        if now.as_ref().is_none_or(|(table, _)| table != told.table) {
            *now = Some((told.table.to_owned(), begin(&told)));
        }
        if let Some((_, bar)) = &*now {
            bar.set_position(told.done);
            if told.done >= told.all {
                bar.finish_and_clear();
            }
        }
    }
}

fn begin(told: &Told<'_>) -> ProgressBar {
    let name = told.table.file_name().unwrap_or_default().to_string_lossy();
    let bytes = std::fs::metadata(told.table).map_or(0, |about| about.len());
    if !std::io::stderr().is_terminal() {
        let bytes = HumanBytes(bytes);
        message(&format!("{name}, {bytes}: a binary copy is made of it"));
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(told.all), ProgressDrawTarget::stderr());
    // Rows of a Parquet file are no bytes.
    let template = match told.all == bytes {
        true => "{prefix} {bar:20} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
        false => "{prefix} {bar:20} {pos}/{len} rows {eta} left",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(format!("copying {name}"));
    bar
}
