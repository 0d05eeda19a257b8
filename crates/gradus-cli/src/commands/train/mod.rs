//! `gradus train`.

mod folds;
mod report;

use crate::args::Train;
use crate::checkpoint::{self, Checkpoint};
use crate::config::{Config, Document, Run};
use crate::copies;
use crate::output;
use crate::progress::Reporter;
use crate::run_folder::{CONFIG, HISTORY, MODEL, Place, write_text};
use crate::watch::{Shared, Watch};
use gradus::artifacts::keras::save_keras;
use gradus::data::OnCopy;
use gradus::data::checks::Severity;
use gradus::rules::optimizers::LearningRate;
use gradus::train::{Fit, OnNan};
use gradus::{Error, Result};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

/// Runs the command.
pub fn run(args: Train) -> Result<()> {
    if let Some(threads) = args.threads {
        gradus::set_threads(threads.get());
    }
    let given = args.config.as_deref();
    let mut document = Document::open(given, &args.set, args.seed)?;
    let place = match &args.out {
        Some(folder) => Place::Named(folder.clone()),
        None => Place::Numbered(document.name()),
    };
    if let Some(number) = args.folds {
        return folds::run(&args, number, document, place);
    }
    let mut folder = None;
    if args.resume {
        let existing = place.existing()?;
        if given.is_none() {
            document = Document::open(Some(&existing.join(CONFIG)), &args.set, args.seed)?;
        }
        folder = Some(existing);
    } else {
        place.check_free()?;
    }
    let config = document.read()?;
    let reporter = Reporter::new(args.quiet);
    let trained = train_one(&document, config, place, folder, reporter)?;
    let mut text = trained.report()?;
    if !args.quiet {
        text += &trained.next();
    }
    output::result(&text)
}

/// A run that has ended.
struct Trained {
    run: Run,
    watch: Shared,
    folder: PathBuf,
}

/// Trains, from the start or from the checkpoint in `folder`, and leaves the run folder.
fn train_one(
    document: &Document,
    config: Config,
    place: Place,
    folder: Option<PathBuf>,
    reporter: Reporter,
) -> Result<Trained> {
    let located = |error| document.locate(error);
    let tell = copies::shown(matches!(reporter, Reporter::Quiet));
    let run = config.resolve(document.base(), OnCopy::new(&tell));
    let mut run = run.map_err(located)?;
    reporter.say(&run.rows);
    let warnings = run.findings.iter();
    let warnings = warnings.filter(|finding| finding.severity == Severity::Warning);
    warnings.for_each(|finding| reporter.say(&finding.to_string()));
    if let Some(found) = &run.found {
        let (key, rate, turning) = (&found.key, found.rate, found.turning_point);
        reporter.say(&format!(
            "learning rate found: {key} = {rate} (the loss climbs from {turning} on)"
        ));
    }
    let checkpoint = match &folder {
        Some(folder) => {
            same_run(&run.text, folder)?;
            checkpoint::read(folder)?
        }
        None => None,
    };
    if checkpoint.is_none() {
        pretrain(&mut run, &reporter).map_err(located)?;
    }
    let watch = watch(&mut run, place, folder, reporter, checkpoint)?;
    let trained = train(&mut run, &watch);
    let (folder, broken) = {
        let watch = watch.0.borrow();
        watch.reporter.finish();
        let broken = match trained {
            Err(error @ Error::BlowUp { .. }) => Some(error),
            trained => {
                trained.map_err(located)?;
                ended_by_nan(&run, &watch)
            }
        };
        let folder = match &watch.folder {
            Some(folder) => folder.clone(),
            None => return Err(Error::Internal("a training without a run folder".into())),
        };
        (folder, broken)
    };
    save_keras(&run.model, folder.join(MODEL))?;
    write_text(&folder.join(HISTORY), &watch.0.borrow().history.to_csv())?;
    match broken {
        Some(error) => Err(report::with_what_is_kept(error, &watch.0.borrow(), &folder)),
        None => Ok(Trained { run, watch, folder }),
    }
}

/// The error of a training that Keras' `TerminateOnNaN` has ended in order.
fn ended_by_nan(run: &Run, watch: &Watch) -> Option<Error> {
    let last = watch.history.epochs.last()?;
    let loss = last.logs.get("loss").filter(|loss| !loss.is_finite())?;
    (run.on_nan == OnNan::Stop).then(|| Error::BlowUp {
        epoch: last.epoch,
        step: 0,
        problem: format!(
            "epoch {}/{}: the loss is {loss}, and `terminate_on_nan` has ended the training; a \
             lower learning rate or clipping may hold it",
            last.epoch + 1,
            watch.epochs
        ),
    })
}

/// What comes before the training, if anything does.
fn pretrain(run: &mut Run, reporter: &Reporter) -> Result<()> {
    let Some((task, rows)) = &run.pretrain else {
        return Ok(());
    };
    let histories = task
        .run(&mut run.model, rows)
        .map_err(|error| match error {
            Error::BlowUp {
                epoch,
                step,
                problem,
            } => Error::BlowUp {
                epoch,
                step,
                problem: format!("the pretraining: {problem}"),
            },
            error => error,
        })?;
    for history in &histories {
        let losses = history.get("loss");
        if let (Some(first), Some(last)) = (losses.first(), losses.last()) {
            let (epochs, rows) = (losses.len(), rows.rows());
            reporter.say(&format!(
                "pretrained {epochs} epochs on {rows} rows: loss {first:.4} to {last:.4}"
            ));
        }
    }
    Ok(())
}

/// Everything that happens between epochs, from the start or from a checkpoint,
/// whose model then takes the place of the run's.
fn watch(
    run: &mut Run,
    place: Place,
    folder: Option<PathBuf>,
    reporter: Reporter,
    checkpoint: Option<Checkpoint>,
) -> Result<Shared> {
    let mut watch = Watch {
        callbacks: std::mem::take(&mut run.callbacks),
        reporter,
        history: Default::default(),
        folder,
        place,
        config: run.text.clone(),
        resumed: None,
        first: run.initial_epoch,
        epochs: run.epochs,
        checkpoints: None,
        began: Instant::now(),
        due: Instant::now(),
    };
    if let Some(Checkpoint {
        state,
        model,
        history,
    }) = checkpoint
    {
        if let (OnNan::Continue, Some((layer, weight))) = (run.on_nan, model.not_finite().next()) {
            watch.reporter.say(&format!(
                "warning: the checkpoint of {}: layer {layer}: its {weight} has NaN or infinite \
                 numbers",
                state.model
            ));
        }
        let (seed, compiled) = (run.model.seed, run.model.compiled.take());
        run.model = model;
        run.model.seed = seed;
        run.model.compiled = compiled;
        if let Some(compiled) = &mut run.model.compiled
            && let Some(optimizer) = &mut compiled.optimizer
            && let LearningRate::Constant(rate) = &mut optimizer.learning_rate
        {
            *rate = state.learning_rate;
        }
        if state.stopped {
            watch.epochs = state.epoch;
        }
        watch.first = state.epoch;
        watch.history = history;
        watch.reporter.say(&match watch.first >= watch.epochs {
            true => format!("all {} epochs are done", watch.first),
            false => format!("resuming after epoch {}", watch.first),
        });
        watch.resumed = Some(state);
    }
    Ok(Shared(Rc::new(RefCell::new(watch))))
}

fn train(run: &mut Run, watch: &Shared) -> Result<()> {
    let (first, epochs) = {
        let watch = watch.0.borrow();
        (watch.first, watch.epochs)
    };
    let mut fit = Fit::new()
        .epochs(epochs)
        .initial_epoch(first)
        .batch_size(run.batch_size)
        .shuffle(run.shuffle)
        .class_weight(&run.class_weight)
        .precision(run.precision)
        .on_nan(run.on_nan)
        .callback(watch.clone());
    if let Some(validation) = &run.data.validation {
        fit = fit.validation_data(validation);
    }
    if let Some(alpha) = run.mixup {
        fit = fit.mixup(alpha);
    }
    if let Some(schedule) = &run.schedule {
        fit = fit.schedule(schedule.clone());
    }
    run.model.fit(&run.data.train, fit)?;
    Ok(())
}

/// Refuses to resume a run under another configuration; only the number of
/// epochs may change.
fn same_run(text: &str, folder: &Path) -> Result<()> {
    let path = folder.join(CONFIG);
    let before = std::fs::read_to_string(&path).map_err(|e| Error::io("read", &path, e))?;
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with("epochs = "));
        lines.map(str::to_owned).collect()
    };
    let (now, before) = (lines(text), lines(&before));
    let differs = now.iter().zip(&before).find(|(now, before)| now != before);
    match differs {
        None if now.len() == before.len() => Ok(()),
        None => Err(Error::file(&path, "is of another run: it has other keys")),
        Some((now, before)) => Err(Error::file(
            &path,
            format!("is of another run: found `{before}`, expected `{now}`"),
        )),
    }
}
