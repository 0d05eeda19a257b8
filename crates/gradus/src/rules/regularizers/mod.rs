//! Regularizers: what is added to the loss so that weights (or outputs) stay small.

use crate::base::lane::Lane;
use crate::base::registry::{Rule, forward, registry};
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
    /// derivatives are added to `gradient` if they are wanted. `scratch` has the
    /// room that [`Formula::scratch`] asks for.
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

    /// The room that [`Formula::matrix`] needs for a matrix.
    fn scratch(&self, columns: usize, size: usize) -> usize {
        let _ = (columns, size);
        0
    }

    /// It as an [`L1L2`], if that is what it is in other words.
    fn l1_l2(&self) -> Option<L1L2> {
        None
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
    Regularizer("regularizer") {
        l1_l2: L1["l1"], L2["l2"], L1L2["l1_l2"];
        orthogonal: OrthogonalRegularizer["orthogonal_regularizer"];
    }
}

forward!(Regularizer {
    /// Over what it is computed.
    pub fn form(&self) -> Form = FORM;
    /// It as an [`L1L2`]; none if it is one of the whole matrix.
    pub(crate) fn l1_l2(&self) -> Option<L1L2>;
    /// The room that [`Regularizer::matrix`] needs.
    pub(crate) fn scratch(&self, columns: usize, size: usize) -> usize;
    /// The penalty for a whole matrix, with its derivatives, in given room.
    pub(crate) fn matrix(
        &self,
        columns: usize,
        values: &[f32],
        gradient: Option<&mut [f32]>,
        scratch: &mut [f64],
    ) -> f64;
    /// Refuses a variable that it isn't made for.
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
fn penalty_and_gradient<R: Formula>(
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
                *g += rule.slope(w);
            }
            sum
        }
    }
}

#[cfg(test)]
mod tests;
