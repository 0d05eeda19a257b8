use super::margins::Margins;
use super::spatial::{Grid, channels_last, noun};
use super::{Call, DataFormat, Effect, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// Sequences with some steps cut off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Cropping1D {
    /// Steps cut off: a number for both ends, or two for before and behind. Default 1.
    #[serde(default = "one")]
    #[schemars(extend("examples" = [1]))]
    pub cropping: Margins<1>,
}

/// Images with some rows and columns cut off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Cropping2D {
    /// Pixels cut off: a number for all sides, or two for rows and columns, each of which may be two
    /// for before and behind. Default none.
    #[serde(default = "none")]
    #[schemars(extend("examples" = [1]))]
    pub cropping: Margins<2>,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
}

fn one() -> Margins<1> {
    1.into()
}

fn none() -> Margins<2> {
    0.into()
}

impl Cropping1D {
    /// Cuts so many steps off.
    pub fn new(cropping: impl Into<Margins<1>>) -> Self {
        Cropping1D {
            cropping: cropping.into(),
        }
    }
}

impl Cropping2D {
    /// Cuts so many pixels off.
    pub fn new(cropping: impl Into<Margins<2>>) -> Self {
        Cropping2D {
            cropping: cropping.into(),
            data_format: DataFormat::default(),
        }
    }
}

setters!(Cropping2D {
    /// Sets the order of the axes.
    data_format(DataFormat);
});

impl Rule for Cropping1D {
    fn check(&self) -> Result<()> {
        self.cropping.check("cropping")
    }
}

impl Rule for Cropping2D {
    fn check(&self) -> Result<()> {
        self.cropping.check("cropping")
    }
}

impl LayerFormula for Cropping1D {
    fn traits(&self) -> LayerTraits {
        traits()
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        output(&inputs[0], self.cropping, DataFormat::ChannelsLast)
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        lower(plan, &call, self.cropping, DataFormat::ChannelsLast)
    }
}

impl LayerFormula for Cropping2D {
    fn traits(&self) -> LayerTraits {
        traits()
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        output(&inputs[0], self.cropping, self.data_format)
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        lower(plan, &call, self.cropping, self.data_format)
    }
}

fn traits() -> LayerTraits {
    LayerTraits {
        effect: Effect::KeepsScale,
        ..LayerTraits::deterministic()
    }
}

/// The sizes that are left.
fn cropped<const RANK: usize>(
    shape: &Shape,
    from: Grid<RANK>,
    cropping: Margins<RANK>,
) -> Result<Grid<RANK>> {
    let less = cropping.sums();
    if from.axes.iter().zip(&less).any(|(axis, less)| axis <= less) {
        let expected = format!("{} larger than what is cut off, {less:?}", noun(RANK));
        return Err(Error::shape("", shape, expected));
    }
    Ok(Grid {
        axes: std::array::from_fn(|axis| from.axes[axis] - less[axis]),
        ..from
    })
}

fn output<const RANK: usize>(
    shape: &Shape,
    cropping: Margins<RANK>,
    format: DataFormat,
) -> Result<Shape> {
    let grid = Grid::of(shape, format)?;
    Ok(cropped(shape, grid, cropping)?.shape(format))
}

fn lower<const RANK: usize>(
    plan: &mut Lowering,
    call: &Call<'_>,
    cropping: Margins<RANK>,
    format: DataFormat,
) -> Value {
    channels_last(plan, call, format, |plan, x, grid| {
        let to = cropped(&x.shape, grid, cropping)?;
        let dims = cropping.dims(grid, to, true);
        Ok(plan.pad(x, dims, &to.shape(DataFormat::ChannelsLast)))
    })
}
