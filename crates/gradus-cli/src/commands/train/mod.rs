//! `gradus train`.

mod folds;
mod report;

use crate::args::Train;
use crate::commands::experiment;
use crate::output;
use crate::progress::Screen;
use gradus::{Error, Result};

/// Runs the command.
pub fn run(args: Train) -> Result<()> {
    if let Some(threads) = args.threads {
        gradus::set_threads(threads.get());
    }
    let mut experiment = experiment(args.config.as_deref(), &args.set)?;
    if let Some(seed) = args.seed {
        experiment = experiment.set_value("seed", seed)?;
    }
    if let Some(folder) = &args.out {
        experiment = experiment.out(folder);
    }
    if args.resume {
        experiment = experiment.resume();
    }
    if args.allow_changed {
        experiment = experiment.allow_changed();
    }
    let mut screen = Screen::new(args.quiet);
    if let Some(number) = args.folds {
        let trained = experiment.cross_validate(number, |event| screen.show(event));
        screen.finish();
        let trained = trained?;
        output::result(&folds::report(&trained))?;
        return complete(trained.not_written);
    }
    let trained = experiment.run(|event| screen.show(event));
    screen.finish();
    let trained = trained?;
    let mut text = report::report(&trained);
    if !args.quiet {
        text += &report::next(&trained);
    }
    output::result(&text)?;
    complete(trained.not_written)
}

/// The error of results that are not all in their files.
fn complete(not_written: Vec<String>) -> Result<()> {
    match &not_written[..] {
        [] => Ok(()),
        failures => Err(Error::NotWritten {
            problem: failures.join("\n"),
        }),
    }
}
