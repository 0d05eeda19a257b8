use super::quantization::{Channel, Quantization, to_int8};
use super::variables::check_rules;
use super::{Call, LayerFormula, LayerTraits, VariableRules, VariableSpec};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::Weight;
use crate::plan::lower::{Lowering, Value};
use crate::rules::constraints::Constraint;
use crate::rules::initializers::{Initializer, RandomUniform};
use crate::rules::pairwise::Pairwise;
use crate::rules::regularizers::Regularizer;
use serde::{Deserialize, Serialize};

/// A row of weights for each index: (…) becomes (…, output_dim). Indices are whole numbers from 0
/// to below `input_dim`; others are refused before the first step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Embedding {
    /// Number of rows.
    #[schemars(extend("examples" = [1000]))]
    pub input_dim: usize,
    /// Numbers in a row.
    #[schemars(extend("examples" = [16]))]
    pub output_dim: usize,
    /// Initializer of the rows. Default uniform between -0.05 and 0.05.
    #[serde(default = "uniform")]
    pub embeddings_initializer: Initializer,
    /// Penalty on the rows. Default none.
    #[serde(default)]
    pub embeddings_regularizer: Option<Regularizer>,
    /// Penalty on the output, divided by the batch's rows. Default none.
    #[serde(default)]
    pub activity_regularizer: Option<Regularizer>,
    /// Constraint on the rows. Default none.
    #[serde(default)]
    pub embeddings_constraint: Option<Constraint>,
    /// Mode in which `Model::quantize` has quantized the rows. It goes with the weights: a
    /// configuration has no key for it. Default none.
    #[serde(skip)]
    pub quantization: Option<Quantization>,
}

fn uniform() -> Initializer {
    RandomUniform::default().into()
}

impl Embedding {
    /// `input_dim` rows of `output_dim` elements.
    pub fn new(input_dim: usize, output_dim: usize) -> Self {
        Embedding {
            input_dim,
            output_dim,
            embeddings_initializer: uniform(),
            embeddings_regularizer: None,
            activity_regularizer: None,
            embeddings_constraint: None,
            quantization: None,
        }
    }
}

setters!(Embedding {
    /// Sets the initializer of the rows.
    embeddings_initializer(into Initializer);
    /// Sets the penalty on the rows.
    embeddings_regularizer(some into Regularizer);
    /// Sets the constraint on the rows.
    embeddings_constraint(some into Constraint);
});

impl Rule for Embedding {
    fn check(&self) -> Result<()> {
        for (name, size) in [
            ("input_dim", self.input_dim),
            ("output_dim", self.output_dim),
        ] {
            if size == 0 {
                return Err(Error::invalid(name, 0, "a whole number above 0"));
            }
        }
        check_rules(&self.variable_rules())?;
        match &self.activity_regularizer {
            Some(rule) => rule.check().map_err(|e| e.under("activity_regularizer")),
            None => Ok(()),
        }
    }
}

impl LayerFormula for Embedding {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let dims = inputs[0].dims().iter().copied();
        Ok(Shape::new(
            dims.chain([self.output_dim]).collect::<Vec<_>>(),
        ))
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            takes_below: Some(self.input_dim),
            ..LayerTraits::deterministic()
        }
    }

    fn variables(&self, _: &[Shape]) -> Vec<VariableSpec> {
        let shape = vec![self.input_dim, self.output_dim];
        let spec = |name, shape, initializer, trainable| VariableSpec {
            name,
            shape,
            initializer,
            trainable,
            int8: false,
        };
        match self.quantization {
            None => {
                let initializer = self.embeddings_initializer.clone();
                vec![spec("embeddings", shape, initializer, true)]
            }
            Some(Quantization::Int8) => {
                let rows = VariableSpec {
                    int8: true,
                    ..spec("embeddings", shape, Initializer::Zeros, false)
                };
                let scales = vec![self.input_dim];
                vec![
                    rows,
                    spec("embeddings_scale", scales, Initializer::Ones, false),
                ]
            }
        }
    }

    fn variable_rules(&self) -> Vec<VariableRules<'_>> {
        let rows = VariableRules::new("embeddings", &self.embeddings_initializer);
        vec![match self.quantization {
            None => rows.kept(&self.embeddings_regularizer, &self.embeddings_constraint),
            // As in Keras, which keeps the rules of whole numbers as mere arguments.
            Some(Quantization::Int8) => rows,
        }]
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.activity_regularizer.clone()
    }

    fn quantization(&self) -> Option<Quantization> {
        self.quantization
    }

    fn quantize(&mut self, mode: Quantization, weights: &mut Vec<Weight>) -> Result<()> {
        if let Some(rows) = weights.first_mut() {
            let scale = to_int8(rows, Channel::Row, "embeddings_scale")?;
            weights.push(scale);
        }
        self.quantization = Some(mode);
        Ok(())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let rows = plan.embed(x, call.variables[0], self.input_dim, self.output_dim);
        match call.variables {
            &[_, scale] => {
                let scales = plan.embed(x, scale, self.input_dim, 1);
                let scales = plan.spread(&scales, &rows.shape);
                plan.combine(Pairwise::Divide, &rows, &scales)
            }
            _ => rows,
        }
    }
}
