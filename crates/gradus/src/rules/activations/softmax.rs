use super::{ActivationFormula, Form};
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use serde::{Deserialize, Serialize};

/// e^x over its sum along the last axis: probabilities of exclusive classes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Softmax {}

impl Softmax {
    pub(super) const DEFAULT: Self = Softmax {};
}

impl Rule for Softmax {}

impl ActivationFormula for Softmax {
    const FORM: Form = Form::Softmax;

    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        x
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, _y: L) -> L {
        L::one()
    }
}

plain!(
    /// The logarithm of softmax: x - ln Σ e^x along the last axis.
    LogSoftmax
);

impl ActivationFormula for LogSoftmax {
    const FORM: Form = Form::LogSoftmax;

    #[inline(always)]
    fn value<L: Lane>(&self, x: L) -> L {
        x
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: L, _y: L) -> L {
        L::one()
    }
}
