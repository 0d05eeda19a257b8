use super::{Call, Formula, VariableSpec};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::rules::activations::Activation;
use crate::rules::initializers::Initializer;
use serde::{Deserialize, Serialize};

/// activation(x · kernel + bias), on the last axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dense {
    /// How many outputs there are.
    pub units: usize,
    /// Default linear.
    #[serde(default)]
    pub activation: Activation,
    /// Whether a bias is added. Default yes.
    #[serde(default = "yes")]
    pub use_bias: bool,
    /// Default Glorot uniform.
    #[serde(default = "glorot_uniform")]
    pub kernel_initializer: Initializer,
    /// Default zeros.
    #[serde(default = "zeros")]
    pub bias_initializer: Initializer,
}

fn yes() -> bool {
    true
}

fn glorot_uniform() -> Initializer {
    Initializer::GlorotUniform
}

fn zeros() -> Initializer {
    Initializer::Zeros
}

impl Dense {
    /// So many units, everything else by default.
    pub fn new(units: usize) -> Self {
        Dense {
            units,
            activation: Activation::Linear,
            use_bias: true,
            kernel_initializer: glorot_uniform(),
            bias_initializer: zeros(),
        }
    }

    /// Sets the activation.
    pub fn activation(mut self, activation: impl Into<Activation>) -> Self {
        self.activation = activation.into();
        self
    }

    /// Adds a bias or not.
    pub fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    /// Sets the kernel's first values.
    pub fn kernel_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.kernel_initializer = initializer.into();
        self
    }

    /// Sets the bias' first values.
    pub fn bias_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.bias_initializer = initializer.into();
        self
    }
}

impl Rule for Dense {
    fn check(&self) -> Result<()> {
        if self.units == 0 {
            return Err(Error::invalid("units", 0, "a whole number above 0"));
        }
        self.activation.check().map_err(|e| e.under("activation"))?;
        self.kernel_initializer.check().map_err(|e| e.under("kernel_initializer"))?;
        self.bias_initializer.check().map_err(|e| e.under("bias_initializer"))
    }
}

impl Formula for Dense {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        match inputs[0].rank() {
            0 => Err(Error::shape("", &inputs[0], "at least one axis beside the batch")),
            _ => Ok(inputs[0].with_last(self.units)),
        }
    }

    fn variables(&self, inputs: &[Shape]) -> Vec<VariableSpec> {
        let mut specs = vec![VariableSpec {
            name: "kernel",
            shape: vec![inputs[0].last(), self.units],
            initializer: self.kernel_initializer.clone(),
            trainable: true,
        }];
        if self.use_bias {
            specs.push(VariableSpec {
                name: "bias",
                shape: vec![self.units],
                initializer: self.bias_initializer.clone(),
                trainable: true,
            });
        }
        specs
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let mut y = plan.product(&call.inputs[0], call.variables[0], self.units);
        if self.use_bias {
            y = plan.bias(&y, call.variables[1]);
        }
        plan.activate(&y, &self.activation)
    }
}
