use super::LossFormula;
use crate::base::registry::Rule;

/// Keras' least length of a vector.
const EPSILON: f32 = 1e-7;

plain!(
    /// Minus the cosine between target and output over the last axis: from -1,
    /// the same direction, to 1; 0 where one of them is 0.
    CosineSimilarity
);

/// 1 over the length, and true if the length is above its least.
fn inverse(vector: &[f32]) -> (f32, bool) {
    let square: f32 = vector.iter().map(|x| x * x).sum();
    let inverse = 1.0 / square.sqrt();
    (inverse.min(1.0 / EPSILON), inverse < 1.0 / EPSILON)
}

impl LossFormula for CosineSimilarity {
    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        let (by_target, _) = inverse(target);
        let (by_output, free) = inverse(output);
        let dot: f32 = target.iter().zip(output).map(|(t, y)| t * y).sum();
        let cosine = dot * by_target * by_output;
        for ((g, &y), &t) in gradient.iter_mut().zip(output).zip(target) {
            // A change along the output itself only changes its length.
            let along = if free { cosine * y * by_output } else { 0.0 };
            *g = (along - t * by_target) * by_output;
        }
        -cosine
    }
}
