use super::sliding::window;
use super::spatial::{Grid, channels_last};
use super::{Call, DataFormat, Effect, KerasTraits, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::plan::ops::{PoolDims, Ties};
use crate::rules::window::Slide;
use serde::{Deserialize, Serialize};

/// The largest number of each channel of a sequence.
pub type GlobalMaxPooling1D = GlobalMaxPooling<1>;

/// The largest number of each channel of an image.
pub type GlobalMaxPooling2D = GlobalMaxPooling<2>;

/// The mean of each channel of a sequence.
pub type GlobalAveragePooling1D = GlobalAveragePooling<1>;

/// The mean of each channel of an image.
pub type GlobalAveragePooling2D = GlobalAveragePooling<2>;

/// The largest number of each channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GlobalMaxPooling<const RANK: usize> {
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
    /// True to keep the axes of the image, of length 1. Default no.
    #[serde(default)]
    pub keepdims: bool,
}

/// The mean of each channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GlobalAveragePooling<const RANK: usize> {
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
    /// True to keep the axes of the image, of length 1. Default no.
    #[serde(default)]
    pub keepdims: bool,
}

impl<const RANK: usize> GlobalMaxPooling<RANK> {
    /// With default arguments.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<const RANK: usize> GlobalAveragePooling<RANK> {
    /// With default arguments.
    pub fn new() -> Self {
        Self::default()
    }
}

setters!(GlobalMaxPooling<const RANK> {
    /// Sets the order of the axes.
    data_format(DataFormat);
    /// Keeps the axes of the image, of length 1, or not.
    keepdims(bool);
});

setters!(GlobalAveragePooling<const RANK> {
    /// Sets the order of the axes.
    data_format(DataFormat);
    /// Keeps the axes of the image, of length 1, or not.
    keepdims(bool);
});

impl<const RANK: usize> Rule for GlobalMaxPooling<RANK> {}
impl<const RANK: usize> Rule for GlobalAveragePooling<RANK> {}

impl<const RANK: usize> LayerFormula for GlobalMaxPooling<RANK> {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        traits()
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let grid = Grid::<RANK>::of(&inputs[0], self.data_format)?;
        Ok(pooled(grid, self.keepdims, self.data_format))
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        channels_last::<RANK>(plan, &call, self.data_format, |plan, x, grid| {
            let to = pooled(grid, self.keepdims, DataFormat::ChannelsLast);
            Ok(plan.max_pool(x, whole(grid), Ties::Share, &to))
        })
    }
}

impl<const RANK: usize> LayerFormula for GlobalAveragePooling<RANK> {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        traits()
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let grid = Grid::<RANK>::of(&inputs[0], self.data_format)?;
        Ok(pooled(grid, self.keepdims, self.data_format))
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        channels_last::<RANK>(plan, &call, self.data_format, |plan, x, grid| {
            let to = pooled(grid, self.keepdims, DataFormat::ChannelsLast);
            Ok(plan.average_pool(x, whole(grid), &to))
        })
    }
}

fn traits() -> LayerTraits {
    LayerTraits {
        effect: Effect::KeepsScale,
        ..LayerTraits::deterministic()
    }
}

/// The shape of the result.
fn pooled<const RANK: usize>(grid: Grid<RANK>, keepdims: bool, format: DataFormat) -> Shape {
    let channels = grid.channels;
    let axes = [1; RANK];
    match keepdims {
        true => Grid { axes, channels }.shape(format),
        false => [channels].into(),
    }
}

fn whole<const RANK: usize>(grid: Grid<RANK>) -> PoolDims {
    PoolDims {
        window: window::<RANK>(|axis| Slide::whole(grid.axes[axis])),
        channels: grid.channels,
    }
}
