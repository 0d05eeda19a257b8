use super::adam::Adam;
use super::parts::{arguments, check_positive, check_rate};
use super::{Clock, Coefficients, OptimizerFormula, SLOTS, Whole};
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Momentum orthogonalized by Newton–Schulz iterations (Jordan et al. 2024), in Keras' form.
/// Matrices (kernels): m ← μ m + g, G = g + μ m with `nesterov`, else m, and
///
/// w ← w - rate · NS(G) · √(max(rows, columns)) · `rms_rate` (Liu et al. 2025).
///
/// NS(G) has about the singular vectors of G, with all singular values near 1:
/// X = G / ‖G‖, then `ns_steps` times X ← a X + (b A + c A²) X with A = X Xᵀ.
///
/// All other variables, and the excluded ones, are updated by [`Adam`]. The optimizer's
/// `weight_decay`, 0.004 by default, is that of the matrices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Muon {
    /// Adam's β₁. Default 0.9.
    pub adam_beta_1: f64,
    /// Adam's β₂. Default 0.999.
    pub adam_beta_2: f64,
    /// Weight decay of the variables updated by Adam. Default 0.004.
    pub adam_weight_decay: Option<f64>,
    /// Adam's ε. Default 1e-7.
    pub epsilon: f64,
    /// Names of matrices updated by Adam, matched as substrings of the path (`dense_1/kernel`).
    /// Default none.
    #[schemars(extend("examples" = [["output"]]))]
    pub exclude_layers: Vec<String>,
    /// True to update matrices with `embedding` in their path by Adam. Default yes.
    pub exclude_embeddings: bool,
    /// a. Default 3.4445.
    pub muon_a: f64,
    /// b. Default -4.775.
    pub muon_b: f64,
    /// c. Default 2.0315.
    pub muon_c: f64,
    /// Ratio of Adam's learning rate to that of the matrices. Default 1.
    pub adam_lr_ratio: f64,
    /// μ, from 0 to 1. Default 0.95.
    pub momentum: f64,
    /// Newton–Schulz iterations. Default 5.
    pub ns_steps: u32,
    /// True for Nesterov momentum. Default yes.
    pub nesterov: bool,
    /// Root mean square of a step relative to the rate, to match Adam's. Default 0.2; `None` leaves
    /// the step unscaled.
    pub rms_rate: Option<f64>,
}

arguments! { Muon { adam_beta_1: f64, adam_beta_2: f64, adam_weight_decay: Option<f64>, epsilon: f64, exclude_layers: Vec<String>, exclude_embeddings: bool, muon_a: f64, muon_b: f64, muon_c: f64, adam_lr_ratio: f64, momentum: f64, ns_steps: u32, nesterov: bool, rms_rate: Option<f64> } }

impl Muon {
    fn adam(&self) -> Adam {
        Adam {
            beta_1: self.adam_beta_1,
            beta_2: self.adam_beta_2,
            epsilon: self.epsilon,
            amsgrad: false,
        }
    }
}

impl Default for Muon {
    fn default() -> Self {
        Muon {
            adam_beta_1: 0.9,
            adam_beta_2: 0.999,
            adam_weight_decay: Some(0.004),
            epsilon: 1e-7,
            exclude_layers: Vec::new(),
            exclude_embeddings: true,
            muon_a: 3.4445,
            muon_b: -4.775,
            muon_c: 2.0315,
            adam_lr_ratio: 1.0,
            momentum: 0.95,
            ns_steps: 5,
            nesterov: true,
            rms_rate: Some(0.2),
        }
    }
}

impl Rule for Muon {
    fn check(&self) -> Result<()> {
        check_rate("adam_beta_1", self.adam_beta_1)?;
        check_rate("adam_beta_2", self.adam_beta_2)?;
        check_positive("epsilon", self.epsilon)?;
        check_positive("adam_lr_ratio", self.adam_lr_ratio)?;
        check_positive("adam_weight_decay", self.adam_weight_decay.unwrap_or(0.0))?;
        check_positive("rms_rate", self.rms_rate.unwrap_or(0.0))?;
        for (key, value) in [
            ("muon_a", self.muon_a),
            ("muon_b", self.muon_b),
            ("muon_c", self.muon_c),
        ] {
            if !value.is_finite() {
                return Err(Error::invalid(key, value, "a number"));
            }
        }
        if !(0.0..=1.0).contains(&self.momentum) {
            let expected = "a number from 0 to 1";
            return Err(Error::invalid("momentum", self.momentum, expected));
        }
        if self.ns_steps > 1000 {
            let expected = "a whole number, 1000 at most";
            return Err(Error::invalid("ns_steps", self.ns_steps, expected));
        }
        let plain = |c: char| c == '_' || c == '/' || c.is_alphanumeric();
        for part in &self.exclude_layers {
            if part.is_empty() || !part.chars().all(plain) {
                let expected = "a part of a path like `dense_1/kernel` (no regular expressions)";
                let found = format!("`{part}`");
                return Err(Error::invalid("exclude_layers", found, expected));
            }
        }
        Ok(())
    }
}

impl OptimizerFormula for Muon {
    const WEIGHT_DECAY: Option<f64> = Some(0.004);

    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "velocity"]
    }

    /// The matrices' rate, Adam's four coefficients, the matrices' momentum.
    fn coefficients(&self, clock: Clock<'_>) -> Coefficients {
        let (rate, momentum) = (clock.learning_rate, clock.momentum);
        let [_, size, one_minus_1, one_minus_2, epsilon, _] = self.adam().coefficients(Clock {
            learning_rate: rate * self.adam_lr_ratio as f32,
            momentum: None,
            ..clock
        });
        let momentum = momentum.unwrap_or(self.momentum as f32);
        [rate, size, one_minus_1, one_minus_2, epsilon, momentum]
    }

    fn at_rate(&self, c: &Coefficients, factor: f32) -> Coefficients {
        self.adam().at_rate(c, factor)
    }

    #[inline(always)]
    fn step<L: Lane>(&self, c: &Coefficients, w: L, g: L, slots: &mut [L; SLOTS]) -> L {
        self.adam().step(c, w, g, slots)
    }

    fn needs_whole(&self, path: &str, shape: &[usize]) -> bool {
        let embedding = self.exclude_embeddings && path.to_lowercase().contains("embedding");
        let mut excluded = self.exclude_layers.iter();
        shape.len() == 2 && !embedding && !excluded.any(|part| path.contains(part))
    }

    /// Matrices have no velocity.
    fn whole_slots(&self) -> usize {
        1
    }

    fn scratch(&self, shape: &[usize]) -> usize {
        let narrow = shape.iter().copied().min().unwrap_or(0);
        shape.iter().product::<usize>() + 2 * narrow * narrow + narrow
    }

    #[inline(always)]
    fn step_whole(&self, c: &Coefficients, variable: Whole<'_>) {
        let Whole {
            shape,
            w,
            gradient,
            slots: [m, ..],
            scratch,
        } = variable;
        let &[rows, columns] = shape else { return };
        if w.is_empty() {
            return;
        }
        let (x, room) = scratch.split_at_mut(rows * columns);
        // Always the taller orientation: X Xᵀ of the one is Xᵀ X of the other.
        let turned = rows < columns;
        let place = |i: usize| match turned {
            true => i % columns * rows + i / columns,
            false => i,
        };
        let mu = c[5];
        for (i, g) in gradient.iter().enumerate() {
            m[i] += g + m[i] * (mu - 1.0);
            x[place(i)] = if self.nesterov { g + mu * m[i] } else { m[i] };
        }
        self.orthogonalize(x, rows.min(columns), room);
        let mut size = c[0];
        if let Some(rms) = self.rms_rate {
            size *= (rows.max(columns) as f32).sqrt() * rms as f32;
        }
        for (i, w) in w.iter_mut().enumerate() {
            *w -= size * x[place(i)];
        }
    }

    fn decay(&self, whole: bool, general: Option<f64>) -> Option<f64> {
        if whole {
            general
        } else {
            self.adam_weight_decay
        }
    }
}

impl Muon {
    /// NS of a matrix with `columns` columns, and at least as many rows, in place:
    /// x ← a x + x (b A + c A²), A = xᵀ x.
    #[inline(always)]
    fn orthogonalize(&self, x: &mut [f32], columns: usize, room: &mut [f32]) {
        let squares: f64 = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        let norm = squares.sqrt() as f32 + 1e-7;
        x.iter_mut().for_each(|x| *x /= norm);
        let (a, b, c) = (self.muon_a as f32, self.muon_b as f32, self.muon_c as f32);
        let (gram, room) = room.split_at_mut(columns * columns);
        let (change, row) = room.split_at_mut(columns * columns);
        for _ in 0..self.ns_steps {
            gram.fill(0.0);
            for rows in x.chunks(NEAR * columns) {
                for (i, sums) in gram.chunks_exact_mut(columns).enumerate() {
                    combine(sums, rows, |p| rows[p * columns + i]);
                }
            }
            for (own, sums) in gram
                .chunks_exact(columns)
                .zip(change.chunks_exact_mut(columns))
            {
                sums.fill(0.0);
                combine(sums, gram, |p| c * own[p]);
                for (sum, own) in sums.iter_mut().zip(own) {
                    *sum += b * own;
                }
            }
            for x in x.chunks_exact_mut(columns) {
                row.copy_from_slice(x);
                x.iter_mut().for_each(|x| *x *= a);
                combine(x, change, |p| row[p]);
            }
        }
    }
}

/// Rows of a matrix processed while they are in the first-level cache.
const NEAR: usize = 32;

/// sums += Σ factor(p) · the p-th row of `rows`, four rows at a time.
#[inline(always)]
fn combine(sums: &mut [f32], rows: &[f32], factor: impl Fn(usize) -> f32) {
    let width = sums.len();
    let mut fours = rows.chunks_exact(4 * width);
    let mut p = 0;
    for four in &mut fours {
        let (first, second) = four.split_at(2 * width);
        let ((r0, r1), (r2, r3)) = (first.split_at(width), second.split_at(width));
        let f = [factor(p), factor(p + 1), factor(p + 2), factor(p + 3)];
        let four = r0.iter().zip(r1).zip(r2.iter().zip(r3));
        for (sum, ((a, b), (c, d))) in sums.iter_mut().zip(four) {
            *sum += (f[0] * a + f[1] * b) + (f[2] * c + f[3] * d);
        }
        p += 4;
    }
    for row in fours.remainder().chunks_exact(width) {
        let f = factor(p);
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += f * x;
        }
        p += 1;
    }
}
