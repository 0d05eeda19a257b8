//! Constraints: projections of the weights after each step.

use crate::base::registry::{Rule, by_name, forward, registry};
use crate::error::Result;

pub use norms::Axes;

/// A constraint's formula.
pub(crate) trait ConstraintFormula: Rule {
    /// True if it sets weights to exactly 0, which a pruned model could not tell from those that
    /// were pruned.
    const MAKES_ZEROS: bool = false;

    /// Projects a variable of that shape. `scratch` has the room that [`ConstraintFormula::scratch`] asks
    /// for.
    fn apply(&self, shape: &[usize], values: &mut [f32], scratch: &mut [f64]);

    /// The room that [`ConstraintFormula::apply`] needs for a variable of that shape.
    fn scratch(&self, shape: &[usize]) -> usize {
        let _ = shape;
        0
    }

    /// Refuses a variable of an unsupported shape.
    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        let _ = shape;
        Ok(())
    }
}

registry! {
    /// A constraint of a layer's weights: `MaxNorm::new(1.0).into()`, or Keras' string `"non_neg"`.
    Constraint("constraint") {
        non_neg: NonNeg["non_neg"];
        norms: MaxNorm["max_norm"], MinMaxNorm["min_max_norm"], UnitNorm["unit_norm"];
    }
}

by_name!(Constraint, NonNeg {});

forward!(Constraint {
    /// The room that [`Constraint::apply_in`] needs for a variable of that shape.
    pub(crate) fn scratch(&self, shape: &[usize]) -> usize;
    /// True if it sets weights to exactly 0.
    pub(crate) fn makes_zeros(&self) -> bool = MAKES_ZEROS;
    /// Refuses a variable of an unsupported shape.
    pub fn check_shape(&self, shape: &[usize]) -> Result<()>;
});

impl Constraint {
    /// Projects a variable of that shape.
    pub fn apply(&self, shape: &[usize], values: &mut [f32]) {
        self.apply_in(shape, values, &mut vec![0.0; self.scratch(shape)]);
    }

    /// Like [`Constraint::apply`], with given scratch memory.
    pub(crate) fn apply_in(&self, shape: &[usize], values: &mut [f32], scratch: &mut [f64]) {
        match_member!(&self.0, rule: R => rule.apply(shape, values, scratch));
    }
}

#[cfg(test)]
mod tests;
