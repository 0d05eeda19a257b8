use super::{Criterion, LossFormula, Targets, check_smoothing, mean};
use crate::base::registry::Rule;
use crate::error::Result;
use crate::rules::activations::Activation;
use serde::{Deserialize, Serialize};

/// Keras' clipping of probabilities away from 0 and 1 before a logarithm.
const EPSILON: f32 = 1e-7;

/// -log of the probability of the true class, given as a label from 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct SparseCategoricalCrossentropy {
    /// True if outputs are logits rather than probabilities. Default no.
    pub from_logits: bool,
    /// Class whose rows are ignored. Default none.
    #[schemars(extend("examples" = [0]))]
    pub ignore_class: Option<i64>,
}

/// -Σ target · log(output) over exclusive classes, given one-hot or as probabilities.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct CategoricalCrossentropy {
    /// True if outputs are logits rather than probabilities. Default no.
    pub from_logits: bool,
    /// Label smoothing: share of each target spread evenly over the classes. Default 0.
    pub label_smoothing: f64,
}

/// The mean over the last axis of -(t log(y) + (1 - t) log(1 - y)).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct BinaryCrossentropy {
    /// True if outputs are logits rather than probabilities. Default no.
    pub from_logits: bool,
    /// Label smoothing: share of each target moved to ½. Default 0.
    pub label_smoothing: f64,
}

impl SparseCategoricalCrossentropy {
    pub(in crate::rules) const DEFAULT: Self = SparseCategoricalCrossentropy {
        from_logits: false,
        ignore_class: None,
    };
}

impl CategoricalCrossentropy {
    pub(in crate::rules) const DEFAULT: Self = CategoricalCrossentropy {
        from_logits: false,
        label_smoothing: 0.0,
    };
}

impl BinaryCrossentropy {
    pub(in crate::rules) const DEFAULT: Self = BinaryCrossentropy {
        from_logits: false,
        label_smoothing: 0.0,
    };
}

impl Rule for SparseCategoricalCrossentropy {}

impl Rule for CategoricalCrossentropy {
    fn check(&self) -> Result<()> {
        check_smoothing(self.label_smoothing)
    }
}

impl Rule for BinaryCrossentropy {
    fn check(&self) -> Result<()> {
        check_smoothing(self.label_smoothing)
    }
}

impl LossFormula for SparseCategoricalCrossentropy {
    fn targets(&self) -> Targets {
        Targets::ClassNumbers
    }

    fn ignored(&self) -> Option<f32> {
        self.ignore_class.map(|class| class as f32)
    }

    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        let class = target[0];
        if self
            .ignore_class
            .is_some_and(|ignored| class == ignored as f32)
        {
            gradient.fill(0.0);
            return 0.0;
        }
        let class = (class.max(0.0) as usize).min(output.len() - 1);
        let hot = |i: usize| if i == class { 1.0 } else { 0.0 };
        if self.from_logits {
            from_logits(output, hot, gradient)
        } else {
            from_probabilities(output, hot, gradient)
        }
    }

    fn before(&self, activation: &Activation) -> Option<Criterion> {
        (!self.from_logits && *activation == Activation::Softmax).then(|| {
            Criterion::from(Self {
                from_logits: true,
                ..self.clone()
            })
        })
    }
}

impl LossFormula for CategoricalCrossentropy {
    fn of_classes(&self) -> bool {
        true
    }

    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        let keep = 1.0 - self.label_smoothing as f32;
        let spread = self.label_smoothing as f32 / output.len() as f32;
        let smoothed = |i: usize| target[i] * keep + spread;
        if self.from_logits {
            from_logits(output, smoothed, gradient)
        } else {
            from_probabilities(output, smoothed, gradient)
        }
    }

    fn before(&self, activation: &Activation) -> Option<Criterion> {
        (!self.from_logits && *activation == Activation::Softmax).then(|| {
            Criterion::from(Self {
                from_logits: true,
                ..self.clone()
            })
        })
    }
}

/// log Σ e^z - Σ t z (for targets that sum to s: s log Σ e^z - Σ t z), and
/// s softmax(z) - t.
fn from_logits(z: &[f32], target: impl Fn(usize) -> f32, gradient: &mut [f32]) -> f32 {
    let highest = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (g, &z) in gradient.iter_mut().zip(z) {
        *g = (z - highest).exp();
        sum += *g;
    }
    let log_sum = sum.ln();
    let total: f32 = (0..z.len()).map(&target).sum();
    let mut loss = 0.0;
    for (i, (g, &z)) in gradient.iter_mut().zip(z).enumerate() {
        let t = target(i);
        loss -= t * (z - highest - log_sum);
        *g = *g / sum * total - t;
    }
    loss
}

/// -Σ t log(p), where p are the outputs divided by their sum, as Keras does.
fn from_probabilities(y: &[f32], target: impl Fn(usize) -> f32, gradient: &mut [f32]) -> f32 {
    let sum: f32 = y.iter().sum();
    let mut loss = 0.0;
    let mut through_sum = 0.0;
    for (i, (g, &y)) in gradient.iter_mut().zip(y).enumerate() {
        let (p, t) = (y / sum, target(i));
        loss -= t * p.clamp(EPSILON, 1.0 - EPSILON).ln();
        // No gradient where p is clipped.
        let by_p = if (EPSILON..=1.0 - EPSILON).contains(&p) {
            -t / p
        } else {
            0.0
        };
        *g = by_p / sum;
        through_sum += by_p * p / sum;
    }
    for g in gradient {
        *g -= through_sum;
    }
    loss
}

impl LossFormula for BinaryCrossentropy {
    fn of_classes(&self) -> bool {
        true
    }

    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        let smoothing = self.label_smoothing as f32;
        mean(target, output, gradient, |t, y| {
            let t = t * (1.0 - smoothing) + 0.5 * smoothing;
            if self.from_logits {
                // max(z, 0) - z t + log(1 + e^-|z|): nothing overflows.
                let e = (-y.abs()).exp();
                let p = if y >= 0.0 {
                    1.0 / (1.0 + e)
                } else {
                    e / (1.0 + e)
                };
                (y.max(0.0) - y * t + e.ln_1p(), p - t)
            } else {
                let p = y.clamp(EPSILON, 1.0 - EPSILON);
                let inside = (EPSILON..=1.0 - EPSILON).contains(&y);
                let slope = if inside {
                    (p - t) / (p * (1.0 - p))
                } else {
                    0.0
                };
                (-(t * p.ln() + (1.0 - t) * (1.0 - p).ln()), slope)
            }
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
