//! The course of a pretraining: the place that it begins at, and who is told of its steps.

use super::options::PretrainOptions;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::model::layers::Dense;
use crate::model::{Compiled, Model, OutputLoss, State, Weight};
use crate::rules::losses::Loss;
use crate::train::callbacks::{Callback, Progress, Training};
use crate::train::{Epoch, Fit, History, Logs, Position};
use std::time::Instant;

/// A place in a pretraining that it can go on from.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The number of the auxiliary model, from 0: greedy pretraining has several.
    pub part: usize,
    /// The epoch of that model, from 0.
    pub epoch: usize,
    /// The steps of the epoch that are done.
    pub done: Position,
    /// The results of the parts before, and of the epochs before in this part.
    pub histories: Vec<History>,
    /// The auxiliary model with its optimizer's state, in a form that a file has: with another
    /// loss, and kernels of zeros in tied layers.
    pub auxiliary: Model,
    /// The pretrained model, if parts before have changed it.
    pub pretrained: Option<Model>,
}

/// A moment of a pretraining.
pub(crate) enum Moment<'a> {
    /// All is checked, and steps follow.
    Begin,
    /// A step has been taken.
    Step(&'a Progress<'a>),
    /// An epoch is done.
    Epoch,
}

/// Something that is told of a pretraining's moments. Its error ends the pretraining.
pub(crate) trait Watch {
    /// Takes note of a moment. `place` copies the models; it gives none before the first step, or
    /// if they are not finite.
    fn tell(&mut self, moment: Moment<'_>, place: &dyn Fn() -> Option<Place>) -> Result<()>;
}

/// The course of a pretraining so far.
#[derive(Default)]
pub(crate) struct Course<'a> {
    watch: Option<&'a mut dyn Watch>,
    /// The place to go on from, until its part begins.
    from: Option<Place>,
    /// The results of the parts that are done.
    histories: Vec<History>,
}

impl<'a> Course<'a> {
    /// A course that is watched, from its beginning or from a place.
    pub fn new(watch: &'a mut dyn Watch, from: Option<Place>) -> Self {
        let done = from.iter().flat_map(|place| {
            let parts = place.histories.iter().take(place.part);
            parts.cloned()
        });
        Course {
            watch: Some(watch),
            histories: done.collect(),
            from,
        }
    }

    /// The number of parts that are done.
    pub fn parts(&self) -> usize {
        self.histories.len()
    }

    /// The pretrained model as the parts before the place to go on from have left it.
    pub fn pretrained(&self) -> Option<&Model> {
        self.from.as_ref()?.pretrained.as_ref()
    }

    /// The results of all parts.
    pub fn end(&mut self) -> Vec<History> {
        std::mem::take(&mut self.histories)
    }

    /// Takes the place to go on from, if the part that begins is the place's.
    pub fn begin(&mut self) -> Option<Place> {
        self.from.take()
    }

    /// The history of a part so far, the epoch that comes next, and what is done of that.
    pub fn go_on(place: Option<Place>, part: usize) -> (History, usize, Position) {
        let Some(place) = place else {
            return Default::default();
        };
        let history = place.histories.into_iter().nth(part).unwrap_or_default();
        (history, place.epoch, place.done)
    }

    /// Tells of a moment.
    pub fn tell(&mut self, moment: Moment<'_>, place: &dyn Fn() -> Option<Place>) -> Result<()> {
        match &mut self.watch {
            Some(watch) => watch.tell(moment, place),
            None => Ok(()),
        }
    }

    /// The results of the parts that are done, and of this one.
    pub fn with(&self, history: &History) -> Vec<History> {
        self.histories.iter().chain([history]).cloned().collect()
    }

    /// Ends a part.
    pub fn done(&mut self, history: History) {
        self.histories.push(history);
    }

    /// Trains the auxiliary model of the next part, on rows that are drawn once, or `anew` for each
    /// epoch. `pretrained` is the model whose layers it has.
    pub fn train(
        &mut self,
        model: &mut Model,
        options: &PretrainOptions,
        pretrained: &Model,
        anew: bool,
        mut draw: impl FnMut(u64) -> Result<Dataset>,
    ) -> Result<()> {
        let part = self.parts();
        let place = self.begin();
        if let Some(place) = &place {
            put_back(model, &place.auxiliary)?;
        }
        let (mut history, mut epoch, mut done) = Self::go_on(place, part);
        while epoch < options.epochs {
            let end = if anew { epoch + 1 } else { options.epochs };
            let mut fit = Fit::new()
                .health_every(0)
                .initial_epoch(epoch)
                .epochs(end)
                .batch_size(options.batch_size);
            let rows = draw(epoch as u64)?;
            let done = std::mem::take(&mut done);
            let histories = self.with(&history);
            let watched = self.watch.as_mut().map(|watch| Watched {
                watch: &mut **watch,
                part,
                end,
                histories,
                pretrained: Some(pretrained).filter(|_| part > 0),
                began: Instant::now(),
                before: done.seconds,
            });
            if let Some(watched) = watched {
                fit = fit.callback(watched);
            }
            let measured = model.fit(&rows, fit.position(done))?;
            history.epochs.extend(measured.epochs);
            epoch = end;
        }
        self.done(history);
        Ok(())
    }
}

/// The callback of an auxiliary model's training, which tells of places.
struct Watched<'a> {
    watch: &'a mut dyn Watch,
    part: usize,
    /// Exclusive end of the epochs.
    end: usize,
    histories: Vec<History>,
    pretrained: Option<&'a Model>,
    /// The time when the epoch began, and the seconds that it had taken before.
    began: Instant,
    before: f64,
}

impl Watched<'_> {
    fn tell(
        &mut self,
        moment: Moment<'_>,
        (epoch, done): (usize, &dyn Fn() -> Position),
        training: &Training<'_>,
    ) -> Result<()> {
        let (part, histories, pretrained) = (self.part, &self.histories, self.pretrained);
        let inside = match moment {
            Moment::Step(progress) => Some(progress),
            _ => None,
        };
        let place = || {
            let mut auxiliary = match inside {
                Some(progress) => training.snapshot_inside(progress),
                None => training.snapshot(),
            }?;
            make_savable(&mut auxiliary)?;
            Some(Place {
                part,
                epoch,
                done: done(),
                histories: histories.clone(),
                auxiliary,
                pretrained: pretrained.cloned(),
            })
        };
        self.watch.tell(moment, &place)
    }
}

impl Callback for Watched<'_> {
    fn on_train_begin(&mut self, _: &mut Training<'_>) -> Result<()> {
        self.watch.tell(Moment::Begin, &|| None)
    }

    fn on_epoch_begin(&mut self, _: usize, _: &mut Training<'_>) -> Result<()> {
        self.began = Instant::now();
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        progress: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> Result<()> {
        let (before, began) = (self.before, self.began);
        let done = || Position {
            step: progress.batch + 1,
            meters: progress.sums(),
            seconds: before + began.elapsed().as_secs_f64(),
        };
        self.tell(Moment::Step(progress), (progress.epoch, &done), training)
    }

    fn on_epoch_end(&mut self, epoch: usize, logs: &Logs, t: &mut Training<'_>) -> Result<()> {
        let measured = Epoch {
            epoch,
            logs: logs.clone(),
            seconds: self.before + self.began.elapsed().as_secs_f64(),
        };
        self.before = 0.0;
        if let Some(history) = self.histories.last_mut() {
            history.epochs.push(measured);
        }
        // At the end, the weights may yet become their averages.
        match epoch + 1 < self.end {
            true => self.tell(Moment::Epoch, (epoch + 1, &Position::default), t),
            false => Ok(()),
        }
    }

    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<()> {
        let last = self.histories.last().and_then(|h| h.epochs.last());
        match last.is_some_and(|last| last.epoch + 1 == self.end) {
            true => self.tell(Moment::Epoch, (self.end, &Position::default), training),
            // It broke.
            false => Ok(()),
        }
    }
}

/// Replaces what a file cannot have: losses that are functions, and tied layers, which become Dense
/// layers with kernels of zeros.
fn make_savable(model: &mut Model) -> Option<()> {
    let optimizer = model.compiled.take().and_then(|c| c.optimizer)?;
    let slots = optimizer.slots().len();
    let loss = OutputLoss::new(Loss::MeanSquaredError);
    model.compiled = Some(Compiled::new(optimizer, loss));
    for n in 0..model.layers.len() {
        let Some(owner) = model.layers[n].rule.tied_to() else {
            continue;
        };
        let owner = model.layers.iter().find(|layer| layer.name == owner)?;
        let [units, inputs] = owner.weights.first()?.shape[..] else {
            return None;
        };
        let layer = &mut model.layers[n];
        layer.rule = Dense {
            use_bias: !layer.weights.is_empty(),
            ..Dense::new(units)
        }
        .into();
        let kernel = Weight {
            name: "kernel",
            shape: vec![inputs, units],
            trainable: true,
            int8: false,
            values: vec![0.0; inputs * units],
        };
        let of_kernel = vec![kernel.values.clone(); slots];
        layer.weights.insert(0, kernel);
        if let Some(of_layer) = model.state.slots.get_mut(n) {
            of_layer.insert(0, of_kernel);
        }
    }
    Some(())
}

/// Puts the weights and the optimizer's state of a copy back into a model, by their names.
pub(super) fn put_back(model: &mut Model, copy: &Model) -> Result<()> {
    let mut state = State {
        iteration: copy.state.iteration,
        scalars: copy.state.scalars.clone(),
        slots: Vec::new(),
    };
    for layer in &mut model.layers {
        let mut slots = Vec::new();
        let n = copy.layers.iter().position(|l| l.name == layer.name);
        for weight in &mut layer.weights {
            let kept = n.and_then(|n| {
                let mut weights = copy.layers[n].weights.iter();
                Some((n, weights.position(|kept| kept.name == weight.name)?))
            });
            let Some((n, w)) = kept else {
                let problem = format!("the checkpoint has no {} of {}", weight.name, layer.name);
                let at = "pretrain".to_owned();
                return Err(Error::Config { at, problem });
            };
            weight.set(&copy.layers[n].weights[w].values)?;
            let of_layer = copy.state.slots.get(n);
            slots.push(of_layer.and_then(|s| s.get(w)).cloned().unwrap_or_default());
        }
        state.slots.push(slots);
    }
    model.state = state;
    Ok(())
}
