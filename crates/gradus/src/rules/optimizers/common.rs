use super::Method;
use crate::base::registry::{Value, field_names, fields, named, read};
use crate::error::{Error, Result};
use crate::rules::schedules::Schedule;
use serde::{Deserialize, Serialize};

/// A number, or a schedule of the step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum LearningRate {
    /// The same in every step.
    Constant(f64),
    /// By a Keras schedule.
    Schedule(Schedule),
}

impl<'de> Deserialize<'de> for LearningRate {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match Value::deserialize(d)? {
            Value::Number(rate) => Ok(LearningRate::Constant(rate.as_f64().unwrap_or(f64::NAN))),
            other => Schedule::from_config("", &other)
                .map(LearningRate::Schedule)
                .map_err(serde::de::Error::custom),
        }
    }
}

impl From<f64> for LearningRate {
    fn from(rate: f64) -> Self {
        LearningRate::Constant(rate)
    }
}

impl From<Schedule> for LearningRate {
    fn from(schedule: Schedule) -> Self {
        LearningRate::Schedule(schedule)
    }
}

/// What Keras gives to every optimizer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Common {
    learning_rate: Option<LearningRate>,
    weight_decay: Option<f64>,
    clipvalue: Option<f64>,
    clipnorm: Option<f64>,
    global_clipnorm: Option<f64>,
}

/// A method with the arguments that every optimizer takes.
///
/// One step, for each trainable variable, is: gradient, clipping, weight decay
/// (w ← w - w · decay · rate), the method's update.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimizer {
    /// The method's own arguments and formula.
    pub method: Method,
    /// The size of a step. The default is the method's.
    pub learning_rate: LearningRate,
    /// The share of each weight, times the learning rate, that is taken off
    /// before the update. Default none.
    pub weight_decay: Option<f64>,
    /// Each gradient is cut to ± this. Default none.
    pub clipvalue: Option<f64>,
    /// Each variable's gradient is scaled down to this norm. Default none.
    pub clipnorm: Option<f64>,
    /// The whole gradient is scaled down to this norm (Pascanu et al. 2013). Default none.
    pub global_clipnorm: Option<f64>,
}

impl Optimizer {
    /// Reads it from a name, or from a table with `type` and arguments.
    pub fn from_config(at: &str, value: &Value) -> Result<Self> {
        let (name, given) = named(at, "optimizer", value)?;
        let shared = field_names::<Common>();
        if let Some(member) = Method::MEMBERS.iter().find(|m| m.is_called(&name)) {
            let known = || (member.fields)().iter().chain(shared).copied();
            if let Some(key) = given.keys().find(|key| !known().any(|k| k == *key)) {
                return Err(Error::unknown(at, "key", key, known()));
            }
        }
        let (common, mut own): (serde_json::Map<_, _>, serde_json::Map<_, _>) = given
            .into_iter()
            .partition(|(key, _)| shared.contains(&key.as_str()));
        own.insert("type".into(), name.into());
        let method = Method::from_config(at, &own.into())?;
        let common: Common = read(at, common)?;
        let optimizer = Optimizer {
            learning_rate: common
                .learning_rate
                .unwrap_or(LearningRate::Constant(method.default_rate())),
            method,
            weight_decay: common.weight_decay,
            clipvalue: common.clipvalue,
            clipnorm: common.clipnorm,
            global_clipnorm: common.global_clipnorm,
        };
        optimizer.check().map_err(|error| error.under(at))?;
        Ok(optimizer)
    }

    /// The arguments that every optimizer takes.
    pub(crate) fn shared_arguments() -> &'static [&'static str] {
        field_names::<Common>()
    }

    /// Its type and every argument.
    pub fn to_config(&self) -> Value {
        let mut config = self.method.to_config();
        if let Value::Object(object) = &mut config {
            object.extend(fields(&Common {
                learning_rate: Some(self.learning_rate.clone()),
                weight_decay: self.weight_decay,
                clipvalue: self.clipvalue,
                clipnorm: self.clipnorm,
                global_clipnorm: self.global_clipnorm,
            }));
        }
        config
    }

    /// Refuses arguments that make no sense.
    pub(crate) fn check(&self) -> Result<()> {
        self.method.check()?;
        if let LearningRate::Constant(rate) = self.learning_rate
            && !(rate >= 0.0 && rate.is_finite())
        {
            return Err(Error::invalid(
                "learning_rate",
                rate,
                "a number of 0 or more",
            ));
        }
        for (key, value) in [
            ("clipvalue", self.clipvalue),
            ("clipnorm", self.clipnorm),
            ("global_clipnorm", self.global_clipnorm),
        ] {
            if let Some(value) = value
                && !(value > 0.0 && value.is_finite())
            {
                return Err(Error::invalid(key, value, "a number above 0"));
            }
        }
        let named = [self.clipvalue, self.clipnorm, self.global_clipnorm];
        if named.iter().flatten().count() > 1 {
            return Err(Error::Config {
                at: String::new(),
                problem: "only one of `clipvalue`, `clipnorm` and `global_clipnorm` can be set, \
                          as in Keras"
                    .into(),
            });
        }
        Ok(())
    }

    /// Sets the learning rate: a number or a schedule.
    pub fn learning_rate(mut self, rate: impl Into<LearningRate>) -> Self {
        self.learning_rate = rate.into();
        self
    }

    /// Sets the weight decay.
    pub fn weight_decay(mut self, decay: f64) -> Self {
        self.weight_decay = Some(decay);
        self
    }

    /// Cuts each gradient to ± `limit`.
    pub fn clipvalue(mut self, limit: f64) -> Self {
        self.clipvalue = Some(limit);
        self
    }

    /// Scales each variable's gradient down to this norm.
    pub fn clipnorm(mut self, norm: f64) -> Self {
        self.clipnorm = Some(norm);
        self
    }

    /// Scales the whole gradient down to this norm.
    pub fn global_clipnorm(mut self, norm: f64) -> Self {
        self.global_clipnorm = Some(norm);
        self
    }
}

impl Serialize for Optimizer {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.to_config().serialize(s)
    }
}

impl<'de> Deserialize<'de> for Optimizer {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Optimizer::from_config("", &Value::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

impl<M: Into<Method>> From<M> for Optimizer {
    fn from(method: M) -> Self {
        let method = method.into();
        Optimizer {
            learning_rate: LearningRate::Constant(method.default_rate()),
            method,
            weight_decay: None,
            clipvalue: None,
            clipnorm: None,
            global_clipnorm: None,
        }
    }
}
