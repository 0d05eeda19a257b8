//! Operations on whole rows of a matrix.

use crate::base::math::{exp, ln};
use crate::engine::cpu::simd::{Kernel, Simd, lanes};

// SAFETY, of every block in this file: whoever makes a kernel promises that its
// pointers lead to `rows` rows of `width` numbers that no other thread touches.

/// y = softmax of each row of x, or its logarithm.
pub(in crate::engine::cpu) struct Softmax {
    pub x: *const f32,
    pub y: *mut f32,
    pub log: bool,
    pub rows: usize,
    pub width: usize,
}

impl Kernel for Softmax {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        for row in 0..self.rows {
            // SAFETY: see above.
            unsafe {
                let (x, y) = (self.x.add(row * self.width), self.y.add(row * self.width));
                let mut highest = f32::NEG_INFINITY;
                lanes!(L, self.width, |i, count| {
                    if count == L::WIDTH {
                        highest = highest.max(L::load(x.add(i)).largest());
                    } else {
                        for j in i..i + count {
                            highest = highest.max(*x.add(j));
                        }
                    }
                });
                let mut sum = 0.0;
                if self.log {
                    // x may be y's memory, and is needed once more.
                    lanes!(L, self.width, |i, count| {
                        if count == L::WIDTH {
                            sum += exp(L::load(x.add(i)) - L::splat(highest)).sum();
                        } else {
                            for j in i..i + count {
                                sum += exp(*x.add(j) - highest);
                            }
                        }
                    });
                    let (highest, log) = (L::splat(highest), L::splat(ln(sum)));
                    lanes!(L, self.width, |i, count| {
                        let y_now = L::load_n(x.add(i), count) - highest - log;
                        y_now.store_n(y.add(i), count);
                    });
                    continue;
                }
                lanes!(L, self.width, |i, count| {
                    let e = exp(L::load_n(x.add(i), count) - L::splat(highest));
                    e.store_n(y.add(i), count);
                    sum += if count == L::WIDTH {
                        e.sum()
                    } else {
                        L::load_n(y.add(i), count).sum()
                    };
                });
                let share = L::one() / L::splat(sum);
                lanes!(L, self.width, |i, count| {
                    (L::load_n(y.add(i), count) * share).store_n(y.add(i), count);
                });
            }
        }
    }
}

/// dx = y · (dy - Σ y dy); of the logarithm, dy - e^y Σ dy.
pub(in crate::engine::cpu) struct SoftmaxGradient {
    pub y: *const f32,
    pub dy: *const f32,
    pub dx: *mut f32,
    pub log: bool,
    pub rows: usize,
    pub width: usize,
}

impl Kernel for SoftmaxGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        for row in 0..self.rows {
            let start = row * self.width;
            // SAFETY: see above.
            unsafe {
                let (y, dy) = (self.y.add(start), self.dy.add(start));
                let mut dot = L::zero();
                if self.log {
                    lanes!(L, self.width, |i, count| {
                        dot = dot + L::load_n(dy.add(i), count);
                    });
                    let sum = L::splat(dot.sum());
                    lanes!(L, self.width, |i, count| {
                        let share = exp(L::load_n(y.add(i), count));
                        let dx = L::load_n(dy.add(i), count) - share * sum;
                        dx.store_n(self.dx.add(start + i), count);
                    });
                    continue;
                }
                lanes!(L, self.width, |i, count| {
                    let y = L::load_n(y.add(i), count);
                    dot = y.mul_add(L::load_n(dy.add(i), count), dot);
                });
                let dot = L::splat(dot.sum());
                lanes!(L, self.width, |i, count| {
                    let centered = L::load_n(dy.add(i), count) - dot;
                    let y = L::load_n(y.add(i), count);
                    (y * centered).store_n(self.dx.add(start + i), count);
                });
            }
        }
    }
}

/// y = (x - mean) / √(variance + ε) for each row; 1/√(variance + ε) is kept.
pub(in crate::engine::cpu) struct LayerNorm {
    pub x: *const f32,
    pub y: *mut f32,
    /// One value for each row.
    pub inverse: *mut f32,
    pub epsilon: f32,
    pub rows: usize,
    pub width: usize,
}

impl Kernel for LayerNorm {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let n = self.width as f32;
        for row in 0..self.rows {
            // SAFETY: see above.
            unsafe {
                let (x, y) = (self.x.add(row * self.width), self.y.add(row * self.width));
                let mut sum = L::zero();
                lanes!(L, self.width, |i, count| {
                    sum = sum + L::load_n(x.add(i), count);
                });
                let mean = L::splat(sum.sum() / n);
                let mut squares = L::zero();
                let mut rest = 0.0;
                lanes!(L, self.width, |i, count| {
                    let centered = L::load_n(x.add(i), count) - mean;
                    centered.store_n(y.add(i), count);
                    if count == L::WIDTH {
                        squares = centered.mul_add(centered, squares);
                    } else {
                        let centered = L::load_n(y.add(i), count);
                        rest = (centered * centered).sum();
                    }
                });
                let variance = (squares.sum() + rest) / n;
                let inverse = 1.0 / (variance + self.epsilon).sqrt();
                *self.inverse.add(row) = inverse;
                let inverse = L::splat(inverse);
                lanes!(L, self.width, |i, count| {
                    (L::load_n(y.add(i), count) * inverse).store_n(y.add(i), count);
                });
            }
        }
    }
}

/// dx = (dy - mean dy - y · mean(y dy)) / √(variance + ε) for each row.
pub(in crate::engine::cpu) struct LayerNormGradient {
    pub y: *const f32,
    /// One value for each row.
    pub inverse: *const f32,
    pub dy: *const f32,
    pub dx: *mut f32,
    pub rows: usize,
    pub width: usize,
}

impl Kernel for LayerNormGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let n = self.width as f32;
        for row in 0..self.rows {
            let start = row * self.width;
            // SAFETY: see above.
            unsafe {
                let (y, dy) = (self.y.add(start), self.dy.add(start));
                let dx = self.dx.add(start);
                let (mut sum, mut dot) = (L::zero(), L::zero());
                lanes!(L, self.width, |i, count| {
                    let dy = L::load_n(dy.add(i), count);
                    sum = sum + dy;
                    dot = L::load_n(y.add(i), count).mul_add(dy, dot);
                });
                let (mean, dot) = (L::splat(sum.sum() / n), L::splat(dot.sum() / n));
                let inverse = L::splat(*self.inverse.add(row));
                lanes!(L, self.width, |i, count| {
                    let (y, dy) = (L::load_n(y.add(i), count), L::load_n(dy.add(i), count));
                    let centered = (-y).mul_add(dot, dy - mean);
                    (centered * inverse).store_n(dx.add(i), count);
                });
            }
        }
    }
}
