use super::image::{
    DataFormat, Factor, augmented, bytes, check_number, check_values, image, range,
};
use super::{Call, KerasTraits, LayerFormula, LayerTraits, Randomness};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::rules::augment::{Augment, Fill};
use serde::{Deserialize, Serialize};

/// In training, overwrites a random rectangle of an image (cutout: DeVries & Taylor 2017; Zhong et
/// al. 2017).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct RandomErasing {
    /// Probability, itself drawn for each image: from 0 to this number, or between two. Default 1.
    pub factor: Factor,
    /// Range of the square of each side's share of the image's side. Default 0.02 and 0.33.
    pub scale: Factor,
    /// Filling: one number, or one for each of three channels. Default
    /// normal numbers times the largest value.
    #[schemars(extend("examples" = [0.0]))]
    pub fill_value: Option<FillValue>,
    /// Smallest and largest value of a pixel, to which written values are clipped. Default 0 and
    /// 255.
    pub value_range: [f64; 2],
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
    /// Order of the axes.
    pub data_format: DataFormat,
}

/// Filling of a rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(inline)]
#[serde(untagged, expecting = "expected a number, or a list of three")]
pub enum FillValue {
    /// The same value everywhere.
    One(f64),
    /// One for each of three channels.
    Channels([f64; 3]),
}

impl Default for RandomErasing {
    fn default() -> Self {
        RandomErasing {
            factor: Factor::One(1.0),
            scale: Factor::Between([0.02, 0.33]),
            fill_value: None,
            value_range: bytes(),
            seed: None,
            data_format: DataFormat::default(),
        }
    }
}

impl RandomErasing {
    /// With a probability from 0 to this number, or between two.
    pub fn new(factor: impl Into<Factor>) -> Self {
        RandomErasing {
            factor: factor.into(),
            ..Self::default()
        }
    }

    /// Writes one constant.
    pub fn fill_value(mut self, value: f64) -> Self {
        self.fill_value = Some(FillValue::One(value));
        self
    }

    /// Sets the smallest and the largest value of a pixel.
    pub fn value_range(mut self, low: f64, high: f64) -> Self {
        self.value_range = [low, high];
        self
    }
}

setters!(RandomErasing {
    /// Sets the range of the squares of the sides' shares.
    scale(into Factor);
    /// Sets the order of the axes.
    data_format(DataFormat);
});

impl Rule for RandomErasing {
    fn check(&self) -> Result<()> {
        self.factor.check("factor", 0.0, 1.0, false)?;
        self.scale.check("scale", 0.0, 1.0, false)?;
        match self.fill_value {
            Some(FillValue::One(value)) => check_number("fill_value", value)?,
            Some(FillValue::Channels(values)) => {
                for value in values {
                    check_number("fill_value", value)?;
                }
            }
            None => {}
        }
        check_values(self.value_range)
    }
}

impl LayerFormula for RandomErasing {
    const KERAS: KerasTraits = KerasTraits::IMAGES;

    fn traits(&self) -> LayerTraits {
        LayerTraits::noise(Randomness::TrainingOnly)
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let image = image(&inputs[0], self.data_format)?;
        if matches!(self.fill_value, Some(FillValue::Channels(_))) && image.channels != 3 {
            let expected = "images of three channels for a fill_value of three numbers";
            return Err(Error::shape("", &inputs[0], expected));
        }
        Ok(inputs[0].clone())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let fill = match self.fill_value {
            None => Fill::Noise,
            Some(FillValue::One(value)) => Fill::Number(value as f32),
            Some(FillValue::Channels(values)) => Fill::Channels(values.map(|value| value as f32)),
        };
        let rule = Augment::Erasing {
            probability: self.factor.range(0.0),
            scale: self.scale.range(0.0),
            fill,
            values: range(self.value_range),
        };
        augmented(plan, call, self.data_format, rule)
    }
}
