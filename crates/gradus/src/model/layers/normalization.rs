use super::adaptation::{Adaptation, Adapts, Seen, not_asked_for};
use super::axes::{Axes, dims_of};
use super::{Affine, Call, Effect, LayerFormula, LayerTraits, VariableSpec};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::weights::Weight;
use crate::plan::lower::{Lowering, Value};
use crate::rules::initializers::{Constant, Initializer};
use serde::{Deserialize, Serialize};

/// Standardizes its input: y = (x - mean) / max(√variance, 1e-7).
///
/// Mean and variance are given, or learned from data: by [`Model::adapt`](crate::Model::adapt), or
/// from the training rows as the first `fit` begins. They are stored in the model and its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Normalization {
    /// Axis, or axes, whose every index has a mean and variance of its own; with none (`[]`) there
    /// is one for all. Default -1, the last.
    pub axis: Axes,
    /// Mean, one number or one for each index along the axes. Default none.
    #[schemars(extend("examples" = [0.5]))]
    pub mean: Option<Statistic>,
    /// Variance likewise; given if `mean` is. Default none.
    #[schemars(extend("examples" = [0.25]))]
    pub variance: Option<Statistic>,
    /// True for the reverse: y = mean + x · max(√variance, 1e-7). Default no.
    pub invert: bool,
}

/// A statistic of data: one number, or one for each place along the axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(inline)]
#[serde(untagged, expecting = "expected a number or a list of numbers")]
pub enum Statistic {
    /// One for all indices.
    One(f64),
    /// One for each index.
    Many(Vec<f64>),
}

impl Default for Normalization {
    fn default() -> Self {
        Normalization {
            axis: [-1].into(),
            mean: None,
            variance: None,
            invert: false,
        }
    }
}

impl Normalization {
    /// To be adapted to data, with a mean and variance for each index of the last axis.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets mean and variance, one for each index.
    pub fn given(mut self, mean: impl Into<Vec<f64>>, variance: impl Into<Vec<f64>>) -> Self {
        self.mean = Some(Statistic::Many(mean.into()));
        self.variance = Some(Statistic::Many(variance.into()));
        self
    }

    /// The axes of a row whose indices have a mean and variance each.
    fn kept(&self, shape: &Shape) -> Result<Vec<usize>> {
        self.axis.of("axis", shape)
    }

    /// Mean and deviation, given or learned; one number stands for all.
    fn statistics(&self, weights: &[Weight]) -> (Vec<f32>, Vec<f32>) {
        let given = |numbers: &Option<Statistic>| {
            let all = numbers.iter().flat_map(|n| n.all());
            all.map(|&n| n as f32).collect::<Vec<f32>>()
        };
        let (mean, variance) = match weights {
            [mean, variance, ..] => (mean.values.clone(), variance.values.clone()),
            _ => (given(&self.mean), given(&self.variance)),
        };
        let deviation = variance.iter().map(|v| v.sqrt().max(1e-7));
        (mean, deviation.collect())
    }
}

setters!(Normalization {
    /// Sets the axes whose indices have a mean and variance each.
    axis(into Axes);
    /// Sets whether it computes the inverse.
    invert(bool);
});

impl Statistic {
    fn all(&self) -> &[f64] {
        match self {
            Statistic::One(number) => std::slice::from_ref(number),
            Statistic::Many(numbers) => numbers,
        }
    }
}

impl Rule for Normalization {
    fn check(&self) -> Result<()> {
        if self.mean.is_some() != self.variance.is_some() {
            let (there, missing) = match self.mean {
                Some(_) => ("mean", "variance"),
                None => ("variance", "mean"),
            };
            let expected = format!("both, or neither: `{there}` is given");
            return Err(Error::invalid(missing, "none", expected));
        }
        for (name, numbers) in [("mean", &self.mean), ("variance", &self.variance)] {
            for &number in numbers.iter().flat_map(|n| n.all()) {
                if !number.is_finite() || name == "variance" && number < 0.0 {
                    let expected = match name {
                        "mean" => "finite numbers",
                        _ => "numbers of 0 or more",
                    };
                    return Err(Error::invalid(name, number, expected));
                }
            }
        }
        Ok(())
    }
}

impl LayerFormula for Normalization {
    fn traits(&self) -> LayerTraits {
        LayerTraits {
            effect: Effect::Standardizes,
            ..LayerTraits::deterministic()
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let kept = self.kept(&inputs[0])?;
        let places: usize = dims_of(&kept, &inputs[0]).iter().product();
        for (name, numbers) in [("mean", &self.mean), ("variance", &self.variance)] {
            if let Some(Statistic::Many(numbers)) = numbers
                && numbers.len() != places
                && numbers.len() != 1
            {
                let expected = format!("{places}, one for each place along the axes");
                let found = format!("{} numbers", numbers.len());
                return Err(Error::invalid(name, found, expected));
            }
        }
        Ok(inputs[0].clone())
    }

    fn variables(&self, inputs: &[Shape]) -> Vec<VariableSpec> {
        if self.mean.is_some() {
            return Vec::new();
        }
        let kept = self.kept(&inputs[0]).unwrap_or_default();
        let shape = dims_of(&kept, &inputs[0]);
        let spec = |name, shape: &[usize], initializer: Initializer| VariableSpec {
            name,
            shape: shape.to_vec(),
            initializer,
            trainable: false,
            int8: false,
        };
        vec![
            spec("mean", &shape, Initializer::Zeros),
            spec("variance", &shape, Initializer::Ones),
            // Keras stores a count that it does not use; here, while the model is in memory, -1
            // means that it is not adapted yet.
            spec("count", &[], Constant { value: -1.0 }.into()),
        ]
    }

    fn adaptation(&self, weights: &[Weight]) -> Option<Adaptation> {
        let never = |w: &Weight| w.name == "count" && w.values[0] < 0.0;
        self.mean.is_none().then(|| Adaptation {
            to: Adapts::Moments(self.axis.clone()),
            done: !weights.is_empty() && !weights.iter().any(never),
        })
    }

    fn adapt(&mut self, weights: &mut Vec<Weight>, seen: Seen) -> Result<()> {
        let Seen::Moments {
            shape,
            mean,
            variance,
        } = seen
        else {
            return Err(not_asked_for(&seen));
        };
        if weights.is_empty() {
            let specs = self.variables(&[shape]).into_iter();
            weights.extend(specs.map(|spec| Weight::new(spec, 0, 0)));
        }
        for (weight, values) in weights.iter_mut().zip([mean, variance, vec![0.0]]) {
            weight.set(&values)?;
        }
        Ok(())
    }

    fn affine(&self, weights: &[Weight], shape: &Shape) -> Option<Affine> {
        let axes = self.kept(shape).ok()?;
        let (mean, deviation) = self.statistics(weights);
        let wide = |numbers: Vec<f32>| numbers.into_iter().map(f64::from).collect::<Vec<f64>>();
        let (mean, deviation) = (wide(mean), wide(deviation));
        // Either may be one number for all.
        let of = |n: usize| (mean[n % mean.len()], deviation[n % deviation.len()]);
        let of = |n: usize| match (self.invert, of(n)) {
            (true, (mean, deviation)) => (deviation, mean),
            (false, (mean, deviation)) => (1.0 / deviation, -mean / deviation),
        };
        let all = (0..mean.len().max(deviation.len())).map(of);
        let (scale, offset): (Vec<f64>, Vec<f64>) = all.unzip();
        Some(Affine::along(&axes, shape, &scale, &offset))
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let x = &call.inputs[0];
        let mut kept = self.kept(&x.shape).unwrap_or_default();
        let last = x.shape.rank().saturating_sub(1);
        if kept.is_empty() && x.shape.rank() > 0 {
            // One number for all is repeated for each index of the last axis.
            kept = vec![last];
        }
        let places: usize = dims_of(&kept, &x.shape).iter().product();
        let spread = |numbers: Vec<f32>| match numbers[..] {
            [one] => vec![one; places],
            _ => numbers,
        };
        let (mean, deviation) = self.statistics(call.weights);
        let (mean, deviation) = (spread(mean), spread(deviation));
        plan.by_axes(x, &kept, |plan, x| {
            if self.invert {
                let scale = plan.constant("deviation", deviation);
                let shift = plan.constant("mean", mean);
                let y = plan.scale(x, scale, false);
                return plan.bias(&y, shift);
            }
            let negative = mean.iter().map(|m| -m).collect();
            let inverse = deviation.iter().map(|d| 1.0 / d).collect();
            let shift = plan.constant("-mean", negative);
            let scale = plan.constant("1 / deviation", inverse);
            let y = plan.bias(x, shift);
            plan.scale(&y, scale, false)
        })
    }
}
