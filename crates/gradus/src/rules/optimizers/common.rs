use super::{Method, OptimizerFormula};
use crate::base::json_schema;
use crate::base::registry::{Value, field_names, fields, named, read, refuse_unknown};
use crate::error::{Error, Result, join};
use crate::rules::schedules::Schedule;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The slot of the weights' moving average.
pub(crate) const AVERAGE: &str = "average";

/// The slot of the accumulated gradients since the last update.
pub(crate) const ACCUMULATOR: &str = "gradient_accumulator";

/// A number, or a schedule of the step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum LearningRate {
    /// A constant.
    Constant(f64),
    /// A Keras schedule.
    Schedule(Schedule),
}

impl<'de> Deserialize<'de> for LearningRate {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match Value::deserialize(d)? {
            Value::Number(rate) => Ok(LearningRate::Constant(rate.as_f64().unwrap_or(f64::NAN))),
            other @ (Value::String(_) | Value::Object(_)) => Schedule::from_config("", &other)
                .map(LearningRate::Schedule)
                .map_err(serde::de::Error::custom),
            _ => Err(serde::de::Error::custom("expected a number or a schedule")),
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

/// The arguments of every optimizer, in the order of Keras' configurations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Common {
    /// Keras' name of the optimizer. Default its class in small letters.
    #[schemars(extend("examples" = ["sgd"]))]
    name: Option<String>,
    /// Learning rate: a number, or a Keras schedule; in `[train]` also `"auto"`, which runs the
    /// learning-rate finder first. Default the optimizer's own: 0.001 for most, 0.01 for SGD.
    #[schemars(extend("examples" = [0.01]))]
    learning_rate: Option<LearningRate>,
    /// Weight decay: share of each weight, times the learning rate, that is subtracted before the
    /// update. Default none, except for AdamW (0.004) and Muon (0.004).
    #[schemars(extend("examples" = [0.004]))]
    weight_decay: Option<f64>,
    /// Clips each variable's gradient to this norm. Default none.
    #[schemars(extend("examples" = [1.0]))]
    clipnorm: Option<f64>,
    /// Clips the whole gradient to this norm. Default none.
    #[schemars(extend("examples" = [1.0]))]
    global_clipnorm: Option<f64>,
    /// Clips each element of the gradient to ± this. Default none.
    #[schemars(extend("examples" = [0.5]))]
    clipvalue: Option<f64>,
    /// True to keep a moving average of the weights, which replaces them at the end of the
    /// training.
    #[schemars(extend("examples" = [true]))]
    use_ema: bool,
    /// Momentum m of the average: average ← m average + (1 - m) w.
    ema_momentum: f64,
    /// Interval in steps at which the average also replaces the weights. Default never.
    #[schemars(extend("examples" = [100]))]
    ema_overwrite_frequency: Option<u64>,
    /// Factor of the loss before the gradient is taken, by which the gradient is divided. In
    /// float32 the two cancel: it is kept for Keras' files. Default none.
    #[schemars(extend("examples" = [1024.0]))]
    loss_scale_factor: Option<f64>,
    /// Gradient accumulation: the weights are updated once in this many steps, by the mean gradient.
    /// Default each step.
    #[schemars(extend("examples" = [4]))]
    gradient_accumulation_steps: Option<u64>,
    /// Names of variables without weight decay, or parts of names. Not stored in Keras' files.
    /// Default none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["bias", "gamma"]]))]
    exclude_from_weight_decay: Vec<String>,
    /// Factors of the learning rate in the layers whose names match a pattern (`*` stands for any
    /// text; the last match counts): discriminative rates. Not stored in Keras' files. Default 1 for
    /// all.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(with = "BTreeMap<String, f64>", extend("examples" = [{ "dense_1": 0.1 }]))]
    layer_rates: serde_json::Map<String, Value>,
}

impl Default for Common {
    fn default() -> Self {
        Common {
            name: None,
            learning_rate: None,
            weight_decay: None,
            clipnorm: None,
            global_clipnorm: None,
            clipvalue: None,
            use_ema: false,
            ema_momentum: 0.99,
            ema_overwrite_frequency: None,
            loss_scale_factor: None,
            gradient_accumulation_steps: None,
            exclude_from_weight_decay: Vec::new(),
            layer_rates: serde_json::Map::new(),
        }
    }
}

/// Any method, with the arguments that every optimizer takes.
pub type Optimizer = OptimizerOf<Method>;

/// A method with the arguments that every optimizer takes; [`Optimizer`] has any method.
///
/// ```
/// use gradus::prelude::*;
///
/// let one = SGD::new().learning_rate(0.01).momentum(0.9).clipnorm(1.0);
/// let same = SGD::new().clipnorm(1.0).momentum(0.9).learning_rate(0.01);
/// assert_eq!(Optimizer::from(one), Optimizer::from(same));
/// ```
///
/// One step, for each trainable variable, is: gradient, clipping, weight decay
/// (w ← w - w · decay · rate), the method's update.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerOf<M> {
    /// The method's own arguments and formula.
    pub method: M,
    /// Keras' name of the object. Default the method's.
    pub name: Option<String>,
    /// Learning rate. The default is the method's.
    pub learning_rate: LearningRate,
    /// Weight decay: share of each weight, times the learning rate, subtracted before the update.
    /// The default is the method's: none except for AdamW and Muon.
    pub weight_decay: Option<f64>,
    /// Clips each gradient element to ± this. Default none.
    pub clipvalue: Option<f64>,
    /// Clips each variable's gradient to this norm. Default none.
    pub clipnorm: Option<f64>,
    /// Clips the whole gradient to this norm (Pascanu et al. 2013). Default none.
    pub global_clipnorm: Option<f64>,
    /// True to keep a moving average of the weights, which replaces them at the end of the training
    /// (Polyak & Juditsky 1992). Default no.
    pub use_ema: bool,
    /// Momentum m of the average: average ← m average + (1 - m) w. Default 0.99.
    pub ema_momentum: f64,
    /// Interval in steps at which the average also replaces the weights. Default never.
    pub ema_overwrite_frequency: Option<u64>,
    /// Keras multiplies the loss by this before it takes the gradient, and divides the gradient by
    /// it before anything else: against underflow in 16-bit formats. In float32 the two cancel (the
    /// golden cases `opt_*_loss_scale` show it), so nothing is computed; it is kept for Keras'
    /// files. Default none.
    pub loss_scale_factor: Option<f64>,
    /// Gradient accumulation: the weights are updated once in this many steps, by the mean
    /// gradient. Default each step.
    pub gradient_accumulation_steps: Option<u64>,
    /// Names of variables without weight decay, matched as substrings: `bias`, `gamma`. Not stored
    /// in Keras' files. Default none.
    pub exclude_from_weight_decay: Vec<String>,
    /// Factors of the learning rate in the layers, or parts, whose names match a pattern (`*`
    /// stands for any text; the last match counts): discriminative rates (Howard & Ruder 2018).
    /// Weight decay follows the rate. Not stored in Keras' files. Default 1.
    pub layer_rates: Vec<(String, f64)>,
    /// The pruned variables, by layer and name: their zeros stay zeros. Set for the time of a
    /// training, stored nowhere.
    pub(crate) pruned: Vec<(String, &'static str)>,
}

impl Optimizer {
    /// True if it has a momentum (or β₁) that a schedule can change.
    pub fn has_momentum(&self) -> bool {
        if self.method.to_config()["momentum"].as_f64() == Some(0.0) {
            return false;
        }
        let with = |momentum: f32| {
            self.method.coefficients(super::Clock {
                iteration: 0,
                learning_rate: 1.0,
                momentum: Some(momentum),
                scalars: &mut self.method.scalars().to_vec(),
            })
        };
        with(0.5) != with(0.75)
    }

    /// Reads it from a name, or from a table with `type` and arguments.
    pub fn from_config(at: &str, value: &Value) -> Result<Self> {
        let (name, given) = named(at, "optimizer", value)?;
        let shared = field_names::<Common>();
        if let Some(member) = Method::MEMBERS.iter().find(|m| m.is_called(&name)) {
            let known = [(member.fields)(), shared].concat();
            // Advice may compute with the rate, also with the usual one.
            let mut all = given.clone();
            if let (Ok(method), false) = (
                Method::from_config(at, &json!(member.class)),
                all.contains_key("learning_rate"),
            ) {
                all.insert("learning_rate".into(), method.default_rate().into());
            }
            refuse_unknown(at, ("optimizer", member.class), &all, &known)?;
        }
        // Keras writes null for none, even if the default is another.
        let decay_given = given.contains_key("weight_decay");
        let (common, mut own): (serde_json::Map<_, _>, serde_json::Map<_, _>) = given
            .into_iter()
            .partition(|(key, _)| shared.contains(&key.as_str()));
        own.insert("type".into(), name.into());
        let method = Method::from_config(at, &own.into())?;
        let common: Common = read(at, common)?;
        // Keras' default name, numbered if there are several, carries no information.
        let own = |given: &String| {
            let bare = given.trim_end_matches(|c: char| c.is_ascii_digit());
            let bare = bare.strip_suffix('_').unwrap_or(given);
            bare.eq_ignore_ascii_case(method.class())
        };
        let layer_rates = common.layer_rates.into_iter().map(|(pattern, factor)| {
            let number = factor.as_f64().ok_or_else(|| {
                let at = join(&join(at, "layer_rates"), &pattern);
                Error::invalid(&at, &factor, "a number")
            })?;
            Ok((pattern, number))
        });
        let layer_rates = layer_rates.collect::<Result<_>>()?;
        let mut optimizer = Optimizer {
            layer_rates,
            name: common.name.filter(|given| !own(given)),
            clipvalue: common.clipvalue,
            clipnorm: common.clipnorm,
            global_clipnorm: common.global_clipnorm,
            use_ema: common.use_ema,
            ema_momentum: common.ema_momentum,
            ema_overwrite_frequency: common.ema_overwrite_frequency,
            loss_scale_factor: common.loss_scale_factor,
            gradient_accumulation_steps: common.gradient_accumulation_steps,
            exclude_from_weight_decay: common.exclude_from_weight_decay,
            ..Optimizer::from(method)
        };
        if let Some(rate) = common.learning_rate {
            optimizer.learning_rate = rate;
        }
        if decay_given {
            optimizer.weight_decay = common.weight_decay;
        }
        optimizer.check().map_err(|error| error.under(at))?;
        Ok(optimizer)
    }

    /// The common arguments of all optimizers.
    pub(crate) fn shared_arguments() -> &'static [&'static str] {
        field_names::<Common>()
    }

    /// The type and every argument.
    pub fn to_config(&self) -> Value {
        let mut config = self.method.to_config();
        if let Value::Object(object) = &mut config {
            object.extend(fields(&Common {
                name: self
                    .name
                    .clone()
                    .or(Some(self.method.class().to_lowercase())),
                learning_rate: Some(self.learning_rate.clone()),
                weight_decay: self.weight_decay,
                clipvalue: self.clipvalue,
                clipnorm: self.clipnorm,
                global_clipnorm: self.global_clipnorm,
                use_ema: self.use_ema,
                ema_momentum: self.ema_momentum,
                ema_overwrite_frequency: self.ema_overwrite_frequency,
                loss_scale_factor: self.loss_scale_factor,
                gradient_accumulation_steps: self.gradient_accumulation_steps,
                exclude_from_weight_decay: self.exclude_from_weight_decay.clone(),
                layer_rates: self
                    .layer_rates
                    .iter()
                    .map(|(pattern, factor)| (pattern.clone(), (*factor).into()))
                    .collect(),
            }));
        }
        config
    }

    /// The slots of each weight: the method's, then the optional ones of every method.
    pub(crate) fn slots(&self) -> Vec<&'static str> {
        let mut slots = self.method.slots().to_vec();
        if self.use_ema {
            slots.push(AVERAGE);
        }
        if self.gradient_accumulation_steps.is_some() {
            slots.push(ACCUMULATOR);
        }
        slots
    }

    /// The initial value of a slot.
    pub(crate) fn slot_start(&self, slot: usize) -> f32 {
        if slot < self.method.slots().len() {
            self.method.slot_start()[slot]
        } else {
            0.0
        }
    }

    /// Refuses invalid arguments.
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
            ("loss_scale_factor", self.loss_scale_factor),
        ] {
            if let Some(value) = value
                && !(value > 0.0 && value.is_finite())
            {
                return Err(Error::invalid(key, value, "a number above 0"));
            }
        }
        if let Some(decay) = self.weight_decay
            && !(decay >= 0.0 && decay.is_finite())
        {
            return Err(Error::invalid(
                "weight_decay",
                decay,
                "a number of 0 or more",
            ));
        }
        if !(0.0..=1.0).contains(&self.ema_momentum) {
            return Err(Error::invalid(
                "ema_momentum",
                self.ema_momentum,
                "a number from 0 to 1",
            ));
        }
        for (key, value, least) in [
            ("ema_overwrite_frequency", self.ema_overwrite_frequency, 1),
            (
                "gradient_accumulation_steps",
                self.gradient_accumulation_steps,
                2,
            ),
        ] {
            if let Some(value) = value
                && value < least
            {
                let expected = format!("a whole number of {least} or more");
                return Err(Error::invalid(key, value, expected));
            }
        }
        for name in &self.exclude_from_weight_decay {
            if name.is_empty() || !name.chars().all(|c| c == '_' || c.is_alphanumeric()) {
                return Err(Error::invalid(
                    "exclude_from_weight_decay",
                    format!("`{name}`"),
                    "a variable's name or a part of it (no regular expressions)",
                ));
            }
        }
        for (pattern, factor) in &self.layer_rates {
            if !(*factor > 0.0 && factor.is_finite()) {
                let at = join("layer_rates", pattern);
                return Err(Error::invalid(&at, factor, "a number above 0"));
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
}

impl<M> OptimizerOf<M> {
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

    /// Clips each gradient element to ± `limit`.
    pub fn clipvalue(mut self, limit: f64) -> Self {
        self.clipvalue = Some(limit);
        self
    }

    /// Clips each variable's gradient to this norm.
    pub fn clipnorm(mut self, norm: f64) -> Self {
        self.clipnorm = Some(norm);
        self
    }

    /// Clips the whole gradient to this norm.
    pub fn global_clipnorm(mut self, norm: f64) -> Self {
        self.global_clipnorm = Some(norm);
        self
    }

    /// Excludes variables from the weight decay whose names contain one of these.
    pub fn exclude_from_weight_decay(mut self, names: &[&str]) -> Self {
        self.exclude_from_weight_decay = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Multiplies the learning rate by this in the layers whose names match each
    /// pattern: see [`Optimizer::layer_rates`].
    pub fn layer_rates(mut self, rates: &[(&str, f64)]) -> Self {
        let rates = rates
            .iter()
            .map(|&(pattern, rate)| (pattern.to_owned(), rate));
        self.layer_rates = rates.collect();
        self
    }

    /// Keeps a moving average of the weights with this momentum.
    pub fn use_ema(mut self, momentum: f64) -> Self {
        self.use_ema = true;
        self.ema_momentum = momentum;
        self
    }

    /// Accumulates gradients: updates the weights once in this many steps, by the mean gradient.
    pub fn gradient_accumulation_steps(mut self, steps: u64) -> Self {
        self.gradient_accumulation_steps = Some(steps);
        self
    }
}

/// With the word of `[train]` that runs the learning-rate finder.
impl JsonSchema for LearningRate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "LearningRate".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let schedule = generator.subschema_for::<Schedule>().to_value();
        json_schema::either(&[
            json!({ "type": "number" }),
            json!({ "const": "auto" }),
            schedule,
        ])
    }
}

impl JsonSchema for Optimizer {
    fn schema_name() -> Cow<'static, str> {
        "Optimizer".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let common = json_schema::properties(Common::json_schema(generator));
        let (name, noun) = ("Optimizer", "optimizer");
        let members = (Method::MEMBERS, Method::SCHEMAS);
        json_schema::family(generator, name, noun, members, &common)
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

impl<M> OptimizerOf<M> {
    fn with(method: M, learning_rate: f64, weight_decay: Option<f64>) -> Self {
        OptimizerOf {
            method,
            learning_rate: LearningRate::Constant(learning_rate),
            weight_decay,
            name: None,
            clipvalue: None,
            clipnorm: None,
            global_clipnorm: None,
            use_ema: false,
            ema_momentum: 0.99,
            ema_overwrite_frequency: None,
            loss_scale_factor: None,
            gradient_accumulation_steps: None,
            exclude_from_weight_decay: Vec::new(),
            layer_rates: Vec::new(),
            pruned: Vec::new(),
        }
    }
}

impl<R: OptimizerFormula> OptimizerOf<R> {
    /// The rule at its default learning rate and weight decay.
    pub(super) fn of(rule: R) -> Self {
        Self::with(rule, R::LEARNING_RATE, R::WEIGHT_DECAY)
    }
}

impl From<Method> for Optimizer {
    fn from(method: Method) -> Self {
        let (rate, decay) = (method.default_rate(), method.default_decay());
        Self::with(method, rate, decay)
    }
}

impl From<&str> for Optimizer {
    /// The optimizer of this name with default arguments (`"adam"`), as Keras' strings have it. An
    /// unknown name is an error when the model is compiled, which gives the nearest one.
    fn from(name: &str) -> Self {
        Method::from(name).into()
    }
}

impl<R: OptimizerFormula> From<R> for Optimizer
where
    Method: From<R>,
{
    fn from(rule: R) -> Self {
        OptimizerOf::of(rule).into()
    }
}

impl<R: OptimizerFormula> From<OptimizerOf<R>> for Optimizer
where
    Method: From<R>,
{
    fn from(optimizer: OptimizerOf<R>) -> Self {
        Optimizer {
            method: optimizer.method.into(),
            learning_rate: optimizer.learning_rate,
            weight_decay: optimizer.weight_decay,
            name: optimizer.name,
            clipvalue: optimizer.clipvalue,
            clipnorm: optimizer.clipnorm,
            global_clipnorm: optimizer.global_clipnorm,
            use_ema: optimizer.use_ema,
            ema_momentum: optimizer.ema_momentum,
            ema_overwrite_frequency: optimizer.ema_overwrite_frequency,
            loss_scale_factor: optimizer.loss_scale_factor,
            gradient_accumulation_steps: optimizer.gradient_accumulation_steps,
            exclude_from_weight_decay: optimizer.exclude_from_weight_decay,
            layer_rates: optimizer.layer_rates,
            pruned: optimizer.pruned,
        }
    }
}
