use super::axes::{Axes, dims_of};
use super::variables::check_rules;
use super::{Affine, Call, Effect, LayerFormula, LayerTraits, VariableRules, VariableSpec};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::weights::Weight;
use crate::plan::lower::{Lowering, Statistics, Value};
use crate::rules::constraints::Constraint;
use crate::rules::initializers::Initializer;
use crate::rules::regularizers::Regularizer;
use serde::{Deserialize, Serialize};

/// Batch normalization (Ioffe & Szegedy 2015): each column is standardized, in training by the
/// batch's mean and variance, in inference (and if frozen) by their moving averages; then y = γ x +
/// β.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct BatchNormalization {
    /// The axis that is kept, or the axes: each index along them has a mean and variance of its
    /// own. Default -1, the last.
    pub axis: Axes,
    /// Share of the old moving average in the new one. Default 0.99.
    pub momentum: f64,
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
    /// Initializer of the moving mean. Default zeros.
    pub moving_mean_initializer: Initializer,
    /// Initializer of the moving variance. Default ones.
    pub moving_variance_initializer: Initializer,
    /// Penalty on β. Default none.
    pub beta_regularizer: Option<Regularizer>,
    /// Penalty on γ. Default none.
    pub gamma_regularizer: Option<Regularizer>,
    /// Constraint on β. Default none.
    pub beta_constraint: Option<Constraint>,
    /// Constraint on γ. Default none.
    pub gamma_constraint: Option<Constraint>,
}

impl Default for BatchNormalization {
    fn default() -> Self {
        BatchNormalization {
            axis: Axes::One(-1),
            momentum: 0.99,
            epsilon: 1e-3,
            center: true,
            scale: true,
            beta_initializer: Initializer::Zeros,
            gamma_initializer: Initializer::Ones,
            moving_mean_initializer: Initializer::Zeros,
            moving_variance_initializer: Initializer::Ones,
            beta_regularizer: None,
            gamma_regularizer: None,
            beta_constraint: None,
            gamma_constraint: None,
        }
    }
}

impl BatchNormalization {
    /// With default arguments.
    pub fn new() -> Self {
        Self::default()
    }
}

setters!(BatchNormalization {
    /// Sets the axis, or the axes, that are kept.
    axis(into Axes);
    /// Sets the momentum of the moving averages.
    momentum(f64);
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
    /// Sets the initializer of the moving mean.
    moving_mean_initializer(into Initializer);
    /// Sets the initializer of the moving variance.
    moving_variance_initializer(into Initializer);
    /// Sets the penalty on β.
    beta_regularizer(some into Regularizer);
    /// Sets the penalty on γ.
    gamma_regularizer(some into Regularizer);
    /// Sets the constraint on β.
    beta_constraint(some into Constraint);
    /// Sets the constraint on γ.
    gamma_constraint(some into Constraint);
});

impl Rule for BatchNormalization {
    fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.momentum) {
            return Err(Error::invalid(
                "momentum",
                self.momentum,
                "a number from 0 to 1",
            ));
        }
        if self.epsilon <= 0.0 || !self.epsilon.is_finite() {
            return Err(Error::invalid("epsilon", self.epsilon, "a number above 0"));
        }
        if self.axis.as_slice().is_empty() {
            return Err(Error::invalid("axis", "no axis", "at least one"));
        }
        check_rules(&self.variable_rules())
    }
}

impl LayerFormula for BatchNormalization {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::Normalizes,
            moves_statistics: true,
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
            (self.scale, "gamma", &self.gamma_initializer, true),
            (self.center, "beta", &self.beta_initializer, true),
            (true, "moving_mean", &self.moving_mean_initializer, false),
            (
                true,
                "moving_variance",
                &self.moving_variance_initializer,
                false,
            ),
        ];
        all.into_iter()
            .filter(|&(there, ..)| there)
            .map(|(_, name, initializer, trainable)| VariableSpec {
                name,
                shape: dims_of(&axes, &inputs[0]),
                initializer: initializer.clone(),
                trainable,
                int8: false,
            })
            .collect()
    }

    fn variable_rules(&self) -> Vec<VariableRules<'_>> {
        vec![
            VariableRules::new("moving_mean", &self.moving_mean_initializer),
            VariableRules::new("moving_variance", &self.moving_variance_initializer),
            VariableRules::new("beta", &self.beta_initializer)
                .kept(&self.beta_regularizer, &self.beta_constraint),
            VariableRules::new("gamma", &self.gamma_initializer)
                .kept(&self.gamma_regularizer, &self.gamma_constraint),
        ]
    }

    /// Keras 2 took a list of axes.
    fn beyond_keras(&self) -> Option<(&'static str, &'static str)> {
        let is_list = matches!(self.axis, Axes::Many(_));
        is_list.then_some(("axis", "one axis, a number such as -1"))
    }

    fn affine(&self, weights: &[Weight], shape: &Shape) -> Option<Affine> {
        let axes = self.axis.of("axis", shape).ok()?;
        let numbers = |name: &str| weights.iter().find(|w| w.name == name).map(|w| &w.values);
        let (mean, variance) = (numbers("moving_mean")?, numbers("moving_variance")?);
        let (gamma, beta) = (numbers("gamma"), numbers("beta"));
        let of = |n: usize| {
            let gamma = gamma.map_or(1.0, |gamma| f64::from(gamma[n]));
            let beta = beta.map_or(0.0, |beta| f64::from(beta[n]));
            let scale = gamma / (f64::from(variance[n]) + self.epsilon).sqrt();
            (scale, beta - f64::from(mean[n]) * scale)
        };
        let (scale, offset): (Vec<f64>, Vec<f64>) = (0..mean.len()).map(of).unzip();
        Some(Affine::along(&axes, shape, &scale, &offset))
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let mut variables = call.variables.iter().copied();
        let mut next = |there: bool| if there { variables.next() } else { None };
        let (gamma, beta) = (next(self.scale), next(self.center));
        let (Some(mean), Some(variance)) = (next(true), next(true)) else {
            unreachable!("the layer asked for both")
        };
        let statistics = Statistics {
            gamma,
            beta,
            mean,
            variance,
            momentum: self.momentum as f32,
            epsilon: self.epsilon as f32,
        };
        let x = &call.inputs[0];
        let axes = self.axis.of("axis", &x.shape).unwrap_or_default();
        plan.by_axes(x, &axes, |plan, x| {
            plan.normalize(x, statistics, call.trainable)
        })
    }
}
