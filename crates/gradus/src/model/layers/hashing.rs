use super::encoding::{MOST_PLACES, OutputMode};
use super::{Call, KerasTraits, LayerFormula, LayerTraits};
use crate::base::hash::{Salt, bucket};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::dtype::Dtype;
use crate::plan::lower::{Lowering, Value};
use crate::rules::mapping::Mapping;
use crate::rules::places::Buckets;
use serde::{Deserialize, Serialize};

/// Puts each text or whole number into one of `num_bins` bins by its hash: `keras.layers.Hashing`.
/// Nothing is learned, and unseen values have a bin, too.
///
/// The hash is FarmHash64 of the text, or of the number's digits; with a `salt` SipHash64. Numbers
/// are truncated.
///
/// ```
/// use gradus::prelude::*;
/// use gradus::layers::Hashing;
/// let model = Sequential::new().input([1]).add(Hashing::new(7)).build()?;
/// let x = Tensor::from_column(vec![0.0, 2.0, -1.0])?;
/// assert_eq!(model.predict(&Dataset::unlabelled(x))?.to_f32(), [2.0, 5.0, 4.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Hashing {
    /// Number of bins, the mask's included.
    #[schemars(extend("examples" = [10]))]
    pub num_bins: usize,
    /// Value that stands for nothing and has bin 0 for itself: a text, or a whole number.
    /// Default none.
    #[serde(default)]
    #[schemars(extend("examples" = [""]))]
    pub mask_value: Option<MaskValue>,
    /// Salt of the hash: SipHash64 under these two numbers. Default
    /// none.
    #[serde(default)]
    #[schemars(extend("examples" = [7]))]
    pub salt: Option<Salt>,
    /// Form in which bins are given. Default whole numbers.
    #[serde(default)]
    pub output_mode: OutputMode,
}

/// Value that stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(inline)]
#[serde(untagged, expecting = "expected a whole number or a text")]
pub enum MaskValue {
    /// This number.
    Number(i64),
    /// This text.
    Text(String),
}

impl From<i64> for MaskValue {
    fn from(number: i64) -> Self {
        MaskValue::Number(number)
    }
}

impl From<&str> for MaskValue {
    fn from(text: &str) -> Self {
        MaskValue::Text(text.to_owned())
    }
}

impl Hashing {
    /// Into this many bins.
    pub fn new(num_bins: usize) -> Self {
        Hashing {
            num_bins,
            mask_value: None,
            salt: None,
            output_mode: OutputMode::Int,
        }
    }

    /// Sets the salt of the hash.
    pub fn salt(mut self, first: i64, second: i64) -> Self {
        self.salt = Some(Salt(first, second));
        self
    }

    /// The bin of each text.
    fn bins(&self, texts: &[String]) -> Vec<Option<f32>> {
        let mask = match &self.mask_value {
            Some(MaskValue::Text(mask)) if self.num_bins > 1 => Some(mask),
            _ => None,
        };
        let first = usize::from(mask.is_some());
        let bin = |text: &String| match Some(text) == mask {
            true => 0,
            false => first + bucket(text.as_bytes(), self.num_bins - first, self.salt),
        };
        texts.iter().map(|text| Some(bin(text) as f32)).collect()
    }
}

setters!(Hashing {
    /// Sets the value that means missing.
    mask_value(some into MaskValue);
    /// Sets the encoding of the bins.
    output_mode(OutputMode);
});

impl Rule for Hashing {
    fn check(&self) -> Result<()> {
        match self.num_bins {
            1..=MOST_PLACES => Ok(()),
            bins => {
                let expected = format!("a whole number from 1 to {MOST_PLACES}");
                Err(Error::invalid("num_bins", bins, expected))
            }
        }
    }
}

impl LayerFormula for Hashing {
    const KERAS: KerasTraits = KerasTraits::LAYER.not_compiled();

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        self.output_mode.shape(&inputs[0], self.num_bins)
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            takes_text: !matches!(self.mask_value, Some(MaskValue::Number(_))),
            takes_numbers: !matches!(self.mask_value, Some(MaskValue::Text(_))),
            stops_nan: true,
            gives_below: (self.output_mode == OutputMode::Int).then_some(self.num_bins),
            ..LayerTraits::deterministic()
        }
    }

    fn dtype(&self, _: &[Dtype]) -> Dtype {
        self.output_mode.dtype(Dtype::Int64)
    }

    fn look_up(&self, texts: &[String]) -> Result<Vec<Option<f32>>> {
        Ok(self.bins(texts))
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        if call.looked_up {
            return self.output_mode.lower(plan, &call.inputs[0], self.num_bins);
        }
        let mask = match self.mask_value {
            Some(MaskValue::Number(mask)) => Some(mask),
            _ => None,
        };
        let buckets = Buckets {
            count: self.num_bins,
            salt: self.salt,
            mask,
        };
        let x = plan.map(&call.inputs[0], Mapping::Bucket(buckets));
        self.output_mode.lower(plan, &x, self.num_bins)
    }
}
