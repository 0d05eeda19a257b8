use super::ConstraintFormula;
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The axes over which a norm is taken; below 0 they count from the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(inline)]
#[serde(untagged, expecting = "expected a whole number, or a list of them")]
pub enum Axes {
    /// One.
    One(i64),
    /// Several.
    Several(Vec<i64>),
}

impl Default for Axes {
    /// The first axis: for a Dense kernel, the weights of each unit.
    fn default() -> Self {
        Axes::One(0)
    }
}

impl From<i64> for Axes {
    fn from(axis: i64) -> Self {
        Axes::One(axis)
    }
}

impl Axes {
    fn list(&self) -> &[i64] {
        match self {
            Axes::One(axis) => std::slice::from_ref(axis),
            Axes::Several(axes) => axes,
        }
    }

    /// The index of an axis among `rank`.
    fn place(axis: i64, rank: usize) -> Option<usize> {
        let place = if axis < 0 { axis + rank as i64 } else { axis };
        usize::try_from(place).ok().filter(|&place| place < rank)
    }

    /// True if norms are taken over that one of `rank` axes.
    fn has(&self, axis: usize, rank: usize) -> bool {
        let mut axes = self.list().iter();
        axes.any(|&a| Self::place(a, rank) == Some(axis))
    }

    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        let rank = shape.len();
        match self
            .list()
            .iter()
            .find(|&&a| Self::place(a, rank).is_none())
        {
            None => Ok(()),
            Some(axis) => {
                let expected = format!("an axis of a variable of rank {rank}");
                Err(Error::invalid("axis", axis, expected))
            }
        }
    }

    /// Number of norms.
    fn norms(&self, shape: &[usize]) -> usize {
        let left = (0..shape.len()).filter(|&axis| !self.has(axis, shape.len()));
        left.map(|axis| shape[axis]).product()
    }

    /// Multiplies all elements that share a norm by `factor` of the norm.
    fn rescale(
        &self,
        shape: &[usize],
        values: &mut [f32],
        norms: &mut [f64],
        factor: impl Fn(f32) -> f32,
    ) {
        let rank = shape.len();
        // Contiguous elements that all share a norm, or all have different ones.
        let mut run = 1;
        let mut axis = rank;
        while axis > 0 && self.has(axis - 1, rank) == self.has(rank - 1, rank) {
            axis -= 1;
            run *= shape[axis];
        }
        let apart = rank > 0 && !self.has(rank - 1, rank);
        // The norm of a run's first element: Σ index · stride over the other axes.
        let place = |mut run_number: usize| {
            let (mut place, mut stride) = (0, if apart { run } else { 1 });
            for axis in (0..axis).rev() {
                if !self.has(axis, rank) {
                    place += run_number % shape[axis] * stride;
                    stride *= shape[axis];
                }
                run_number /= shape[axis];
            }
            place
        };
        norms.fill(0.0);
        let square = |w: f32| f64::from(w) * f64::from(w);
        for (n, run) in values.chunks(run.max(1)).enumerate() {
            let place = place(n);
            if apart {
                for (norm, &w) in norms[place..].iter_mut().zip(run) {
                    *norm += square(w);
                }
            } else {
                norms[place] += run.iter().map(|&w| square(w)).sum::<f64>();
            }
        }
        for norm in norms.iter_mut() {
            *norm = f64::from(factor(norm.sqrt() as f32));
        }
        for (n, run) in values.chunks_mut(run.max(1)).enumerate() {
            let place = place(n);
            if apart {
                for (w, &factor) in run.iter_mut().zip(&norms[place..]) {
                    *w *= factor as f32;
                }
            } else {
                run.iter_mut().for_each(|w| *w *= norms[place] as f32);
            }
        }
    }
}

/// Scales norms above `max_value` down to it (Srebro et al. 2004).
///
/// As in Keras w is multiplied by clip(n, 0, max) / (1e-7 + n), n the norm: even a norm below the
/// limit shrinks a little.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct MaxNorm {
    /// The largest norm. Default 2.
    pub max_value: f64,
    /// Axes over which norms are taken. Default 0: for a Dense kernel, the weights of each unit.
    pub axis: Axes,
}

/// Scales norms to between two bounds.
///
/// As in Keras w is multiplied by (rate · clip(n, min, max) + (1 - rate) n) /
/// (1e-7 + n), n the norm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct MinMaxNorm {
    /// The smallest norm. Default 0.
    pub min_value: f64,
    /// The largest norm. Default 1.
    pub max_value: f64,
    /// Share of the way to the bounds per step. Default 1.
    pub rate: f64,
    /// Axes over which norms are taken. Default 0: for a Dense kernel, the weights of each unit.
    pub axis: Axes,
}

/// Scales norms to 1: w / (1e-7 + n), n the norm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct UnitNorm {
    /// Axes over which norms are taken. Default 0: for a Dense kernel, the weights of each unit.
    pub axis: Axes,
}

impl MaxNorm {
    /// With this largest norm, for each unit.
    pub fn new(max_value: f64) -> Self {
        MaxNorm {
            max_value,
            axis: Axes::default(),
        }
    }
}

impl Default for MaxNorm {
    fn default() -> Self {
        MaxNorm::new(2.0)
    }
}

impl Default for MinMaxNorm {
    fn default() -> Self {
        MinMaxNorm {
            min_value: 0.0,
            max_value: 1.0,
            rate: 1.0,
            axis: Axes::default(),
        }
    }
}

fn check_positive(name: &str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::invalid(name, value, "a number of 0 or more"))
    }
}

impl Rule for MaxNorm {
    fn check(&self) -> Result<()> {
        check_positive("max_value", self.max_value)
    }
}

impl Rule for MinMaxNorm {
    fn check(&self) -> Result<()> {
        check_positive("min_value", self.min_value)?;
        if !(self.max_value >= self.min_value && self.max_value.is_finite()) {
            let expected = "a number not below `min_value`";
            return Err(Error::invalid("max_value", self.max_value, expected));
        }
        match (0.0..=1.0).contains(&self.rate) {
            true => Ok(()),
            false => Err(Error::invalid("rate", self.rate, "a number from 0 to 1")),
        }
    }
}

impl Rule for UnitNorm {}

/// Keras' epsilon of denominators.
const EPSILON: f32 = 1e-7;

impl ConstraintFormula for MaxNorm {
    fn apply(&self, shape: &[usize], values: &mut [f32], scratch: &mut [f64]) {
        let highest = self.max_value as f32;
        let factor = |n: f32| n.min(highest) / (EPSILON + n);
        self.axis.rescale(shape, values, scratch, factor);
    }

    fn scratch(&self, shape: &[usize]) -> usize {
        self.axis.norms(shape)
    }

    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        self.axis.check_shape(shape)
    }
}

impl ConstraintFormula for MinMaxNorm {
    fn apply(&self, shape: &[usize], values: &mut [f32], scratch: &mut [f64]) {
        let (low, high) = (self.min_value as f32, self.max_value as f32);
        let (rate, rest) = (self.rate as f32, (1.0 - self.rate) as f32);
        let factor = |n: f32| (rate * n.max(low).min(high) + rest * n) / (EPSILON + n);
        self.axis.rescale(shape, values, scratch, factor);
    }

    fn scratch(&self, shape: &[usize]) -> usize {
        self.axis.norms(shape)
    }

    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        self.axis.check_shape(shape)
    }
}

impl ConstraintFormula for UnitNorm {
    fn apply(&self, shape: &[usize], values: &mut [f32], scratch: &mut [f64]) {
        let factor = |n: f32| 1.0 / (EPSILON + n);
        self.axis.rescale(shape, values, scratch, factor);
    }

    fn scratch(&self, shape: &[usize]) -> usize {
        self.axis.norms(shape)
    }

    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        self.axis.check_shape(shape)
    }
}
