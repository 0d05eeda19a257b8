//! Functions of single elements: activations, and mappings without weights.

use super::super::messages::{Attribute, data_type};
use super::graph::{Builder, ML, float, floats, int, ints};
use crate::rules::activations::Activation;
use crate::rules::mapping::Mapping;
use crate::rules::pairwise::Pairwise;
use crate::rules::places::{Places, Unknown};

/// Numbers of larger magnitude are no i64.
const WHOLE: f32 = (1_u64 << 63) as f32;

impl Builder {
    /// f(x); the function's name if there is no rule for it.
    pub fn activation(&mut self, rule: &Activation, x: &str) -> Result<String, String> {
        let config = rule.to_config();
        let number = |key: &str| config[key].as_f64();
        let given = |key: &str| number(key).unwrap_or_default();
        Ok(match rule.class() {
            "Linear" => self.op("Identity", &[x]),
            "Relu" => self.op("Relu", &[x]),
            "Sigmoid" => self.op("Sigmoid", &[x]),
            "Tanh" => self.op("Tanh", &[x]),
            "Exponential" => self.op("Exp", &[x]),
            "Softplus" => self.op("Softplus", &[x]),
            "Softsign" => self.op("Softsign", &[x]),
            // The operator's own constants have too few digits in some runtimes.
            "Selu" => {
                let alpha = float("alpha", 1.673_263_242_354_377_2);
                let gamma = float("gamma", 1.050_700_987_355_480_5);
                self.node("Selu", &[x], vec![alpha, gamma])
            }
            "Elu" => self.with("Elu", x, "alpha", given("alpha")),
            "Celu" => self.with("Celu", x, "alpha", given("alpha")),
            "LeakyRelu" => self.with("LeakyRelu", x, "alpha", given("negative_slope")),
            "Relu6" => self.clip(x, 0.0, 6.0),
            "HardTanh" => self.clip(x, -1.0, 1.0),
            "HardSigmoid" => self.hard_sigmoid(x, 1.0 / 6.0),
            "SparseSigmoid" => self.hard_sigmoid(x, 0.5),
            "HardSilu" => {
                let gate = self.hard_sigmoid(x, 1.0 / 6.0);
                self.op("Mul", &[x, &gate])
            }
            "Silu" => {
                let gate = self.op("Sigmoid", &[x]);
                self.op("Mul", &[x, &gate])
            }
            "Mish" => {
                let soft = self.op("Softplus", &[x]);
                let gate = self.op("Tanh", &[&soft]);
                self.op("Mul", &[x, &gate])
            }
            "LogSigmoid" => {
                let negative = self.op("Neg", &[x]);
                let soft = self.op("Softplus", &[&negative]);
                self.op("Neg", &[&soft])
            }
            "TanhShrink" => {
                let tanh = self.op("Tanh", &[x]);
                self.op("Sub", &[x, &tanh])
            }
            "SoftShrink" => {
                let t = given("threshold");
                self.node("Shrink", &[x], vec![float("lambd", t), float("bias", t)])
            }
            "HardShrink" => {
                let lambd = float("lambd", given("threshold"));
                self.node("Shrink", &[x], vec![lambd, float("bias", 0.0)])
            }
            "Gelu" => self.gelu(x, config["approximate"] == true),
            "SparsePlus" => self.sparse_plus(x),
            "Squareplus" => self.squareplus(x, given("b") as f32),
            "Threshold" => {
                let other = self.scalar(given("default_value") as f32);
                self.above(x, given("threshold") as f32, x, &other)
            }
            "GeneralRelu" => {
                let (slope, threshold) = (given("negative_slope"), given("threshold"));
                let kept = match number("max_value") {
                    Some(most) => self.binary_with("Min", x, most as f32),
                    None => x.to_owned(),
                };
                let below = self.binary_with("Sub", x, threshold as f32);
                let below = self.binary_with("Mul", &below, slope as f32);
                self.above(x, threshold as f32, &kept, &below)
            }
            other => return Err(format!("the activation `{other}` has no rule")),
        })
    }

    fn with(&mut self, op: &str, x: &str, argument: &str, value: f64) -> String {
        self.node(op, &[x], vec![float(argument, value)])
    }

    /// An operator of x and a number.
    pub fn binary_with(&mut self, op: &str, x: &str, number: f32) -> String {
        let number = self.scalar(number);
        self.op(op, &[x, &number])
    }

    pub fn clip(&mut self, x: &str, low: f32, high: f32) -> String {
        let (low, high) = (self.scalar(low), self.scalar(high));
        self.op("Clip", &[x, &low, &high])
    }

    fn hard_sigmoid(&mut self, x: &str, slope: f64) -> String {
        self.node(
            "HardSigmoid",
            &[x],
            vec![float("alpha", slope), float("beta", 0.5)],
        )
    }

    /// `kept` where x is above a threshold, else `other`, also for NaN.
    fn above(&mut self, x: &str, threshold: f32, kept: &str, other: &str) -> String {
        let threshold = self.scalar(threshold);
        let is_above = self.op("Greater", &[x, &threshold]);
        self.op("Where", &[&is_above, kept, other])
    }

    /// x · ½ (1 + erf(x / √2)), or its approximation by tanh. The operator `Gelu` is of opset 20.
    fn gelu(&mut self, x: &str, approximate: bool) -> String {
        let gate = match approximate {
            true => {
                let square = self.op("Mul", &[x, x]);
                let scaled = self.binary_with("Mul", &square, 0.044_715);
                let factor = self.binary_with("Add", &scaled, 1.0);
                let bent = self.op("Mul", &[x, &factor]);
                let u = self.binary_with("Mul", &bent, (2.0 / std::f32::consts::PI).sqrt());
                self.op("Tanh", &[&u])
            }
            false => {
                let u = self.binary_with("Mul", x, std::f32::consts::FRAC_1_SQRT_2);
                self.op("Erf", &[&u])
            }
        };
        let twice = self.binary_with("Add", &gate, 1.0);
        let share = self.binary_with("Mul", &twice, 0.5);
        self.op("Mul", &[x, &share])
    }

    /// A parabola between -1 and 1: with c = x clipped there, ((c + 1) / 2)² + max(x - 1, 0).
    fn sparse_plus(&mut self, x: &str) -> String {
        let inside = self.clip(x, -1.0, 1.0);
        let moved = self.binary_with("Add", &inside, 1.0);
        let half = self.binary_with("Mul", &moved, 0.5);
        let square = self.op("Mul", &[&half, &half]);
        let beyond = self.binary_with("Sub", x, 1.0);
        let beyond = self.op("Relu", &[&beyond]);
        self.op("Add", &[&square, &beyond])
    }

    /// With s = (√(x² + b) + |x|) / 2: s above 0, b / 4 / s below, so that nothing cancels.
    fn squareplus(&mut self, x: &str, b: f32) -> String {
        let size = self.op("Abs", &[x]);
        let square = self.op("Mul", &[x, x]);
        let square = self.binary_with("Add", &square, b);
        let root = self.op("Sqrt", &[&square]);
        let sum = self.op("Add", &[&root, &size]);
        let sum = self.binary_with("Mul", &sum, 0.5);
        let quarter = self.scalar(b / 4.0);
        let below = self.op("Div", &[&quarter, &sum]);
        self.above(x, 0.0, &sum, &below)
    }

    /// The operator of a rule for two tensors.
    pub fn pairwise(&mut self, rule: Pairwise, a: &str, b: &str) -> String {
        let op = match rule {
            Pairwise::Subtract => "Sub",
            Pairwise::Multiply => "Mul",
            Pairwise::Divide => "Div",
            Pairwise::Maximum => "Max",
            Pairwise::Minimum => "Min",
        };
        self.op(op, &[a, b])
    }

    /// The rule's value for x, or the reason why ONNX has none. Vocabularies are operators of
    /// `ai.onnx.ml` if `ml`.
    pub fn mapping(&mut self, rule: &Mapping, x: &str, ml: bool) -> Result<String, String> {
        Ok(match rule {
            Mapping::Finite {
                nan,
                posinf,
                neginf,
            } => {
                let is_nan = self.op("IsNaN", &[x]);
                let nan = self.scalar(*nan);
                let mut x = self.op("Where", &[&is_nan, &nan, x]);
                for (infinity, by) in [(f32::INFINITY, posinf), (f32::NEG_INFINITY, neginf)] {
                    let infinity = self.scalar(infinity);
                    let is = self.op("Equal", &[&x, &infinity]);
                    let by = self.scalar(*by);
                    x = self.op("Where", &[&is, &by, &x]);
                }
                x
            }
            Mapping::IsNan => {
                let is_nan = self.op("IsNaN", &[x]);
                self.cast(&is_nan, data_type::FLOAT)
            }
            Mapping::Truncate => self.truncated(x),
            Mapping::IsNotZero => {
                let zero = self.scalar(0.0);
                let is_zero = self.op("Equal", &[x, &zero]);
                let is_not = self.op("Not", &[&is_zero]);
                self.cast(&is_not, data_type::FLOAT)
            }
            Mapping::Bins(bounds) => {
                let bounds = self.numbers("bounds", &[bounds.len()], bounds);
                self.count_up_to(x, &bounds)
            }
            Mapping::Place(places) => self.place(places, x, ml)?,
            Mapping::Bucket(_) => {
                return Err("ONNX has no operator for its hash".to_owned());
            }
        })
    }

    fn truncated(&mut self, x: &str) -> String {
        let sign = self.op("Sign", &[x]);
        let size = self.op("Abs", &[x]);
        let whole = self.op("Floor", &[&size]);
        self.op("Mul", &[&sign, &whole])
    }

    /// Of each element, the number of ascending bounds that are at most it; all for NaN.
    fn count_up_to(&mut self, x: &str, bounds: &str) -> String {
        let last = self.whole("axis", &[-1]);
        let each = self.op("Unsqueeze", &[x, &last]);
        let below = self.op("Less", &[&each, bounds]);
        let not_below = self.op("Not", &[&below]);
        let ones = self.cast(&not_below, data_type::FLOAT);
        self.node("ReduceSum", &[&ones, &last], vec![int("keepdims", 0)])
    }

    /// The place of each number, truncated, in a vocabulary.
    fn place(&mut self, places: &Places, x: &str, ml: bool) -> Result<String, String> {
        // NaN and numbers beyond i64 are no known numbers: they become the least one.
        let size = self.op("Abs", &[x]);
        let limit = self.scalar(WHOLE);
        let fits = self.op("Less", &[&size, &limit]);
        let zero = self.scalar(0.0);
        let x = self.op("Where", &[&fits, x, &zero]);
        let whole = self.cast(&x, data_type::INT64);
        let least = self.whole_scalar(i64::MIN);
        let whole = self.op("Where", &[&fits, &whole, &least]);
        // Places are -1 or more.
        const NONE: f32 = -2.0;
        let default = match places.unknown() {
            Unknown::At(place) => place,
            Unknown::Remainder { .. } => NONE,
            Unknown::Hashed { .. } => {
                return Err("ONNX has no operator for the hash of its unknown numbers".to_owned());
            }
        };
        let (keys, values): (Vec<i64>, Vec<f32>) = places.known().iter().copied().unzip();
        let found = match ml {
            true => {
                let attributes: Vec<Attribute> = vec![
                    ints("keys_int64s", keys),
                    floats("values_floats", values),
                    float("default_float", default.into()),
                ];
                self.node_of(ML, "LabelEncoder", &[&whole], attributes)
            }
            false => self.sought(&whole, keys, values, default),
        };
        let Unknown::Remainder { first, count } = places.unknown() else {
            return Ok(found);
        };
        let count = self.whole_scalar(count.max(1) as i64);
        let rest = self.op("Mod", &[&whole, &count]);
        let rest = self.cast(&rest, data_type::FLOAT);
        let unknown = self.binary_with("Add", &rest, first as f32);
        let none = self.scalar(NONE);
        let is_none = self.op("Equal", &[&found, &none]);
        Ok(self.op("Where", &[&is_none, &unknown, &found]))
    }

    /// The values of ascending keys, sought by comparison with each: what `LabelEncoder` finds.
    fn sought(&mut self, x: &str, keys: Vec<i64>, mut values: Vec<f32>, default: f32) -> String {
        let bounds = self.whole("keys", &keys);
        let after = self.count_up_to(x, &bounds);
        let after = self.cast(&after, data_type::INT64);
        // One key in front of all, which no number is, for those before the first.
        values.insert(0, default);
        let front = std::iter::once(i64::MAX);
        let keys = self.whole("keys", &front.chain(keys).collect::<Vec<i64>>());
        let values = self.numbers("places", &[values.len()], &values);
        let key = self.op("Gather", &[&keys, &after]);
        let value = self.op("Gather", &[&values, &after]);
        let is_known = self.op("Equal", &[&key, x]);
        let default = self.scalar(default);
        self.op("Where", &[&is_known, &value, &default])
    }
}
