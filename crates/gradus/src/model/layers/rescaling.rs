use super::{Affine, Call, Effect, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::weights::Weight;
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// x · scale + offset, in training and inference: a scale of 1 / 255 maps pixels to 0 to
/// 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rescaling {
    /// Factor of each number.
    #[schemars(extend("examples" = [0.5]))]
    pub scale: f64,
    /// Number that is then added. Default 0.
    #[serde(default)]
    pub offset: f64,
}

impl Rescaling {
    /// Multiplies by `scale`.
    pub fn new(scale: f64) -> Self {
        Rescaling { scale, offset: 0.0 }
    }
}

setters!(Rescaling {
    /// Sets the summand.
    offset(f64);
});

impl Rule for Rescaling {
    fn check(&self) -> Result<()> {
        for (name, value) in [("scale", self.scale), ("offset", self.offset)] {
            if !value.is_finite() {
                return Err(Error::invalid(name, value, "a finite number"));
            }
        }
        Ok(())
    }
}

impl LayerFormula for Rescaling {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::Rescales,
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0].clone())
    }

    fn affine(&self, _: &[Weight], shape: &Shape) -> Option<Affine> {
        Some(Affine::along(&[], shape, &[self.scale], &[self.offset]))
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let width = x.shape.last();
        let scale = plan.constant("scale", vec![self.scale as f32; width]);
        let mut y = plan.scale(x, scale, false);
        if self.offset != 0.0 {
            let offset = plan.constant("offset", vec![self.offset as f32; width]);
            y = plan.bias(&y, offset);
        }
        y
    }
}
