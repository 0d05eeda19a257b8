//! The keys of `[train]`, as they are written.

use super::PerOutput;
use super::metrics::MetricTable;
use crate::base::json_schema;
use crate::base::registry::Value;
use crate::rules::losses::Loss;
use crate::rules::optimizers::{LearningRate, Optimizer};
use crate::rules::schedules::Schedule;
use crate::train::{OnNan, Precision, QuantizationAware};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::json;
use std::num::NonZeroUsize;

/// The training. A key that is missing is taken from `model.file`, if that was compiled, or from the
/// recipe.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "Train", default)]
pub struct Raw {
    /// The loss, or one for each output by its name: `{ price = "mse", kind = "crossentropy" }`.
    /// Default the saved model's or the recipe's; of a table what its target asks for.
    #[schemars(with = "Option<PerOutput<Loss>>", extend("examples" = ["sparse_categorical_crossentropy"]))]
    pub loss: Option<Value>,
    /// The weight of the loss, or of each output's. Default 1.
    #[schemars(with = "Option<PerOutput<f64>>", extend("examples" = [{ "price": 1.0, "kind": 0.2 }]))]
    pub loss_weights: Option<Value>,
    /// Metrics, in the history under the names that are given here; with several outputs a list for
    /// each. Default the saved model's or the recipe's.
    #[schemars(with = "Option<PerOutput<Vec<MetricTable>>>", extend("examples" = [["accuracy"]]))]
    pub metrics: Option<Value>,
    /// Metrics that the weights of rows and classes count in. Default none.
    #[schemars(with = "Option<PerOutput<Vec<MetricTable>>>", extend("examples" = [["accuracy"]]))]
    pub weighted_metrics: Option<Value>,
    /// The epoch at which the training ends. Default 1, or the recipe's.
    #[schemars(with = "Option<NonZeroUsize>", extend("examples" = [20]))]
    pub epochs: Option<Value>,
    /// The epoch at which the training begins, for one that goes on with a saved model.
    #[schemars(with = "Option<usize>", extend("default" = 0), extend("examples" = [10]))]
    pub initial_epoch: Option<Value>,
    /// The rows of a step. Default 32, or the recipe's.
    #[schemars(with = "Option<NonZeroUsize>", extend("examples" = [32]))]
    pub batch_size: Option<Value>,
    /// True to draw the order of the rows anew in each epoch.
    #[schemars(with = "Option<bool>", extend("default" = true), extend("examples" = [false]))]
    pub shuffle: Option<Value>,
    /// The optimizer. Beside a recipe its `type` may be left out: the keys then replace those of the
    /// recipe's optimizer. Default the saved model's or the recipe's.
    #[schemars(schema_with = "optimizer_schema")]
    #[schemars(extend("examples" = [{ "type": "Nadam", "learning_rate": 0.001, "clipnorm": 1.0 }]))]
    pub optimizer: Option<Value>,
    /// Short for the optimizer's key of this name: a number, a Keras schedule, or `"auto"`, which
    /// runs the learning-rate finder first. Default the optimizer's own.
    #[schemars(with = "Option<LearningRate>", extend("examples" = ["auto"]))]
    pub learning_rate: Option<Value>,
    /// A schedule that Keras has no object for: `OneCycle`, `OneCycleLR`, `PowerScheduling`,
    /// `ExponentialByEpoch` or `PiecewiseByEpoch`. A Keras schedule goes in place of the learning rate. Beside a
    /// recipe its `type` may be left out. With `learning_rate = "auto"` the highest rate is found.
    /// Default none, or the recipe's 1cycle.
    #[schemars(schema_with = "schedule_schema")]
    #[schemars(extend("examples" = [{ "type": "OneCycle", "max_rate": 0.05 }]))]
    pub schedule: Option<Value>,
    /// Weights of classes in the loss, by label or name; `"balanced"` gives each class the same.
    /// Default 1 for all.
    #[schemars(schema_with = "class_weight_schema", extend("examples" = ["balanced"]))]
    pub class_weight: Option<Value>,
    /// Mixup: each row is mixed with another one, by shares from the beta distribution with this
    /// parameter, above 0. Default none.
    #[schemars(extend("examples" = [0.2]))]
    pub mixup: Option<f64>,
    /// The number of steps from one sample of the layers' health to the next, about: more often at the
    /// beginning, less often in a long training. 0 turns it off. Default 100.
    #[schemars(extend("examples" = [20]))]
    pub health_every: Option<usize>,
    /// The number format of products, as Keras' policies are called.
    #[schemars(schema_with = "precision_schema")]
    #[schemars(extend("default" = Precision::default().name()), extend("examples" = ["mixed_bfloat16"]))]
    pub precision: Option<Value>,
    /// Quantization-aware training, with 8 bits: dense layers and convolutions round inputs and kernels to int8
    /// numbers, with ranges that are learned; `gradus convert MODEL OUT.onnx --quantize int8` has them. Default
    /// none.
    #[schemars(with = "Option<QuantizationAware>", extend("examples" = [{ "bits": 8 }]))]
    pub quantization_aware: Option<Value>,
    /// The reaction to a loss that is NaN or infinite.
    #[schemars(schema_with = "on_nan_schema")]
    #[schemars(extend("default" = OnNan::default().name()), extend("examples" = ["continue"]))]
    pub on_nan: Option<Value>,
}

fn optimizer_schema(generator: &mut SchemaGenerator) -> Schema {
    json_schema::or_untyped::<Optimizer>(generator)
}

fn schedule_schema(generator: &mut SchemaGenerator) -> Schema {
    json_schema::or_untyped::<Schedule>(generator)
}

fn class_weight_schema(_: &mut SchemaGenerator) -> Schema {
    let weights = json_schema::by_name(json!({ "type": "number", "minimum": 0 }));
    json_schema::either(&[json!({ "const": "balanced" }), weights])
}

fn precision_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema::words([
        (Precision::Float32.name(), "single precision throughout"),
        (
            Precision::MixedBfloat16.name(),
            "factors of products in bfloat16, all else in float32",
        ),
    ])
}

fn on_nan_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema::words([
        (
            OnNan::Stop.name(),
            "the training ends, and the last finite state is kept",
        ),
        (OnNan::Continue.name(), "it goes on, as in Keras"),
    ])
}

impl Raw {
    /// Takes away a learning rate that is `"auto"`; true if there was one.
    pub fn take_auto(&mut self) -> bool {
        let is_auto = |rate: Option<&Value>| rate.is_some_and(|rate| rate == "auto");
        if is_auto(self.learning_rate.as_ref()) {
            self.learning_rate = None;
            return true;
        }
        let optimizer = self.optimizer.as_mut().and_then(Value::as_object_mut);
        let of_optimizer = optimizer.filter(|fields| is_auto(fields.get("learning_rate")));
        of_optimizer
            .and_then(|fields| fields.remove("learning_rate"))
            .is_some()
    }
}
