//! Normalization of each row by itself.

use super::{Compute, Run};
use crate::plan::ops::{
    L2Normalize, L2NormalizeGradient, LARGEST_INVERSE, LayerNorm, LayerNormGradient,
};

impl Compute for LayerNorm {
    fn compute(&self, run: &mut Run<'_>) {
        let n = self.view.width as f32;
        let mut inverses = Vec::new();
        run.fill(self.y, |run, y| {
            let rows = run.get(self.x).chunks(self.view.width);
            for (y, x) in y.chunks_mut(self.view.width).zip(rows) {
                let mean = x.iter().sum::<f32>() / n;
                let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / n;
                let inverse = 1.0 / (variance + self.epsilon).sqrt();
                for (y, x) in y.iter_mut().zip(x) {
                    *y = (x - mean) * inverse;
                }
                inverses.push(inverse);
            }
        });
        run.set(self.inverse, inverses);
    }
}

impl Compute for LayerNormGradient {
    fn compute(&self, run: &mut Run<'_>) {
        let width = self.view.width;
        run.fill(self.dx, |run, dx| {
            let n = width as f32;
            for (row, dx) in dx.chunks_mut(width).enumerate() {
                let of = row * width..(row + 1) * width;
                let (y, dy) = (&run.get(self.y)[of.clone()], &run.get(self.dy)[of]);
                let sum: f32 = dy.iter().sum();
                let dot: f32 = y.iter().zip(dy).map(|(y, dy)| y * dy).sum();
                for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
                    *dx = (dy - (sum + y * dot) / n) * run.get(self.inverse)[row];
                }
            }
        });
    }
}

impl Compute for L2Normalize {
    fn compute(&self, run: &mut Run<'_>) {
        let width = self.view.width;
        let rows = run.get(self.x).chunks(width);
        let norm = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>().sqrt();
        let inverses: Vec<f32> = rows.map(|x| (1.0 / norm(x)).min(LARGEST_INVERSE)).collect();
        run.fill(self.y, |run, y| {
            for (i, y) in y.iter_mut().enumerate() {
                *y = run.get(self.x)[i] * inverses[i / width];
            }
        });
        run.set(self.inverse, inverses);
    }
}

impl Compute for L2NormalizeGradient {
    fn compute(&self, run: &mut Run<'_>) {
        let width = self.view.width;
        run.fill(self.dx, |run, dx| {
            for (row, dx) in dx.chunks_mut(width).enumerate() {
                let of = row * width..(row + 1) * width;
                let (y, dy) = (&run.get(self.y)[of.clone()], &run.get(self.dy)[of]);
                let inverse = run.get(self.inverse)[row];
                // A row multiplied by the limit does not have length 1.
                let dot: f32 = match inverse < LARGEST_INVERSE {
                    true => y.iter().zip(dy).map(|(y, dy)| y * dy).sum(),
                    false => 0.0,
                };
                for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
                    *dx = (dy - y * dot) * inverse;
                }
            }
        });
    }
}
