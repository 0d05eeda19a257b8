use super::margins::Margins;
use super::spatial::{Grid, channels_last};
use super::{Call, DataFormat, Effect, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// Sequences with zeros before and behind them.
pub type ZeroPadding1D = ZeroPadding<1>;

/// Images with zeros around them.
pub type ZeroPadding2D = ZeroPadding<2>;

/// The same values with zeros around them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ZeroPadding<const RANK: usize> {
    /// Pixels of zeros: a number for all sides, of a sequence two for before and behind, of an image
    /// two for rows and columns, each of which may be two for before and behind.
    #[serde(default = "one::<RANK>")]
    #[schemars(extend("examples" = [1]))]
    pub padding: Margins<RANK>,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
}

fn one<const RANK: usize>() -> Margins<RANK> {
    1.into()
}

impl<const RANK: usize> ZeroPadding<RANK> {
    /// Adds so many pixels.
    pub fn new(padding: impl Into<Margins<RANK>>) -> Self {
        ZeroPadding {
            padding: padding.into(),
            data_format: DataFormat::default(),
        }
    }

    fn padded(&self, from: Grid<RANK>) -> Grid<RANK> {
        let more = self.padding.sums();
        Grid {
            axes: std::array::from_fn(|axis| from.axes[axis] + more[axis]),
            ..from
        }
    }
}

setters!(ZeroPadding<const RANK> {
    /// Sets the order of the axes.
    data_format(DataFormat);
});

impl<const RANK: usize> Rule for ZeroPadding<RANK> {
    fn check(&self) -> Result<()> {
        self.padding.check("padding")
    }
}

impl<const RANK: usize> LayerFormula for ZeroPadding<RANK> {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::KeepsScale,
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let grid = Grid::of(&inputs[0], self.data_format)?;
        Ok(self.padded(grid).shape(self.data_format))
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        channels_last(plan, &call, self.data_format, |plan, x, grid| {
            let to = self.padded(grid);
            let dims = self.padding.dims(grid, to, false);
            Ok(plan.pad(x, dims, &to.shape(DataFormat::ChannelsLast)))
        })
    }
}
