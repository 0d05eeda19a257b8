//! Regularizers: penalties in the loss that keep weights (or outputs) small.

use crate::base::lane::Lane;
use crate::base::registry::{Rule, by_name, forward, registry};
use crate::error::{Error, Result};

pub use orthogonal::Vectors;

/// The scope of a penalty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Each element by itself; the penalties are added up.
    Element,
    /// The whole matrix.
    Matrix,
}

/// A regularizer's formula.
pub(crate) trait RegularizerFormula: Rule {
    /// Scope. A [`Form::Matrix`] ignores `penalty` and `derivative`, a [`Form::Element`] ignores
    /// `matrix`.
    const FORM: Form = Form::Element;

    /// The penalty for one element.
    fn penalty<L: Lane>(&self, w: L) -> L;

    /// The derivative of the penalty.
    fn derivative<L: Lane>(&self, w: L) -> L;

    /// The penalty for a matrix with that many columns, row after row; its derivatives are added to
    /// `gradient` if there is one. `scratch` has the room that [`RegularizerFormula::scratch`] asks for.
    fn matrix(
        &self,
        columns: usize,
        values: &[f32],
        gradient: Option<&mut [f32]>,
        scratch: &mut [f64],
    ) -> f64 {
        let _ = (columns, values, gradient, scratch);
        0.0
    }

    /// The room that [`RegularizerFormula::matrix`] needs for a matrix.
    fn scratch(&self, columns: usize, size: usize) -> usize {
        let _ = (columns, size);
        0
    }

    /// The equivalent [`L1L2`], if there is one.
    fn l1_l2(&self) -> Option<L1L2> {
        None
    }

    /// Refuses a variable of an unsupported shape.
    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        let _ = shape;
        Ok(())
    }
}

/// Refuses NaN and numbers below 0.
fn check_positive(name: &str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::invalid(name, value, "a number of 0 or more"))
    }
}

registry! {
    /// A penalty on a layer's weights or outputs: `L2 { l2: 0.01 }.into()`, or Keras' string `"l2"`.
    Regularizer("regularizer") {
        l1_l2: L1["l1"], L2["l2"], L1L2["l1_l2"];
        orthogonal: OrthogonalRegularizer["orthogonal_regularizer"];
    }
}

by_name!(Regularizer, L2::default());

forward!(Regularizer {
    /// The scope.
    pub fn form(&self) -> Form = FORM;
    /// The equivalent [`L1L2`]; `None` if it is a penalty of the whole matrix.
    pub(crate) fn l1_l2(&self) -> Option<L1L2>;
    /// The room that [`Regularizer::matrix`] needs.
    pub(crate) fn scratch(&self, columns: usize, size: usize) -> usize;
    /// The penalty for a whole matrix, with its derivatives, using given scratch memory.
    pub(crate) fn matrix(
        &self,
        columns: usize,
        values: &[f32],
        gradient: Option<&mut [f32]>,
        scratch: &mut [f64],
    ) -> f64;
    /// Refuses a variable of an unsupported shape.
    pub fn check_shape(&self, shape: &[usize]) -> Result<()>;
});

impl Regularizer {
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
        match_member!(&self.0, rule: R => penalty_and_gradient(rule, shape, values, gradient))
    }
}

/// The penalty for values of this shape; its gradient is added to `gradient`.
fn penalty_and_gradient<R: RegularizerFormula>(
    rule: &R,
    shape: &[usize],
    values: &[f32],
    gradient: &mut [f32],
) -> f64 {
    match R::FORM {
        Form::Matrix => {
            let columns = shape.last().copied().unwrap_or(1);
            let mut scratch = vec![0.0; rule.scratch(columns, values.len())];
            rule.matrix(columns, values, Some(gradient), &mut scratch)
        }
        Form::Element => {
            let mut sum = 0.0;
            for (g, &w) in gradient.iter_mut().zip(values) {
                sum += f64::from(rule.penalty(w));
                *g += rule.derivative(w);
            }
            sum
        }
    }
}

#[cfg(test)]
mod tests;
