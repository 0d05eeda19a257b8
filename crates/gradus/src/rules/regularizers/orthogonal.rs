use super::{Form, RegularizerFormula, check_positive};
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The vectors of a matrix that should be orthogonal.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Vectors {
    /// The rows of the matrix.
    #[default]
    Rows,
    /// The columns of the matrix.
    Columns,
}

/// factor times the mean over all pairs of vectors of |cosine| (Brock et al.
/// 2017): makes the rows, or columns, of a matrix orthogonal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct OrthogonalRegularizer {
    /// The factor, 0 or more. Default 0.01.
    pub factor: f64,
    /// Vectors to make orthogonal. Default rows.
    pub mode: Vectors,
}

impl Default for OrthogonalRegularizer {
    fn default() -> Self {
        OrthogonalRegularizer {
            factor: 0.01,
            mode: Vectors::Rows,
        }
    }
}

impl Rule for OrthogonalRegularizer {
    fn check(&self) -> Result<()> {
        check_positive("factor", self.factor)
    }
}

/// Keras' least length of a vector.
const EPSILON: f64 = 1e-7;

impl OrthogonalRegularizer {
    /// Number of vectors, and their length.
    fn extent(&self, columns: usize, size: usize) -> (usize, usize) {
        let columns = columns.max(1);
        match self.mode {
            Vectors::Rows => (size / columns, columns),
            Vectors::Columns => (columns, size / columns),
        }
    }
}

impl RegularizerFormula for OrthogonalRegularizer {
    const FORM: Form = Form::Matrix;

    fn penalty<L: Lane>(&self, _w: L) -> L {
        L::zero()
    }

    fn derivative<L: Lane>(&self, _w: L) -> L {
        L::zero()
    }

    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        match shape.len() {
            2 => Ok(()),
            rank => Err(Error::shape(
                "",
                format!("a variable of rank {rank}"),
                "rank 2, for an OrthogonalRegularizer",
            )),
        }
    }

    fn scratch(&self, columns: usize, size: usize) -> usize {
        let (count, length) = self.extent(columns, size);
        count + count * length + length
    }

    fn matrix(
        &self,
        columns: usize,
        values: &[f32],
        mut gradient: Option<&mut [f32]>,
        scratch: &mut [f64],
    ) -> f64 {
        let (count, length) = self.extent(columns, values.len());
        // Element k of vector i is at i · step + k · stride.
        let (step, stride) = match self.mode {
            Vectors::Rows => (length, 1),
            Vectors::Columns => (1, count),
        };
        if count < 2 {
            return 0.0;
        }
        let (inverses, rest) = scratch.split_at_mut(count);
        let (unit, rest) = rest.split_at_mut(count * length);
        let by_unit = &mut rest[..length];
        for i in 0..count {
            let of = |k: usize| f64::from(values[i * step + k * stride]);
            let square: f64 = (0..length).map(|k| of(k) * of(k)).sum();
            inverses[i] = (1.0 / square.sqrt()).min(1.0 / EPSILON);
            for k in 0..length {
                unit[i * length + k] = of(k) * inverses[i];
            }
        }
        let vector = |i: usize| &unit[i * length..(i + 1) * length];
        let dot = |i, j| -> f64 { vector(i).iter().zip(vector(j)).map(|(a, b)| a * b).sum() };
        // Each pair is counted twice and halved.
        let pairs = (count * (count - 1)) as f64 / 2.0;
        let share = self.factor / pairs;
        let mut sum = 0.0;
        for i in 0..count {
            by_unit.fill(0.0);
            for j in (0..count).filter(|&j| j != i) {
                let cosine = dot(i, j);
                sum += 0.5 * cosine.abs();
                let sign = if cosine == 0.0 { 0.0 } else { cosine.signum() };
                for (b, u) in by_unit.iter_mut().zip(vector(j)) {
                    *b += share * sign * u;
                }
            }
            let Some(gradient) = &mut gradient else {
                continue;
            };
            // A change along the vector itself only changes its length.
            let along: f64 = by_unit.iter().zip(vector(i)).map(|(b, u)| b * u).sum();
            let free = inverses[i] < 1.0 / EPSILON;
            for (k, b) in by_unit.iter().enumerate() {
                let along = if free { along * vector(i)[k] } else { 0.0 };
                gradient[i * step + k * stride] += ((b - along) * inverses[i]) as f32;
            }
        }
        share * sum
    }
}
