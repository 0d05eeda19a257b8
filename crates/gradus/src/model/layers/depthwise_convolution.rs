use super::sliding::{Padding, Sliding, outputs};
use super::spatial::{Grid, PerAxis, channels_last};
use super::variables::{check_output, check_rules, glorot_uniform, yes, zeros};
use super::{Call, DataFormat, Effect, LayerFormula, LayerTraits, VariableRules, VariableSpec};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::plan::ops::DepthwiseDims;
use crate::rules::activations::Activation;
use crate::rules::constraints::Constraint;
use crate::rules::initializers::Initializer;
use crate::rules::regularizers::Regularizer;
use crate::rules::window::Window;
use serde::{Deserialize, Serialize};

/// Depthwise convolution of sequences.
pub type DepthwiseConv1D = DepthwiseConv<1>;

/// Depthwise convolution of images.
pub type DepthwiseConv2D = DepthwiseConv<2>;

/// activation(x ∗ kernel + bias), each channel convolved by itself with filters of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DepthwiseConv<const RANK: usize> {
    /// Size of the kernel: a number for all axes, or one for each.
    #[schemars(extend("examples" = [3]))]
    pub kernel_size: PerAxis<RANK>,
    /// Number of filters of each channel. Default 1.
    #[serde(default = "one")]
    #[schemars(extend("examples" = [2]))]
    pub depth_multiplier: usize,
    /// Pixels from a place of the kernel to the next.
    #[serde(default)]
    #[schemars(extend("examples" = [2]))]
    pub strides: PerAxis<RANK>,
    /// Padding of the image.
    #[serde(default)]
    pub padding: Padding,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
    /// Pixels from a tap of the kernel to the next.
    #[serde(default)]
    #[schemars(extend("examples" = [2]))]
    pub dilation_rate: PerAxis<RANK>,
    /// Activation function. Default linear.
    #[serde(default)]
    pub activation: Activation,
    /// True to add a bias, a number for each filter. Default yes.
    #[serde(default = "yes")]
    pub use_bias: bool,
    /// Initializer of the kernel. Default Glorot uniform.
    #[serde(default = "glorot_uniform")]
    pub depthwise_initializer: Initializer,
    /// Initializer of the bias. Default zeros.
    #[serde(default = "zeros")]
    pub bias_initializer: Initializer,
    /// Penalty on the kernel. Default none.
    #[serde(default)]
    pub depthwise_regularizer: Option<Regularizer>,
    /// Penalty on the bias. Default none.
    #[serde(default)]
    pub bias_regularizer: Option<Regularizer>,
    /// Penalty on the output, divided by the batch's rows. Default none.
    #[serde(default)]
    pub activity_regularizer: Option<Regularizer>,
    /// Constraint on the kernel. Default none.
    #[serde(default)]
    pub depthwise_constraint: Option<Constraint>,
    /// Constraint on the bias. Default none.
    #[serde(default)]
    pub bias_constraint: Option<Constraint>,
}

fn one() -> usize {
    1
}

impl<const RANK: usize> DepthwiseConv<RANK> {
    /// Makes a layer with a filter of that size for each channel, everything else by default.
    pub fn new(kernel_size: impl Into<PerAxis<RANK>>) -> Self {
        DepthwiseConv {
            kernel_size: kernel_size.into(),
            depth_multiplier: 1,
            strides: PerAxis::default(),
            padding: Padding::default(),
            data_format: DataFormat::default(),
            dilation_rate: PerAxis::default(),
            activation: Activation::Linear,
            use_bias: true,
            depthwise_initializer: glorot_uniform(),
            bias_initializer: zeros(),
            depthwise_regularizer: None,
            bias_regularizer: None,
            activity_regularizer: None,
            depthwise_constraint: None,
            bias_constraint: None,
        }
    }

    fn sliding(&self) -> Sliding<RANK> {
        Sliding {
            size: self.kernel_size,
            strides: self.strides,
            dilation: self.dilation_rate,
            padding: self.padding,
        }
    }

    /// The window that slides over an input of this shape.
    pub(super) fn window(&self, input: &Shape) -> Result<Window> {
        let grid = Grid::<RANK>::of(input, self.data_format)?;
        self.sliding().window(input, grid)
    }

    fn dims(&self, shape: &Shape, grid: Grid<RANK>) -> Result<DepthwiseDims> {
        Ok(DepthwiseDims {
            window: self.sliding().window(shape, grid)?,
            channels: grid.channels,
            multiplier: self.depth_multiplier,
        })
    }

    fn result(&self, dims: DepthwiseDims, format: DataFormat) -> Shape {
        Grid::<RANK> {
            axes: outputs(dims.window),
            channels: dims.filters(),
        }
        .shape(format)
    }
}

setters!(DepthwiseConv<const RANK> {
    /// Sets the size of the kernel.
    kernel_size(into PerAxis<RANK>);
    /// Sets the number of filters of each channel.
    depth_multiplier(usize);
    /// Sets the pixels from a place of the kernel to the next.
    strides(into PerAxis<RANK>);
    /// Sets the padding.
    padding(Padding);
    /// Sets the order of the axes.
    data_format(DataFormat);
    /// Sets the pixels from a tap of the kernel to the next.
    dilation_rate(into PerAxis<RANK>);
    /// Sets the activation.
    activation(into Activation);
    /// Enables or disables the bias.
    use_bias(bool);
    /// Sets the initializer of the kernel.
    depthwise_initializer(into Initializer);
    /// Sets the initializer of the bias.
    bias_initializer(into Initializer);
    /// Sets the penalty on the kernel.
    depthwise_regularizer(some into Regularizer);
    /// Sets the penalty on the bias.
    bias_regularizer(some into Regularizer);
    /// Sets the penalty on the output.
    activity_regularizer(some into Regularizer);
    /// Sets the constraint on the kernel.
    depthwise_constraint(some into Constraint);
    /// Sets the constraint on the bias.
    bias_constraint(some into Constraint);
});

impl<const RANK: usize> Rule for DepthwiseConv<RANK> {
    fn check(&self) -> Result<()> {
        if self.depth_multiplier == 0 {
            return Err(Error::invalid(
                "depth_multiplier",
                0,
                "a whole number above 0",
            ));
        }
        self.padding.check()?;
        self.sliding().check("kernel_size")?;
        check_output(&self.activation, &self.activity_regularizer)?;
        check_rules(&self.variable_rules())
    }
}

impl<const RANK: usize> LayerFormula for DepthwiseConv<RANK> {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::Product(self.activation.clone()),
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let grid = Grid::of(&inputs[0], self.data_format)?;
        let dims = self.dims(&inputs[0], grid)?;
        Ok(self.result(dims, self.data_format))
    }

    fn variables(&self, inputs: &[Shape]) -> Vec<VariableSpec> {
        let channels = Grid::<RANK>::of(&inputs[0], self.data_format).map_or(1, |g| g.channels);
        let filters = channels * self.depth_multiplier;
        let mut shape = self.kernel_size.0.to_vec();
        shape.extend([channels, self.depth_multiplier]);
        let kernel = VariableSpec::trained("kernel", shape, &self.depthwise_initializer);
        let bias = VariableSpec::trained("bias", vec![filters], &self.bias_initializer);
        let bias = self.use_bias.then_some(bias);
        [kernel].into_iter().chain(bias).collect()
    }

    fn variable_rules(&self) -> Vec<VariableRules<'_>> {
        vec![
            VariableRules::new("kernel", &self.depthwise_initializer)
                .argument("depthwise")
                .kept(&self.depthwise_regularizer, &self.depthwise_constraint),
            VariableRules::new("bias", &self.bias_initializer)
                .kept(&self.bias_regularizer, &self.bias_constraint),
        ]
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.activity_regularizer.clone()
    }

    fn with_bias(&self) -> Option<Self> {
        let plain =
            self.activation == Activation::Linear && self.data_format == DataFormat::ChannelsLast;
        plain.then(|| self.clone().use_bias(true))
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let y = channels_last(plan, &call, self.data_format, |plan, x, grid| {
            let dims = self.dims(&x.shape, grid)?;
            let to = self.result(dims, DataFormat::ChannelsLast);
            let y = plan.depthwise(x, call.variables[0], dims, &to);
            Ok(match self.use_bias {
                true => plan.bias(&y, call.variables[1]),
                false => y,
            })
        });
        plan.activate(&y, &self.activation)
    }
}
