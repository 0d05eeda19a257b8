//! Batch normalization of images: sums over some rows of a part of the batch, and what is made of them.

use super::batch_norm::parameter;
use super::columns::{Block, column_sums};
use crate::engine::cpu::simd::{Kernel, Simd, lanes};

// SAFETY, of every block in this file: as in `columns.rs`; an absent γ is null and not followed.

/// Whole rows of a row-major matrix.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Rows {
    pub first: usize,
    pub rows: usize,
    pub width: usize,
}

impl Rows {
    #[inline(always)]
    fn block(self) -> Block {
        Block {
            first: self.first,
            rows: self.rows,
            stride: self.width,
            from: 0,
            to: self.width,
            packed: false,
        }
    }
}

/// Mean and sum of squared deviations of two sets of numbers together.
#[inline(always)]
fn together<L: Simd>((rows_a, mean_a, a): (f32, L, L), (rows_b, mean_b, b): (f32, L, L)) -> (L, L) {
    let share = rows_b / (rows_a + rows_b);
    let apart = mean_b - mean_a;
    let mean = apart.mul_add(L::splat(share), mean_a);
    let between = apart * apart * L::splat(rows_a * share);
    (mean, a + b + between)
}

/// Adds rows of x to the mean of each column and the sum of its squared deviations.
pub(in crate::engine::cpu) struct BatchMoments {
    pub x: *const f32,
    /// A row of means, and one of sums.
    pub moments: *mut f32,
    /// Room for a row.
    pub own: *mut f32,
    /// Rows that they are of so far.
    pub before: usize,
    pub block: Rows,
}

impl Kernel for BatchMoments {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let block = self.block.block();
        let Rows { rows, width, .. } = self.block;
        let share = L::splat(1.0 / rows as f32);
        // SAFETY: see above.
        unsafe {
            let deviations = self.moments.add(width);
            column_sums!(
                L,
                block,
                |row, at, count| -> [1] {
                    let (start, step) = block.lane(at, count);
                    [L::load_n(self.x.add(start + row * step), count)]
                },
                |sums| {
                    (sums[0] * share).store_n(self.own.add(at), count);
                }
            );
            column_sums!(
                L,
                block,
                |row, at, count| -> [1] {
                    let (start, step) = block.lane(at, count);
                    let mean = L::load_n(self.own.add(at), count);
                    let centered = L::load_n(self.x.add(start + row * step), count) - mean;
                    [centered * centered]
                },
                |sums| {
                    let own = (L::load_n(self.own.add(at), count), sums[0]);
                    let (mean, sum) = match self.before {
                        0 => own,
                        before => together(
                            (
                                before as f32,
                                L::load_n(self.moments.add(at), count),
                                L::load_n(deviations.add(at), count),
                            ),
                            (rows as f32, own.0, own.1),
                        ),
                    };
                    mean.store_n(self.moments.add(at), count);
                    sum.store_n(deviations.add(at), count);
                }
            );
        }
    }
}

/// Mean and 1/√(variance + ε) of each column, from the moments of parts of the rows.
pub(in crate::engine::cpu) struct MergeMoments {
    pub parts: *const f32,
    pub count: usize,
    /// Rows of all parts together.
    pub rows: usize,
    pub moving_mean: *mut f32,
    pub moving_variance: *mut f32,
    pub mean: *mut f32,
    pub inverse: *mut f32,
    pub momentum: f32,
    pub epsilon: f32,
    pub width: usize,
}

impl Kernel for MergeMoments {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let momentum = L::splat(self.momentum);
        let rest = L::splat(1.0 - self.momentum);
        lanes!(L, self.width, |at, count| {
            // SAFETY: see above.
            unsafe {
                let (mut mean, mut sum) = (L::zero(), L::zero());
                let mut before = 0;
                for part in 0..self.count {
                    let end = self.rows * (part + 1) / self.count;
                    let from = self.parts.add(2 * part * self.width + at);
                    let own = (
                        (end - before) as f32,
                        L::load_n(from, count),
                        L::load_n(from.add(self.width), count),
                    );
                    (mean, sum) = together((before as f32, mean, sum), own);
                    before = end;
                }
                let variance = sum * L::splat(1.0 / self.rows as f32);
                for (moving, now) in [(self.moving_mean, mean), (self.moving_variance, variance)] {
                    let old = L::load_n(moving.add(at), count);
                    (old * momentum + now * rest).store_n(moving.add(at), count);
                }
                let inverse = L::one() / (variance + L::splat(self.epsilon)).sqrt();
                mean.store_n(self.mean.add(at), count);
                inverse.store_n(self.inverse.add(at), count);
            }
        });
    }
}

/// Sums of dy and of dy x̂ over some rows.
pub(in crate::engine::cpu) struct BatchNormSums {
    pub x: *const f32,
    pub mean: *const f32,
    pub inverse: *const f32,
    pub dy: *const f32,
    pub dbeta: *mut f32,
    pub dgamma: *mut f32,
    /// True to continue the existing sums.
    pub add: bool,
    pub block: Rows,
}

impl Kernel for BatchNormSums {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let block = self.block.block();
        // SAFETY: see above.
        unsafe {
            column_sums!(
                L,
                block,
                |row, at, count| -> [2] {
                    let (start, step) = block.lane(at, count);
                    let mean = L::load_n(self.mean.add(at), count);
                    let dy = L::load_n(self.dy.add(start + row * step), count);
                    [dy, dy * (L::load_n(self.x.add(start + row * step), count) - mean)]
                },
                |sums| {
                    let inverse = L::load_n(self.inverse.add(at), count);
                    for (sum, to) in [(sums[0], self.dbeta), (sums[1] * inverse, self.dgamma)] {
                        add_to(sum, to.add(at), count, self.add);
                    }
                }
            );
        }
    }
}

/// Stores a lane of sums, or adds it to those that are there.
#[inline(always)]
unsafe fn add_to<L: Simd>(sum: L, to: *mut f32, count: usize, add: bool) {
    // SAFETY: see above.
    unsafe {
        let sum = match add {
            true => L::load_n(to, count) + sum,
            false => sum,
        };
        sum.store_n(to, count);
    }
}

/// Sums of columns over some rows.
pub(in crate::engine::cpu) struct ColumnSums {
    pub x: *const f32,
    pub sums: *mut f32,
    /// True to continue the existing sums.
    pub add: bool,
    pub block: Rows,
}

impl Kernel for ColumnSums {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let block = self.block.block();
        // SAFETY: see above.
        unsafe {
            column_sums!(
                L,
                block,
                |row, at, count| -> [1] {
                    let (start, step) = block.lane(at, count);
                    [L::load_n(self.x.add(start + row * step), count)]
                },
                |sums| {
                    add_to(sums[0], self.sums.add(at), count, self.add);
                }
            );
        }
    }
}

/// dx = γ · inverse · (dy - (Σ dy + x̂ Σ dy x̂) / `of`).
pub(in crate::engine::cpu) struct BatchNormApplyGradient {
    pub x: *const f32,
    pub gamma: *const f32,
    pub mean: *const f32,
    pub inverse: *const f32,
    pub dy: *const f32,
    pub dbeta: *const f32,
    pub dgamma: *const f32,
    pub dx: *mut f32,
    /// Rows that the sums are over.
    pub of: usize,
    pub block: Block,
}

impl Kernel for BatchNormApplyGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let share = L::splat(1.0 / self.of as f32);
        for (first, end) in self.block.by_turns() {
            lanes!(L, self.block.width(), |i, count| {
                let at = self.block.from + i;
                let (start, step) = self.block.lane(at, count);
                // SAFETY: see above.
                unsafe {
                    let mean = L::load_n(self.mean.add(at), count);
                    let inverse = L::load_n(self.inverse.add(at), count);
                    let scale = inverse * parameter::<L>(self.gamma, at, count, 1.0);
                    let mean_dy = L::load_n(self.dbeta.add(at), count) * share;
                    let mean_hat = L::load_n(self.dgamma.add(at), count) * share * inverse;
                    let (x, dy, dx) = (self.x.add(start), self.dy.add(start), self.dx.add(start));
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
