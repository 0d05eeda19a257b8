//! `[train]`: losses, metrics, optimizer, schedule and epochs.

use super::metrics::read_metrics;
use super::train_keys::Raw;
use super::{PerOutput, excluded, highest_rate, problem_at, truth, whole};
use crate::base::registry::{Value, read, table};
use crate::error::{Error, Result};
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;
use crate::rules::optimizers::{LearningRate, Optimizer};
use crate::rules::schedules::Schedule;
use crate::train::{OnNan, Precision, QuantizationAware};

/// `[train]`, read; a setting that is not named is `None`.
#[derive(Clone, Debug)]
pub struct TrainConfig {
    pub loss: Option<PerOutput<Loss>>,
    pub loss_weights: Option<PerOutput<f64>>,
    pub metrics: Option<PerOutput<Vec<(String, Metric)>>>,
    pub weighted_metrics: Option<PerOutput<Vec<(String, Metric)>>>,
    pub epochs: Option<usize>,
    pub initial_epoch: usize,
    pub batch_size: Option<usize>,
    pub shuffle: bool,
    pub optimizer: Option<Optimizer>,
    /// True if the optimizer is a recipe's, except for the keys given, the learning rate not among
    /// them.
    pub keeps_rate: bool,
    /// `learning_rate` if no optimizer is given that would take it.
    pub learning_rate: Option<LearningRate>,
    /// True if the learning-rate finder is to set the rate: it was `"auto"`.
    pub find_rate: bool,
    pub schedule: Option<Schedule>,
    /// Weights of classes, by their labels or names.
    pub class_weight: Vec<(String, f64)>,
    /// The parameter of the beta distribution of mixup, if rows are mixed.
    pub mixup: Option<f64>,
    /// The steps between two samples of the layers' health, if they are given.
    pub health_every: Option<usize>,
    pub precision: Precision,
    /// Quantization-aware training, if it is wanted.
    pub quantization_aware: Option<QuantizationAware>,
    /// The reaction to a loss that is NaN or infinite: `"stop"` or `"continue"`.
    pub on_nan: OnNan,
    /// True if the weights are to balance the classes: `"balanced"`.
    pub balance_classes: bool,
}

const RATE: &str = "train.learning_rate";
const OPTIMIZER_RATE: &str = "train.optimizer.learning_rate";
const SCHEDULE: &str = "train.schedule";

impl TrainConfig {
    /// Reads the table; `at` is its path of keys.
    pub fn from_value(at: &str, value: &Value) -> Result<Self> {
        let mut raw: Raw = read(at, table(at, value)?)?;
        let key = |key: &str| format!("{at}.{key}");
        let number = |name: &str, value: Option<Value>, least| {
            value.map(|v| whole(&key(name), &v, least)).transpose()
        };
        let precision = match &raw.precision {
            None => Precision::Float32,
            Some(Value::String(name)) => Precision::named(&key("precision"), name)?,
            Some(other) => Precision::named(&key("precision"), &other.to_string())?,
        };
        let on_nan = match &raw.on_nan {
            None => OnNan::Stop,
            Some(Value::String(name)) => OnNan::named(&key("on_nan"), name)?,
            Some(other) => OnNan::named(&key("on_nan"), &other.to_string())?,
        };
        let rate_of = |o: &Value| o.get("learning_rate").is_some();
        if raw.learning_rate.is_some() && raw.optimizer.as_ref().is_some_and(rate_of) {
            return Err(excluded(
                RATE,
                OPTIMIZER_RATE,
                "the first is short for the second",
            ));
        }
        let find_rate = raw.take_auto();
        let rate = raw
            .learning_rate
            .map(|rate| read_rate(RATE, &rate))
            .transpose()?;
        let mut optimizer = None;
        if let Some(value) = raw.optimizer {
            if let Some(rate) = value.get("learning_rate") {
                read_rate(OPTIMIZER_RATE, rate)?;
            }
            let mut read = Optimizer::from_config(&key("optimizer"), &value)?;
            if let Some(rate) = &rate {
                read.learning_rate = rate.clone();
            }
            optimizer = Some(read);
        }
        let config = TrainConfig {
            loss: raw
                .loss
                .map(|loss| PerOutput::from_value(&key("loss"), &loss, Loss::from_config))
                .transpose()?,
            loss_weights: raw
                .loss_weights
                .map(|w| PerOutput::from_value(&key("loss_weights"), &w, read_weight))
                .transpose()?,
            metrics: raw
                .metrics
                .map(|m| PerOutput::from_value(&key("metrics"), &m, read_metrics))
                .transpose()?,
            weighted_metrics: raw
                .weighted_metrics
                .map(|m| PerOutput::from_value(&key("weighted_metrics"), &m, read_metrics))
                .transpose()?,
            epochs: number("epochs", raw.epochs, 1)?,
            initial_epoch: number("initial_epoch", raw.initial_epoch, 0)?.unwrap_or(0),
            batch_size: number("batch_size", raw.batch_size, 1)?,
            shuffle: match raw.shuffle {
                None => true,
                Some(shuffle) => truth(&key("shuffle"), &shuffle)?,
            },
            learning_rate: if optimizer.is_some() { None } else { rate },
            find_rate,
            keeps_rate: false,
            mixup: raw.mixup,
            health_every: raw.health_every,
            precision,
            quantization_aware: raw
                .quantization_aware
                .map(|value| read_quantization(&key("quantization_aware"), &value))
                .transpose()?,
            on_nan,
            optimizer,
            schedule: raw
                .schedule
                .map(|schedule| read_schedule(&schedule, find_rate))
                .transpose()?,
            balance_classes: raw.class_weight.as_ref().is_some_and(|w| w == "balanced"),
            class_weight: match raw.class_weight {
                None => Vec::new(),
                Some(Value::String(word)) if word == "balanced" => Vec::new(),
                Some(weights) => read_class_weight(&key("class_weight"), &weights)?,
            },
        };
        match config.keras_schedule_key() {
            Some(a) if config.schedule.is_some() => {
                Err(excluded(a, SCHEDULE, "both set the learning rate"))
            }
            _ => Ok(config),
        }
    }

    /// The key with a Keras schedule in place of a rate, if any.
    fn keras_schedule_key(&self) -> Option<&'static str> {
        let is_schedule = |rate: &LearningRate| matches!(rate, LearningRate::Schedule(_));
        let of_optimizer = self.optimizer.as_ref().map(|o| &o.learning_rate);
        if of_optimizer.is_some_and(is_schedule) {
            Some(OPTIMIZER_RATE)
        } else if self.learning_rate.as_ref().is_some_and(is_schedule) {
            Some(RATE)
        } else {
            None
        }
    }

    /// The key of the schedule that sets the learning rate.
    pub fn schedule_key(&self) -> Option<&'static str> {
        let own = self.schedule.as_ref().map(|_| SCHEDULE);
        own.or_else(|| self.keras_schedule_key())
    }
}

/// A number or a Keras schedule.
fn read_rate(at: &str, value: &Value) -> Result<LearningRate> {
    match value {
        Value::Number(rate) => match rate.as_f64() {
            Some(rate) if rate > 0.0 => Ok(LearningRate::Constant(rate)),
            Some(0.0) => {
                let expected = "a number above 0: a rate of 0 trains nothing (layers are frozen by \
                                `model.trainable`)";
                Err(Error::invalid(at, value, expected))
            }
            _ => Err(Error::invalid(at, value, "a number above 0")),
        },
        Value::String(_) | Value::Object(_) => {
            let schedule = Schedule::from_config(at, value)?;
            if schedule.is_keras() {
                return Ok(schedule.into());
            }
            let class = schedule.class();
            let problem = format!("Keras has no schedule `{class}`: it goes under `{SCHEDULE}`");
            Err(problem_at(at, &problem))
        }
        other => Err(Error::invalid(
            at,
            other,
            "a number, a Keras schedule, or \"auto\"",
        )),
    }
}

fn read_weight(at: &str, value: &Value) -> Result<f64> {
    let number = value.as_f64();
    number.ok_or_else(|| Error::invalid(at, value, "a number"))
}

fn read_quantization(at: &str, value: &Value) -> Result<QuantizationAware> {
    let read: QuantizationAware = read(at, table(at, value)?)?;
    read.check().map_err(|error| error.under(at))?;
    Ok(read)
}

/// A table of classes and their weights: `{ 0 = 0.5, 1 = 2.0 }`.
fn read_class_weight(at: &str, value: &Value) -> Result<Vec<(String, f64)>> {
    if !value.is_object() {
        let expected = "\"balanced\", or a table of classes and weights";
        return Err(Error::invalid(at, value, expected));
    }
    let mut weights = Vec::new();
    for (class, weight) in table(at, value)? {
        match weight.as_f64() {
            Some(w) if w >= 0.0 => weights.push((class, w)),
            _ => {
                let at = format!("{at}.{class}");
                return Err(Error::invalid(&at, weight, "a number of 0 or more"));
            }
        }
    }
    Ok(weights)
}

/// Reads a schedule that Keras has no object for; its highest rate may be to find.
fn read_schedule(value: &Value, find_rate: bool) -> Result<Schedule> {
    let schedule = match find_rate {
        true => highest_rate::read_schedule(SCHEDULE, value)?,
        false => Schedule::from_config(SCHEDULE, value)?,
    };
    if schedule.is_keras() {
        let class = schedule.class();
        let problem = format!("`{class}` is a Keras schedule: it goes under `{OPTIMIZER_RATE}`");
        return Err(problem_at(SCHEDULE, &problem));
    }
    Ok(schedule)
}
