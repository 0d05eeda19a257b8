//! What an optimizer does with one variable.

use super::{Formula, Method, Optimizer, Visit};
use crate::base::pattern;

/// How an optimizer moves a variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Movement {
    /// Whether a step takes all of it at once.
    pub whole: bool,
    /// What is kept for each of its weights, by number in [`Optimizer::slots`].
    pub slots: Vec<usize>,
    /// Its weight decay.
    pub decay: f32,
    /// What its learning rate is multiplied by.
    pub rate: f32,
}

impl Optimizer {
    /// How it moves the variable `name`, of that shape, of a layer.
    pub(crate) fn movement(&self, layer: &str, name: &str, shape: &[usize]) -> Movement {
        struct Ask<'a>(String, &'a [usize], Option<f64>);
        impl Visit for Ask<'_> {
            type Output = (bool, usize, Option<f64>);
            fn visit<R: Formula>(self, rule: &R) -> Self::Output {
                let whole = rule.needs_whole(&self.0, self.1);
                let slots = match whole {
                    true => rule.whole_slots(),
                    false => rule.slots().len(),
                };
                (whole, slots, rule.decay(whole, self.2))
            }
        }
        let ask = Ask(format!("{layer}/{name}"), shape, self.weight_decay);
        let (whole, own, decay) = self.method.visit(ask);
        let common = self.method.slots().len()..self.slots().len();
        let mut excluded = self.exclude_from_weight_decay.iter();
        let decays = !excluded.any(|part| name.contains(part));
        let mut rates = self.layer_rates.iter().rev();
        let rate = rates.find(|(pattern, _)| pattern::names(pattern, layer));
        Movement {
            rate: rate.map_or(1.0, |&(_, factor)| factor as f32),
            whole,
            slots: (0..own).chain(common).collect(),
            decay: decay.filter(|_| decays).unwrap_or(0.0) as f32,
        }
    }
}

impl Method {
    /// How many numbers of room a step of a whole variable needs.
    pub(crate) fn scratch(&self, shape: &[usize]) -> usize {
        struct Ask<'a>(&'a [usize]);
        impl Visit for Ask<'_> {
            type Output = usize;
            fn visit<R: Formula>(self, rule: &R) -> usize {
                rule.scratch(self.0)
            }
        }
        self.visit(Ask(shape))
    }
}
