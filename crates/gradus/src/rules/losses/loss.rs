use super::{Criterion, Function, Targets};
use crate::base::json_schema;
use crate::base::registry::{Member, Value, named, refuse_unknown, short};
use crate::error::{Error, Result};
use crate::rules::activations::Activation;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The reduction of the losses of a batch's rows, each times its sample weight, to one number,
/// which is reported and differentiated.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Their sum over their number, whatever the weights.
    #[default]
    SumOverBatchSize,
    /// The same.
    Mean,
    /// Their sum.
    Sum,
    /// Their sum over the sum of the weights.
    MeanWithSampleWeight,
}

/// A loss: the quantity that training minimizes. `Loss::MeanSquaredError`, or Keras' string `"mse"`.
///
/// ```
/// use gradus::rules::losses::{Huber, Loss, Reduction};
///
/// let loss = Loss::from(Huber { delta: 0.5 }).reduction(Reduction::Sum);
/// assert_eq!(loss.class(), "Huber");
/// assert_eq!(Loss::from_config("", &loss.to_config())?, loss);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// The arguments and formula.
    pub criterion: Criterion,
    /// Reduction of the rows' losses. Default [`Reduction::SumOverBatchSize`].
    pub reduction: Reduction,
}

impl<C: Into<Criterion>> From<C> for Loss {
    fn from(criterion: C) -> Self {
        Loss {
            criterion: criterion.into(),
            reduction: Reduction::default(),
        }
    }
}

/// Losses with their default arguments, as constants.
macro_rules! constants {
    ($( $(#[$doc:meta])* $rule:ident),+ $(,)?) => {
        #[allow(non_upper_case_globals)]
        impl Loss {
            $(
                $(#[$doc])*
                pub const $rule: Loss = Loss {
                    criterion: Criterion(super::Kind::$rule(super::$rule::DEFAULT), None),
                    reduction: Reduction::SumOverBatchSize,
                };
            )+
        }
    };
}

constants! {
    /// For exclusive classes given as labels.
    SparseCategoricalCrossentropy,
    /// For exclusive classes given one-hot.
    CategoricalCrossentropy,
    /// For independent yes/no outputs.
    BinaryCrossentropy,
    /// For regression.
    MeanSquaredError,
    /// For regression; large errors count only linearly.
    MeanAbsoluteError,
    /// For regression, with errors relative to the target.
    MeanAbsolutePercentageError,
    /// For regression on values of very different sizes, none below 0.
    MeanSquaredLogarithmicError,
    /// Quadratic for errors below 1, linear beyond.
    Huber,
    /// Like Huber's, but smooth.
    LogCosh,
    /// For counts.
    Poisson,
    /// Between distributions.
    KLDivergence,
    /// For a margin between yes and no.
    Hinge,
    /// For a margin between yes and no, squared.
    SquaredHinge,
    /// For a margin between exclusive classes given one-hot.
    CategoricalHinge,
    /// For directions.
    CosineSimilarity,
    /// For independent yes/no outputs, focused on hard ones.
    BinaryFocalCrossentropy,
    /// For exclusive classes given one-hot, focused on hard rows.
    CategoricalFocalCrossentropy,
}

/// The schema of the arguments beside the criterion's own.
#[derive(JsonSchema)]
#[allow(dead_code)]
struct Shared {
    /// The one number that is made of the losses of a batch's rows, each times its weight.
    #[schemars(extend("default" = Reduction::default()))]
    reduction: Reduction,
}

/// Arguments beside the criterion's own.
const SHARED: &[&str] = &["reduction"];

impl Loss {
    /// Every loss with a name, in the order of the list.
    pub const MEMBERS: &'static [Member] = Criterion::MEMBERS;

    /// A loss of the user's own: see [`Function`].
    pub fn function(
        name: &str,
        row: impl Fn(&[f32], &[f32], &mut [f32]) -> f32 + Send + Sync + 'static,
    ) -> Self {
        Function::new(name, row).into()
    }

    /// Sets the reduction of the rows' losses.
    pub fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// Keras' class name; `Function` for one of the user's own.
    pub fn class(&self) -> &'static str {
        self.criterion.class()
    }

    /// The kind of targets.
    pub fn targets(&self) -> Targets {
        self.criterion.targets()
    }

    /// True if its targets are classes.
    pub fn of_classes(&self) -> bool {
        self.criterion.of_classes()
    }

    /// The common arguments of all losses.
    pub(crate) fn shared_arguments() -> &'static [&'static str] {
        SHARED
    }

    /// Reads it from a name, or from a table with `type` and arguments. `at` is its path of
    /// keys, for the error's text.
    pub fn from_config(at: &str, value: &Value) -> Result<Self> {
        let (name, mut given) = named(at, "loss", value)?;
        if let Some(member) = Self::MEMBERS.iter().find(|m| m.is_called(&name)) {
            let known = [(member.fields)(), SHARED].concat();
            refuse_unknown(at, ("loss", member.class), &given, &known)?;
        }
        let reduction = match given.remove("reduction") {
            None => Reduction::default(),
            Some(value) => Reduction::deserialize(&value).map_err(|_| {
                let expected = "`sum_over_batch_size`, `mean`, `sum` or `mean_with_sample_weight`: \
                                a training needs one number";
                Error::invalid(&crate::error::join(at, "reduction"), value, expected)
            })?,
        };
        given.insert("type".into(), name.into());
        let criterion = Criterion::from_config(at, &given.into())?;
        Ok(Loss {
            criterion,
            reduction,
        })
    }

    /// The type and arguments, as an object with `type`.
    pub fn to_config(&self) -> Value {
        let mut config = self.criterion.to_config();
        config["reduction"] = serde_json::to_value(self.reduction).unwrap_or_default();
        config
    }

    /// Refuses invalid arguments.
    pub(crate) fn check(&self) -> Result<()> {
        self.criterion.check()
    }

    /// True if it is the user's own function, which cannot be saved.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.criterion.0, super::Kind::Function(_))
    }

    /// The same loss as a function of the activation's input, if the combined formula is stabler
    /// and cheaper.
    pub(crate) fn before(&self, activation: &Activation) -> Option<Loss> {
        let criterion = self.criterion.before(activation)?;
        Some(Loss {
            criterion,
            reduction: self.reduction,
        })
    }

    /// The factor of the weighted loss of each of `positions` positions that makes their mean the
    /// batch's loss. `weights` has one for each row.
    pub(crate) fn scale(&self, positions: usize, targets: &[f32], weights: Option<&[f32]>) -> f32 {
        let ignored = self.criterion.ignored();
        let counts = |p: &usize| ignored.is_none_or(|class| targets[*p] != class);
        let all = positions as f32;
        match (self.reduction, weights) {
            (Reduction::Sum, _) => all,
            (Reduction::MeanWithSampleWeight, Some(weights)) => {
                let per_row = (positions / weights.len().max(1)).max(1);
                let weight = |p: usize| f64::from(weights[p / per_row]);
                let sum: f64 = (0..positions).filter(counts).map(weight).sum();
                if sum == 0.0 {
                    0.0
                } else {
                    (f64::from(all) / sum) as f32
                }
            }
            _ if ignored.is_none() => 1.0,
            _ => all / (0..positions).filter(counts).count().max(1) as f32,
        }
    }

    /// True if the positions of one class are ignored.
    pub(crate) fn ignores_a_class(&self) -> bool {
        self.criterion.ignored().is_some()
    }

    /// The loss of every position, and its derivatives by the outputs.
    ///
    /// `outputs` and `gradients` have `width` elements per position.
    pub(crate) fn rows(
        &self,
        width: usize,
        targets: &[f32],
        outputs: &[f32],
        losses: &mut [f32],
        gradients: &mut [f32],
    ) {
        self.criterion
            .rows(width, targets, outputs, losses, gradients);
    }
}

impl JsonSchema for Loss {
    fn schema_name() -> Cow<'static, str> {
        "Loss".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let common = json_schema::properties(Shared::json_schema(generator));
        let members = (Criterion::MEMBERS, Criterion::SCHEMAS);
        json_schema::family(generator, "Loss", "loss", members, &common)
    }
}

impl Serialize for Loss {
    /// The alias if the arguments are the defaults, as Keras writes it.
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        short(self, self.to_config(), Self::from_config, Self::MEMBERS).serialize(s)
    }
}

impl<'de> Deserialize<'de> for Loss {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::from_config("", &Value::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}
