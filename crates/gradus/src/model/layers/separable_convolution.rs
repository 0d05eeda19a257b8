use super::sliding::{Padding, Sliding, outputs, window};
use super::spatial::{Grid, PerAxis, channels_last};
use super::variables::{check_output, check_rules, glorot_uniform, yes, zeros};
use super::{Call, DataFormat, Effect, LayerFormula, LayerTraits, VariableRules, VariableSpec};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::plan::ops::{ConvDims, DepthwiseDims};
use crate::rules::activations::Activation;
use crate::rules::constraints::Constraint;
use crate::rules::initializers::Initializer;
use crate::rules::regularizers::Regularizer;
use crate::rules::window::Slide;
use serde::{Deserialize, Serialize};

/// Separable convolution of sequences.
pub type SeparableConv1D = SeparableConv<1>;

/// Separable convolution of images.
pub type SeparableConv2D = SeparableConv<2>;

/// A depthwise convolution, then a product that mixes the channels of each pixel; a bias and an
/// activation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SeparableConv<const RANK: usize> {
    /// Number of filters: the channels of the output.
    #[schemars(extend("examples" = [32]))]
    pub filters: usize,
    /// Size of the depthwise kernel: a number for all axes, or one for each.
    #[schemars(extend("examples" = [3]))]
    pub kernel_size: PerAxis<RANK>,
    /// Number of depthwise filters of each channel. Default 1.
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
    /// Initializer of the depthwise kernel. Default Glorot uniform.
    #[serde(default = "glorot_uniform")]
    pub depthwise_initializer: Initializer,
    /// Initializer of the matrix that mixes channels. Default Glorot uniform.
    #[serde(default = "glorot_uniform")]
    pub pointwise_initializer: Initializer,
    /// Initializer of the bias. Default zeros.
    #[serde(default = "zeros")]
    pub bias_initializer: Initializer,
    /// Penalty on the depthwise kernel. Default none.
    #[serde(default)]
    pub depthwise_regularizer: Option<Regularizer>,
    /// Penalty on the matrix that mixes channels. Default none.
    #[serde(default)]
    pub pointwise_regularizer: Option<Regularizer>,
    /// Penalty on the bias. Default none.
    #[serde(default)]
    pub bias_regularizer: Option<Regularizer>,
    /// Penalty on the output, divided by the batch's rows. Default none.
    #[serde(default)]
    pub activity_regularizer: Option<Regularizer>,
    /// Constraint on the depthwise kernel. Default none.
    #[serde(default)]
    pub depthwise_constraint: Option<Constraint>,
    /// Constraint on the matrix that mixes channels. Default none.
    #[serde(default)]
    pub pointwise_constraint: Option<Constraint>,
    /// Constraint on the bias. Default none.
    #[serde(default)]
    pub bias_constraint: Option<Constraint>,
}

fn one() -> usize {
    1
}

impl<const RANK: usize> SeparableConv<RANK> {
    /// Makes a layer with so many filters of that size, everything else by default.
    pub fn new(filters: usize, kernel_size: impl Into<PerAxis<RANK>>) -> Self {
        SeparableConv {
            filters,
            kernel_size: kernel_size.into(),
            depth_multiplier: 1,
            strides: PerAxis::default(),
            padding: Padding::default(),
            data_format: DataFormat::default(),
            dilation_rate: PerAxis::default(),
            activation: Activation::Linear,
            use_bias: true,
            depthwise_initializer: glorot_uniform(),
            pointwise_initializer: glorot_uniform(),
            bias_initializer: zeros(),
            depthwise_regularizer: None,
            pointwise_regularizer: None,
            bias_regularizer: None,
            activity_regularizer: None,
            depthwise_constraint: None,
            pointwise_constraint: None,
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

    fn dims(&self, shape: &Shape, grid: Grid<RANK>) -> Result<DepthwiseDims> {
        Ok(DepthwiseDims {
            window: self.sliding().window(shape, grid)?,
            channels: grid.channels,
            multiplier: self.depth_multiplier,
        })
    }

    fn grid(&self, dims: DepthwiseDims) -> Grid<RANK> {
        Grid {
            axes: outputs(dims.window),
            channels: dims.filters(),
        }
    }

    /// Sizes of the product that mixes the channels of each of these pixels.
    fn mixing(&self, pixels: Grid<RANK>) -> ConvDims {
        let window = window::<RANK>(|axis| Slide {
            input: pixels.axes[axis],
            output: pixels.axes[axis],
            ..Slide::ONE
        });
        ConvDims {
            window,
            channels: pixels.channels,
            filters: self.filters,
            groups: 1,
        }
    }
}

setters!(SeparableConv<const RANK> {
    /// Sets the number of filters.
    filters(usize);
    /// Sets the size of the depthwise kernel.
    kernel_size(into PerAxis<RANK>);
    /// Sets the number of depthwise filters of each channel.
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
    /// Sets the initializer of the depthwise kernel.
    depthwise_initializer(into Initializer);
    /// Sets the initializer of the matrix that mixes channels.
    pointwise_initializer(into Initializer);
    /// Sets the initializer of the bias.
    bias_initializer(into Initializer);
    /// Sets the penalty on the depthwise kernel.
    depthwise_regularizer(some into Regularizer);
    /// Sets the penalty on the matrix that mixes channels.
    pointwise_regularizer(some into Regularizer);
    /// Sets the penalty on the bias.
    bias_regularizer(some into Regularizer);
    /// Sets the penalty on the output.
    activity_regularizer(some into Regularizer);
    /// Sets the constraint on the depthwise kernel.
    depthwise_constraint(some into Constraint);
    /// Sets the constraint on the matrix that mixes channels.
    pointwise_constraint(some into Constraint);
    /// Sets the constraint on the bias.
    bias_constraint(some into Constraint);
});

impl<const RANK: usize> Rule for SeparableConv<RANK> {
    fn check(&self) -> Result<()> {
        for (name, number) in [
            ("filters", self.filters),
            ("depth_multiplier", self.depth_multiplier),
        ] {
            if number == 0 {
                return Err(Error::invalid(name, 0, "a whole number above 0"));
            }
        }
        self.padding.check()?;
        self.sliding().check("kernel_size")?;
        check_output(&self.activation, &self.activity_regularizer)?;
        check_rules(&self.variable_rules())
    }
}

impl<const RANK: usize> LayerFormula for SeparableConv<RANK> {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::Product(self.activation.clone()),
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let grid = Grid::of(&inputs[0], self.data_format)?;
        let dims = self.dims(&inputs[0], grid)?;
        let result = Grid {
            channels: self.filters,
            ..self.grid(dims)
        };
        Ok(result.shape(self.data_format))
    }

    fn variables(&self, inputs: &[Shape]) -> Vec<VariableSpec> {
        let channels = Grid::<RANK>::of(&inputs[0], self.data_format).map_or(1, |g| g.channels);
        let all = channels * self.depth_multiplier;
        let mut depthwise = self.kernel_size.0.to_vec();
        depthwise.extend([channels, self.depth_multiplier]);
        let mut pointwise = vec![1; RANK];
        pointwise.extend([all, self.filters]);
        let depthwise =
            VariableSpec::trained("depthwise_kernel", depthwise, &self.depthwise_initializer);
        let pointwise =
            VariableSpec::trained("pointwise_kernel", pointwise, &self.pointwise_initializer);
        let bias = VariableSpec::trained("bias", vec![self.filters], &self.bias_initializer);
        let bias = self.use_bias.then_some(bias);
        [depthwise, pointwise].into_iter().chain(bias).collect()
    }

    fn variable_rules(&self) -> Vec<VariableRules<'_>> {
        vec![
            VariableRules::new("depthwise_kernel", &self.depthwise_initializer)
                .argument("depthwise")
                .kept(&self.depthwise_regularizer, &self.depthwise_constraint),
            VariableRules::new("pointwise_kernel", &self.pointwise_initializer)
                .argument("pointwise")
                .kept(&self.pointwise_regularizer, &self.pointwise_constraint),
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
            let pixels = self.grid(dims);
            let to = pixels.shape(DataFormat::ChannelsLast);
            let y = plan.depthwise(x, call.variables[0], dims, &to);
            let mixing = self.mixing(pixels);
            let y = plan.convolve(&y, call.variables[1], mixing, &to.with_last(self.filters));
            Ok(match self.use_bias {
                true => plan.bias(&y, call.variables[2]),
                false => y,
            })
        });
        plan.activate(&y, &self.activation)
    }
}
