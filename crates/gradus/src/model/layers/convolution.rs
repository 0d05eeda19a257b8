use super::sliding::{Padding, Sliding, outputs};
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
use crate::rules::window::Window;
use serde::{Deserialize, Serialize};

/// Convolution of sequences.
pub type Conv1D = Conv<1>;

/// Convolution of images.
pub type Conv2D = Conv<2>;

/// activation(x ∗ kernel + bias): each filter of the kernel slides over the sequence or the image,
/// and makes a channel of the output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Conv<const RANK: usize> {
    /// Number of filters: the channels of the output.
    #[schemars(extend("examples" = [32]))]
    pub filters: usize,
    /// Size of the kernel: a number for all axes, or one for each.
    #[schemars(extend("examples" = [3]))]
    pub kernel_size: PerAxis<RANK>,
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
    /// Pixels from a tap of the kernel to the next; 1 beside strides.
    #[serde(default)]
    #[schemars(extend("examples" = [2]))]
    pub dilation_rate: PerAxis<RANK>,
    /// Groups, into which channels and filters are cut: a group's filters see its channels alone.
    /// Default 1.
    #[serde(default = "one")]
    pub groups: usize,
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

fn one() -> usize {
    1
}

impl<const RANK: usize> Conv<RANK> {
    /// Makes a layer with so many filters of that size, everything else by default.
    pub fn new(filters: usize, kernel_size: impl Into<PerAxis<RANK>>) -> Self {
        Conv {
            filters,
            kernel_size: kernel_size.into(),
            strides: PerAxis::default(),
            padding: Padding::default(),
            data_format: DataFormat::default(),
            dilation_rate: PerAxis::default(),
            groups: 1,
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

    /// The window that slides over an input of this shape.
    pub(super) fn window(&self, input: &Shape) -> Result<Window> {
        let grid = Grid::<RANK>::of(input, self.data_format)?;
        self.sliding().window(input, grid)
    }

    fn dims(&self, shape: &Shape, grid: Grid<RANK>) -> Result<ConvDims> {
        if !grid.channels.is_multiple_of(self.groups) {
            let expected = format!("channels in {} groups of one size", self.groups);
            return Err(Error::shape("", shape, expected));
        }
        Ok(ConvDims {
            window: self.sliding().window(shape, grid)?,
            channels: grid.channels,
            filters: self.filters,
            groups: self.groups,
        })
    }

    fn result(&self, dims: ConvDims, format: DataFormat) -> Shape {
        Grid::<RANK> {
            axes: outputs(dims.window),
            channels: self.filters,
        }
        .shape(format)
    }
}

setters!(Conv<const RANK> {
    /// Sets the number of filters.
    filters(usize);
    /// Sets the size of the kernel.
    kernel_size(into PerAxis<RANK>);
    /// Sets the pixels from a place of the kernel to the next.
    strides(into PerAxis<RANK>);
    /// Sets the padding.
    padding(Padding);
    /// Sets the order of the axes.
    data_format(DataFormat);
    /// Sets the pixels from a tap of the kernel to the next.
    dilation_rate(into PerAxis<RANK>);
    /// Sets the number of groups.
    groups(usize);
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

impl<const RANK: usize> Rule for Conv<RANK> {
    fn check(&self) -> Result<()> {
        if self.groups == 0 {
            return Err(Error::invalid("groups", 0, "a whole number above 0"));
        }
        if self.filters == 0 || !self.filters.is_multiple_of(self.groups) {
            let expected = match self.groups {
                1 => "a whole number above 0".to_owned(),
                groups => format!("a whole number above 0, in {groups} groups of one size"),
            };
            return Err(Error::invalid("filters", self.filters, expected));
        }
        if RANK > 1 {
            self.padding.check()?;
        }
        self.sliding().check("kernel_size")?;
        self.sliding().check_apart()?;
        check_output(&self.activation, &self.activity_regularizer)?;
        check_rules(&self.variable_rules())
    }
}

impl<const RANK: usize> LayerFormula for Conv<RANK> {
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
        shape.extend([channels / self.groups, self.filters]);
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

    fn with_bias(&self) -> Option<Self> {
        let plain =
            self.activation == Activation::Linear && self.data_format == DataFormat::ChannelsLast;
        plain.then(|| self.clone().use_bias(true))
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let y = channels_last(plan, &call, self.data_format, |plan, x, grid| {
            let dims = self.dims(&x.shape, grid)?;
            let to = self.result(dims, DataFormat::ChannelsLast);
            let y = plan.convolve(x, call.variables[0], dims, &to);
            Ok(match self.use_bias {
                true => plan.bias(&y, call.variables[1]),
                false => y,
            })
        });
        plan.activate(&y, &self.activation)
    }
}
