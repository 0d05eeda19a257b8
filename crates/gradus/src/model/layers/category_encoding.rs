use super::encoding::{MOST_PLACES, OutputMode};
use super::{Call, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// One-hot or multi-hot rows from whole numbers from 0 to `num_tokens` - 1:
/// `keras.layers.CategoryEncoding`. Other numbers are ignored, as with Keras' JAX backend; with
/// TensorFlow they are an error except in `one_hot`.
///
/// ```
/// use gradus::prelude::*;
/// use gradus::layers::{CategoryEncoding, OutputMode};
/// let count = CategoryEncoding::new(3).output_mode(OutputMode::Count);
/// let model = Sequential::new().input([2]).add(count).build()?;
/// let x = Tensor::from_rows(&[[0.0, 2.0], [2.0, 2.0]])?;
/// let found = model.predict(&Dataset::unlabelled(x))?;
/// assert_eq!(found.to_f32(), [1.0, 0.0, 1.0, 0.0, 0.0, 2.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CategoryEncoding {
    /// Number of whole numbers, from 0 on.
    #[schemars(extend("examples" = [10]))]
    pub num_tokens: usize,
    /// Form in which they are given; not whole numbers. Default `multi_hot`.
    #[serde(default = "multi_hot")]
    pub output_mode: OutputMode,
}

fn multi_hot() -> OutputMode {
    OutputMode::MultiHot
}

impl CategoryEncoding {
    /// For this many tokens.
    pub fn new(num_tokens: usize) -> Self {
        CategoryEncoding {
            num_tokens,
            output_mode: OutputMode::MultiHot,
        }
    }
}

setters!(CategoryEncoding {
    /// Sets the encoding of the output.
    output_mode(OutputMode);
});

impl Rule for CategoryEncoding {
    fn check(&self) -> Result<()> {
        if !(1..=MOST_PLACES).contains(&self.num_tokens) {
            let expected = format!("a whole number from 1 to {MOST_PLACES}");
            return Err(Error::invalid("num_tokens", self.num_tokens, expected));
        }
        match self.output_mode {
            OutputMode::Int => {
                let expected = "one_hot, multi_hot or count";
                Err(Error::invalid("output_mode", "int", expected))
            }
            _ => Ok(()),
        }
    }
}

impl LayerFormula for CategoryEncoding {
    fn traits(&self) -> LayerTraits {
        LayerTraits::deterministic()
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        self.output_mode.shape(&inputs[0], self.num_tokens)
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        self.output_mode
            .lower(plan, &call.inputs[0], self.num_tokens)
    }
}
