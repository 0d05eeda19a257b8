use super::axes::row_axes;
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

/// Group normalization (Wu & He 2018): the channels of each row are cut into groups, and each group
/// is standardized to mean 0 and variance 1; then y = γ x + β, a number of each for every channel.
/// The same in training and inference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct GroupNormalization {
    /// Number of groups; -1 for a group of each channel. Default 32.
    pub groups: i64,
    /// Axis of the channels. Default -1, the last.
    pub axis: i64,
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

impl Default for GroupNormalization {
    fn default() -> Self {
        GroupNormalization {
            groups: 32,
            axis: -1,
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

impl GroupNormalization {
    /// Normalizes so many groups.
    pub fn new(groups: i64) -> Self {
        GroupNormalization {
            groups,
            ..Self::default()
        }
    }

    /// The axis of a row's channels, and the number of groups.
    fn cut(&self, shape: &Shape) -> Result<(usize, usize)> {
        let axis = row_axes("axis", &[self.axis], shape)?[0];
        let channels = shape.dims()[axis];
        match self.groups {
            -1 => Ok((axis, channels)),
            groups if channels.is_multiple_of(groups as usize) => Ok((axis, groups as usize)),
            groups => {
                let found = format!("{groups} groups");
                let expected = format!("a number that divides the {channels} channels of {shape}");
                Err(Error::invalid("groups", found, expected))
            }
        }
    }
}

setters!(GroupNormalization {
    /// Sets the axis of the channels.
    axis(i64);
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

impl Rule for GroupNormalization {
    fn check(&self) -> Result<()> {
        if self.epsilon <= 0.0 || !self.epsilon.is_finite() {
            return Err(Error::invalid("epsilon", self.epsilon, "a number above 0"));
        }
        if self.groups < 1 && self.groups != -1 {
            let expected = "a whole number above 0, or -1 for a group of each channel";
            return Err(Error::invalid("groups", self.groups, expected));
        }
        check_rules(&self.variable_rules())
    }
}

impl LayerFormula for GroupNormalization {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::Normalizes,
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        self.cut(&inputs[0])?;
        Ok(inputs[0].clone())
    }

    fn variables(&self, inputs: &[Shape]) -> Vec<VariableSpec> {
        let channels = match self.cut(&inputs[0]) {
            Ok((axis, _)) => inputs[0].dims()[axis],
            Err(_) => 1,
        };
        let all = [
            (self.scale, "gamma", &self.gamma_initializer),
            (self.center, "beta", &self.beta_initializer),
        ];
        all.into_iter()
            .filter(|&(there, ..)| there)
            .map(|(_, name, rule)| VariableSpec::trained(name, vec![channels], rule))
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
        let Ok((axis, groups)) = self.cut(&x.shape) else {
            return x.clone();
        };
        let mut variables = call.variables.iter().copied();
        let mut next = |there: bool| if there { variables.next() } else { None };
        let (gamma, beta) = (next(self.scale), next(self.center));
        // The axis of the channels as two: the groups, and the channels of each.
        let mut dims = x.shape.dims().to_vec();
        dims[axis] /= groups;
        dims.insert(axis, groups);
        let others: Vec<usize> = (0..dims.len()).filter(|&other| other != axis).collect();
        let cut = plan.reshape(x, dims.into());
        let y = plan.by_axes(&cut, &others, |plan, x| {
            plan.standardize_rows(x, self.epsilon)
        });
        let y = plan.reshape(&y, x.shape.clone());
        plan.by_axes(&y, &[axis], |plan, y| {
            let mut y = y.clone();
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
