//! Optimizers: how a gradient becomes a step.
//!
//! A rule has the arguments of its own and its formula; what Keras gives to
//! every optimizer (learning rate, weight decay, clipping, …) is [`Optimizer`]'s.

mod common;

use crate::base::lane::Lane;
use crate::base::registry::{Rule, registry};

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

/// An optimizer's formula.
pub trait Formula: Rule {
    /// Keras' default learning rate.
    const LEARNING_RATE: f64 = 0.001;

    /// What is kept for each weight, in the order of Keras' files: all start at 0.
    fn slots(&self) -> &'static [&'static str];

    /// What is kept once, and how it starts.
    fn scalars(&self) -> &'static [f32] {
        &[]
    }

    /// The numbers of one step; the learning rate first.
    fn coefficients(&self, clock: Clock<'_>) -> Coefficients;

    /// One weight's step: the new weight, and the new slots in place.
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L;
}

registry! {
    /// An optimizer's own arguments and formula.
    Method("optimizer", Formula) {
        adam: Adam["adam"];
        nadam: Nadam["nadam"];
        sgd: SGD["sgd"];
    }
}

impl Method {
    /// What is kept for each weight.
    pub(crate) fn slots(&self) -> &'static [&'static str] {
        struct Ask;
        impl Visit for Ask {
            type Output = &'static [&'static str];
            fn visit<R: Formula>(self, rule: &R) -> Self::Output {
                rule.slots()
            }
        }
        self.visit(Ask)
    }

    /// How what is kept once starts.
    pub(crate) fn scalars(&self) -> &'static [f32] {
        struct Ask;
        impl Visit for Ask {
            type Output = &'static [f32];
            fn visit<R: Formula>(self, rule: &R) -> Self::Output {
                rule.scalars()
            }
        }
        self.visit(Ask)
    }

    /// The numbers of one step.
    pub(crate) fn coefficients(&self, clock: Clock<'_>) -> Coefficients {
        struct Ask<'a>(Clock<'a>);
        impl Visit for Ask<'_> {
            type Output = Coefficients;
            fn visit<R: Formula>(self, rule: &R) -> Coefficients {
                rule.coefficients(self.0)
            }
        }
        self.visit(Ask(clock))
    }

    /// Keras' default learning rate.
    pub(crate) fn default_rate(&self) -> f64 {
        struct Ask;
        impl Visit for Ask {
            type Output = f64;
            fn visit<R: Formula>(self, _: &R) -> f64 {
                R::LEARNING_RATE
            }
        }
        self.visit(Ask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every optimizer walks down a bowl, and no step is a NaN.
    #[test]
    fn every_optimizer_descends() {
        struct Descend(Optimizer);
        impl Visit for Descend {
            type Output = f32;
            fn visit<R: Formula>(self, rule: &R) -> f32 {
                let mut w = 1.0_f32;
                let mut slots = [0.0; SLOTS];
                let mut scalars = rule.scalars().to_vec();
                for iteration in 0..2000 {
                    let c = rule.coefficients(Clock {
                        iteration,
                        learning_rate: self.0.method.default_rate() as f32 * 5.0,
                        momentum: None,
                        scalars: &mut scalars,
                    });
                    w = rule.step(&c, w, w, &mut slots);
                }
                w
            }
        }
        for member in Method::MEMBERS {
            let optimizer = Optimizer::from_config("", &member.class.into()).unwrap();
            let w = optimizer.method.visit(Descend(optimizer.clone()));
            assert!(w.abs() < 0.9, "{} ends at {w}", member.class);
        }
    }
}
