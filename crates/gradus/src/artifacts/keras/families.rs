//! Keras' families of rules, and their objects' arguments that gradus does not have.

use crate::base::registry::{Member, Value};
use crate::model::layers::{KerasHome, Layer};
use crate::model::sequential::snake_case;
use crate::rules::activations::Activation;
use crate::rules::constraints::Constraint;
use crate::rules::initializers::Initializer;
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;
use crate::rules::optimizers::{Method, Optimizer};
use crate::rules::regularizers::Regularizer;
use crate::rules::schedules::Schedule;

/// The family of a Keras object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Activation,
    Constraint,
    Initializer,
    Layer,
    Loss,
    Metric,
    Optimizer,
    Regularizer,
    Schedule,
}

/// The package that layers are registered with that Keras has none of, and their module.
pub(crate) const PACKAGE: &str = "gradus";

/// The registered name of a layer that Keras does not have.
pub(crate) fn registered_name(class: &str) -> Option<String> {
    let home = Layer::keras_class(class)?.home;
    (home == KerasHome::Gradus).then(|| format!("{PACKAGE}>{class}"))
}

impl Family {
    /// The family of an argument's object, by the argument's name.
    pub fn of_argument(name: &str) -> Option<Family> {
        Some(match name {
            "activation" => Family::Activation,
            "learning_rate" => Family::Schedule,
            _ if name.ends_with("_initializer") => Family::Initializer,
            _ if name.ends_with("_regularizer") => Family::Regularizer,
            _ if name.ends_with("_constraint") => Family::Constraint,
            _ => return None,
        })
    }

    /// Name in messages.
    pub fn noun(self) -> &'static str {
        match self {
            Family::Activation => "activation",
            Family::Constraint => "constraint",
            Family::Initializer => "initializer",
            Family::Layer => "layer",
            Family::Loss => "loss",
            Family::Metric => "metric",
            Family::Optimizer => "optimizer",
            Family::Regularizer => "regularizer",
            Family::Schedule => "learning-rate schedule",
        }
    }

    /// The Keras module of its classes. An activation with arguments is a layer.
    pub fn module(self) -> &'static str {
        match self {
            Family::Activation | Family::Layer => "keras.layers",
            Family::Constraint => "keras.constraints",
            Family::Initializer => "keras.initializers",
            Family::Loss => "keras.losses",
            Family::Metric => "keras.metrics",
            Family::Optimizer => "keras.optimizers",
            Family::Regularizer => "keras.regularizers",
            Family::Schedule => "keras.optimizers.schedules",
        }
    }

    /// The members that gradus has.
    fn members(self) -> &'static [Member] {
        match self {
            Family::Activation => Activation::MEMBERS,
            Family::Initializer => Initializer::MEMBERS,
            Family::Loss => Loss::MEMBERS,
            Family::Metric => Metric::MEMBERS,
            Family::Optimizer => Method::MEMBERS,
            Family::Schedule => Schedule::MEMBERS,
            Family::Layer => Layer::MEMBERS,
            Family::Constraint => Constraint::MEMBERS,
            Family::Regularizer => Regularizer::MEMBERS,
        }
    }

    /// The member of a Keras class, or of an alias.
    ///
    /// Keras spells activations differently as layers: `ELU`, `LeakyReLU`.
    pub fn member(self, name: &str) -> Option<&'static Member> {
        let same_class = |class: &str| match self {
            Family::Activation => class.eq_ignore_ascii_case(name),
            _ => class == name,
        };
        let mut members = self.members().iter();
        members.find(|m| same_class(m.class) || m.aliases.contains(&name))
    }

    /// True if gradus has this argument of the member.
    pub fn has_argument(self, member: &Member, name: &str) -> bool {
        let shared = match self {
            Family::Optimizer => Optimizer::shared_arguments(),
            Family::Loss => Loss::shared_arguments(),
            _ => &[],
        };
        (member.fields)().contains(&name) || shared.contains(&name)
    }

    /// All arguments of the rule of an alias, if Keras writes them out. Keras leaves activations,
    /// losses and metrics as the user wrote them.
    pub fn written_out(self, alias: &Value) -> Option<Value> {
        match self {
            Family::Initializer => Some(Initializer::from_config("", alias).ok()?.to_config()),
            Family::Constraint => Some(Constraint::from_config("", alias).ok()?.to_config()),
            Family::Regularizer => Some(Regularizer::from_config("", alias).ok()?.to_config()),
            Family::Optimizer => Some(Optimizer::from_config("", alias).ok()?.to_config()),
            _ => None,
        }
    }

    /// The arguments of a class that Keras writes and gradus does not have.
    pub fn extras(self, class: &str) -> impl Iterator<Item = &'static Extra> {
        let class = class.to_owned();
        let keras = Layer::keras_class(&class).filter(|_| self == Family::Layer);
        let of_images = keras.is_some_and(|keras| keras.bounding_boxes);
        EXTRAS.iter().filter(move |extra| {
            extra.family == self
                && (extra.classes.is_empty() || extra.classes.contains(&class.as_str()))
                && (!extra.images || of_images)
        })
    }
}

/// A Keras argument that gradus does not have, because only one value is needed. If a rule gets the
/// argument, the entry here is ignored.
#[derive(Debug)]
pub(crate) struct Extra {
    family: Family,
    /// Classes with the argument; empty for all.
    classes: &'static [&'static str],
    /// The argument's name.
    pub argument: &'static str,
    /// Neutral value, which changes nothing.
    value: Plain,
    /// True if every value is neutral.
    any: bool,
    /// True if only layers have it that take bounding boxes beside images.
    images: bool,
    /// True if Keras writes the neutral value.
    pub written: bool,
}

#[derive(Debug)]
enum Plain {
    Null,
    False,
    Number(f64),
    Text(&'static str),
    /// The class's name.
    ItsClass,
    /// The class's name, as Keras names objects that have none: `rm_sprop`.
    ItsName,
}

impl Extra {
    const fn new(
        family: Family,
        classes: &'static [&'static str],
        argument: &'static str,
        value: Plain,
    ) -> Self {
        let (any, images, written) = (false, false, true);
        Extra {
            family,
            classes,
            argument,
            value,
            any,
            images,
            written,
        }
    }

    /// Makes every value neutral.
    const fn any(mut self) -> Self {
        self.any = true;
        self
    }

    /// Only layers have it that take bounding boxes beside images.
    const fn of_images(mut self) -> Self {
        self.images = true;
        self
    }

    /// Keras omits the neutral value.
    const fn unwritten(mut self) -> Self {
        self.written = false;
        self
    }

    /// The neutral value.
    pub fn neutral(&self, class: &str) -> Value {
        match &self.value {
            Plain::Null => Value::Null,
            Plain::False => false.into(),
            Plain::Number(number) if number.fract() == 0.0 && number.abs() < 1e9 => {
                // Axes are integers in Keras' files.
                (*number as i64).into()
            }
            Plain::Number(number) => (*number).into(),
            Plain::Text(text) => (*text).into(),
            Plain::ItsClass => class.into(),
            Plain::ItsName => snake_case(class).into(),
        }
    }

    /// True if the value changes nothing in a network.
    pub fn is_neutral(&self, class: &str, found: &Value) -> bool {
        let neutral = self.neutral(class);
        self.any
            || *found == neutral
            || number(found).is_some() && number(found) == number(&neutral)
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64()
}

const SCALED: &[&str] = &[
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "VarianceScaling",
];
const ENTROPIES: &[&str] = &[
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
];
const ADAMS: &[&str] = &["Adam", "AdamW"];
const LOOKUPS: &[&str] = &["IntegerLookup", "StringLookup"];

const LORA: &[&str] = &["Conv1D", "Conv2D", "Dense", "Embedding"];

/// As Keras 3.15 writes them, for every class.
#[rustfmt::skip]
const EXTRAS: &[Extra] = {
    use Family::*;
    use Plain::{False, ItsClass, ItsName, Null, Number, Text};
    &[
        Extra::new(Initializer, SCALED, "input_axes", Null),
        Extra::new(Initializer, SCALED, "output_axes", Null),

        Extra::new(Activation, &[], "name", ItsName).any().unwritten(),
        Extra::new(Activation, &[], "trainable", Null).any().unwritten(),
        Extra::new(Activation, &["ReLU"], "max_value", Null),
        Extra::new(Activation, &["ReLU"], "negative_slope", Number(0.0)),
        Extra::new(Activation, &["ReLU"], "threshold", Number(0.0)),
        Extra::new(Activation, &["Softmax"], "axis", Number(-1.0)),

        Extra::new(Layer, &["Flatten"], "data_format", Text("channels_last")),
        Extra::new(Layer, &[], "activity_regularizer", Null).unwritten(),
        Extra::new(Layer, &["Dense"], "quantization_config", Null),
        Extra::new(Layer, LORA, "lora_rank", Null).unwritten(),
        Extra::new(Layer, LORA, "lora_alpha", Null).any().unwritten(),
        Extra::new(Layer, &["MCDropout", "MCAlphaDropout"], "noise_shape", Null).unwritten(),
        Extra::new(Layer, &[], "bounding_box_format", Null).of_images().unwritten(),
        Extra::new(Layer, &["LayerNormalization"], "rms_scaling", False),
        Extra::new(Layer, &["BatchNormalization"], "synchronized", False),
        Extra::new(Layer, &["BatchNormalization"], "renorm", False),
        Extra::new(Layer, &["BatchNormalization"], "renorm_clipping", Null).any(),
        Extra::new(Layer, &["BatchNormalization"], "renorm_momentum", Number(0.99)).any(),
        Extra::new(Layer, &["ReLU"], "max_value", Null),
        Extra::new(Layer, &["ReLU"], "negative_slope", Number(0.0)),
        Extra::new(Layer, &["ReLU"], "threshold", Number(0.0)),
        Extra::new(Layer, &["Softmax"], "axis", Number(-1.0)),
        Extra::new(Layer, &["Discretization", "Hashing"], "sparse", False),
        Extra::new(Layer, &["Embedding"], "mask_zero", False),
        Extra::new(Layer, &["Embedding"], "input_length", Null).any().unwritten(),
        Extra::new(Layer, &["Embedding"], "quantization_config", Null),
        Extra::new(Layer, LOOKUPS, "invert", False),
        Extra::new(Layer, LOOKUPS, "sparse", False),
        Extra::new(Layer, LOOKUPS, "idf_weights", Null),
        Extra::new(Layer, LOOKUPS, "vocabulary_size", Null).any(),
        Extra::new(Layer, &["IntegerLookup"], "vocabulary_dtype", Text("int64")),
        Extra::new(Layer, &["StringLookup"], "oov_method", Text("floormod")).any(),

        Extra::new(Optimizer, &[], "name", ItsName).any(),
        Extra::new(Optimizer, &[], "use_ema", False),
        Extra::new(Optimizer, &[], "ema_momentum", Number(0.99)).any(),
        Extra::new(Optimizer, &[], "ema_overwrite_frequency", Null).any(),
        Extra::new(Optimizer, &[], "loss_scale_factor", Null),
        Extra::new(Optimizer, &[], "gradient_accumulation_steps", Null),
        Extra::new(Optimizer, ADAMS, "amsgrad", False),

        Extra::new(Schedule, &[], "name", ItsClass).any(),
        Extra::new(Schedule, &["PiecewiseConstantDecay"], "name", Text("PiecewiseConstant")),
        Extra::new(Schedule, &["CosineDecayRestarts"], "name", Text("SGDRDecay")),

        Extra::new(Loss, &[], "name", ItsName).any(),
        Extra::new(Loss, ENTROPIES, "axis", Number(-1.0)),

        Extra::new(Metric, &[], "name", ItsName).any(),
        Extra::new(Metric, &[], "dtype", Text("float32")),
        Extra::new(Metric, &[], "axis", Number(-1.0)).unwritten(),
    ]
};
