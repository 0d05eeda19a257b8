//! Batch normalization of images: sums over some rows of a part of the batch, and what is made of them.

use super::batch_norm::{Statistics, parameter};
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
    pub statistics: Statistics,
    pub width: usize,
}

impl Kernel for MergeMoments {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
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
                self.statistics.keep(at, count, mean, variance);
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
        for (first, end) in self.block.by_rows() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::isa::Isa;

    /// The moments of a matrix whose rows are gone over in stretches of these lengths.
    fn moments(isa: Isa, x: &[f32], width: usize, stretches: &[usize]) -> Vec<f32> {
        let (mut moments, mut own) = (vec![0.0; 2 * width], vec![0.0; width]);
        let mut before = 0;
        for &rows in stretches {
            isa.run(BatchMoments {
                x: x.as_ptr(),
                moments: moments.as_mut_ptr(),
                own: own.as_mut_ptr(),
                before,
                block: Rows {
                    first: before,
                    rows,
                    width,
                },
            });
            before += rows;
        }
        moments
    }

    #[test]
    fn moments_of_stretches_are_those_of_all_rows_far_from_zero_too() {
        let (rows, width) = (150, 37);
        let number = |i: usize| ((i * 7919 % 1009) as f32 / 1009.0 - 0.5) * (1 + i % width) as f32;
        let x: Vec<f32> = (0..rows * width).map(|i| 1000.0 + number(i)).collect();
        for isa in Isa::available() {
            for stretches in [vec![150], vec![64, 64, 22], vec![1, 148, 1], vec![75; 2]] {
                let found = moments(isa, &x, width, &stretches);
                for c in 0..width {
                    let column = || (0..rows).map(|row| f64::from(x[row * width + c]));
                    let mean = column().sum::<f64>() / rows as f64;
                    let deviations: f64 = column().map(|x| (x - mean).powi(2)).sum();
                    let close = |found: f32, right: f64, most: f64| {
                        let apart = (f64::from(found) - right).abs() / right;
                        assert!(apart < most, "{isa:?} {stretches:?}: {found} for {right}");
                    };
                    close(found[c], mean, 3e-7);
                    close(found[width + c], deviations, 1e-4);
                }
            }
        }
    }

    #[test]
    fn sums_of_stretches_are_those_of_all_rows() {
        let (rows, width) = (40, 19);
        let x: Vec<f32> = (0..rows * width).map(|i| (i % 23) as f32 - 11.0).collect();
        for isa in Isa::available() {
            let mut sums = vec![f32::NAN; width];
            for (first, rows) in [(0, 13), (13, 27)] {
                isa.run(ColumnSums {
                    x: x.as_ptr(),
                    sums: sums.as_mut_ptr(),
                    add: first > 0,
                    block: Rows { first, rows, width },
                });
            }
            for (c, sum) in sums.iter().enumerate() {
                let right: f32 = (0..rows).map(|row| x[row * width + c]).sum();
                assert_eq!(*sum, right, "{isa:?}");
            }
        }
    }
}
