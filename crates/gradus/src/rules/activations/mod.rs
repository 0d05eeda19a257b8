//! Activation functions: value and derivative.

use crate::base::lane::Lane;
use crate::base::registry::{Rule, by_name, defaults, forward, registry, visitor};

mod nature;

pub use leaky_relu::relu;
pub use nature::Nature;

/// The scope of an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Element-wise.
    Element,
    /// Over the last axis: e^x over the sum of e^x.
    Softmax,
    /// Over the last axis: the logarithm of [`Form::Softmax`].
    LogSoftmax,
}

/// An activation's formula.
pub(crate) trait ActivationFormula: Rule {
    /// Scope. A [`Form::Softmax`] or [`Form::LogSoftmax`] ignores `value` and `derivative`: it computes
    /// a whole row.
    const FORM: Form = Form::Element;

    /// True if `derivative` uses `x`; if not, `x` is not kept for the backward pass.
    const DERIVATIVE_USES_INPUT: bool = false;

    /// y = f(x).
    fn value<L: Lane>(&self, x: L) -> L;

    /// f'(x), from x and y = f(x).
    fn derivative<L: Lane>(&self, x: L, y: L) -> L;
}

/// An activation without arguments.
macro_rules! plain {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default)]
        pub struct $name {}

        impl $name {
            pub(super) const DEFAULT: Self = $name {};
        }

        impl Rule for $name {}
    };
}

registry! {
    /// An activation function: `Activation::Elu`, Keras' string `"elu"`, or a rule with arguments of its own,
    /// `Elu { alpha: 0.5 }.into()`. The layer that applies one by itself is another type,
    /// [`layers::Activation`](crate::layers::Activation).
    Activation("activation") {
        linear: Linear["linear"];
        celu: Celu["celu"];
        clipped: Relu6["relu6"], HardTanh["hard_tanh"], HardSigmoid["hard_sigmoid"],
            SparseSigmoid["sparse_sigmoid"];
        elu: Elu["elu"];
        exponential: Exponential["exponential"];
        gelu: Gelu["gelu"];
        leaky_relu: LeakyRelu["leaky_relu"], GeneralRelu[];
        mish: Mish["mish"];
        relu: Relu["relu"];
        selu: Selu["selu"];
        shrink: SoftShrink["soft_shrink"], HardShrink["hard_shrink"], TanhShrink["tanh_shrink"];
        sigmoid: Sigmoid["sigmoid"];
        silu: Silu["silu", "swish"], HardSilu["hard_silu", "hard_swish"];
        softmax: Softmax["softmax"], LogSoftmax["log_softmax"];
        softplus: Softplus["softplus"], LogSigmoid["log_sigmoid"], SparsePlus["sparse_plus"],
            Squareplus["squareplus"];
        softsign: Softsign["softsign"];
        tanh: Tanh["tanh"];
        threshold: Threshold["threshold"];
    }
}

defaults!(Activation {
    /// y = x.
    Linear,
    /// x above 0, e^x - 1 below.
    Elu,
    /// max(x, 0).
    Relu,
    /// ELU scaled so that a deep network normalizes itself.
    Selu,
    /// 1 / (1 + e^-x).
    Sigmoid,
    /// e^x over its sum along the last axis.
    Softmax,
    /// The hyperbolic tangent.
    Tanh,
    /// x above 0, e^x - 1 below (α = 1, where it is ELU).
    Celu,
    /// e^x.
    Exponential,
    /// x Φ(x), exactly.
    Gelu,
    /// ReLU with Keras' further arguments.
    GeneralRelu,
    /// x, but 0 between -½ and ½.
    HardShrink,
    /// (x + 3) / 6 cut to 0 … 1.
    HardSigmoid,
    /// x · hard_sigmoid(x).
    HardSilu,
    /// x cut to -1 … 1.
    HardTanh,
    /// x above 0, x / 5 below.
    LeakyRelu,
    /// The logarithm of the sigmoid.
    LogSigmoid,
    /// The logarithm of softmax.
    LogSoftmax,
    /// x · tanh(ln(1 + e^x)).
    Mish,
    /// x cut to 0 … 6.
    Relu6,
    /// x · sigmoid(x).
    Silu,
    /// x moved towards 0 by ½.
    SoftShrink,
    /// ln(1 + e^x).
    Softplus,
    /// x / (1 + |x|).
    Softsign,
    /// 0, a parabola, and x.
    SparsePlus,
    /// (x + 1) / 2 cut to 0 … 1.
    SparseSigmoid,
    /// (x + √(x² + 4)) / 2.
    Squareplus,
    /// x - tanh x.
    TanhShrink,
});

by_name!(Activation, Activation::Linear);

visitor!(Activation, ActivationFormula);

impl Default for Activation {
    fn default() -> Self {
        Activation::Linear
    }
}

forward!(Activation {
    /// The scope.
    pub fn form(&self) -> Form = FORM;
    /// True if its derivative needs the input beside the output.
    pub(crate) fn derivative_uses_input(&self) -> bool = DERIVATIVE_USES_INPUT;
});

#[cfg(test)]
mod tests;
