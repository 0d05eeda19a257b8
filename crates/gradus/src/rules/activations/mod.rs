//! Activation functions: value and derivative.

use crate::base::lane::Lane;
use crate::base::registry::{Rule, defaults, registry};

/// Over what an activation is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Each number by itself.
    Element,
    /// Over the last axis: e^x over the sum of e^x.
    Softmax,
}

/// An activation's formula.
pub trait Formula: Rule {
    /// Over what it is computed. A [`Form::Softmax`] has no use for
    /// `value` and `slope`: its row is one formula.
    const FORM: Form = Form::Element;

    /// Whether `slope` uses `x`; if not, `x` is not kept for the backward pass.
    const SLOPE_USES_INPUT: bool = false;

    /// y = f(x).
    fn value<L: Lane>(&self, x: L) -> L;

    /// f'(x), from x and y = f(x).
    fn slope<L: Lane>(&self, x: L, y: L) -> L;
}

registry! {
    /// What a layer applies to its outputs: `Activation::Elu`, or a rule with
    /// arguments of its own, `Elu { alpha: 0.5 }.into()`.
    Activation("activation", Formula) {
        linear: Linear["linear"];
        elu: Elu["elu"];
        relu: Relu["relu"];
        selu: Selu["selu"];
        sigmoid: Sigmoid["sigmoid"];
        softmax: Softmax["softmax"];
        tanh: Tanh["tanh"];
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
});

impl Default for Activation {
    fn default() -> Self {
        Activation::Linear
    }
}

impl Activation {
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

    /// Whether its derivative needs the input beside the output.
    pub(crate) fn slope_uses_input(&self) -> bool {
        struct Ask;
        impl Visit for Ask {
            type Output = bool;
            fn visit<R: Formula>(self, _: &R) -> bool {
                R::SLOPE_USES_INPUT
            }
        }
        self.visit(Ask)
    }
}
