use super::InitializerFormula;
use crate::base::random::Sequence;
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// A random matrix with orthonormal columns, or rows if it has more columns than rows, times `gain`
/// (Saxe et al. 2014). All axes but the last count as rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Orthogonal {
    /// Factor of the matrix. Default 1.
    pub gain: f64,
    /// Keras' own seed; ignored, since gradus draws from the model's seed. Default
    /// none.
    #[schemars(extend("examples" = [7]))]
    pub seed: Option<u64>,
}

/// The identity matrix times `gain`; a matrix that is not square is truncated, or padded with
/// zeros.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Identity {
    /// Factor of the matrix. Default 1.
    pub gain: f64,
}

impl Orthogonal {
    pub(super) const DEFAULT: Self = Orthogonal {
        gain: 1.0,
        seed: None,
    };
}

impl Identity {
    pub(super) const DEFAULT: Self = Identity { gain: 1.0 };
}

impl Default for Orthogonal {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::DEFAULT
    }
}

fn check_finite(gain: f64) -> Result<()> {
    match gain.is_finite() {
        true => Ok(()),
        false => Err(Error::invalid("gain", gain, "a finite number")),
    }
}

impl Rule for Orthogonal {
    fn check(&self) -> Result<()> {
        check_finite(self.gain)
    }
}

impl Rule for Identity {
    fn check(&self) -> Result<()> {
        check_finite(self.gain)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl InitializerFormula for Orthogonal {
    /// Normal vectors orthonormalized one after the other (Gram & Schmidt; twice, against
    /// rounding). The result is the Q of the QR decomposition whose R has a positive diagonal:
    /// uniform over all orthogonal matrices.
    fn fill(&self, shape: &[usize], random: &mut Sequence, values: &mut [f32]) {
        let columns = shape.last().copied().unwrap_or(1).max(1);
        let rows = values.len() / columns;
        let (count, length) = (rows.min(columns), rows.max(columns));
        let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
        while vectors.len() < count {
            let mut vector: Vec<f64> = (0..length).map(|_| random.normal()).collect();
            let before = dot(&vector, &vector).sqrt();
            for earlier in vectors.iter().chain(&vectors) {
                let along = dot(&vector, earlier);
                for (v, e) in vector.iter_mut().zip(earlier) {
                    *v -= along * e;
                }
            }
            let norm = dot(&vector, &vector).sqrt();
            // Practically never: the vector lay in the span of the others.
            if norm <= 1e-10 * before {
                continue;
            }
            vector.iter_mut().for_each(|v| *v /= norm);
            vectors.push(vector);
        }
        for (i, value) in values.iter_mut().enumerate() {
            let (row, column) = (i / columns, i % columns);
            let number = match rows < columns {
                true => vectors[row][column],
                false => vectors[column][row],
            };
            *value = (self.gain * number) as f32;
        }
    }

    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        match shape.len() {
            0 | 1 => Err(Error::shape(
                "",
                format!("a variable of rank {}", shape.len()),
                "rank 2 or more, for an Orthogonal initializer",
            )),
            _ => Ok(()),
        }
    }
}

impl InitializerFormula for Identity {
    fn fill(&self, shape: &[usize], _: &mut Sequence, values: &mut [f32]) {
        let columns = shape.last().copied().unwrap_or(1).max(1);
        for (i, value) in values.iter_mut().enumerate() {
            let diagonal = i / columns == i % columns;
            *value = if diagonal { self.gain as f32 } else { 0.0 };
        }
    }

    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        match shape.len() {
            2 => Ok(()),
            rank => Err(Error::shape(
                "",
                format!("a variable of rank {rank}"),
                "rank 2, for an Identity initializer",
            )),
        }
    }
}
