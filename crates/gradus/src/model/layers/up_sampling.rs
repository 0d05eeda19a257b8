use super::image::{LONGEST, Window, check_sides, image, part, resized, resized_shape, sides};
use super::spatial::{Grid, PerAxis};
use super::{Call, DataFormat, Effect, LayerFormula, LayerTraits, Resampling};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// Sequences whose steps are each repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UpSampling1D {
    /// Repetitions of a step. Default 2.
    #[serde(default = "two")]
    #[schemars(extend("examples" = [2]))]
    pub size: usize,
}

/// Images made larger by whole factors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UpSampling2D {
    /// Factors of rows and columns: one number for both, or one for each. Default 2.
    #[serde(default = "two_each")]
    #[schemars(extend("examples" = [2]))]
    pub size: PerAxis<2>,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
    /// Interpolation of new pixels. Default the nearest pixel.
    #[serde(default = "nearest")]
    pub interpolation: Resampling,
}

fn two() -> usize {
    2
}

fn two_each() -> PerAxis<2> {
    2.into()
}

fn nearest() -> Resampling {
    Resampling::Nearest
}

impl UpSampling1D {
    /// Repeats each step so many times.
    pub fn new(size: usize) -> Self {
        UpSampling1D { size }
    }
}

impl UpSampling2D {
    /// Makes images larger by these factors.
    pub fn new(size: impl Into<PerAxis<2>>) -> Self {
        UpSampling2D {
            size: size.into(),
            data_format: DataFormat::default(),
            interpolation: nearest(),
        }
    }
}

setters!(UpSampling2D {
    /// Sets the order of the axes.
    data_format(DataFormat);
    /// Sets the interpolation.
    interpolation(Resampling);
});

impl Rule for UpSampling1D {
    fn check(&self) -> Result<()> {
        PerAxis([self.size]).check("size", 1)
    }
}

impl Rule for UpSampling2D {
    fn check(&self) -> Result<()> {
        self.size.check("size", 1)
    }
}

impl LayerFormula for UpSampling1D {
    fn traits(&self) -> LayerTraits {
        traits()
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let Grid {
            axes: [steps],
            channels,
        } = Grid::of(&inputs[0], DataFormat::ChannelsLast)?;
        Ok([steps * self.size, channels].into())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let &[steps, channels] = x.shape.dims() else {
            return x.clone();
        };
        let x = plan.reshape(x, [steps, 1, channels].into());
        let y = plan.spread(&x, &[steps, self.size, channels].into());
        plan.reshape(&y, [steps * self.size, channels].into())
    }
}

impl LayerFormula for UpSampling2D {
    fn traits(&self) -> LayerTraits {
        traits()
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let to = self.larger(sides(image(&inputs[0], self.data_format)?));
        check_sides(to).map_err(|_| {
            let expected = format!("images of at most {LONGEST} pixels in a row when resized");
            Error::shape("", &inputs[0], expected)
        })?;
        resized_shape(&inputs[0], self.data_format, to)
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let Ok(from) = image(&call.inputs[0].shape, self.data_format) else {
            return call.inputs[0].clone();
        };
        let to = self.larger(sides(from));
        resized(plan, &call, self.data_format, to, |plan, x, image, new| {
            let window = Window {
                by: self.interpolation,
                ..Window::of(sides(image).map(|side| part(0, side)))
            };
            window.lower(plan, x, image, new)
        })
    }
}

impl UpSampling2D {
    fn larger(&self, sides: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|n| sides[n] * self.size.0[n])
    }
}

fn traits() -> LayerTraits {
    LayerTraits {
        effect: Effect::KeepsScale,
        ..LayerTraits::deterministic()
    }
}
