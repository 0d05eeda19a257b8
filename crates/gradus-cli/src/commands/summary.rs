//! `gradus summary MODEL|RUN|CONFIG.toml`.

use crate::args::Summary;
use crate::models;
use crate::output;
use gradus::Result;
use gradus::experiment::{Event, Experiment};

/// Runs the command.
pub fn run(args: Summary) -> Result<()> {
    let is_config = args
        .file
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    let model = if is_config {
        Experiment::read(&args.file)?.model(|event| {
            if let Event::ModelNotes { path, notes } = event {
                models::say_not_read(path, notes);
            }
            Ok(())
        })?
    } else {
        models::load(&args.file)?
    };
    output::result(&model.summary()?)
}
