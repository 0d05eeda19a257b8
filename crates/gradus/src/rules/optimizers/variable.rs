//! The optimizer's treatment of a single variable.

use super::Optimizer;
use crate::base::pattern;

/// The update of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Movement {
    /// True if it is updated as a whole.
    pub whole: bool,
    /// Slots of its weights, by their indices in [`Optimizer::slots`].
    pub slots: Vec<usize>,
    /// Weight decay.
    pub decay: f32,
    /// Factor of its learning rate.
    pub rate: f32,
    /// True if its zeros stay zeros.
    pub keeps_zeros: bool,
}

impl Optimizer {
    /// The update of the variable `name`, of that shape, of a layer.
    pub(crate) fn movement(&self, layer: &str, name: &str, shape: &[usize]) -> Movement {
        let path = format!("{layer}/{name}");
        let whole = self.method.needs_whole(&path, shape);
        let own = match whole {
            true => self.method.whole_slots(),
            false => self.method.slots().len(),
        };
        let decay = self.method.decay(whole, self.weight_decay);
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
            keeps_zeros: self.pruned.iter().any(|of| of.0 == layer && of.1 == name),
        }
    }
}
