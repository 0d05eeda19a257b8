//! Layers: configuration, weights, shapes, and what they become in a plan.

use crate::base::registry::{Rule, registry};
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::dtype::Dtype;
use crate::model::weights::Weight;
use crate::plan::Buffer;
use crate::plan::lower::{Lowering, Value};
use crate::rules::constraints::Constraint;
use crate::rules::initializers::Initializer;
use crate::rules::regularizers::Regularizer;

mod axes;
mod checks;
mod encoding;
mod lookup;
mod nature;
mod random;
pub(crate) use encoding::MOST_PLACES;
pub use encoding::OutputMode;
pub use nature::Nature;
pub(crate) use random::{AUGMENTATIONS, NOISY};
mod image;
pub use crate::base::hash::Salt;
pub use crate::rules::augment::{FillMode, Interpolation, Resampling};
pub use axes::Axes;
pub use hashing::MaskValue;
pub use image::{DataFormat, Factor};
pub use integer_lookup::OovMethod;
pub use normalization::Numbers;
pub use random_erasing::FillValue;
pub use random_flip::FlipMode;

/// A variable that a layer asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct VariableSpec {
    /// Keras' name for it: `kernel`.
    pub name: &'static str,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its first values.
    pub initializer: Initializer,
    /// Whether gradients change it: a moving mean is not trainable.
    pub trainable: bool,
}

/// One use of a layer, as it is lowered.
#[derive(Debug)]
pub struct Call<'a> {
    /// What it is applied to.
    pub inputs: &'a [Value],
    /// The layer's variables, in the order of its specs.
    pub variables: &'a [Buffer],
    /// Their values as lowering begins, for what training never changes.
    pub weights: &'a [Weight],
    /// The kernel that it shares with another layer.
    pub tied: Option<Buffer>,
    /// Whether the layer is to be trained; a frozen one may act differently.
    pub trainable: bool,
    /// Whether its input is no longer the texts, but what they name.
    pub looked_up: bool,
}

/// What a layer is.
pub trait Formula: Rule {
    /// Whether it makes one tensor of two or more. Others take one.
    fn merges(&self) -> bool {
        false
    }

    /// The shape of an output row, from those of the inputs' rows.
    fn output(&self, inputs: &[Shape]) -> Result<Shape>;

    /// What it takes and lets through.
    fn nature(&self) -> Nature {
        Nature::default()
    }

    /// What its numbers are in Keras, from what the inputs' are.
    fn dtype(&self, inputs: &[Dtype]) -> Dtype {
        let _ = inputs;
        Dtype::Float32
    }

    /// The variables, in the order of Keras' files.
    fn variables(&self, inputs: &[Shape]) -> Vec<VariableSpec> {
        let _ = inputs;
        Vec::new()
    }

    /// What keeps the variable of that name small.
    fn regularizer(&self, variable: &str) -> Option<&Regularizer> {
        let _ = variable;
        None
    }

    /// What the variable of that name is kept to.
    fn constraint(&self, variable: &str) -> Option<&Constraint> {
        let _ = variable;
        None
    }

    /// What keeps its output small.
    fn activity_regularizer(&self) -> Option<Regularizer> {
        None
    }

    /// Adds its forward operations.
    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value;
}

registry! {
    /// A step from inputs to outputs, with or without weights.
    Layer("layer", Formula) {
        activation: Activation[];
        activity_regularization: ActivityRegularization[];
        alpha_dropout: AlphaDropout[];
        batch_normalization: BatchNormalization[];
        cast: Cast[];
        category_encoding: CategoryEncoding[];
        center_crop: CenterCrop[];
        concatenate: Concatenate[];
        dense: Dense[];
        dense_transpose: DenseTranspose[];
        discretization: Discretization[];
        dot: Dot[];
        dropout: Dropout[];
        elu: ELU[];
        embedding: Embedding[];
        flatten: Flatten[];
        gaussian_dropout: GaussianDropout[];
        gaussian_noise: GaussianNoise[];
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
        reshape: Reshape[];
        resizing: Resizing[];
        rrelu: RReLU[];
        softmax: Softmax[];
        string_lookup: StringLookup[];
    }
}

/// More numbers than that in one row are no honest network's.
const MAX_ROW: usize = 1 << 31;

impl Layer {
    /// The shape of an output row; an error if the inputs do not fit the layer.
    pub(crate) fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        struct Ask<'a>(&'a [Shape]);
        impl Visit for Ask<'_> {
            type Output = Result<Shape>;
            fn visit<R: Formula>(self, rule: &R) -> Self::Output {
                let expected = match (self.0.len(), rule.merges()) {
                    (1, false) | (2.., true) => {
                        let shape = rule.output(self.0)?;
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
                let found = format!("{} inputs", self.0.len());
                Err(Error::invalid("", found, expected))
            }
        }
        self.visit(Ask(inputs))
    }

    pub(crate) fn nature(&self) -> Nature {
        struct Ask;
        impl Visit for Ask {
            type Output = Nature;
            fn visit<R: Formula>(self, rule: &R) -> Self::Output {
                rule.nature()
            }
        }
        self.visit(Ask)
    }

    pub(crate) fn dtype(&self, inputs: &[Dtype]) -> Dtype {
        struct Ask<'a>(&'a [Dtype]);
        impl Visit for Ask<'_> {
            type Output = Dtype;
            fn visit<R: Formula>(self, rule: &R) -> Self::Output {
                rule.dtype(self.0)
            }
        }
        self.visit(Ask(inputs))
    }

    pub(crate) fn variables(&self, inputs: &[Shape]) -> Vec<VariableSpec> {
        struct Ask<'a>(&'a [Shape]);
        impl Visit for Ask<'_> {
            type Output = Vec<VariableSpec>;
            fn visit<R: Formula>(self, rule: &R) -> Self::Output {
                rule.variables(self.0)
            }
        }
        self.visit(Ask(inputs))
    }

    pub(crate) fn regularizer(&self, variable: &str) -> Option<Regularizer> {
        struct Ask<'a>(&'a str);
        impl Visit for Ask<'_> {
            type Output = Option<Regularizer>;
            fn visit<R: Formula>(self, rule: &R) -> Self::Output {
                rule.regularizer(self.0).cloned()
            }
        }
        self.visit(Ask(variable))
    }

    pub(crate) fn constraint(&self, variable: &str) -> Option<Constraint> {
        struct Ask<'a>(&'a str);
        impl Visit for Ask<'_> {
            type Output = Option<Constraint>;
            fn visit<R: Formula>(self, rule: &R) -> Self::Output {
                rule.constraint(self.0).cloned()
            }
        }
        self.visit(Ask(variable))
    }

    pub(crate) fn activity_regularizer(&self) -> Option<Regularizer> {
        struct Ask;
        impl Visit for Ask {
            type Output = Option<Regularizer>;
            fn visit<R: Formula>(self, rule: &R) -> Self::Output {
                rule.activity_regularizer()
            }
        }
        self.visit(Ask)
    }

    /// The layer whose kernel it uses, if it uses one.
    pub(crate) fn tied_to(&self) -> Option<&str> {
        match &self.0 {
            Kind::DenseTranspose(layer) => Some(&layer.tied_to),
            _ => None,
        }
    }

    pub(crate) fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        struct Lower<'a>(&'a mut Lowering, Call<'a>);
        impl Visit for Lower<'_> {
            type Output = Value;
            fn visit<R: Formula>(self, rule: &R) -> Value {
                rule.lower(self.0, self.1)
            }
        }
        self.visit(Lower(plan, call))
    }
}
