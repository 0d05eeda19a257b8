//! `gradus train`.

mod folds;
mod report;

use crate::args::Train;
use crate::commands::experiment;
use crate::output;
use crate::progress::Screen;
use gradus::Result;

/// Runs the command.
pub fn run(args: Train) -> Result<()> {
    if let Some(asked) = args.threads {
        gradus::set_threads(asked.get());
        let taken = gradus::threads();
        if taken < asked.get() {
            output::message(&format!(
                "note: --threads {asked}: {taken} are used, since more cannot help on this machine"
            ));
        }
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
    let mut screen = Screen::new(args.quiet);
    if let Some(number) = args.folds {
        let trained = experiment.cross_validate(number, |event| screen.show(event));
        screen.finish();
        return output::result(&folds::report(&trained?));
    }
    let trained = experiment.run(|event| screen.show(event));
    screen.finish();
    let trained = trained?;
    let mut text = report::report(&trained);
    if !args.quiet {
        text += &report::next(&trained);
    }
    output::result(&text)
}
