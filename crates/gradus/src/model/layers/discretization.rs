use super::adaptation::{Adaptation, Adapts, Seen, not_asked_for};
use super::encoding::{MOST_PLACES, OutputMode};
use super::{Call, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::dtype::Dtype;
use crate::model::weights::Weight;
use crate::plan::lower::{Lowering, Value};
use crate::rules::mapping::Mapping;
use serde::{Deserialize, Serialize};

/// The bin of each number, counted by the bounds up to and including it:
/// `keras.layers.Discretization`.
///
/// The bounds are given, or learned from data, so that the bins get about equally many values: by
/// [`Model::adapt`](crate::Model::adapt), or from the training rows as the first `fit` begins. They
/// are Keras' for all rows at once: quantiles of a summary of `1 / epsilon` values, interpolated.
///
/// ```
/// use gradus::prelude::*;
/// use gradus::layers::Discretization;
/// let layers = Sequential::new().input([1]).add(Discretization::new([0.0, 1.5]));
/// let x = Tensor::from_column(vec![-1.0, 0.0, 1.0, 2.0])?;
/// let found = layers.build()?.predict(&Dataset::unlabelled(x))?;
/// assert_eq!(found.to_f32(), [0.0, 1.0, 1.0, 2.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Discretization {
    /// The bounds, ascending. Default none: they are learned.
    #[schemars(extend("examples" = [[0.0, 1.0]]))]
    pub bin_boundaries: Option<Vec<f64>>,
    /// Number of bins to learn. Default none: it is required, unless `bin_boundaries` are given.
    #[schemars(extend("examples" = [10]))]
    pub num_bins: Option<usize>,
    /// Exactness of learning: the share of the numbers that a bound may be
    /// off by. Default 0.01.
    pub epsilon: f64,
    /// Form in which bins are given. Default whole numbers.
    pub output_mode: OutputMode,
}

impl Default for Discretization {
    fn default() -> Self {
        Discretization {
            bin_boundaries: None,
            num_bins: None,
            epsilon: 0.01,
            output_mode: OutputMode::Int,
        }
    }
}

impl Discretization {
    /// With these bounds.
    pub fn new(bin_boundaries: impl Into<Vec<f64>>) -> Self {
        Discretization {
            bin_boundaries: Some(bin_boundaries.into()),
            ..Self::default()
        }
    }

    /// To learn this many bins.
    pub fn bins(num_bins: usize) -> Self {
        Discretization {
            num_bins: Some(num_bins),
            ..Self::default()
        }
    }

    /// Number of bins.
    fn places(&self) -> Option<usize> {
        Some(self.bin_boundaries.as_ref()?.len() + 1)
    }

    /// Learns the bounds from all values, in any order, NaN ignored.
    fn learn(&mut self, mut values: Vec<f32>) -> Result<()> {
        values.retain(|x| !x.is_nan());
        let Some(bins) = self.num_bins.filter(|_| !values.is_empty()) else {
            let expected = "at least one, to learn bins from";
            return Err(Error::invalid(
                "data",
                "no number that is not NaN",
                expected,
            ));
        };
        values.sort_unstable_by(f32::total_cmp);
        let step = (values.len() as f64 / (1.0 / self.epsilon)).max(1.0);
        let chosen = values.iter().skip((step - 1.0) as usize);
        let chosen = chosen.step_by(step as usize).copied();
        let summary: Vec<(f32, f32)> = chosen.map(|value| (value, step as f32)).collect();
        let summary = compress(compress(summary, self.epsilon), 1.0 / bins as f64);
        let bounds = &summary[..summary.len().saturating_sub(1)];
        self.bin_boundaries = Some(bounds.iter().map(|&(bound, _)| f64::from(bound)).collect());
        Ok(())
    }
}

setters!(Discretization {
    /// Sets the encoding of the bins.
    output_mode(OutputMode);
});

/// A summary of fewer values with weights, interpolated over the cumulative weights: a step of
/// Keras' summaries, in its precision.
fn compress(summary: Vec<(f32, f32)>, epsilon: f64) -> Vec<(f32, f32)> {
    if (summary.len() as f64) * epsilon < 1.0 {
        return summary;
    }
    let mut sum = 0.0_f32;
    let sums: Vec<f32> = summary
        .iter()
        .map(|&(_, weight)| {
            sum += weight;
            sum
        })
        .collect();
    let shares: Vec<f64> = sums.iter().map(|s| f64::from(s / sum)).collect();
    let between = |x: f64, values: &dyn Fn(usize) -> f64| {
        let after = shares.partition_point(|&share| share <= x);
        match after.checked_sub(1) {
            None => values(0),
            Some(at) if at + 1 == shares.len() => values(at),
            Some(at) => {
                let slope = (values(at + 1) - values(at)) / (shares[at + 1] - shares[at]);
                slope * (x - shares[at]) + values(at)
            }
        }
    };
    let count = (1.0 / epsilon).ceil() as usize;
    let mut before = 0.0;
    (0..count)
        .map(|i| {
            let share = epsilon + i as f64 * epsilon;
            let value = between(share, &|at| f64::from(summary[at].0));
            let upto = between(share, &|at| f64::from(sums[at]));
            let weight = upto - std::mem::replace(&mut before, upto);
            (value as f32, weight as f32)
        })
        .collect()
}

impl Rule for Discretization {
    fn check(&self) -> Result<()> {
        match (&self.bin_boundaries, self.num_bins) {
            (None, None) => {
                let expected = "bin_boundaries, or num_bins to learn them";
                return Err(Error::invalid("bin_boundaries", "none", expected));
            }
            (_, Some(bins)) if !(2..=MOST_PLACES).contains(&bins) => {
                let expected = format!("a whole number from 2 to {MOST_PLACES}");
                return Err(Error::invalid("num_bins", bins, expected));
            }
            _ => {}
        }
        if !(self.epsilon >= 1e-6 && self.epsilon < 1.0) {
            let expected = "a number from 0.000001 to below 1";
            return Err(Error::invalid("epsilon", self.epsilon, expected));
        }
        let bounds = self.bin_boundaries.as_deref().unwrap_or_default();
        if bounds.len() >= MOST_PLACES {
            let expected = format!("fewer than {MOST_PLACES}");
            return Err(Error::invalid("bin_boundaries", bounds.len(), expected));
        }
        if let Some(bound) = bounds.iter().find(|bound| bound.is_nan()) {
            return Err(Error::invalid("bin_boundaries", bound, "numbers"));
        }
        match bounds.windows(2).find(|pair| pair[0] > pair[1]) {
            Some(pair) => {
                let found = format!("{} after {}", pair[1], pair[0]);
                Err(Error::invalid("bin_boundaries", found, "ascending numbers"))
            }
            None => Ok(()),
        }
    }
}

impl LayerFormula for Discretization {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let places = self.places().ok_or_else(|| Error::NotReady {
            problem: "the bins are not known: give them, or call `fit` or `adapt` first".into(),
        })?;
        self.output_mode.shape(&inputs[0], places)
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            ready: self.bin_boundaries.is_some(),
            gives_below: self
                .places()
                .filter(|_| self.output_mode == OutputMode::Int),
            ..LayerTraits::deterministic()
        }
    }

    fn dtype(&self, _: &[Dtype]) -> Dtype {
        self.output_mode.dtype(Dtype::Int32)
    }

    fn adaptation(&self, _: &[Weight]) -> Option<Adaptation> {
        self.num_bins.map(|_| Adaptation {
            to: Adapts::Values,
            done: self.bin_boundaries.is_some(),
        })
    }

    fn adapt(&mut self, _: &mut Vec<Weight>, seen: Seen) -> Result<()> {
        match seen {
            Seen::Values(values) => self.learn(values),
            other => Err(not_asked_for(&other)),
        }
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let bounds = self.bin_boundaries.iter().flatten();
        let bounds: Vec<f32> = bounds.map(|&bound| bound as f32).collect();
        let x = plan.map(&call.inputs[0], Mapping::Bins(bounds.into()));
        let places = self.places().unwrap_or_default();
        self.output_mode.lower(plan, &x, places)
    }
}
