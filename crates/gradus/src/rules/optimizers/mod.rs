//! Optimizers: how a gradient becomes a step.
//!
//! A rule has the arguments of its own and its formula; what Keras gives to
//! every optimizer (learning rate, weight decay, clipping, …) is [`Optimizer`]'s.

mod common;
mod parts;
mod variable;

use crate::base::lane::Lane;
use crate::base::registry::{Rule, forward, registry, visitor};

pub(crate) use common::{ACCUMULATOR, AVERAGE};
pub use common::{LearningRate, Optimizer};

/// The most slots that an optimizer keeps for each weight.
pub const SLOTS: usize = 3;

/// Numbers that change from step to step, but not from weight to weight. What
/// they mean is each rule's own business; the first is the learning rate.
pub type Coefficients = [f32; 6];

/// When a step is taken.
#[derive(Debug)]
pub struct Clock<'a> {
    /// Steps taken before this one.
    pub iteration: u64,
    /// The learning rate of this step.
    pub learning_rate: f32,
    /// Takes the place of the momentum (or β₁), if a schedule moves it.
    pub momentum: Option<f32>,
    /// What the optimizer keeps beside its slots, as [`Formula::scalars`] began it.
    pub scalars: &'a mut [f32],
}

/// A variable whose step takes all of it at once.
#[derive(Debug)]
pub struct Whole<'a> {
    /// Its shape.
    pub shape: &'a [usize],
    /// The weights, which the step changes.
    pub w: &'a mut [f32],
    /// Their gradient.
    pub gradient: &'a [f32],
    /// What is kept for each weight; those that are not kept are empty.
    pub slots: [&'a mut [f32]; SLOTS],
    /// As much room as [`Formula::scratch`] says, holding anything.
    pub scratch: &'a mut [f32],
}

/// An optimizer's formula.
pub trait Formula: Rule {
    /// Keras' default learning rate.
    const LEARNING_RATE: f64 = 0.001;

    /// Keras' default weight decay.
    const WEIGHT_DECAY: Option<f64> = None;

    /// What is kept for each weight, in the order of Keras' files.
    fn slots(&self) -> &'static [&'static str];

    /// What each slot starts at.
    fn slot_start(&self) -> [f32; SLOTS] {
        [0.0; SLOTS]
    }

    /// What is kept once, and how it starts.
    fn scalars(&self) -> &'static [f32] {
        &[]
    }

    /// The numbers of one step; the learning rate first.
    fn coefficients(&self, clock: Clock<'_>) -> Coefficients;

    /// The same numbers at a learning rate that is `factor` times theirs. By default
    /// only the first depends on the rate.
    fn at_rate(&self, c: &Coefficients, factor: f32) -> Coefficients {
        let mut c = *c;
        c[0] *= factor;
        c
    }

    /// One weight's step: the new weight, and the new slots in place.
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L;

    /// Whether a variable's step takes all of it at once, by
    /// [`step_whole`](Formula::step_whole). `path` is `dense_1/kernel`.
    fn needs_whole(&self, path: &str, shape: &[usize]) -> bool {
        let _ = (path, shape);
        false
    }

    /// How many of the slots such a variable keeps: the first.
    fn whole_slots(&self) -> usize {
        self.slots().len()
    }

    /// How many numbers of room `step_whole` needs for a variable of that shape.
    fn scratch(&self, shape: &[usize]) -> usize {
        let _ = shape;
        0
    }

    /// One step of a whole variable; by default number by number.
    #[inline(always)]
    fn step_whole(&self, c: &Coefficients, variable: Whole<'_>) {
        let Whole {
            w,
            gradient,
            mut slots,
            ..
        } = variable;
        for (i, (w, g)) in w.iter_mut().zip(gradient).enumerate() {
            let mut own = [0.0; SLOTS];
            for (own, slot) in own.iter_mut().zip(&slots) {
                *own = slot.get(i).copied().unwrap_or_default();
            }
            *w = self.step(c, *w, *g, &mut own);
            for (own, slot) in own.iter().zip(&mut slots) {
                if let Some(slot) = slot.get_mut(i) {
                    *slot = *own;
                }
            }
        }
    }

    /// The weight decay of a variable, where the optimizer's is `general`.
    fn decay(&self, whole: bool, general: Option<f64>) -> Option<f64> {
        let _ = whole;
        general
    }
}

registry! {
    /// An optimizer's own arguments and formula.
    Method("optimizer") {
        adadelta: Adadelta["adadelta"];
        adagrad: Adagrad["adagrad"];
        adam: Adam["adam"], AdamW["adamw"];
        adamax: Adamax["adamax"];
        ftrl: Ftrl["ftrl"];
        lamb: Lamb["lamb"];
        lion: Lion["lion"];
        muon: Muon["muon"];
        nadam: Nadam["nadam"];
        rmsprop: RMSprop["rmsprop"];
        sgd: SGD["sgd"];
    }
}

visitor!(Method, Formula);

forward!(Method {
    /// What is kept for each weight.
    pub(crate) fn slots(&self) -> &'static [&'static str];
    /// What each of the slots starts at.
    pub(crate) fn slot_start(&self) -> [f32; SLOTS];
    /// How what is kept once starts.
    pub(crate) fn scalars(&self) -> &'static [f32];
    /// The numbers of one step.
    pub(crate) fn coefficients(&self, clock: Clock<'_>) -> Coefficients;
    /// True if a step takes all of a variable at once; `path` is its layer and name.
    pub(crate) fn needs_whole(&self, path: &str, shape: &[usize]) -> bool;
    /// How many of the slots such a variable has.
    pub(crate) fn whole_slots(&self) -> usize;
    /// The weight decay of a variable, from the one that the user asks for.
    pub(crate) fn decay(&self, whole: bool, general: Option<f64>) -> Option<f64>;
    /// How many numbers of room a step of a whole variable needs.
    pub(crate) fn scratch(&self, shape: &[usize]) -> usize;
    /// Keras' default weight decay.
    pub(crate) fn default_decay(&self) -> Option<f64> = WEIGHT_DECAY;
    /// Keras' default learning rate.
    pub(crate) fn default_rate(&self) -> f64 = LEARNING_RATE;
});

#[cfg(test)]
mod tests;
