use super::axes::{Axes, dims_of};
use super::{Call, Formula, VariableSpec};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::rules::initializers::Initializer;
use serde::{Deserialize, Serialize};

/// Layer normalization (Ba et al. 2016): each row, by itself, is given mean 0
/// and variance 1; then y = γ x + β. The same in training and inference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LayerNormalization {
    /// The axis, or axes, over which mean and variance are taken. Default -1, the last.
    pub axis: Axes,
    /// ε, added to the variance. Default 0.001.
    pub epsilon: f64,
    /// Whether β is added. Default yes.
    pub center: bool,
    /// Whether γ multiplies. Default yes.
    pub scale: bool,
    /// Default zeros.
    pub beta_initializer: Initializer,
    /// Default ones.
    pub gamma_initializer: Initializer,
}

impl Default for LayerNormalization {
    fn default() -> Self {
        LayerNormalization {
            axis: [-1].into(),
            epsilon: 1e-3,
            center: true,
            scale: true,
            beta_initializer: Initializer::Zeros,
            gamma_initializer: Initializer::Ones,
        }
    }
}

impl LayerNormalization {
    /// With default arguments.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the axes over which mean and variance are taken.
    pub fn axis(mut self, axis: impl Into<Axes>) -> Self {
        self.axis = axis.into();
        self
    }

    /// Sets ε.
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Adds β or not.
    pub fn center(mut self, center: bool) -> Self {
        self.center = center;
        self
    }

    /// Multiplies by γ or not.
    pub fn scale(mut self, scale: bool) -> Self {
        self.scale = scale;
        self
    }
}

impl Rule for LayerNormalization {
    fn check(&self) -> Result<()> {
        if self.epsilon <= 0.0 || !self.epsilon.is_finite() {
            return Err(Error::invalid("epsilon", self.epsilon, "a number above 0"));
        }
        if self.axis.as_slice().is_empty() {
            return Err(Error::invalid("axis", "no axis", "at least one"));
        }
        let check = self.beta_initializer.check();
        check.map_err(|e| e.under("beta_initializer"))?;
        let check = self.gamma_initializer.check();
        check.map_err(|e| e.under("gamma_initializer"))
    }
}

impl Formula for LayerNormalization {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        self.axis.of("axis", &inputs[0])?;
        Ok(inputs[0].clone())
    }

    fn variables(&self, inputs: &[Shape]) -> Vec<VariableSpec> {
        let axes = self.axis.of("axis", &inputs[0]).unwrap_or_default();
        let all = [
            (self.scale, "gamma", &self.gamma_initializer),
            (self.center, "beta", &self.beta_initializer),
        ];
        all.into_iter()
            .filter(|&(there, ..)| there)
            .map(|(_, name, initializer)| VariableSpec {
                name,
                shape: dims_of(&axes, &inputs[0]),
                initializer: initializer.clone(),
                trainable: true,
            })
            .collect()
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let axes = self.axis.of("axis", &x.shape).unwrap_or_default();
        let mut variables = call.variables.iter().copied();
        let mut next = |there: bool| if there { variables.next() } else { None };
        let (gamma, beta) = (next(self.scale), next(self.center));
        plan.by_axes(x, &axes, |plan, x| {
            let mut y = plan.standardize_rows(x, self.epsilon);
            if let Some(gamma) = gamma {
                y = plan.scale(&y, gamma, false);
            }
            if let Some(beta) = beta {
                y = plan.bias(&y, beta);
            }
            y
        })
    }
}
