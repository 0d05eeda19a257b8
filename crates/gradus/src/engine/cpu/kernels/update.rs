//! The optimizer's step on a run of numbers.

use crate::engine::Step;
use crate::engine::cpu::simd::{Kernel, Simd, lanes};
use crate::rules::optimizers::{Coefficients, Formula, SLOTS, Whole};
use crate::rules::regularizers::{Formula as _, L1L2};

/// What only some updates have.
#[derive(Clone, Copy)]
pub(in crate::engine::cpu) struct Extras<'a> {
    /// The penalty whose derivative belongs to the gradient.
    pub regularizer: Option<&'a L1L2>,
    /// The gradients since the last update; null if they are not gathered.
    pub accumulator: *mut f32,
    /// The moving average of the weights; null if there is none.
    pub average: *mut f32,
    pub step: &'a Step,
}

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
    pub extras: Option<Extras<'a>>,
    pub size: usize,
}

impl<R: Formula> Kernel for Update<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let (scale, bound) = (L::splat(self.scale), L::splat(self.bound));
        let keep = L::splat(1.0 - self.decay);
        let gathering = self.extras.is_some_and(|extras| extras.step.gathering);
        lanes!(L, self.size, |i, count| {
            // SAFETY: whoever makes the kernel promises `size` numbers at each
            // pointer, which no other thread touches.
            unsafe {
                let mut w = L::load_n(self.w.add(i), count);
                let mut g = L::load_n(self.gradient.add(i), count);
                if let Some(extras) = &self.extras {
                    g = extras.gather(g, w, i, count);
                }
                if !gathering {
                    if self.decay != 0.0 {
                        w = w * keep;
                    }
                    g = g * scale;
                    if self.bound < f32::INFINITY {
                        g = (-bound).max(bound.min(g));
                    }
                    let mut slots = [L::zero(); SLOTS];
                    for (n, slot) in slots.iter_mut().enumerate() {
                        if n < self.used {
                            *slot = L::load_n(self.slots[n].add(i), count);
                        }
                    }
                    w = self.rule.step(self.coefficients, w, g, &mut slots);
                    for (n, slot) in slots.iter().enumerate() {
                        if n < self.used {
                            slot.store_n(self.slots[n].add(i), count);
                        }
                    }
                }
                if let Some(extras) = &self.extras {
                    w = extras.average(w, i, count);
                }
                w.store_n(self.w.add(i), count);
            }
        });
    }
}

/// One step of the optimizer on a whole variable, by a rule that needs all of it.
pub(in crate::engine::cpu) struct UpdateWhole<'a, R> {
    /// Its regularizer and accumulator are operations of their own.
    pub update: Update<'a, R>,
    pub shape: &'a [usize],
    /// Room for the gradient and for what the rule needs.
    pub scratch: *mut f32,
}

impl<R: Formula> Kernel for UpdateWhole<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let UpdateWhole {
            update,
            shape,
            scratch,
        } = self;
        let size = update.size;
        // SAFETY: whoever makes the kernel promises `size` numbers at each
        // pointer and the room that `room` counts, which no other thread touches.
        let (w, gradient, clipped, scratch) = unsafe {
            let room = std::slice::from_raw_parts_mut(scratch, size + update.rule.scratch(shape));
            let (clipped, scratch) = room.split_at_mut(size);
            (
                std::slice::from_raw_parts_mut(update.w, size),
                std::slice::from_raw_parts(update.gradient, size),
                clipped,
                scratch,
            )
        };
        if !update.extras.is_some_and(|extras| extras.step.gathering) {
            for (clipped, g) in clipped.iter_mut().zip(gradient) {
                *clipped = (g * update.scale).clamp(-update.bound, update.bound);
            }
            w.iter_mut().for_each(|w| *w *= 1.0 - update.decay);
            let mut slots: [&mut [f32]; SLOTS] = Default::default();
            for (slot, &at) in slots.iter_mut().zip(&update.slots[..update.used]) {
                // SAFETY: as above; each slot is a variable of its own.
                *slot = unsafe { std::slice::from_raw_parts_mut(at, size) };
            }
            let whole = Whole {
                shape,
                w: &mut *w,
                gradient: clipped,
                slots,
                scratch,
            };
            update.rule.step_whole(update.coefficients, whole);
        }
        if let Some(extras) = &update.extras {
            lanes!(L, size, |i, count| {
                // SAFETY: as above.
                unsafe {
                    let at = update.w.add(i);
                    let averaged = extras.average(L::load_n(at, count), i, count);
                    averaged.store_n(at, count);
                }
            });
        }
    }
}

impl Extras<'_> {
    /// The gradient with the penalty's, and the mean with those before it.
    ///
    /// # Safety
    ///
    /// There must be `count` numbers at `i` of the accumulator.
    #[inline(always)]
    unsafe fn gather<L: Simd>(&self, mut g: L, w: L, i: usize, count: usize) -> L {
        if let Some(rule) = self.regularizer {
            g = g + rule.slope(w);
        }
        if !self.accumulator.is_null() {
            // SAFETY: the caller's promise.
            let at = unsafe { self.accumulator.add(i) };
            // SAFETY: as above.
            let all = g + unsafe { L::load_n(at, count) };
            let (left, mean) = if self.step.gathering {
                (all, g)
            } else {
                (L::zero(), all / L::splat(self.step.gathered))
            };
            // SAFETY: as above.
            unsafe { left.store_n(at, count) };
            g = mean;
        }
        g
    }

    /// Moves the average, and gives what the weights become.
    ///
    /// # Safety
    ///
    /// There must be `count` numbers at `i` of the average.
    #[inline(always)]
    unsafe fn average<L: Simd>(&self, w: L, i: usize, count: usize) -> L {
        if self.average.is_null() {
            return w;
        }
        let m = self.step.average_momentum;
        // SAFETY: the caller's promise.
        let at = unsafe { self.average.add(i) };
        // SAFETY: as above.
        let before = unsafe { L::load_n(at, count) };
        let average = L::splat(m) * before + L::splat(1.0 - m) * w;
        // SAFETY: as above.
        unsafe { average.store_n(at, count) };
        if self.step.overwrite { average } else { w }
    }
}

/// y = (gradient + accumulator) / steps, or into the accumulator: see the op.
pub(in crate::engine::cpu) struct Accumulate<'a> {
    pub gradient: *const f32,
    pub accumulator: *mut f32,
    pub y: *mut f32,
    pub step: &'a Step,
    pub size: usize,
}

impl Kernel for Accumulate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let extras = Extras {
            regularizer: None,
            accumulator: self.accumulator,
            average: std::ptr::null_mut(),
            step: self.step,
        };
        lanes!(L, self.size, |i, count| {
            // SAFETY: whoever makes the kernel promises `size` numbers at each
            // pointer, which no other thread touches.
            unsafe {
                let g = L::load_n(self.gradient.add(i), count);
                let mut y = extras.gather(g, L::zero(), i, count);
                if self.step.gathering {
                    y = L::zero();
                }
                y.store_n(self.y.add(i), count);
            }
        });
    }
}

/// The sum of the penalties of `size` numbers, in doubles.
pub(in crate::engine::cpu) struct Penalty<'a> {
    pub rule: &'a L1L2,
    pub x: *const f32,
    pub size: usize,
}

impl Kernel for Penalty<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Simd>(self) -> f64 {
        let mut total = 0.0;
        for start in (0..self.size).step_by(RUN) {
            let mut sum = L::zero();
            lanes!(L, RUN.min(self.size - start), |i, count| {
                // SAFETY: whoever makes the kernel promises `size` numbers; those
                // behind the last are loaded as 0, which costs nothing.
                let x = unsafe { L::load_n(self.x.add(start + i), count) };
                sum = sum + self.rule.penalty(x);
            });
            total += f64::from(sum.sum());
        }
        total
    }
}

/// Numbers that are added up in floats before they go to a double.
const RUN: usize = 1024;

/// The sum of the squares of `size` numbers, in doubles.
pub(in crate::engine::cpu) struct SquaredNorm {
    pub x: *const f32,
    pub size: usize,
}

impl Kernel for SquaredNorm {
    type Output = f64;

    #[inline(always)]
    fn run<L: Simd>(self) -> f64 {
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
