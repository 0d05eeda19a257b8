//! `gradus train`.

mod folds;
mod json;
mod report;
mod resume;
mod sparkline;

use crate::args::Train;
use crate::commands::experiment;
use crate::interrupt;
use crate::output;
use crate::progress::Screen;
use crate::ranks;
use gradus::experiment::Event;
use gradus::{Error, Result};

/// Runs the command.
pub fn run(args: Train) -> Result<()> {
    let ranks = ranks::connect(args.threads.is_some())?;
    let led = ranks.as_ref().is_some_and(|ranks| ranks.rank() > 0);
    if let Some(asked) = args.threads {
        gradus::set_threads(asked.get());
        let taken = gradus::threads();
        if taken < asked.get() && !led {
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
    if args.allow_changed {
        experiment = experiment.allow_changed();
    }
    if let Some(ranks) = ranks {
        experiment = experiment.ranks(ranks);
    }
    if led {
        interrupt::leave_to_first();
        return match args.folds {
            None => experiment.follow(),
            Some(number) => experiment.cross_validate(number, |_| Ok(())).map(drop),
        };
    }
    let mut screen = Screen::new(args.quiet);
    let mut lines = args.json.then(json::Lines::default);
    let mut show = |event: &Event<'_>| {
        screen.show(event)?;
        if let Some(lines) = &mut lines {
            lines.print(event)?;
        }
        heed_signals(&args, event)
    };
    if let Some(number) = args.folds {
        let trained = experiment.cross_validate(number, &mut show);
        screen.finish();
        let trained = trained?;
        match args.json {
            true => output::json(&json::of_folds(&trained))?,
            false => output::result(&folds::report(&trained))?,
        }
        return complete(trained.not_written);
    }
    let trained = experiment.run(&mut show);
    screen.finish();
    let trained = trained?;
    if args.json {
        output::json(&json::done(&trained))?;
        return complete(trained.not_written);
    }
    let mut text = report::report(&trained);
    if !args.quiet {
        text += &report::curve(&trained);
        text += &report::next(&trained);
    }
    output::styled(&text)?;
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

/// Ends a training behind the step in which a signal has come.
fn heed_signals(args: &Train, event: &Event<'_>) -> Result<()> {
    match event {
        Event::PretrainBegin { folder } | Event::TrainBegin { folder } => {
            interrupt::begin(resume::command(args, folder));
            interrupt::look()
        }
        Event::PretrainBatchEnd(_) | Event::BatchEnd(_) | Event::EpochEnd { .. } => {
            interrupt::look()
        }
        Event::TrainEnd => {
            interrupt::end();
            Ok(())
        }
        _ => Ok(()),
    }
}
