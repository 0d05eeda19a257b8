use super::quantization::{Channel, Quantization, to_int8};
use super::variables::{check_output, check_rules, glorot_uniform, yes, zeros};
use super::{Call, Effect, LayerFormula, LayerTraits, VariableRules, VariableSpec};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::Weight;
use crate::plan::lower::{Lowering, Value};
use crate::rules::activations::Activation;
use crate::rules::constraints::Constraint;
use crate::rules::initializers::Initializer;
use crate::rules::int8::MOST_PRODUCTS;
use crate::rules::regularizers::Regularizer;
use serde::{Deserialize, Serialize};

/// activation(x · kernel + bias), on the last axis: (…, inputs) becomes (…, units).
///
/// A layer is plain data. A configured one serves as the template of others (the book's `partial`):
///
/// ```
/// use gradus::prelude::*;
/// let regularized = Dense::new(100)
///     .activation(Activation::Elu)
///     .kernel_initializer(Initializer::HeNormal)
///     .kernel_regularizer(gradus::rules::regularizers::L2::new(0.01));
/// let model = Sequential::new()
///     .add(regularized.clone().units(300))
///     .add(regularized.clone())
///     .add(regularized.units(10).activation(Activation::Softmax));
/// # let _ = model;
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Dense {
    /// Number of outputs.
    #[schemars(extend("examples" = [100]))]
    pub units: usize,
    /// Activation function. Default linear.
    #[serde(default)]
    pub activation: Activation,
    /// True to add a bias. Default yes.
    #[serde(default = "yes")]
    pub use_bias: bool,
    /// Initializer of the kernel. Default Glorot uniform.
    #[serde(default = "glorot_uniform")]
    pub kernel_initializer: Initializer,
    /// Initializer of the bias. Default zeros.
    #[serde(default = "zeros")]
    pub bias_initializer: Initializer,
    /// Penalty on the kernel. Default none.
    #[serde(default)]
    pub kernel_regularizer: Option<Regularizer>,
    /// Penalty on the bias. Default none.
    #[serde(default)]
    pub bias_regularizer: Option<Regularizer>,
    /// Penalty on the output, divided by the batch's rows. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity_regularizer: Option<Regularizer>,
    /// Constraint on the kernel. Default none.
    #[serde(default)]
    pub kernel_constraint: Option<Constraint>,
    /// Constraint on the bias. Default none.
    #[serde(default)]
    pub bias_constraint: Option<Constraint>,
    /// Mode in which `Model::quantize` has quantized the kernel. It goes with the weights: a
    /// configuration has no key for it. Default none.
    #[serde(skip)]
    pub quantization: Option<Quantization>,
}

/// Refuses more inputs than an int8 kernel may have.
fn check_inputs(inputs: usize) -> Result<()> {
    match inputs {
        0..=MOST_PRODUCTS => Ok(()),
        _ => {
            let expected = format!("at most {MOST_PRODUCTS}: an int8 kernel's sums are int32");
            Err(Error::invalid("", format!("{inputs} inputs"), expected))
        }
    }
}

impl Dense {
    /// Makes a layer with this number of units, everything else by default.
    pub fn new(units: usize) -> Self {
        Dense {
            units,
            activation: Activation::Linear,
            use_bias: true,
            kernel_initializer: glorot_uniform(),
            bias_initializer: zeros(),
            kernel_regularizer: None,
            bias_regularizer: None,
            kernel_constraint: None,
            bias_constraint: None,
            activity_regularizer: None,
            quantization: None,
        }
    }

    /// The initializer of the kernel; as in Keras, zeros where it is quantized.
    fn first_kernel(&self) -> Initializer {
        match self.quantization {
            None => self.kernel_initializer.clone(),
            Some(Quantization::Int8) => Initializer::Zeros,
        }
    }
}

setters!(Dense {
    /// Sets the number of outputs.
    units(usize);
    /// Sets the activation.
    activation(into Activation);
    /// Enables or disables the bias.
    use_bias(bool);
    /// Sets the initializer of the kernel.
    kernel_initializer(into Initializer);
    /// Sets the initializer of the bias.
    bias_initializer(into Initializer);
    /// Sets the penalty on the kernel.
    kernel_regularizer(some into Regularizer);
    /// Sets the penalty on the bias.
    bias_regularizer(some into Regularizer);
    /// Sets the constraint on the kernel.
    kernel_constraint(some into Constraint);
    /// Sets the constraint on the bias.
    bias_constraint(some into Constraint);
    /// Sets the penalty on the output.
    activity_regularizer(some into Regularizer);
});

impl Rule for Dense {
    fn check(&self) -> Result<()> {
        if self.units == 0 {
            return Err(Error::invalid("units", 0, "a whole number above 0"));
        }
        check_output(&self.activation, &self.activity_regularizer)?;
        check_rules(&self.variable_rules())
    }
}

impl LayerFormula for Dense {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::Product(self.activation.clone()),
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let inputs = &inputs[0];
        if self.quantization.is_some() {
            check_inputs(inputs.last())?;
        }
        match inputs.rank() {
            0 => Err(Error::shape(
                "",
                inputs,
                "at least one axis beside the batch: one column of inputs is `Tensor::from_f32([1], values)`",
            )),
            _ => Ok(inputs.with_last(self.units)),
        }
    }

    fn variables(&self, inputs: &[Shape]) -> Vec<VariableSpec> {
        let mut specs = vec![VariableSpec {
            name: "kernel",
            shape: vec![inputs[0].last(), self.units],
            initializer: self.first_kernel(),
            trainable: self.quantization.is_none(),
            int8: self.quantization.is_some(),
        }];
        if self.use_bias {
            let shape = vec![self.units];
            specs.push(VariableSpec::trained("bias", shape, &self.bias_initializer));
        }
        if self.quantization.is_some() {
            specs.push(VariableSpec {
                name: "kernel_scale",
                shape: vec![self.units],
                initializer: Initializer::Ones,
                trainable: false,
                int8: false,
            });
        }
        specs
    }

    fn variable_rules(&self) -> Vec<VariableRules<'_>> {
        let kernel = VariableRules::new("kernel", &self.kernel_initializer);
        vec![
            match self.quantization {
                None => kernel.kept(&self.kernel_regularizer, &self.kernel_constraint),
                // As in Keras, which keeps the rules of whole numbers as mere arguments.
                Some(Quantization::Int8) => kernel,
            },
            VariableRules::new("bias", &self.bias_initializer)
                .kept(&self.bias_regularizer, &self.bias_constraint),
        ]
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.activity_regularizer.clone()
    }

    fn with_bias(&self) -> Option<Self> {
        let plain = self.activation == Activation::Linear && self.quantization.is_none();
        plain.then(|| self.clone().use_bias(true))
    }

    fn quantization(&self) -> Option<Quantization> {
        self.quantization
    }

    fn quantize(&mut self, mode: Quantization, weights: &mut Vec<Weight>) -> Result<()> {
        if let Some(kernel) = weights.first_mut() {
            check_inputs(kernel.shape.first().copied().unwrap_or(0))?;
            let scale = to_int8(kernel, Channel::Column, "kernel_scale")?;
            weights.push(scale);
        }
        self.quantization = Some(mode);
        Ok(())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let mut y = match (self.quantization, call.variables) {
            (Some(Quantization::Int8), &[kernel, .., scale]) => {
                plan.quantized_product(x, (kernel, scale), self.units)
            }
            _ => plan.product(x, call.variables[0], self.units),
        };
        if self.use_bias {
            y = plan.bias(&y, call.variables[1]);
        }
        plan.activate(&y, &self.activation)
    }
}
