//! Constraints: what weights are brought back to after each step.

use crate::base::registry::{Rule, registry};
use crate::error::Result;

pub use norms::Axes;

/// A constraint's formula.
pub trait Formula: Rule {
    /// Brings a variable of that shape back. `scratch` has the room that
    /// [`Formula::scratch`] asks for.
    fn apply(&self, shape: &[usize], values: &mut [f32], scratch: &mut [f64]);

    /// The room that [`Formula::apply`] needs for a variable of that shape.
    fn scratch(&self, shape: &[usize]) -> usize {
        let _ = shape;
        0
    }

    /// Refuses a variable that it isn't made for.
    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        let _ = shape;
        Ok(())
    }
}

registry! {
    /// What a layer's weights are kept to: `MaxNorm::new(1.0).into()`.
    Constraint("constraint", Formula) {
        non_neg: NonNeg["non_neg"];
        norms: MaxNorm["max_norm"], MinMaxNorm["min_max_norm"], UnitNorm["unit_norm"];
    }
}

impl Constraint {
    /// Brings a variable of that shape back.
    pub fn apply(&self, shape: &[usize], values: &mut [f32]) {
        self.apply_in(shape, values, &mut vec![0.0; self.scratch(shape)]);
    }

    /// As [`Constraint::apply`], in given room.
    pub(crate) fn apply_in(&self, shape: &[usize], values: &mut [f32], scratch: &mut [f64]) {
        struct Apply<'a>(&'a [usize], &'a mut [f32], &'a mut [f64]);
        impl Visit for Apply<'_> {
            type Output = ();
            fn visit<R: Formula>(self, rule: &R) {
                rule.apply(self.0, self.1, self.2);
            }
        }
        self.visit(Apply(shape, values, scratch));
    }

    /// The room that [`Constraint::apply_in`] needs for a variable of that shape.
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

    /// Refuses a variable that it isn't made for.
    pub fn check_shape(&self, shape: &[usize]) -> Result<()> {
        struct Ask<'a>(&'a [usize]);
        impl Visit for Ask<'_> {
            type Output = Result<()>;
            fn visit<R: Formula>(self, rule: &R) -> Result<()> {
                rule.check_shape(self.0)
            }
        }
        self.visit(Ask(shape))
    }
}

#[cfg(test)]
mod tests;
