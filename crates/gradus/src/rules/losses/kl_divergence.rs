use super::LossFormula;
use crate::base::registry::Rule;

/// Keras' clipping of both distributions away from 0.
const EPSILON: f32 = 1e-7;

plain!(
    /// Σ t ln(t / y) over the last axis (Kullback & Leibler 1951), t the target and y the output,
    /// both clipped to 1e-7 … 1.
    KLDivergence
);

impl LossFormula for KLDivergence {
    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        let mut sum = 0.0;
        for ((g, &y), &t) in gradient.iter_mut().zip(output).zip(target) {
            let (t, p) = (t.clamp(EPSILON, 1.0), y.clamp(EPSILON, 1.0));
            sum += t * (t / p).ln();
            // No gradient where y is clipped.
            *g = if (EPSILON..=1.0).contains(&y) {
                -t / p
            } else {
                0.0
            };
        }
        sum
    }
}
