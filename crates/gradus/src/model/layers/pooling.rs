use super::sliding::{Padding, Sliding, outputs};
use super::spatial::{Grid, PerAxis, channels_last};
use super::{Call, DataFormat, Effect, KerasTraits, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::lower::{Lowering, Value};
use crate::plan::ops::{PoolDims, Ties};
use serde::{Deserialize, Serialize};

/// The largest numbers of sequences' windows.
pub type MaxPooling1D = MaxPooling<1>;

/// The largest numbers of images' windows.
pub type MaxPooling2D = MaxPooling<2>;

/// The means of sequences' windows.
pub type AveragePooling1D = AveragePooling<1>;

/// The means of images' windows.
pub type AveragePooling2D = AveragePooling<2>;

/// The largest number of each window, channel by channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MaxPooling<const RANK: usize> {
    /// Size of the window: a number for all axes, or one for each.
    #[serde(default = "two::<RANK>")]
    #[schemars(extend("examples" = [2]))]
    pub pool_size: PerAxis<RANK>,
    /// Pixels from a place of the window to the next. Default the window's size.
    #[serde(default)]
    #[schemars(extend("examples" = [2]))]
    pub strides: Option<PerAxis<RANK>>,
    /// Padding of the image. It counts for nothing.
    #[serde(default)]
    pub padding: Padding,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
}

/// The mean of each window, channel by channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AveragePooling<const RANK: usize> {
    /// Size of the window: a number for all axes, or one for each.
    #[schemars(extend("examples" = [2]))]
    pub pool_size: PerAxis<RANK>,
    /// Pixels from a place of the window to the next. Default the window's size.
    #[serde(default)]
    #[schemars(extend("examples" = [2]))]
    pub strides: Option<PerAxis<RANK>>,
    /// Padding of the image. It counts for nothing.
    #[serde(default)]
    pub padding: Padding,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
}

fn two<const RANK: usize>() -> PerAxis<RANK> {
    2.into()
}

impl<const RANK: usize> Default for MaxPooling<RANK> {
    fn default() -> Self {
        Self::new(2)
    }
}

impl<const RANK: usize> MaxPooling<RANK> {
    /// Takes windows of this size, side by side.
    pub fn new(pool_size: impl Into<PerAxis<RANK>>) -> Self {
        MaxPooling {
            pool_size: pool_size.into(),
            strides: None,
            padding: Padding::default(),
            data_format: DataFormat::default(),
        }
    }

    fn sliding(&self) -> Sliding<RANK> {
        sliding(self.pool_size, self.strides, self.padding)
    }
}

impl<const RANK: usize> AveragePooling<RANK> {
    /// Takes windows of this size, side by side.
    pub fn new(pool_size: impl Into<PerAxis<RANK>>) -> Self {
        AveragePooling {
            pool_size: pool_size.into(),
            strides: None,
            padding: Padding::default(),
            data_format: DataFormat::default(),
        }
    }

    fn sliding(&self) -> Sliding<RANK> {
        sliding(self.pool_size, self.strides, self.padding)
    }
}

setters!(MaxPooling<const RANK> {
    /// Sets the pixels from a place of the window to the next.
    strides(some into PerAxis<RANK>);
    /// Sets the padding.
    padding(Padding);
    /// Sets the order of the axes.
    data_format(DataFormat);
});

setters!(AveragePooling<const RANK> {
    /// Sets the pixels from a place of the window to the next.
    strides(some into PerAxis<RANK>);
    /// Sets the padding.
    padding(Padding);
    /// Sets the order of the axes.
    data_format(DataFormat);
});

impl<const RANK: usize> Rule for MaxPooling<RANK> {
    fn check(&self) -> Result<()> {
        self.padding.check()?;
        self.sliding().check("pool_size")
    }
}

impl<const RANK: usize> Rule for AveragePooling<RANK> {
    fn check(&self) -> Result<()> {
        self.padding.check()?;
        self.sliding().check("pool_size")
    }
}

impl<const RANK: usize> LayerFormula for MaxPooling<RANK> {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        traits()
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        output(&inputs[0], self.sliding(), self.data_format)
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        channels_last(plan, &call, self.data_format, |plan, x, grid| {
            let (dims, to) = pooled(&x.shape, self.sliding(), grid)?;
            Ok(plan.max_pool(x, dims, Ties::First, &to.shape(DataFormat::ChannelsLast)))
        })
    }
}

impl<const RANK: usize> LayerFormula for AveragePooling<RANK> {
    const KERAS: KerasTraits = KerasTraits::BUILT_AT_ONCE;

    fn traits(&self) -> LayerTraits {
        traits()
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        output(&inputs[0], self.sliding(), self.data_format)
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        channels_last(plan, &call, self.data_format, |plan, x, grid| {
            let (dims, to) = pooled(&x.shape, self.sliding(), grid)?;
            Ok(plan.average_pool(x, dims, &to.shape(DataFormat::ChannelsLast)))
        })
    }
}

fn sliding<const RANK: usize>(
    size: PerAxis<RANK>,
    strides: Option<PerAxis<RANK>>,
    padding: Padding,
) -> Sliding<RANK> {
    Sliding {
        size,
        strides: strides.unwrap_or(size),
        dilation: PerAxis::default(),
        padding,
    }
}

fn traits() -> LayerTraits {
    LayerTraits {
        effect: Effect::KeepsScale,
        ..LayerTraits::deterministic()
    }
}

/// The sizes of pooling, and of its result.
fn pooled<const RANK: usize>(
    shape: &Shape,
    sliding: Sliding<RANK>,
    grid: Grid<RANK>,
) -> Result<(PoolDims, Grid<RANK>)> {
    let (window, channels) = (sliding.window(shape, grid)?, grid.channels);
    let axes = outputs(window);
    Ok((PoolDims { window, channels }, Grid { axes, channels }))
}

fn output<const RANK: usize>(
    shape: &Shape,
    sliding: Sliding<RANK>,
    format: DataFormat,
) -> Result<Shape> {
    let (_, to) = pooled(shape, sliding, Grid::of(shape, format)?)?;
    Ok(to.shape(format))
}
