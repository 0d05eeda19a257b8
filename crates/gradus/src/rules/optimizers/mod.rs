//! Optimizers: update rules.
//!
//! A rule has its own arguments and its formula; the arguments common to all of Keras' optimizers
//! (learning rate, weight decay, clipping, …) are [`Optimizer`]'s.

mod common;
mod parts;
mod variable;

use crate::base::lane::Lane;
use crate::base::registry::{Rule, by_name, forward, registry, visitor};

pub(crate) use common::{ACCUMULATOR, AVERAGE};
pub use common::{LearningRate, Optimizer, OptimizerOf};

/// Limit of an optimizer's slots per weight.
pub const SLOTS: usize = 3;

/// Values that change from step to step, but not from weight to weight. Their meaning is up to each
/// rule; the first is the learning rate.
pub type Coefficients = [f32; 6];

/// The position of a step in time, and its rates.
#[derive(Debug)]
pub struct Clock<'a> {
    /// Steps taken before this one.
    pub iteration: u64,
    /// The learning rate of this step.
    pub learning_rate: f32,
    /// Replacement of the momentum (or β₁), if a schedule changes it.
    pub momentum: Option<f32>,
    /// The optimizer's scalars, initialized from [`OptimizerFormula::scalars`].
    pub scalars: &'a mut [f32],
}

/// A variable that is updated as a whole.
#[derive(Debug)]
pub struct Whole<'a> {
    /// Shape.
    pub shape: &'a [usize],
    /// The weights, which the step changes.
    pub w: &'a mut [f32],
    /// Their gradient.
    pub gradient: &'a [f32],
    /// Slots of each weight; unused ones are empty.
    pub slots: [&'a mut [f32]; SLOTS],
    /// Scratch memory of the size [`OptimizerFormula::scratch`], with arbitrary contents.
    pub scratch: &'a mut [f32],
}

/// An optimizer's formula.
pub trait OptimizerFormula: Rule {
    /// Keras' default learning rate.
    const LEARNING_RATE: f64 = 0.001;

    /// Keras' default weight decay.
    const WEIGHT_DECAY: Option<f64> = None;

    /// The rate from which its steps blow most networks up, if it is known.
    const LARGE_RATE: Option<f64> = None;

    /// The class whose weight decay takes the place of an ℓ2 penalty, which this method would divide
    /// by each gradient's size (Loshchilov & Hutter 2019).
    const DECOUPLED: Option<&'static str> = None;

    /// True if its steps set weights to exactly 0, which a pruned model could not tell from those
    /// that were pruned.
    const MAKES_ZEROS: bool = false;

    /// The slots of each weight, in the order of Keras' files.
    fn slots(&self) -> &'static [&'static str];

    /// The initial value of each slot.
    fn slot_start(&self) -> [f32; SLOTS] {
        [0.0; SLOTS]
    }

    /// The initial scalars, one set for all weights.
    fn scalars(&self) -> &'static [f32] {
        &[]
    }

    /// The coefficients of one step; the learning rate first.
    fn coefficients(&self, clock: Clock<'_>) -> Coefficients;

    /// The size of its steps under a steady gradient, in units of those without momentum;
    /// `momentum` is a schedule's, if it has one.
    fn gain(&self, momentum: Option<f64>) -> f64 {
        let _ = momentum;
        1.0
    }

    /// The same coefficients with the learning rate multiplied by `factor`. By default only the
    /// first depends on the rate.
    fn at_rate(&self, c: &Coefficients, factor: f32) -> Coefficients {
        let mut c = *c;
        c[0] *= factor;
        c
    }

    /// One weight's step: the new weight, and the new slots in place.
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L;

    /// True if a variable is updated as a whole, by [`step_whole`](OptimizerFormula::step_whole). `path` is
    /// `dense_1/kernel`.
    fn needs_whole(&self, path: &str, shape: &[usize]) -> bool {
        let _ = (path, shape);
        false
    }

    /// The number of slots of such a variable: the first ones.
    fn whole_slots(&self) -> usize {
        self.slots().len()
    }

    /// The size of `step_whole`'s scratch memory for a variable of that shape, in floats.
    fn scratch(&self, shape: &[usize]) -> usize {
        let _ = shape;
        0
    }

    /// One step of a whole variable; by default element by element.
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

    /// The weight decay of a variable; `general` is the optimizer's.
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

by_name!(Method, SGD::new().method);

visitor!(Method, OptimizerFormula);

forward!(Method {
    /// The slots of each weight.
    pub(crate) fn slots(&self) -> &'static [&'static str];
    /// The initial value of each slot.
    pub(crate) fn slot_start(&self) -> [f32; SLOTS];
    /// The initial scalars.
    pub(crate) fn scalars(&self) -> &'static [f32];
    /// The coefficients of one step.
    pub(crate) fn coefficients(&self, clock: Clock<'_>) -> Coefficients;
    /// True if a step takes all of a variable at once; `path` is its layer and name.
    pub(crate) fn needs_whole(&self, path: &str, shape: &[usize]) -> bool;
    /// Number of the slots that such a variable has.
    pub(crate) fn whole_slots(&self) -> usize;
    /// The weight decay of a variable, from the one that the user asks for.
    pub(crate) fn decay(&self, whole: bool, general: Option<f64>) -> Option<f64>;
    /// The size of the scratch memory for a whole variable's step, in floats.
    pub(crate) fn scratch(&self, shape: &[usize]) -> usize;
    /// Keras' default weight decay.
    pub(crate) fn default_decay(&self) -> Option<f64> = WEIGHT_DECAY;
    /// Keras' default learning rate.
    pub(crate) fn default_rate(&self) -> f64 = LEARNING_RATE;
    /// The rate from which its steps blow most networks up, if it is known.
    pub(crate) fn large_rate(&self) -> Option<f64> = LARGE_RATE;
    /// The class whose weight decay takes the place of an ℓ2 penalty, if there is one.
    pub(crate) fn decoupled(&self) -> Option<&'static str> = DECOUPLED;
    /// True if its steps set weights to exactly 0.
    pub(crate) fn makes_zeros(&self) -> bool = MAKES_ZEROS;
    /// The size of its steps under a steady gradient, in units of those without momentum.
    pub(crate) fn gain(&self, momentum: Option<f64>) -> f64;
});

#[cfg(test)]
mod tests;
