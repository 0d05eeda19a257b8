//! `gradus summary MODEL|RUN|CONFIG.toml`.

use crate::args::Summary;
use crate::config::{Document, model_of};
use crate::models;
use crate::output;
use gradus::Result;

/// Runs the command.
pub fn run(args: Summary) -> Result<()> {
    let is_config = args
        .file
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    let model = if is_config {
        let document = Document::open(Some(&args.file), &[], None)?;
        let config = document.read()?;
        model_of(&config, document.base()).map_err(|error| document.locate(error))?
    } else {
        models::load(&args.file)?
    };
    output::result(&model.summary()?)
}
