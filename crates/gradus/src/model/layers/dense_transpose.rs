use super::variables::{check_rules, yes, zeros};
use super::{Call, Effect, LayerFormula, LayerTraits, VariableRules, VariableSpec};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::rules::activations::Activation;
use crate::rules::initializers::Initializer;
use serde::{Deserialize, Serialize};

/// activation(x · kernelᵀ + bias) with the kernel of a `Dense` layer of the same model: the decoder
/// of an autoencoder with tied weights. The kernel is trained through both, and frozen with its
/// owner. Keras has no such layer, so it cannot be saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DenseTranspose {
    /// Number of outputs: the inputs of the `Dense`.
    #[schemars(extend("examples" = [100]))]
    pub units: usize,
    /// Name of the `Dense`.
    #[schemars(extend("examples" = ["dense"]))]
    pub tied_to: String,
    /// Activation function. Default linear.
    #[serde(default)]
    pub activation: Activation,
    /// True to add a bias, its own. Default yes.
    #[serde(default = "yes")]
    pub use_bias: bool,
    /// Initializer of the bias. Default zeros.
    #[serde(default = "zeros")]
    pub bias_initializer: Initializer,
}

impl DenseTranspose {
    /// Reverses the `Dense` of that name, which has `units` inputs.
    pub fn new(units: usize, tied_to: impl Into<String>) -> Self {
        DenseTranspose {
            units,
            tied_to: tied_to.into(),
            activation: Activation::Linear,
            use_bias: true,
            bias_initializer: zeros(),
        }
    }
}

setters!(DenseTranspose {
    /// Sets the activation.
    activation(into Activation);
    /// Enables or disables the bias.
    use_bias(bool);
    /// Sets the initializer of the bias.
    bias_initializer(into Initializer);
});

impl Rule for DenseTranspose {
    fn check(&self) -> Result<()> {
        if self.units == 0 {
            return Err(Error::invalid("units", 0, "a whole number above 0"));
        }
        self.activation.check().map_err(|e| e.under("activation"))?;
        check_rules(&self.variable_rules())
    }
}

impl LayerFormula for DenseTranspose {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::Product(self.activation.clone()),
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        match inputs[0].rank() {
            0 => Err(Error::shape(
                "",
                &inputs[0],
                "at least one axis beside the batch: one column of inputs is `Tensor::from_f32([1], values)`",
            )),
            _ => Ok(inputs[0].with_last(self.units)),
        }
    }

    fn variables(&self, _: &[Shape]) -> Vec<VariableSpec> {
        let bias = self.use_bias.then(|| VariableSpec {
            name: "bias",
            shape: vec![self.units],
            initializer: self.bias_initializer.clone(),
            trainable: true,
            int8: false,
        });
        bias.into_iter().collect()
    }

    fn tied_to(&self) -> Option<&str> {
        Some(&self.tied_to)
    }

    fn variable_rules(&self) -> Vec<VariableRules<'_>> {
        vec![VariableRules::new("bias", &self.bias_initializer)]
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        // The model was checked: the kernel exists.
        let Some(kernel) = call.tied else {
            return call.inputs[0].clone();
        };
        let mut y = plan.product_transposed(&call.inputs[0], kernel, self.units);
        if self.use_bias {
            y = plan.bias(&y, call.variables[0]);
        }
        plan.activate(&y, &self.activation)
    }
}
