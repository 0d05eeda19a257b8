use super::axes::{Axes, dims_of};
use super::variables::check_rules;
use super::{Call, Effect, LayerFormula, LayerTraits, VariableRules, VariableSpec};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::rules::constraints::Constraint;
use crate::rules::initializers::Initializer;
use crate::rules::regularizers::Regularizer;
use serde::{Deserialize, Serialize};

/// Layer normalization (Ba et al. 2016): each row is standardized to mean 0 and variance 1; then y
/// = γ x + β. The same in training and inference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct LayerNormalization {
    /// Axis, or axes, over which mean and variance are taken. Default -1, the last.
    pub axis: Axes,
    /// ε, added to the variance. Default 0.001.
    pub epsilon: f64,
    /// True if β is added. Default yes.
    pub center: bool,
    /// True if γ multiplies. Default yes.
    pub scale: bool,
    /// Initializer of β. Default zeros.
    pub beta_initializer: Initializer,
    /// Initializer of γ. Default ones.
    pub gamma_initializer: Initializer,
    /// Penalty on β. Default none.
    pub beta_regularizer: Option<Regularizer>,
    /// Penalty on γ. Default none.
    pub gamma_regularizer: Option<Regularizer>,
    /// Constraint on β. Default none.
    pub beta_constraint: Option<Constraint>,
    /// Constraint on γ. Default none.
    pub gamma_constraint: Option<Constraint>,
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
            beta_regularizer: None,
            gamma_regularizer: None,
            beta_constraint: None,
            gamma_constraint: None,
        }
    }
}

impl LayerNormalization {
    /// With default arguments.
    pub fn new() -> Self {
        Self::default()
    }
}

setters!(LayerNormalization {
    /// Sets the axes over which mean and variance are taken.
    axis(into Axes);
    /// Sets ε.
    epsilon(f64);
    /// Enables or disables β.
    center(bool);
    /// Enables or disables γ.
    scale(bool);
    /// Sets the initializer of β.
    beta_initializer(into Initializer);
    /// Sets the initializer of γ.
    gamma_initializer(into Initializer);
    /// Sets the penalty on β.
    beta_regularizer(some into Regularizer);
    /// Sets the penalty on γ.
    gamma_regularizer(some into Regularizer);
    /// Sets the constraint on β.
    beta_constraint(some into Constraint);
    /// Sets the constraint on γ.
    gamma_constraint(some into Constraint);
});

impl Rule for LayerNormalization {
    fn check(&self) -> Result<()> {
        if self.epsilon <= 0.0 || !self.epsilon.is_finite() {
            return Err(Error::invalid("epsilon", self.epsilon, "a number above 0"));
        }
        if self.axis.as_slice().is_empty() {
            return Err(Error::invalid("axis", "no axis", "at least one"));
        }
        check_rules(&self.variable_rules())
    }
}

impl LayerFormula for LayerNormalization {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::Normalizes,
            ..LayerTraits::deterministic()
        }
    }

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
                int8: false,
            })
            .collect()
    }

    fn variable_rules(&self) -> Vec<VariableRules<'_>> {
        vec![
            VariableRules::new("beta", &self.beta_initializer)
                .kept(&self.beta_regularizer, &self.beta_constraint),
            VariableRules::new("gamma", &self.gamma_initializer)
                .kept(&self.gamma_regularizer, &self.gamma_constraint),
        ]
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
