//! The optimizer's step on a run of numbers.

use crate::engine::cpu::simd::{Kernel, Simd, lanes};
use crate::rules::optimizers::{Coefficients, Formula, SLOTS};

/// One step of the optimizer on `size` neighbouring numbers.
pub(in crate::engine::cpu) struct Update<'a, R> {
    pub rule: &'a R,
    pub coefficients: &'a Coefficients,
    pub w: *mut f32,
    pub gradient: *const f32,
    /// The slots that the rule uses; the rest are not followed.
    pub slots: [*mut f32; SLOTS],
    pub used: usize,
    /// What the gradient is multiplied by.
    pub scale: f32,
    /// What the gradient is then cut to.
    pub bound: f32,
    /// The share of each weight that is taken off first.
    pub decay: f32,
    pub size: usize,
}

impl<R: Formula> Kernel for Update<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let (scale, bound) = (L::splat(self.scale), L::splat(self.bound));
        let keep = L::splat(1.0 - self.decay);
        lanes!(L, self.size, |i, count| {
            // SAFETY: whoever makes the kernel promises `size` numbers at each
            // pointer, which no other thread touches.
            unsafe {
                let mut w = L::load_n(self.w.add(i), count);
                if self.decay != 0.0 {
                    w = w * keep;
                }
                let mut g = L::load_n(self.gradient.add(i), count) * scale;
                if self.bound < f32::INFINITY {
                    g = (-bound).max(bound.min(g));
                }
                let mut slots = [L::zero(); SLOTS];
                for (n, slot) in slots.iter_mut().enumerate() {
                    if n < self.used {
                        *slot = L::load_n(self.slots[n].add(i), count);
                    }
                }
                let w = self.rule.step(self.coefficients, w, g, &mut slots);
                w.store_n(self.w.add(i), count);
                for (n, slot) in slots.iter().enumerate() {
                    if n < self.used {
                        slot.store_n(self.slots[n].add(i), count);
                    }
                }
            }
        });
    }
}

/// The sum of the squares of `size` numbers, in doubles.
pub(in crate::engine::cpu) struct SquaredNorm {
    pub x: *const f32,
    pub size: usize,
}

impl Kernel for SquaredNorm {
    type Output = f64;

    #[inline(always)]
    fn run<L: Simd>(self) -> f64 {
        // Short runs in floats, their sums in a double.
        const RUN: usize = 1024;
        let mut total = 0.0;
        for start in (0..self.size).step_by(RUN) {
            let mut sum = L::zero();
            lanes!(L, RUN.min(self.size - start), |i, count| {
                // SAFETY: whoever makes the kernel promises `size` numbers.
                let x = unsafe { L::load_n(self.x.add(start + i), count) };
                sum = x.mul_add(x, sum);
            });
            total += f64::from(sum.sum());
        }
        total
    }
}
