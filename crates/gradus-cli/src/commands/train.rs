//! `gradus train`.

use crate::args::Train;
use crate::checkpoint::{self, Checkpoint};
use crate::config::{Document, Run};
use crate::output::{self, measurements, quoted};
use crate::progress::Reporter;
use crate::run_folder::{CONFIG, HISTORY, MODEL, Place, write_text};
use crate::watch::{Shared, Watch};
use gradus::artifacts::keras::save_keras;
use gradus::rules::optimizers::LearningRate;
use gradus::train::Fit;
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
    let place = match args.out {
        Some(folder) => Place::Named(folder),
        None => Place::Numbered(document.name()),
    };
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
    let reporter = Reporter::new(args.quiet);
    let located = |error| document.locate(error);
    let config = document.read()?;
    let mut run = config.resolve(document.base()).map_err(located)?;
    reporter.say(&run.rows);
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
    let watch = &mut *watch.0.borrow_mut();
    watch.reporter.finish();
    trained.map_err(located)?;
    let folder = match &watch.folder {
        Some(folder) => folder.clone(),
        None => return Err(Error::Internal("a training without a run folder".into())),
    };
    save_keras(&run.model, folder.join(MODEL))?;
    write_text(&folder.join(HISTORY), &watch.history.to_csv())?;
    let mut text = report(&run, watch, &folder)?;
    if !args.quiet {
        text += &next(&run, &folder);
    }
    output::result(&text)
}

/// What comes before the training, if anything does.
fn pretrain(run: &mut Run, reporter: &Reporter) -> Result<()> {
    let Some((task, rows)) = &run.pretrain else {
        return Ok(());
    };
    let histories = task.run(&mut run.model, rows)?;
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
        let (seed, compiled) = (run.model.seed, run.model.compiled.take());
        run.model = model;
        run.model.seed = seed;
        run.model.compiled = compiled;
        if let Some(compiled) = &mut run.model.compiled
            && let LearningRate::Constant(rate) = &mut compiled.optimizer.learning_rate
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
        .callback(watch.clone());
    if let Some(validation) = run.data.validation() {
        fit = fit.validation_data(validation);
    }
    if let Some(alpha) = run.mixup {
        fit = fit.mixup(alpha);
    }
    if let Some(schedule) = &run.schedule {
        fit = fit.schedule(schedule.clone());
    }
    run.model.fit(run.data.train(), fit)?;
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

/// What came out.
fn report(run: &Run, watch: &Watch, folder: &Path) -> Result<String> {
    let mut text = String::new();
    let epochs = &watch.history.epochs;
    let seconds: f64 = epochs.iter().map(|epoch| epoch.seconds).sum();
    text += &format!("trained     {} epochs in {seconds:.1} s", epochs.len());
    let early_stopping = watch.callbacks.early_stopping.as_ref();
    let restored = early_stopping
        .filter(|e| e.restore_best_weights)
        .and_then(|e| e.progress().best_epoch);
    if let Some(best) = restored {
        text += &format!(", kept the weights of epoch {}", best + 1);
    }
    text.push('\n');
    let kept = match restored {
        Some(best) => epochs.iter().find(|epoch| epoch.epoch == best),
        None => epochs.last(),
    };
    if let Some(kept) = kept {
        let of = |validation: bool| {
            let logs = kept
                .logs
                .iter()
                .filter(|(name, _)| *name != "learning_rate");
            let logs = logs.filter(|(name, _)| name.starts_with("val_") == validation);
            measurements(logs.map(|(name, value)| (name.trim_start_matches("val_"), value)))
        };
        text += &format!("training    {}\n", of(false));
        if run.data.validation().is_some() {
            text += &format!("validation  {}\n", of(true));
        }
    }
    if let Some(test) = run.data.test() {
        let logs = run.model.evaluate(&test)?;
        let rows = test.rows().unwrap_or_default();
        text += &format!("test        {}  ({rows} rows)\n", measurements(logs.iter()));
    }
    Ok(text + &format!("run folder  {}\n", folder.display()))
}

/// What to type next.
fn next(run: &Run, folder: &Path) -> String {
    let gradus = std::env::args().next().unwrap_or("gradus".into());
    let (gradus, model) = (
        quoted(&gradus),
        quoted(&folder.join(MODEL).to_string_lossy()),
    );
    let config = folder.join(CONFIG).to_string_lossy().into_owned();
    let data = quoted(run.test_spec.as_ref().unwrap_or(&config));
    format!(
        "\nnext\n  {gradus} evaluate {model} --data {data}\n  \
         {gradus} predict {model} --data {data} --out predictions.csv\n  \
         {gradus} summary {model}\n"
    )
}
