use super::image::{
    DataFormat, Factor, augmented, bilinear, check_number, image, reflect, resample,
};
use super::{Call, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::rules::augment::{Augment, FillMode, Interpolation};
use serde::{Deserialize, Serialize};

/// In training, zooms each picture about its centre.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RandomZoom {
    /// Share by which more of the height is seen, above -1 to 1: above 0 the picture gets
    /// smaller, below 0 larger.
    #[schemars(extend("examples" = [0.1]))]
    pub height_factor: Factor,
    /// The same for the width. Default the number that was drawn for the height.
    #[serde(default)]
    #[schemars(extend("examples" = [0.1]))]
    pub width_factor: Option<Factor>,
    /// Picture beyond the edge. Default `Reflect`.
    #[serde(default = "reflect")]
    pub fill_mode: FillMode,
    /// Interpolation between pixels. Default `bilinear`.
    #[serde(default = "bilinear")]
    pub interpolation: Interpolation,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[serde(default)]
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
    /// Value beyond the edge if `fill_mode` is `constant`. Default 0.
    #[serde(default)]
    pub fill_value: f64,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
}

impl RandomZoom {
    /// With at most this share in either direction, or with shares between two numbers.
    pub fn new(height_factor: impl Into<Factor>) -> Self {
        RandomZoom {
            height_factor: height_factor.into(),
            width_factor: None,
            fill_mode: reflect(),
            interpolation: bilinear(),
            seed: None,
            fill_value: 0.0,
            data_format: DataFormat::default(),
        }
    }
}

setters!(RandomZoom {
    /// Sets a separate share for the width.
    width_factor(some into Factor);
    /// Sets the values beyond the edge.
    fill_mode(FillMode);
    /// Sets the interpolation between pixels.
    interpolation(Interpolation);
    /// Sets the constant beyond the edge.
    fill_value(f64);
    /// Sets the order of the axes.
    data_format(DataFormat);
});

impl Rule for RandomZoom {
    fn check(&self) -> Result<()> {
        self.height_factor.check("height_factor", -1.0, 1.0, true)?;
        if let Some(factor) = self.width_factor {
            factor.check("width_factor", -1.0, 1.0, true)?;
        }
        check_number("fill_value", self.fill_value)
    }
}

impl LayerFormula for RandomZoom {
    const KERAS: KerasTraits = KerasTraits::IMAGES.not_compiled();

    fn traits(&self) -> LayerTraits {
        LayerTraits::noise(Randomness::TrainingOnly)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        image(&inputs[0], self.data_format).map(|_| inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let rule = Augment::Zoom {
            height: self.height_factor.range(-1.0),
            width: self.width_factor.map(|factor| factor.range(-1.0)),
            by: resample(self.fill_mode, self.interpolation, self.fill_value),
        };
        augmented(plan, call, self.data_format, rule)
    }
}
