//! The progress of binary copies of large tables.

use crate::models::say_not_read;
use crate::output::{self, message};
use gradus::Result;
use gradus::error::visible;
use gradus::experiment::Event;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Shows copies: a bar on a terminal, otherwise a line a table.
#[derive(Debug, Default)]
pub struct Copies {
    /// The table that is being copied, and its bar.
    now: Option<(PathBuf, ProgressBar)>,
}

impl Copies {
    /// Shows that so many bytes or rows of a table are copied.
    pub fn show(&mut self, table: &Path, done: u64, all: u64) {
        if self.now.as_ref().is_none_or(|(before, _)| before != table) {
            self.now = Some((table.to_owned(), begin(table, all)));
        }
        if let Some((_, bar)) = &self.now {
            bar.set_position(done);
            if done >= all {
                bar.finish_and_clear();
            }
        }
    }
}

/// The callback of commands that open data and models, and do not train.
pub fn shown() -> impl FnMut(&Event<'_>) -> Result<()> {
    let mut copies = Copies::default();
    move |event| {
        match event {
            Event::CopyTable { table, done, all } => copies.show(table, *done, *all),
            Event::ModelNotes { path, notes } => say_not_read(path, notes),
            _ => {}
        }
        Ok(())
    }
}

fn begin(table: &Path, all: u64) -> ProgressBar {
    let name = table.file_name().unwrap_or_default().to_string_lossy();
    let name = visible(&name);
    // Of a table in a store, nobody asks once more.
    let bytes = std::fs::metadata(table).map_or(0, |about| about.len());
    if output::is_mute() || !std::io::stderr().is_terminal() {
        let bytes = match bytes {
            0 => String::new(),
            bytes => format!(", {}", HumanBytes(bytes)),
        };
        message(&format!("{name}{bytes}: a binary copy is made of it"));
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
    // Rows of a Parquet file are not bytes.
    let template = match all == bytes {
        true => "{prefix} {bar:20} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
        false => "{prefix} {bar:20} {pos}/{len} rows {eta} left",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(format!("copying {name}"));
    bar
}
