//! Layers: configuration, weights, shapes, lowering.

use crate::base::registry::{Rule, forward, registry};
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::dtype::Dtype;
use crate::model::weights::Weight;
use crate::plan::Buffer;
use crate::plan::lower::{Lowering, Value};
use crate::rules::activations::{Activation as Function, Form};
use crate::rules::constraints::Constraint;
use crate::rules::regularizers::Regularizer;

mod adaptation;
mod affine;
mod axes;
mod checks;
mod encoding;
mod keras;
mod lookup;
mod margins;
mod product;
mod quantization;
mod sliding;
mod spatial;
mod traits;
mod variables;
pub(crate) use adaptation::{Adaptation, Adapts, InputCheck, Seen};
pub(crate) use affine::Affine;
pub(crate) use encoding::MOST_PLACES;
pub use encoding::OutputMode;
pub(crate) use keras::{KerasHome, KerasTraits};
pub(crate) use product::Product;
pub use quantization::Quantization;
pub use traits::{Dropping, Effect, LayerTraits, Randomness};
pub(crate) use variables::{VariableRules, VariableSpec};
mod image;
pub use crate::base::hash::Salt;
pub use crate::rules::augment::{FillMode, Interpolation, Resampling};
pub use axes::Axes;
pub use convolution::Conv;
pub use convolution_transpose::ConvTranspose;
pub use depthwise_convolution::DepthwiseConv;
pub use global_pooling::{GlobalAveragePooling, GlobalMaxPooling};
pub use hashing::MaskValue;
pub use image::{DataFormat, Factor};
pub use integer_lookup::OovMethod;
pub use margins::Margins;
pub use normalization::Statistic;
pub use pooling::{AveragePooling, MaxPooling};
pub use random_erasing::FillValue;
pub use random_flip::FlipMode;
pub use separable_convolution::SeparableConv;
pub use sliding::Padding;
pub use spatial::PerAxis;
pub use zero_padding::ZeroPadding;

/// One use of a layer, as it is lowered.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Inputs of the call.
    pub inputs: &'a [Value],
    /// The layer's variables, in the order of its specs.
    pub variables: &'a [Buffer],
    /// Their values at lowering, for those that training never changes.
    pub weights: &'a [Weight],
    /// The kernel that it shares with another layer.
    pub tied: Option<Buffer>,
    /// True if the layer is to be trained; a frozen one may act differently.
    pub trainable: bool,
    /// True if its input holds the places of texts, no longer the texts.
    pub looked_up: bool,
}

/// The behaviour of a kind of layer: shapes, variables, traits, and the operations that it
/// becomes. Each is in a file of its own.
pub(crate) trait LayerFormula: Rule {
    /// Facts about its class in Keras.
    const KERAS: KerasTraits = KerasTraits::LAYER;

    /// Facts that others ask for. Required, for a layer that draws random numbers has to
    /// say so, or Monte Carlo predictions are wrong without a word.
    fn traits(&self) -> LayerTraits;

    /// True if it makes one tensor of two or more. Others take one.
    fn merges(&self) -> bool {
        false
    }

    /// The shape of an output row, from those of the inputs' rows.
    fn output(&self, inputs: &[Shape]) -> Result<Shape>;

    /// The type that Keras gives its output, from the inputs'.
    fn dtype(&self, inputs: &[Dtype]) -> Dtype {
        let _ = inputs;
        Dtype::Float32
    }

    /// The variables, in the order of Keras' files.
    fn variables(&self, inputs: &[Shape]) -> Vec<VariableSpec> {
        let _ = inputs;
        Vec::new()
    }

    /// The initializer, regularizer and constraint of each variable that may have some.
    fn variable_rules(&self) -> Vec<VariableRules<'_>> {
        Vec::new()
    }

    /// The regularizer of its output.
    fn activity_regularizer(&self) -> Option<Regularizer> {
        None
    }

    /// The argument with a value that no Keras 3 takes, and the values that it does take.
    fn beyond_keras(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// The name of the layer whose kernel it uses, if it uses one.
    fn tied_to(&self) -> Option<&str> {
        None
    }

    /// The texts of its dictionary, if it has one.
    fn known_texts(&self) -> Option<&[String]> {
        None
    }

    /// The number of each text, for a layer that takes text: none where it has no place
    /// for it, -1 where it counts for nothing.
    fn look_up(&self, texts: &[String]) -> Result<Vec<Option<f32>>> {
        let _ = texts;
        Err(Error::Internal(
            "a layer of numbers looks no texts up".into(),
        ))
    }

    /// A check of the numbers of an input that it is applied to.
    fn input_check(&self) -> Result<Option<InputCheck>> {
        Ok(None)
    }

    /// Knowledge that it learns from data before training; `weights` are its own, none
    /// before the model is built.
    fn adaptation(&self, weights: &[Weight]) -> Option<Adaptation> {
        let _ = weights;
        None
    }

    /// Learns the statistic that [`LayerFormula::adaptation`] asks for.
    fn adapt(&mut self, weights: &mut Vec<Weight>, seen: Seen) -> Result<()> {
        let _ = weights;
        Err(adaptation::not_asked_for(&seen))
    }

    /// The vocabulary as a file's separate text. `None` if it belongs to the layer's arguments,
    /// because it was given and not learned, or if a text cannot hold it.
    fn vocabulary_text(&self) -> Option<String> {
        None
    }

    /// Reads the vocabulary from such a text, if the layer's arguments have none.
    fn take_vocabulary(&mut self, text: &str) -> Result<()> {
        let _ = text;
        Ok(())
    }

    /// The scale and offset of each number of a row of that shape, for a layer that in inference
    /// does nothing else.
    fn affine(&self, weights: &[Weight], shape: &Shape) -> Option<Affine> {
        let _ = (weights, shape);
        None
    }

    /// Itself with a bias, if it does nothing but multiply its input by weights and add the bias,
    /// and the last numbers of its last kernel are the channels of its output: what is done to
    /// those can be done to the weights.
    fn with_bias(&self) -> Option<Self> {
        None
    }

    /// The mode in which its weights are quantized.
    fn quantization(&self) -> Option<Quantization> {
        None
    }

    /// Quantizes it with its weights, of which it has none before the model is built. An error
    /// if it cannot be; then nothing is changed.
    fn quantize(&mut self, mode: Quantization, weights: &mut Vec<Weight>) -> Result<()> {
        let _ = weights;
        let found = format!("a layer without an {} form", mode.name());
        Err(Error::invalid("", found, "one that Keras quantizes"))
    }

    /// Adds its forward operations.
    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value;
}

registry! {
    /// A step from inputs to outputs, with or without weights.
    Layer("layer") {
        activation: Activation[];
        activity_regularization: ActivityRegularization[];
        alpha_dropout: AlphaDropout[];
        batch_normalization: BatchNormalization[];
        cast: Cast[];
        category_encoding: CategoryEncoding[];
        center_crop: CenterCrop[];
        concatenate: Concatenate[];
        convolution: Conv1D["Convolution1D"], Conv2D["Convolution2D"];
        convolution_transpose: Conv1DTranspose["Convolution1DTranspose"],
            Conv2DTranspose["Convolution2DTranspose"];
        cropping: Cropping1D[], Cropping2D[];
        dense: Dense[];
        dense_transpose: DenseTranspose[];
        depthwise_convolution: DepthwiseConv1D[], DepthwiseConv2D[];
        discretization: Discretization[];
        dot: Dot[];
        dropout: Dropout[];
        elu: ELU[];
        embedding: Embedding[];
        flatten: Flatten[];
        gaussian_dropout: GaussianDropout[];
        gaussian_noise: GaussianNoise[];
        global_pooling: GlobalAveragePooling1D["GlobalAvgPool1D"],
            GlobalAveragePooling2D["GlobalAvgPool2D"],
            GlobalMaxPooling1D["GlobalMaxPool1D"], GlobalMaxPooling2D["GlobalMaxPool2D"];
        group_normalization: GroupNormalization[];
        hashing: Hashing[];
        integer_lookup: IntegerLookup[];
        isnan: Isnan[];
        layer_normalization: LayerNormalization[];
        leaky_relu: LeakyReLU[];
        mc_alpha_dropout: MCAlphaDropout[];
        mc_dropout: MCDropout[];
        nan_to_num: NanToNum[];
        merge: Add[], Average[], Maximum[], Minimum[], Multiply[], Subtract[];
        normalization: Normalization[];
        permute: Permute[];
        pooling: AveragePooling1D["AvgPool1D"], AveragePooling2D["AvgPool2D"],
            MaxPooling1D["MaxPool1D"], MaxPooling2D["MaxPool2D"];
        prelu: PReLU[];
        random_brightness: RandomBrightness[];
        random_contrast: RandomContrast[];
        random_crop: RandomCrop[];
        random_erasing: RandomErasing[];
        random_flip: RandomFlip[];
        random_rotation: RandomRotation[];
        random_translation: RandomTranslation[];
        random_zoom: RandomZoom[];
        relu: ReLU[];
        rescaling: Rescaling[];
        repeat_vector: RepeatVector[];
        reshape: Reshape[];
        resizing: Resizing[];
        rrelu: RReLU[];
        separable_convolution: SeparableConv1D["SeparableConvolution1D"],
            SeparableConv2D["SeparableConvolution2D"];
        softmax: Softmax[];
        spatial_dropout: SpatialDropout1D[], SpatialDropout2D[];
        string_lookup: StringLookup[];
        up_sampling: UpSampling1D[], UpSampling2D[];
        zero_padding: ZeroPadding1D[], ZeroPadding2D[];
    }
}

forward!(Layer {
    /// Facts about it that others ask for.
    pub fn traits(&self) -> LayerTraits;
    pub(crate) fn merges(&self) -> bool;
    pub(crate) fn dtype(&self, inputs: &[Dtype]) -> Dtype;
    pub(crate) fn variables(&self, inputs: &[Shape]) -> Vec<VariableSpec>;
    pub(crate) fn variable_rules(&self) -> Vec<VariableRules<'_>>;
    pub(crate) fn activity_regularizer(&self) -> Option<Regularizer>;
    pub(crate) fn beyond_keras(&self) -> Option<(&'static str, &'static str)>;
    pub(crate) fn tied_to(&self) -> Option<&str>;
    pub(crate) fn known_texts(&self) -> Option<&[String]>;
    pub(crate) fn look_up(&self, texts: &[String]) -> Result<Vec<Option<f32>>>;
    pub(crate) fn input_check(&self) -> Result<Option<InputCheck>>;
    pub(crate) fn adaptation(&self, weights: &[Weight]) -> Option<Adaptation>;
    pub(crate) fn vocabulary_text(&self) -> Option<String>;
    pub(crate) fn affine(&self, weights: &[Weight], shape: &Shape) -> Option<Affine>;
    /// The mode in which its weights are quantized, if they are.
    pub fn quantization(&self) -> Option<Quantization>;
    pub(crate) fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value;
    /// Facts about its class in Keras.
    pub(crate) fn keras(&self) -> KerasTraits = KERAS;
});

/// Limit of a row's elements, above any honest network's.
const MAX_ROW: usize = 1 << 31;

impl Layer {
    /// The shape of an output row; an error if the inputs do not fit the layer.
    pub(crate) fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let expected = match (inputs.len(), self.merges()) {
            (1, false) | (2.., true) => {
                let shape = match_member!(&self.0, rule: R => rule.output(inputs))?;
                let mut dims = shape.dims().iter();
                let size = dims.try_fold(1usize, |size, &dim| size.checked_mul(dim));
                return match size {
                    Some(1..=MAX_ROW) => Ok(shape),
                    _ => Err(Error::shape("", &shape, "a row that fits into memory")),
                };
            }
            (_, false) => "one",
            (_, true) => "two or more",
        };
        let found = format!("{} inputs", inputs.len());
        Err(Error::invalid("", found, expected))
    }

    /// The regularizer of the variable of that name.
    pub(crate) fn regularizer(&self, variable: &str) -> Option<&Regularizer> {
        let mut all = self.variable_rules().into_iter();
        all.find(|rules| rules.name == variable)?.regularizer
    }

    /// The constraint of the variable of that name.
    pub(crate) fn constraint(&self, variable: &str) -> Option<&Constraint> {
        let mut all = self.variable_rules().into_iter();
        all.find(|rules| rules.name == variable)?.constraint
    }

    /// Learns the statistic that [`Layer::adaptation`] asks for.
    pub(crate) fn adapt(&mut self, weights: &mut Vec<Weight>, seen: Seen) -> Result<()> {
        match_member!(&mut self.0, rule: R => rule.adapt(weights, seen))
    }

    /// Quantizes it with its weights, of which it has none before the model is built. An error
    /// if it cannot be; then nothing is changed.
    pub(crate) fn quantize(&mut self, mode: Quantization, weights: &mut Vec<Weight>) -> Result<()> {
        match self.quantization() {
            None => match_member!(&mut self.0, rule: R => rule.quantize(mode, weights)),
            Some(already) => {
                let found = format!("an {} layer", already.name());
                Err(Error::invalid("", found, "one that is not quantized yet"))
            }
        }
    }

    /// See [`LayerFormula::with_bias`].
    pub(crate) fn with_bias(&self) -> Option<Layer> {
        match_member!(&self.0, rule: R => rule.with_bias().map(Layer::from))
    }

    /// Takes the vocabulary of a file's text, if it has none among its arguments.
    pub(crate) fn take_vocabulary(&mut self, text: &str) -> Result<()> {
        match_member!(&mut self.0, rule: R => rule.take_vocabulary(text))
    }

    /// The dense layer that it is, if it is one.
    pub(crate) fn as_dense(&self) -> Option<&Dense> {
        match &self.0 {
            Kind::Dense(dense) => Some(dense),
            _ => None,
        }
    }

    /// The dense layer that it is, if it is one, to be changed.
    pub(crate) fn as_dense_mut(&mut self) -> Option<&mut Dense> {
        match &mut self.0 {
            Kind::Dense(dense) => Some(dense),
            _ => None,
        }
    }

    /// True if it is one product of its input and a kernel of float numbers, with a bias and an
    /// activation or without.
    pub(crate) fn is_one_product(&self) -> bool {
        let product = matches!(
            self.0,
            Kind::Dense(_)
                | Kind::Conv1D(_)
                | Kind::Conv2D(_)
                | Kind::DepthwiseConv1D(_)
                | Kind::DepthwiseConv2D(_)
        );
        product && self.quantization().is_none()
    }

    /// The layer that orders axes anew that it is, if it is one.
    pub(crate) fn as_permute(&self) -> Option<&Permute> {
        match &self.0 {
            Kind::Permute(permute) => Some(permute),
            _ => None,
        }
    }

    /// The same convolution with this activation, if it has none.
    pub(crate) fn with_activation(&self, activation: &Function) -> Option<Layer> {
        macro_rules! among {
            ($($class:ident)*) => {
                match &self.0 {
                    $(Kind::$class(layer) if layer.activation == Function::Linear => {
                        Some(layer.clone().activation(activation.clone()).into())
                    })*
                    _ => None,
                }
            };
        }
        among!(Conv1D Conv2D Conv1DTranspose Conv2DTranspose DepthwiseConv1D DepthwiseConv2D)
    }

    /// The layer that does with the channels last what this one does with the channels first, on rows
    /// of so many axes; none of a layer for which a row is more than its elements and an axis. Its
    /// weights are the same.
    pub(crate) fn on_channels_last(&self, rank: usize) -> Option<Layer> {
        let rank = rank as i64;
        let moved = |axis: i64| match if axis < 0 { axis + rank + 1 } else { axis } {
            1 => rank,
            other => other - 1,
        };
        let one = |axes: &Axes| match axes.as_slice() {
            &[axis] => Some(moved(axis)),
            _ => None,
        };
        match &self.0 {
            Kind::Activation(layer) if layer.activation.form() == Form::Element => {
                Some(self.clone())
            }
            Kind::ReLU(_)
            | Kind::LeakyReLU(_)
            | Kind::ELU(_)
            | Kind::Rescaling(_)
            | Kind::Add(_)
            | Kind::Subtract(_)
            | Kind::Multiply(_)
            | Kind::Maximum(_)
            | Kind::Minimum(_)
            | Kind::Average(_) => Some(self.clone()),
            Kind::Dropout(layer) if layer.noise_shape.is_none() => Some(self.clone()),
            Kind::BatchNormalization(layer) => Some(layer.clone().axis(one(&layer.axis)?).into()),
            Kind::Softmax(layer) => Some(Softmax::new().axis(one(&layer.axis)?).into()),
            Kind::Concatenate(layer) => Some(Concatenate::new().axis(moved(layer.axis)).into()),
            Kind::PReLU(layer) => {
                let shared = layer.shared_axes.as_ref()?;
                let mut shared: Vec<i64> = shared.iter().map(|&axis| moved(axis)).collect();
                shared.sort_unstable();
                (shared.iter().copied().eq(1..rank))
                    .then(|| layer.clone().shared_axes(shared).into())
            }
            _ => None,
        }
    }

    /// True if it convolves each channel by itself.
    pub(crate) fn is_depthwise(&self) -> bool {
        matches!(self.0, Kind::DepthwiseConv1D(_) | Kind::DepthwiseConv2D(_))
    }

    /// The function that it applies, if it is a layer of an activation alone.
    pub(crate) fn as_activation(&self) -> Option<&Function> {
        match &self.0 {
            Kind::Activation(layer) => Some(&layer.activation),
            _ => None,
        }
    }

    /// Facts about the Keras class of that name, if it is a layer's.
    pub(crate) fn keras_class(class: &str) -> Option<KerasTraits> {
        let mut all = Self::MEMBERS.iter().zip(each_member!(R => R::KERAS));
        all.find(|(member, _)| member.class == class)
            .map(|(_, keras)| keras)
    }
}
