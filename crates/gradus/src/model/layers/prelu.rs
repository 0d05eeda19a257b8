use super::axes::{dims_of, row_axes};
use super::variables::check_rules;
use super::{Call, Effect, LayerFormula, LayerTraits, VariableRules, VariableSpec};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::activations::Activation;
use crate::rules::constraints::Constraint;
use crate::rules::initializers::Initializer;
use crate::rules::regularizers::Regularizer;
use serde::{Deserialize, Serialize};

/// Parametric ReLU (He et al. 2015): x above 0, α x below, α learned for each element of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct PReLU {
    /// Initializer of α. Default zeros.
    pub alpha_initializer: Initializer,
    /// Penalty on α. Default none.
    pub alpha_regularizer: Option<Regularizer>,
    /// Constraint on α. Default none.
    pub alpha_constraint: Option<Constraint>,
    /// Axes along which one α is shared, counted with the batch as 0: a row's first is 1. Default
    /// none.
    #[schemars(extend("examples" = [[1]]))]
    pub shared_axes: Option<Vec<i64>>,
}

impl Default for PReLU {
    fn default() -> Self {
        PReLU {
            alpha_initializer: Initializer::Zeros,
            alpha_regularizer: None,
            alpha_constraint: None,
            shared_axes: None,
        }
    }
}

impl PReLU {
    /// With an α, initially 0, for each element of a row.
    pub fn new() -> Self {
        Self::default()
    }

    /// The axes along which α differs.
    fn own_axes(&self, shape: &Shape) -> Result<Vec<usize>> {
        let shared = self.shared_axes.as_deref().unwrap_or_default();
        let shared = row_axes("shared_axes", shared, shape)?;
        Ok((0..shape.rank()).filter(|a| !shared.contains(a)).collect())
    }
}

setters!(PReLU {
    /// Sets the initializer of α.
    alpha_initializer(into Initializer);
    /// Sets the penalty on α.
    alpha_regularizer(some into Regularizer);
    /// Sets the constraint on α.
    alpha_constraint(some into Constraint);
    /// Shares α along these axes.
    shared_axes(some into Vec<i64>);
});

impl Rule for PReLU {
    fn check(&self) -> Result<()> {
        check_rules(&self.variable_rules())
    }
}

impl LayerFormula for PReLU {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::ActivatesLike(Activation::LeakyRelu),
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        self.own_axes(&inputs[0])?;
        Ok(inputs[0].clone())
    }

    fn variables(&self, inputs: &[Shape]) -> Vec<VariableSpec> {
        let own = self.own_axes(&inputs[0]).unwrap_or_default();
        let mut shape = vec![1; inputs[0].rank()];
        for (&axis, dim) in own.iter().zip(dims_of(&own, &inputs[0])) {
            shape[axis] = dim;
        }
        vec![VariableSpec {
            name: "alpha",
            shape,
            initializer: self.alpha_initializer.clone(),
            trainable: true,
            int8: false,
        }]
    }

    fn variable_rules(&self) -> Vec<VariableRules<'_>> {
        vec![
            VariableRules::new("alpha", &self.alpha_initializer)
                .kept(&self.alpha_regularizer, &self.alpha_constraint),
        ]
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let own = self.own_axes(&x.shape).unwrap_or_default();
        plan.by_axes(x, &own, |plan, x| plan.scale(x, call.variables[0], true))
    }
}
