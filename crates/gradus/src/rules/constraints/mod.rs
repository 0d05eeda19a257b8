//! Constraints: what weights are brought back to after each step.

use crate::base::registry::{Rule, registry};
use crate::error::Result;

pub use norms::Axes;

/// A constraint's formula.
pub trait Formula: Rule {
    /// Brings a variable of that shape back.
    fn apply(&self, shape: &[usize], values: &mut [f32]);

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
        struct Apply<'a>(&'a [usize], &'a mut [f32]);
        impl Visit for Apply<'_> {
            type Output = ();
            fn visit<R: Formula>(self, rule: &R) {
                rule.apply(self.0, self.1);
            }
        }
        self.visit(Apply(shape, values));
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
