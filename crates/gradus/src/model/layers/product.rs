//! Arguments that dense layers and convolutions share: kernel, bias, activation.

use super::{Function, Kind, Layer};
use crate::base::shape::Shape;
use crate::rules::initializers::Initializer;
use crate::rules::regularizers::Regularizer;
use crate::rules::window::Window;

/// The arguments of a layer that multiplies its input, or patches of it, by a kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product<'a> {
    /// Units, or filters: the kernel's last axis.
    pub units: usize,
    pub activation: &'a Function,
    pub use_bias: bool,
    pub kernel_initializer: &'a Initializer,
    pub kernel_regularizer: Option<&'a Regularizer>,
}

impl Layer {
    /// The product that it is, if it is a dense layer or a convolution.
    pub(crate) fn product(&self) -> Option<Product<'_>> {
        macro_rules! product {
            ($layer:ident, $units:ident) => {
                Some(Product {
                    units: $layer.$units,
                    activation: &$layer.activation,
                    use_bias: $layer.use_bias,
                    kernel_initializer: &$layer.kernel_initializer,
                    kernel_regularizer: $layer.kernel_regularizer.as_ref(),
                })
            };
        }
        match &self.0 {
            Kind::Dense(layer) => product!(layer, units),
            Kind::Conv1D(layer) => product!(layer, filters),
            Kind::Conv2D(layer) => product!(layer, filters),
            _ => None,
        }
    }

    /// The window that slides over an input of this shape, if it is a convolution.
    pub(crate) fn window(&self, input: &Shape) -> Option<Window> {
        match &self.0 {
            Kind::Conv1D(layer) => layer.window(input).ok(),
            Kind::Conv2D(layer) => layer.window(input).ok(),
            Kind::DepthwiseConv1D(layer) => layer.window(input).ok(),
            Kind::DepthwiseConv2D(layer) => layer.window(input).ok(),
            _ => None,
        }
    }
}
