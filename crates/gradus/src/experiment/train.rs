//! One training of an experiment, from its configuration to its run folder.

use super::changes::{self, Fingerprints};
use super::checkpoint::{self, Checkpoint, State};
use super::config::{Config, Document};
use super::event::{Event, Progress};
use super::health_file;
use super::lock::Lock;
use super::pretrain::pretrain;
use super::ranks::Ranks;
use super::recorder::Recorder;
use super::report::{self, Known};
use super::resolve::Run;
use super::results::Record;
use super::run_folder::{Destination, HEALTH, HISTORY, MODEL, REPORT, Resume, create, write_text};
use super::unwritten::Unwritten;
use crate::artifacts::keras::save_keras;
use crate::data::checks::Severity;
use crate::error::{Error, Result};
use crate::rules::optimizers::LearningRate;
use crate::train::{Fit, History, OnNan, Position};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A training that has ended.
pub struct Trained {
    /// The data, and the model as it is now.
    pub run: Run,
    /// The measurements.
    pub record: Record,
    /// The run folder.
    pub folder: PathBuf,
    /// The errors of the files that could not be written.
    pub not_written: Vec<String>,
}

/// Trains, from the start or from a run's checkpoint, and writes the run folder.
pub fn train(
    document: &Document,
    config: Config,
    place: Destination,
    resume: Option<Resume>,
    progress: &Progress<'_>,
    ranks: &Ranks,
) -> Result<Trained> {
    let located = |error| document.locate(error);
    let fitted = Fitted::of(document, config, place, resume, progress, ranks)?;
    let Fitted {
        run,
        recorder,
        resumed,
        ended,
    } = fitted;
    let Recorder {
        callbacks,
        history,
        folder,
        epochs,
        mut unwritten,
        lock: _lock,
        ..
    } = recorder;
    let record = Record {
        early_stopping: callbacks.early_stopping,
        pruning: callbacks.pruning,
        history,
        resumed,
    };
    let broken = match ended {
        Err(error @ Error::BlowUp { .. }) => Some(error),
        ended => {
            if let (Err(Error::Interrupted), Some(folder)) = (&ended, &folder) {
                // The error is the one to report, and a page does not matter beside it.
                let _ = report::interrupted(folder, &run.text, &record.history);
            }
            ended.map_err(located)?;
            ended_by_nan(&run, &record.history, epochs)
        }
    };
    let Some(folder) = folder else {
        return Err(Error::Internal("a training without a run folder".into()));
    };
    write_results(&run, &record, &folder, &mut unwritten, progress)?;
    let not_written = unwritten.finish();
    match broken {
        Some(error) => Err(record.blow_up(error, &folder, &not_written)),
        None => Ok(Trained {
            run,
            record,
            folder,
            not_written,
        }),
    }
}

/// Trains as a rank behind the first, and writes nothing. A training that breaks does so on all
/// ranks, and the first one says so.
pub fn follow(
    document: &Document,
    config: Config,
    place: Destination,
    resume: Option<Resume>,
    progress: &Progress<'_>,
    ranks: &Ranks,
) -> Result<()> {
    match Fitted::of(document, config, place, resume, progress, ranks)?.ended {
        Ok(()) | Err(Error::BlowUp { .. }) => Ok(()),
        Err(error) => Err(document.locate(error)),
    }
}

/// A training whose steps are done.
struct Fitted<'a, 'p> {
    run: Run,
    recorder: Recorder<'a, 'p>,
    /// The epochs and steps that were done before.
    resumed: (usize, usize),
    /// The way in which it has ended.
    ended: Result<()>,
}

impl<'a, 'p> Fitted<'a, 'p> {
    /// Trains, from the start or from a run's checkpoint.
    fn of(
        document: &Document,
        config: Config,
        place: Destination,
        resume: Option<Resume>,
        progress: &'a Progress<'p>,
        ranks: &Ranks,
    ) -> Result<Self> {
        let located = |error| document.locate(error);
        let lock = resume
            .as_ref()
            .filter(|_| ranks.leads())
            .map(|resume| Lock::take(&resume.folder, progress));
        let lock = lock.transpose()?;
        let mut run = config.resolve(document.base(), progress).map_err(located)?;
        progress.tell(&Event::DataOpened {
            description: &run.rows,
        })?;
        let warnings = run.findings.iter();
        let mut warnings = warnings.filter(|finding| finding.severity == Severity::Warning);
        warnings.try_for_each(|finding| progress.tell(&Event::Warning(finding)))?;
        if let Some(found) = &run.found {
            progress.tell(&Event::LearningRateFound(found))?;
        }
        let data = Fingerprints::of(&run)?;
        let checkpoint = match &resume {
            Some(resume) => {
                let mut checkpoint = checkpoint::read(&resume.folder, progress)?;
                let state = checkpoint.as_mut().map(|checkpoint| &mut checkpoint.state);
                changes::refuse(&run, &data, resume, state, progress)?;
                checkpoint
            }
            None => None,
        };
        // Nobody writes what another one still reads.
        ranks.meet()?;
        let folder = resume.map(|resume| resume.folder);
        let facts = State {
            config: run.text.clone(),
            data: data.digests,
            ..State::default()
        };
        let mut recorder = recorder(&mut run, place, folder, facts, progress, ranks);
        recorder.lock = lock;
        let mut done = Position::default();
        match checkpoint {
            Some(checkpoint) if checkpoint.state.pretraining.is_none() => {
                done = go_on_from(checkpoint, &mut run, &mut recorder)?;
            }
            begun => pretrain(&mut run, &mut recorder, begun).map_err(located)?,
        }
        let resumed = (recorder.first, done.step);
        let ended = fit(&mut run, done, &mut recorder, ranks);
        Ok(Fitted {
            run,
            recorder,
            resumed,
            ended,
        })
    }
}

/// Writes the model, the measurements and the report; where the system refuses, once more.
fn write_results(
    run: &Run,
    record: &Record,
    folder: &Path,
    unwritten: &mut Unwritten,
    progress: &Progress<'_>,
) -> Result<()> {
    let model = || save_keras(&run.model, folder.join(MODEL));
    let history = || write_text(&folder.join(HISTORY), &record.history.to_csv());
    let samples = &record.history.health;
    let health = || write_text(&folder.join(HEALTH), &samples.to_csv()?);
    let report = || {
        let page = report::html(&Known {
            folder,
            config: &run.text,
            history: &record.history,
            model: Some(&run.model),
            data: Some(&run.data),
            trained_here: true,
        });
        write_text(&folder.join(REPORT), &page?)
    };
    let mut all: Vec<(_, &dyn Fn() -> Result<()>)> = vec![(MODEL, &model), (HISTORY, &history)];
    if !samples.samples.is_empty() {
        all.push((HEALTH, &health));
    }
    all.push((REPORT, &report));
    for (kind, write) in all {
        let written = create(folder)
            .and_then(|()| write())
            .or_else(|error| match error {
                Error::Io { .. } => {
                    std::thread::sleep(AGAIN);
                    create(folder).and_then(|()| write())
                }
                error => Err(error),
            });
        unwritten.note(kind, written, progress)?;
    }
    Ok(())
}

/// The wait before the results are written once more.
const AGAIN: Duration = Duration::from_secs(1);

/// The error for a training that Keras' `TerminateOnNaN` has ended.
fn ended_by_nan(run: &Run, history: &History, epochs: usize) -> Option<Error> {
    let last = history.epochs.last()?;
    let loss = last.logs.get("loss").filter(|loss| !loss.is_finite())?;
    (run.on_nan == OnNan::Stop).then(|| Error::BlowUp {
        epoch: last.epoch,
        step: 0,
        problem: format!(
            "epoch {}/{epochs}: the loss is {loss}, and `terminate_on_nan` has ended the training; \
             a lower learning rate or clipping may hold it",
            last.epoch + 1
        ),
    })
}

/// The recorder of a training from the start.
fn recorder<'a, 'p>(
    run: &mut Run,
    place: Destination,
    folder: Option<PathBuf>,
    facts: State,
    progress: &'a Progress<'p>,
    ranks: &Ranks,
) -> Recorder<'a, 'p> {
    let mut callbacks = std::mem::take(&mut run.callbacks);
    if !ranks.leads() {
        callbacks.model_checkpoint = None;
        callbacks.csv_logger = None;
    }
    Recorder {
        callbacks,
        follows: !ranks.leads(),
        logs: Vec::new(),
        watch: None,
        progress,
        history: Default::default(),
        folder,
        place,
        config: run.text.clone(),
        lock: None,
        checkpoint: run.checkpoint.clone(),
        resumed: None,
        facts,
        first: run.initial_epoch,
        epochs: run.epochs,
        checkpoints: None,
        written: None,
        unwritten: Unwritten::default(),
        pretrained: false,
        began: Instant::now(),
        before: 0.0,
    }
}

/// Takes the model and the progress of a checkpoint over. Returns what is done of its epoch.
fn go_on_from(
    checkpoint: Checkpoint,
    run: &mut Run,
    recorder: &mut Recorder<'_, '_>,
) -> Result<Position> {
    let Checkpoint {
        number,
        state,
        model,
        history,
        ..
    } = checkpoint;
    let progress = recorder.progress;
    if let (OnNan::Continue, Some((layer, weight))) = (run.on_nan, model.not_finite().next()) {
        let file = &state.model.name;
        progress.tell(&Event::CheckpointNotFinite {
            file,
            layer,
            weight,
        })?;
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
        recorder.epochs = state.epoch;
    }
    recorder.first = state.epoch;
    recorder.history = history;
    if let Some(folder) = &recorder.folder {
        recorder.history.health = health_file::read(folder, state.samples, progress)?;
    }
    progress.tell(&Event::Resumed {
        epochs: recorder.first,
        steps: state.step,
        finished: recorder.first >= recorder.epochs,
    })?;
    let done = state.position();
    recorder.before = done.seconds;
    recorder.resumed = Some((number, state));
    Ok(done)
}

fn fit(
    run: &mut Run,
    done: Position,
    recorder: &mut Recorder<'_, '_>,
    ranks: &Ranks,
) -> Result<()> {
    let mut fit = Fit::new()
        .epochs(recorder.epochs)
        .initial_epoch(recorder.first)
        .position(done)
        .batch_size(run.batch_size)
        .shuffle(run.shuffle)
        .class_weight(&run.class_weight)
        .precision(run.precision)
        .on_nan(run.on_nan)
        .callback(recorder);
    if let Some(validation) = &run.data.validation {
        fit = fit.validation_data(validation);
    }
    if let Some(ranks) = &ranks.0 {
        fit = fit.ranks(Arc::clone(ranks)).exact_ranks(run.exact);
    }
    if let Some(alpha) = run.mixup {
        fit = fit.mixup(alpha);
    }
    if let Some(of) = run.quantization_aware {
        fit = fit.quantization_aware(of);
    }
    if let Some(steps) = run.health_every {
        fit = fit.health_every(steps);
    }
    if let Some(schedule) = &run.schedule {
        fit = fit.schedule(schedule.clone());
    }
    run.model.fit(&run.data.train, fit)?;
    Ok(())
}
