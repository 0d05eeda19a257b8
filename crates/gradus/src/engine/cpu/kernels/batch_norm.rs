//! Batch normalization, column by column.

use super::columns::{Block, sum_rows};
use crate::engine::cpu::simd::{Kernel, Simd, lanes};

// SAFETY, of every block in this file: as in `columns.rs`; absent γ and β are
// null and not followed.

/// A lane of γ (or β), or of its neutral value.
#[inline(always)]
unsafe fn parameter<L: Simd>(from: *const f32, at: usize, count: usize, absent: f32) -> L {
    if from.is_null() {
        L::splat(absent)
    } else {
        // SAFETY: see above.
        unsafe { L::load_n(from.add(at), count) }
    }
}

/// Normalization by the batch's statistics, which are kept and update the moving averages.
pub(in crate::engine::cpu) struct BatchNormTrain {
    pub x: *const f32,
    pub gamma: *const f32,
    pub beta: *const f32,
    pub moving_mean: *mut f32,
    pub moving_variance: *mut f32,
    pub mean: *mut f32,
    pub inverse: *mut f32,
    pub y: *mut f32,
    pub momentum: f32,
    pub epsilon: f32,
    pub block: Block,
    /// True if x has the block's layout, false if it is row-major.
    pub alike: bool,
}

impl Kernel for BatchNormTrain {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let Block { rows, from, .. } = self.block;
        let x_block = Block {
            packed: self.block.packed && self.alike,
            ..self.block
        };
        let share = L::splat(1.0 / rows as f32);
        let momentum = L::splat(self.momentum);
        let rest = L::splat(1.0 - self.momentum);
        lanes!(L, self.block.width(), |i, count| {
            let at = from + i;
            let (start, step) = self.block.lane(at, count);
            let (x_start, x_step) = x_block.lane(at, count);
            // SAFETY: see above.
            unsafe {
                let x = self.x.add(x_start);
                let mean = sum_rows!(L, rows, |row| L::load_n(x.add(row * x_step), count)) * share;
                let variance = sum_rows!(L, rows, |row| {
                    let centered = L::load_n(x.add(row * x_step), count) - mean;
                    centered * centered
                }) * share;
                for (moving, now) in [(self.moving_mean, mean), (self.moving_variance, variance)] {
                    let old = L::load_n(moving.add(at), count);
                    (old * momentum + now * rest).store_n(moving.add(at), count);
                }
                let inverse = L::one() / (variance + L::splat(self.epsilon)).sqrt();
                mean.store_n(self.mean.add(at), count);
                inverse.store_n(self.inverse.add(at), count);
                let scale = inverse * parameter::<L>(self.gamma, at, count, 1.0);
                let beta = parameter::<L>(self.beta, at, count, 0.0);
                let y = self.y.add(start);
                for row in 0..rows {
                    let centered = L::load_n(x.add(row * x_step), count) - mean;
                    centered
                        .mul_add(scale, beta)
                        .store_n(y.add(row * step), count);
                }
            }
        });
    }
}

/// The gradients of [`BatchNormTrain`].
pub(in crate::engine::cpu) struct BatchNormTrainGradient {
    pub x: *const f32,
    pub gamma: *const f32,
    pub mean: *const f32,
    pub inverse: *const f32,
    pub dy: *const f32,
    pub dx: *mut f32,
    /// Null if it is not needed.
    pub dgamma: *mut f32,
    /// Null if it is not needed.
    pub dbeta: *mut f32,
    pub block: Block,
}

impl Kernel for BatchNormTrainGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let Block { rows, from, .. } = self.block;
        let share = L::splat(1.0 / rows as f32);
        lanes!(L, self.block.width(), |i, count| {
            let at = from + i;
            let (start, step) = self.block.lane(at, count);
            // SAFETY: see above.
            unsafe {
                let (x, dy) = (self.x.add(start), self.dy.add(start));
                let mean = L::load_n(self.mean.add(at), count);
                let inverse = L::load_n(self.inverse.add(at), count);
                let sum = sum_rows!(L, rows, |row| L::load_n(dy.add(row * step), count));
                let sum_hat = sum_rows!(L, rows, |row| {
                    let hat = (L::load_n(x.add(row * step), count) - mean) * inverse;
                    L::load_n(dy.add(row * step), count) * hat
                });
                if !self.dgamma.is_null() {
                    sum_hat.store_n(self.dgamma.add(at), count);
                }
                if !self.dbeta.is_null() {
                    sum.store_n(self.dbeta.add(at), count);
                }
                let scale = inverse * parameter::<L>(self.gamma, at, count, 1.0);
                let (mean_dy, mean_hat) = (sum * share, sum_hat * share * inverse);
                let dx = self.dx.add(start);
                for row in 0..rows {
                    let centered = L::load_n(x.add(row * step), count) - mean;
                    let dy = L::load_n(dy.add(row * step), count) - mean_dy;
                    let dy = (-centered).mul_add(mean_hat, dy);
                    (dy * scale).store_n(dx.add(row * step), count);
                }
            }
        });
    }
}

/// y = (x - mean) · γ / √(variance + ε) + β; or without x's mean and β, as the
/// gradient: dx = dy · γ / √(variance + ε).
pub(in crate::engine::cpu) struct BatchNormInfer {
    pub x: *const f32,
    pub gamma: *const f32,
    pub beta: *const f32,
    /// Null for the gradient.
    pub mean: *const f32,
    pub variance: *const f32,
    pub y: *mut f32,
    pub epsilon: f32,
    pub block: Block,
}

impl Kernel for BatchNormInfer {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let Block { rows, from, .. } = self.block;
        lanes!(L, self.block.width(), |i, count| {
            let at = from + i;
            let (start, step) = self.block.lane(at, count);
            // SAFETY: see above.
            unsafe {
                let variance = L::load_n(self.variance.add(at), count);
                let inverse = L::one() / (variance + L::splat(self.epsilon)).sqrt();
                let scale = inverse * parameter::<L>(self.gamma, at, count, 1.0);
                let mean = parameter::<L>(self.mean, at, count, 0.0);
                let beta = parameter::<L>(self.beta, at, count, 0.0);
                let (x, y) = (self.x.add(start), self.y.add(start));
                for row in 0..rows {
                    let centered = L::load_n(x.add(row * step), count) - mean;
                    centered
                        .mul_add(scale, beta)
                        .store_n(y.add(row * step), count);
                }
            }
        });
    }
}
