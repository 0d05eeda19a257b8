use super::{Call, Effect, KerasTraits, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::dtype::Dtype;
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// The same elements of each row in another shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reshape {
    /// Shape of a row, without the batch. One of its dimensions may be -1: the remaining size.
    #[schemars(extend("examples" = [[28, 28, 1]]))]
    pub target_shape: Vec<i64>,
}

impl Reshape {
    /// To this shape of a row.
    pub fn new(target_shape: impl Into<Vec<i64>>) -> Self {
        Reshape {
            target_shape: target_shape.into(),
        }
    }
}

impl Rule for Reshape {
    fn check(&self) -> Result<()> {
        let open = self.target_shape.iter().filter(|&&dim| dim == -1).count();
        let wrong = self.target_shape.iter().any(|&dim| dim < 1 && dim != -1);
        if wrong || open > 1 {
            let found = format!("{:?}", self.target_shape);
            let expected = "sizes above 0, one of which may be -1";
            return Err(Error::invalid("target_shape", found, expected));
        }
        Ok(())
    }
}

impl LayerFormula for Reshape {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::KeepsScale,
            passes_indices: true,
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let size = inputs[0].size();
        let known = self.target_shape.iter().filter(|&&dim| dim != -1);
        let known = known.fold(1_usize, |all, &dim| all.saturating_mul(dim as usize));
        let open = self.target_shape.contains(&-1);
        let fits = match open {
            true => known > 0 && size.is_multiple_of(known),
            false => known == size,
        };
        if !fits {
            let found = format!("{:?}", self.target_shape);
            let expected = format!("a shape of the {size} numbers of {}", inputs[0]);
            return Err(Error::invalid("target_shape", found, expected));
        }
        let dims = self.target_shape.iter().map(|&dim| match dim {
            -1 => size / known,
            dim => dim as usize,
        });
        Ok(Shape::new(dims.collect::<Vec<_>>()))
    }

    fn dtype(&self, inputs: &[Dtype]) -> Dtype {
        inputs[0]
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let shape = self.output(std::slice::from_ref(&x.shape));
        plan.reshape(x, shape.unwrap_or_default())
    }
}
