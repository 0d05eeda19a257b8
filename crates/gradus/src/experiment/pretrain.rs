//! The pretraining of a run, with checkpoints of its own.

use super::checkpoint::{Checkpoint, Pretraining, Snapshot, State, Writer};
use super::event::Event;
use super::recorder::Recorder;
use super::resolve::Run;
use crate::error::{Error, Result};
use crate::train::health::Health;
use crate::train::{Course, History, Moment, Place, Watch};
use std::time::Instant;

/// Pretrains the first layers, if the configuration has `[pretrain]`: from the start, or from where
/// a checkpoint was written.
pub fn pretrain(
    run: &mut Run,
    recorder: &mut Recorder<'_, '_>,
    begun: Option<Checkpoint>,
) -> Result<()> {
    let Some((task, rows)) = &run.pretrain else {
        return Ok(());
    };
    let progress = recorder.progress;
    let from = begun.map(|checkpoint| place(checkpoint, recorder));
    let from = from.transpose()?;
    if let Some(place) = &from {
        let epochs = place.histories.iter().map(|history| history.epochs.len());
        let epochs = epochs.sum();
        progress.tell(&Event::PretrainResumed { epochs })?;
    }
    let mut watch = Checkpoints {
        recorder,
        begun: false,
    };
    let mut course = Course::new(&mut watch, from);
    let histories = task
        .run(&mut run.model, rows, &mut course)
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
    recorder.pretrained = true;
    for history in &histories {
        let rows = rows.rows();
        progress.tell(&Event::Pretrained { history, rows })?;
    }
    Ok(())
}

/// The place of a checkpoint that was written in a pretraining.
fn place(checkpoint: Checkpoint, recorder: &mut Recorder<'_, '_>) -> Result<Place> {
    let Checkpoint {
        number,
        state,
        model,
        pretrained,
        ..
    } = checkpoint;
    let pretraining = state.pretraining.clone().unwrap_or_default();
    let histories = pretraining.histories.iter();
    let histories = histories.map(|csv| History::from_csv(csv));
    let place = Place {
        part: pretraining.part,
        epoch: state.epoch,
        done: state.position(),
        histories: histories.collect::<Result<_>>()?,
        auxiliary: model,
        pretrained,
    };
    recorder.resumed = Some((number, state));
    Ok(place)
}

/// Writes the checkpoints of a pretraining.
struct Checkpoints<'r, 'a, 'p> {
    recorder: &'r mut Recorder<'a, 'p>,
    /// True once the run folder has been made.
    begun: bool,
}

impl Watch for Checkpoints<'_, '_, '_> {
    fn tell(&mut self, moment: Moment<'_>, place: &dyn Fn() -> Option<Place>) -> Result<()> {
        let progress = self.recorder.progress;
        let is_due: fn(&Writer) -> bool = match moment {
            Moment::Step(_) => Writer::is_due_inside,
            _ => Writer::is_due,
        };
        let told = match moment {
            Moment::Begin if self.begun => return Ok(()),
            Moment::Begin => {
                self.begun = true;
                let folder = self.recorder.open()?;
                return progress.tell(&Event::PretrainBegin { folder });
            }
            Moment::Step(step) => progress.tell(&Event::PretrainBatchEnd(step)),
            Moment::Epoch => Ok(()),
        };
        self.recorder.ended_meanwhile()?;
        let due = self.recorder.checkpoints.as_ref().is_some_and(is_due);
        let began = Instant::now();
        if (due || told.is_err())
            && let Some(place) = place()
        {
            let snapshot = self.snapshot(place);
            self.recorder.write(snapshot, told.is_err(), began)?;
        }
        told
    }
}

impl Checkpoints<'_, '_, '_> {
    fn snapshot(&self, place: Place) -> Snapshot {
        let Place {
            part,
            epoch,
            done,
            histories,
            auxiliary,
            pretrained,
        } = place;
        let state = State {
            epoch,
            step: done.step,
            meters: done.meters,
            seconds: done.seconds,
            history: History::default().to_csv(),
            pretraining: Some(Pretraining {
                part,
                histories: histories.iter().map(History::to_csv).collect(),
                model: None,
            }),
            ..self.recorder.facts.clone()
        };
        Snapshot {
            state,
            model: auxiliary,
            pretrained,
            health: Health::default(),
        }
    }
}
