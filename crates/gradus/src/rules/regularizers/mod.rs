//! Regularizers: what is added to the loss so that weights (or outputs) stay small.

use crate::base::lane::Lane;
use crate::base::registry::{Rule, registry};
use crate::error::{Error, Result};

pub use orthogonal::Vectors;

/// Over what a penalty is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Each number by itself; the penalties are added up.
    Element,
    /// The whole matrix.
    Matrix,
}

/// A regularizer's formula.
pub trait Formula: Rule {
    /// Over what it is computed. A [`Form::Matrix`] has no use for `penalty` and
    /// `slope`, a [`Form::Element`] none for `matrix`.
    const FORM: Form = Form::Element;

    /// The penalty for one number.
    fn penalty<L: Lane>(&self, w: L) -> L;

    /// Its derivative.
    fn slope<L: Lane>(&self, w: L) -> L;

    /// The penalty for a matrix with that many columns, row after row; its
    /// derivatives are added to `gradient`.
    fn matrix(&self, columns: usize, values: &[f32], gradient: &mut [f32]) -> f64 {
        let _ = (columns, values, gradient);
        0.0
    }

    /// Refuses a variable that it isn't made for.
    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        let _ = shape;
        Ok(())
    }
}

/// Refuses a number below 0, and what is no number.
fn check_positive(name: &str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::invalid(name, value, "a number of 0 or more"))
    }
}

registry! {
    /// A penalty on a layer's weights or outputs: `L2 { l2: 0.01 }.into()`.
    Regularizer("regularizer", Formula) {
        l1_l2: L1["l1"], L2["l2"], L1L2["l1_l2"];
        orthogonal: OrthogonalRegularizer["orthogonal_regularizer"];
    }
}

impl Regularizer {
    /// Over what it is computed.
    pub fn form(&self) -> Form {
        struct Ask;
        impl Visit for Ask {
            type Output = Form;
            fn visit<R: Formula>(self, _: &R) -> Form {
                R::FORM
            }
        }
        self.visit(Ask)
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

    /// The penalty for a variable.
    pub fn penalty(&self, shape: &[usize], values: &[f32]) -> f64 {
        self.penalty_and_gradient(shape, values, &mut vec![0.0; values.len()])
    }

    /// The penalty for a variable; its derivatives are added to `gradient`.
    pub fn penalty_and_gradient(
        &self,
        shape: &[usize],
        values: &[f32],
        gradient: &mut [f32],
    ) -> f64 {
        struct Both<'a>(&'a [usize], &'a [f32], &'a mut [f32]);
        impl Visit for Both<'_> {
            type Output = f64;
            fn visit<R: Formula>(self, rule: &R) -> f64 {
                let Both(shape, values, gradient) = self;
                match R::FORM {
                    Form::Matrix => {
                        let columns = shape.last().copied().unwrap_or(1);
                        rule.matrix(columns, values, gradient)
                    }
                    Form::Element => {
                        let mut sum = 0.0;
                        for (g, &w) in gradient.iter_mut().zip(values) {
                            sum += f64::from(rule.penalty(w));
                            *g += rule.slope(w);
                        }
                        sum
                    }
                }
            }
        }
        self.visit(Both(shape, values, gradient))
    }
}

#[cfg(test)]
mod tests;
