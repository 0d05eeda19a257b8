use super::sliding::{Padding, Sliding, inputs};
use super::spatial::{Grid, PerAxis, channels_last};
use super::variables::{check_output, check_rules, glorot_uniform, yes, zeros};
use super::{Call, DataFormat, Effect, LayerFormula, LayerTraits, VariableRules, VariableSpec};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::plan::ops::ConvDims;
use crate::rules::activations::Activation;
use crate::rules::constraints::Constraint;
use crate::rules::initializers::Initializer;
use crate::rules::regularizers::Regularizer;
use serde::{Deserialize, Serialize};

/// Transposed convolution of sequences.
pub type Conv1DTranspose = ConvTranspose<1>;

/// Transposed convolution of images.
pub type Conv2DTranspose = ConvTranspose<2>;

/// A convolution the other way round, with a bias and an activation: each pixel times the kernel is
/// added to a patch of the output, and strides make the output larger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ConvTranspose<const RANK: usize> {
    /// Number of filters: the channels of the output.
    #[schemars(extend("examples" = [32]))]
    pub filters: usize,
    /// Size of the kernel: a number for all axes, or one for each.
    #[schemars(extend("examples" = [3]))]
    pub kernel_size: PerAxis<RANK>,
    /// Pixels of the output from a patch to the next.
    #[serde(default)]
    #[schemars(extend("examples" = [2]))]
    pub strides: PerAxis<RANK>,
    /// Padding of the convolution that is turned round: with `same`, the output has the input's
    /// size times the strides.
    #[serde(default)]
    pub padding: Padding,
    /// Pixels added behind the smallest output, below the strides. Default as many as the padding
    /// asks for.
    #[serde(default)]
    #[schemars(extend("examples" = [1]))]
    pub output_padding: Option<PerAxis<RANK>>,
    /// Order of the axes.
    #[serde(default)]
    pub data_format: DataFormat,
    /// Pixels from a tap of the kernel to the next; 1 beside strides.
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
    pub kernel_initializer: Initializer,
    /// Initializer of the bias. Default zeros.
    #[serde(default = "zeros")]
    pub bias_initializer: Initializer,
    /// Penalty on the kernel. Default none.
    #[serde(default)]
    pub kernel_regularizer: Option<Regularizer>,
    /// Penalty on the bias. Default none.
    #[serde(default)]
    pub bias_regularizer: Option<Regularizer>,
    /// Penalty on the output, divided by the batch's rows. Default none.
    #[serde(default)]
    pub activity_regularizer: Option<Regularizer>,
    /// Constraint on the kernel. Default none.
    #[serde(default)]
    pub kernel_constraint: Option<Constraint>,
    /// Constraint on the bias. Default none.
    #[serde(default)]
    pub bias_constraint: Option<Constraint>,
}

impl<const RANK: usize> ConvTranspose<RANK> {
    /// Makes a layer with so many filters of that size, everything else by default.
    pub fn new(filters: usize, kernel_size: impl Into<PerAxis<RANK>>) -> Self {
        ConvTranspose {
            filters,
            kernel_size: kernel_size.into(),
            strides: PerAxis::default(),
            padding: Padding::default(),
            output_padding: None,
            data_format: DataFormat::default(),
            dilation_rate: PerAxis::default(),
            activation: Activation::Linear,
            use_bias: true,
            kernel_initializer: glorot_uniform(),
            bias_initializer: zeros(),
            kernel_regularizer: None,
            bias_regularizer: None,
            activity_regularizer: None,
            kernel_constraint: None,
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

    fn dims(&self, shape: &Shape, grid: Grid<RANK>) -> Result<ConvDims> {
        let window = self.sliding().reversed(shape, grid, self.output_padding)?;
        Ok(ConvDims {
            window,
            channels: self.filters,
            filters: grid.channels,
            groups: 1,
        })
    }

    fn result(&self, dims: ConvDims, format: DataFormat) -> Shape {
        Grid::<RANK> {
            axes: inputs(dims.window),
            channels: self.filters,
        }
        .shape(format)
    }
}

setters!(ConvTranspose<const RANK> {
    /// Sets the number of filters.
    filters(usize);
    /// Sets the size of the kernel.
    kernel_size(into PerAxis<RANK>);
    /// Sets the pixels of the output from a patch to the next.
    strides(into PerAxis<RANK>);
    /// Sets the padding.
    padding(Padding);
    /// Sets the pixels added behind the smallest output.
    output_padding(some into PerAxis<RANK>);
    /// Sets the order of the axes.
    data_format(DataFormat);
    /// Sets the pixels from a tap of the kernel to the next.
    dilation_rate(into PerAxis<RANK>);
    /// Sets the activation.
    activation(into Activation);
    /// Enables or disables the bias.
    use_bias(bool);
    /// Sets the initializer of the kernel.
    kernel_initializer(into Initializer);
    /// Sets the initializer of the bias.
    bias_initializer(into Initializer);
    /// Sets the penalty on the kernel.
    kernel_regularizer(some into Regularizer);
    /// Sets the penalty on the bias.
    bias_regularizer(some into Regularizer);
    /// Sets the penalty on the output.
    activity_regularizer(some into Regularizer);
    /// Sets the constraint on the kernel.
    kernel_constraint(some into Constraint);
    /// Sets the constraint on the bias.
    bias_constraint(some into Constraint);
});

impl<const RANK: usize> Rule for ConvTranspose<RANK> {
    fn check(&self) -> Result<()> {
        if self.filters == 0 {
            return Err(Error::invalid("filters", 0, "a whole number above 0"));
        }
        self.padding.check()?;
        self.sliding().check("kernel_size")?;
        self.sliding().check_apart()?;
        if let Some(more) = self.output_padding {
            more.check("output_padding", 0)?;
            if more
                .0
                .iter()
                .zip(&self.strides.0)
                .any(|(more, stride)| more >= stride)
            {
                let found = format!("{:?}", more.0);
                let expected = format!("numbers below those of strides = {:?}", self.strides.0);
                return Err(Error::invalid("output_padding", found, expected));
            }
        }
        check_output(&self.activation, &self.activity_regularizer)?;
        check_rules(&self.variable_rules())
    }
}

impl<const RANK: usize> LayerFormula for ConvTranspose<RANK> {
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
        let mut shape = self.kernel_size.0.to_vec();
        shape.extend([self.filters, channels]);
        let kernel = VariableSpec::trained("kernel", shape, &self.kernel_initializer);
        let bias = VariableSpec::trained("bias", vec![self.filters], &self.bias_initializer);
        let bias = self.use_bias.then_some(bias);
        [kernel].into_iter().chain(bias).collect()
    }

    fn variable_rules(&self) -> Vec<VariableRules<'_>> {
        vec![
            VariableRules::new("kernel", &self.kernel_initializer)
                .kept(&self.kernel_regularizer, &self.kernel_constraint),
            VariableRules::new("bias", &self.bias_initializer)
                .kept(&self.bias_regularizer, &self.bias_constraint),
        ]
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.activity_regularizer.clone()
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let y = channels_last(plan, &call, self.data_format, |plan, x, grid| {
            let dims = self.dims(&x.shape, grid)?;
            let to = self.result(dims, DataFormat::ChannelsLast);
            let y = plan.convolve_transposed(x, call.variables[0], dims, &to);
            Ok(match self.use_bias {
                true => plan.bias(&y, call.variables[1]),
                false => y,
            })
        });
        plan.activate(&y, &self.activation)
    }
}
