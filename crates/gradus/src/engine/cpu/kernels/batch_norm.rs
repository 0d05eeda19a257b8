//! Batch normalization, column by column.

use super::columns::{Block, LANES_TOGETHER, ROWS_TOGETHER, column_sums};
use crate::engine::cpu::simd::{Kernel, Simd, lanes};

// SAFETY, of every block in this file: as in `columns.rs`; absent γ and β are
// null and not followed.

/// A lane of γ (or β), or of its neutral value.
#[inline(always)]
pub(super) unsafe fn parameter<L: Simd>(
    from: *const f32,
    at: usize,
    count: usize,
    absent: f32,
) -> L {
    if from.is_null() {
        L::splat(absent)
    } else {
        // SAFETY: see above.
        unsafe { L::load_n(from.add(at), count) }
    }
}

/// The places of a batch's statistics, and of their moving averages.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Statistics {
    pub moving_mean: *mut f32,
    pub moving_variance: *mut f32,
    pub mean: *mut f32,
    /// 1/√(variance + ε).
    pub inverse: *mut f32,
    pub momentum: f32,
    pub epsilon: f32,
}

impl Statistics {
    /// Keeps a lane of them, and moves their averages.
    #[inline(always)]
    pub(super) unsafe fn keep<L: Simd>(&self, at: usize, count: usize, mean: L, variance: L) {
        let momentum = L::splat(self.momentum);
        let rest = L::splat(1.0 - self.momentum);
        // SAFETY: see above.
        unsafe {
            for (moving, now) in [(self.moving_mean, mean), (self.moving_variance, variance)] {
                let old = L::load_n(moving.add(at), count);
                (old * momentum + now * rest).store_n(moving.add(at), count);
            }
            let inverse = L::one() / (variance + L::splat(self.epsilon)).sqrt();
            mean.store_n(self.mean.add(at), count);
            inverse.store_n(self.inverse.add(at), count);
        }
    }
}

/// Normalization by the batch's statistics, which are kept and update the moving averages.
pub(in crate::engine::cpu) struct BatchNormTrain {
    pub x: *const f32,
    pub gamma: *const f32,
    pub beta: *const f32,
    pub statistics: Statistics,
    pub y: *mut f32,
    pub block: Block,
    /// True if x has the block's layout, false if it is row-major.
    pub alike: bool,
}

impl Kernel for BatchNormTrain {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let Block { rows, .. } = self.block;
        let x_block = Block {
            packed: self.block.packed && self.alike,
            ..self.block
        };
        let share = L::splat(1.0 / rows as f32);
        let Statistics { mean, inverse, .. } = self.statistics;
        // SAFETY: see above.
        unsafe {
            column_sums!(
                L,
                x_block,
                |row, at, count| -> [1] {
                    let (start, step) = x_block.lane(at, count);
                    [L::load_n(self.x.add(start + row * step), count)]
                },
                |sums| {
                    (sums[0] * share).store_n(mean.add(at), count);
                }
            );
            column_sums!(
                L,
                x_block,
                |row, at, count| -> [1] {
                    let (start, step) = x_block.lane(at, count);
                    let mean = L::load_n(mean.add(at), count);
                    let centered = L::load_n(self.x.add(start + row * step), count) - mean;
                    [centered * centered]
                },
                |sums| {
                    let variance = sums[0] * share;
                    let mean = L::load_n(mean.add(at), count);
                    self.statistics.keep(at, count, mean, variance);
                }
            );
        }
        let Self {
            x, gamma, beta, y, ..
        } = self;
        BatchNormApply {
            x,
            gamma,
            beta,
            mean,
            inverse,
            y,
            block: self.block,
            alike: self.alike,
        }
        .run::<L>();
    }
}

/// y = γ (x - mean) · inverse + β.
pub(in crate::engine::cpu) struct BatchNormApply {
    pub x: *const f32,
    pub gamma: *const f32,
    pub beta: *const f32,
    pub mean: *const f32,
    pub inverse: *const f32,
    pub y: *mut f32,
    pub block: Block,
    /// True if x has the block's layout, false if it is row-major.
    pub alike: bool,
}

impl Kernel for BatchNormApply {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let x_block = Block {
            packed: self.block.packed && self.alike,
            ..self.block
        };
        // Where y is written lane by lane, rows of x are at least read together.
        let together = if self.alike { 1 } else { ROWS_TOGETHER };
        for (first, end) in x_block.by(together) {
            lanes!(L, self.block.width(), |i, count| {
                let at = self.block.from + i;
                let (start, step) = self.block.lane(at, count);
                let (x_start, x_step) = x_block.lane(at, count);
                // SAFETY: see above.
                unsafe {
                    let mean = L::load_n(self.mean.add(at), count);
                    let inverse = L::load_n(self.inverse.add(at), count);
                    let scale = inverse * parameter::<L>(self.gamma, at, count, 1.0);
                    let beta = parameter::<L>(self.beta, at, count, 0.0);
                    let (x, y) = (self.x.add(x_start), self.y.add(start));
                    for row in first..end {
                        let centered = L::load_n(x.add(row * x_step), count) - mean;
                        centered
                            .mul_add(scale, beta)
                            .store_n(y.add(row * step), count);
                    }
                }
            });
        }
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
        let Block { rows, from, to, .. } = self.block;
        let share = L::splat(1.0 / rows as f32);
        // Lanes whose sums are kept until they are used.
        let together = LANES_TOGETHER * L::WIDTH;
        for from in (from..to).step_by(together) {
            let block = Block {
                from,
                to: to.min(from + together),
                ..self.block
            };
            let mut sums_of = [[L::zero(); 2]; LANES_TOGETHER];
            // SAFETY: see above.
            unsafe {
                column_sums!(
                    L,
                    block,
                    |row, at, count| -> [2] {
                        let (start, step) = block.lane(at, count);
                        let mean = L::load_n(self.mean.add(at), count);
                        let inverse = L::load_n(self.inverse.add(at), count);
                        let hat =
                            (L::load_n(self.x.add(start + row * step), count) - mean) * inverse;
                        let dy = L::load_n(self.dy.add(start + row * step), count);
                        [dy, dy * hat]
                    },
                    |sums| {
                        sums_of[(at - from) / L::WIDTH] = sums;
                        if !self.dbeta.is_null() {
                            sums[0].store_n(self.dbeta.add(at), count);
                        }
                        if !self.dgamma.is_null() {
                            sums[1].store_n(self.dgamma.add(at), count);
                        }
                    }
                );
            }
            for (first, end) in block.by_turns() {
                lanes!(L, block.width(), |i, count| {
                    let at = from + i;
                    let (start, step) = block.lane(at, count);
                    // SAFETY: see above.
                    unsafe {
                        let [sum, sum_hat] = sums_of[i / L::WIDTH];
                        let (x, dy) = (self.x.add(start), self.dy.add(start));
                        let mean = L::load_n(self.mean.add(at), count);
                        let inverse = L::load_n(self.inverse.add(at), count);
                        let scale = inverse * parameter::<L>(self.gamma, at, count, 1.0);
                        let (mean_dy, mean_hat) = (sum * share, sum_hat * share * inverse);
                        let dx = self.dx.add(start);
                        for row in first..end {
                            let centered = L::load_n(x.add(row * step), count) - mean;
                            let dy = L::load_n(dy.add(row * step), count) - mean_dy;
                            let dy = (-centered).mul_add(mean_hat, dy);
                            (dy * scale).store_n(dx.add(row * step), count);
                        }
                    }
                });
            }
        }
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
