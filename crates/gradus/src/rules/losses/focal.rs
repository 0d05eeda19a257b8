use super::{Criterion, LossFormula, check_positive, check_smoothing, mean};
use crate::base::registry::Rule;
use crate::error::Result;
use crate::rules::activations::Activation;
use serde::{Deserialize, Serialize};

/// Keras' clipping of probabilities away from 0 and 1 before a logarithm.
const EPSILON: f32 = 1e-7;

/// Binary focal crossentropy, which down-weights outputs that are already right (Lin et al. 2017):
/// the mean over the last axis of (1 - r)^γ · (-ln r), r the probability given to the right answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct BinaryFocalCrossentropy {
    /// True to weight yes by α and no by 1 - α. Default no.
    pub apply_class_balancing: bool,
    /// α. Default 0.25.
    pub alpha: f64,
    /// γ, 0 or more. Default 2.
    pub gamma: f64,
    /// True if outputs are logits rather than probabilities. Default no.
    pub from_logits: bool,
    /// Label smoothing: share of each target moved to ½. Default 0.
    pub label_smoothing: f64,
}

/// Categorical focal crossentropy, which down-weights rows that are already right (Lin et al.
/// 2017): Σ α (1 - p)^γ · (-t ln p) over exclusive classes given one-hot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct CategoricalFocalCrossentropy {
    /// α. Default 0.25.
    pub alpha: f64,
    /// γ, 0 or more. Default 2.
    pub gamma: f64,
    /// True if outputs are logits rather than probabilities. Default no.
    pub from_logits: bool,
    /// Label smoothing: share of each target spread evenly over the classes. Default 0.
    pub label_smoothing: f64,
}

impl BinaryFocalCrossentropy {
    pub(in crate::rules) const DEFAULT: Self = BinaryFocalCrossentropy {
        apply_class_balancing: false,
        alpha: 0.25,
        gamma: 2.0,
        from_logits: false,
        label_smoothing: 0.0,
    };
}

impl CategoricalFocalCrossentropy {
    pub(in crate::rules) const DEFAULT: Self = CategoricalFocalCrossentropy {
        alpha: 0.25,
        gamma: 2.0,
        from_logits: false,
        label_smoothing: 0.0,
    };
}

impl Default for BinaryFocalCrossentropy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Default for CategoricalFocalCrossentropy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Rule for BinaryFocalCrossentropy {
    fn check(&self) -> Result<()> {
        check_positive("alpha", self.alpha)?;
        check_positive("gamma", self.gamma)?;
        check_smoothing(self.label_smoothing)
    }
}

impl Rule for CategoricalFocalCrossentropy {
    fn check(&self) -> Result<()> {
        check_positive("alpha", self.alpha)?;
        check_positive("gamma", self.gamma)?;
        check_smoothing(self.label_smoothing)
    }
}

/// x^γ and its derivative, for x of 0 or more.
fn power(x: f32, gamma: f32) -> (f32, f32) {
    let x = x.max(0.0);
    let slope = match (gamma, x) {
        (0.0, _) => 0.0,
        // The true derivative is infinite at 0 for γ below 1.
        (gamma, 0.0) if gamma < 1.0 => 0.0,
        _ => gamma * x.powf(gamma - 1.0),
    };
    (x.powf(gamma), slope)
}

impl LossFormula for BinaryFocalCrossentropy {
    fn of_classes(&self) -> bool {
        true
    }

    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        let (alpha, gamma) = (self.alpha as f32, self.gamma as f32);
        let smoothing = self.label_smoothing as f32;
        mean(target, output, gradient, |t, y| {
            let t = t * (1.0 - smoothing) + 0.5 * smoothing;
            // The probability, its derivative by y; the entropy, its derivative by y.
            let (p, dp, entropy, dentropy) = if self.from_logits {
                let e = (-y.abs()).exp();
                let p = if y >= 0.0 {
                    1.0 / (1.0 + e)
                } else {
                    e / (1.0 + e)
                };
                let entropy = y.max(0.0) - y * t + e.ln_1p();
                (p, e / ((1.0 + e) * (1.0 + e)), entropy, p - t)
            } else {
                let p = y.clamp(EPSILON, 1.0 - EPSILON);
                let entropy = -(t * p.ln() + (1.0 - t) * (1.0 - p).ln());
                let inside = (EPSILON..=1.0 - EPSILON).contains(&y);
                let slope = if inside {
                    (p - t) / (p * (1.0 - p))
                } else {
                    0.0
                };
                (y, 1.0, entropy, slope)
            };
            let wrong = 1.0 - (t * p + (1.0 - t) * (1.0 - p));
            let (factor, slope) = power(wrong, gamma);
            let weight = match self.apply_class_balancing {
                true => t * alpha + (1.0 - t) * (1.0 - alpha),
                false => 1.0,
            };
            let by_y = slope * (1.0 - 2.0 * t) * dp * entropy + factor * dentropy;
            (weight * factor * entropy, weight * by_y)
        })
    }

    fn before(&self, activation: &Activation) -> Option<Criterion> {
        (!self.from_logits && *activation == Activation::Sigmoid).then(|| {
            Criterion::from(Self {
                from_logits: true,
                ..self.clone()
            })
        })
    }
}

impl LossFormula for CategoricalFocalCrossentropy {
    fn of_classes(&self) -> bool {
        true
    }

    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        let (alpha, gamma) = (self.alpha as f32, self.gamma as f32);
        let keep = 1.0 - self.label_smoothing as f32;
        let spread = self.label_smoothing as f32 / output.len() as f32;
        // The gradient's memory holds the probabilities first.
        if self.from_logits {
            let highest = output.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for (g, &y) in gradient.iter_mut().zip(output) {
                *g = (y - highest).exp();
            }
        } else {
            gradient.copy_from_slice(output);
        }
        let sum: f32 = gradient.iter().sum();
        let mut loss = 0.0;
        let mut through_sum = 0.0;
        let by_p = |p: f32, t: f32| {
            let t = t * keep + spread;
            let inside = (EPSILON..=1.0 - EPSILON).contains(&p);
            let p = p.clamp(EPSILON, 1.0 - EPSILON);
            let (factor, slope) = power(1.0 - p, gamma);
            let log = p.ln();
            let by_p = alpha * t * (slope * log - factor / p);
            (-alpha * t * factor * log, if inside { by_p } else { 0.0 })
        };
        for (g, &t) in gradient.iter().zip(target) {
            let p = g / sum;
            let (value, slope) = by_p(p, t);
            loss += value;
            through_sum += slope * p;
        }
        for (g, &t) in gradient.iter_mut().zip(target) {
            let p = *g / sum;
            let by_share = by_p(p, t).1 - through_sum;
            // p is y / Σ y, or for logits e^y / Σ e^y.
            *g = if self.from_logits {
                by_share * p
            } else {
                by_share / sum
            };
        }
        loss
    }
}
