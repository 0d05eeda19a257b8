//! The optimizer's step on a contiguous run of weights.

use crate::engine::Step;
use crate::engine::cpu::isa::Isa;
use crate::engine::cpu::packed::PanelPacked;
use crate::engine::cpu::simd::{Kernel, Simd, lanes};
use crate::rules::optimizers::{Coefficients, OptimizerFormula, SLOTS, Whole};
use crate::rules::regularizers::{L1L2, RegularizerFormula as _};

/// Optional parts of an update.
#[derive(Clone, Copy)]
pub(in crate::engine::cpu) struct Extras<'a> {
    /// Penalty whose derivative is added to the gradient.
    pub regularizer: Option<&'a L1L2>,
    /// Accumulated gradients since the last update; null if they are not accumulated.
    pub accumulator: *mut f32,
    /// Moving average of the weights; null if there is none.
    pub average: *mut f32,
    /// True if weights that are 0 stay 0.
    pub keeps_zeros: bool,
    pub step: &'a Step,
}

/// One step of the optimizer on `size` contiguous weights.
pub(in crate::engine::cpu) struct Update<'a, R> {
    pub rule: &'a R,
    pub coefficients: &'a Coefficients,
    pub w: *mut f32,
    pub gradient: *const f32,
    /// Slots that the rule uses; the others are not accessed.
    pub slots: [*mut f32; SLOTS],
    pub used: usize,
    /// Factor of the gradient.
    pub scale: f32,
    /// Bound to which the gradient is then clipped.
    pub bound: f32,
    /// Share of each weight that is subtracted first.
    pub decay: f32,
    pub extras: Option<Extras<'a>>,
    pub size: usize,
}

impl<R: OptimizerFormula> Kernel for Update<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        // Copies without pointers to them: stores cannot change them, so that they stay in
        // registers. A rule with memory of its own is not copied.
        let copy = (!std::mem::needs_drop::<R>()).then(|| self.rule.clone());
        let coefficients = *self.coefficients;
        let rule = (copy.as_ref().unwrap_or(self.rule), &coefficients);
        let whole = self.size / L::WIDTH * L::WIDTH;
        // SAFETY: whoever makes the kernel promises `size` numbers at each
        // pointer, which no other thread touches.
        unsafe {
            let rest = match (self.extras, self.used) {
                _ if self.bound < f32::INFINITY => 0,
                (None, 0) => self.plain::<L, 0>(rule, whole),
                (None, 1) => self.plain::<L, 1>(rule, whole),
                (None, 2) => self.plain::<L, 2>(rule, whole),
                (None, 3) => self.plain::<L, 3>(rule, whole),
                _ => 0,
            };
            lanes!(L, self.size - rest, |i, count| {
                self.any::<L>(rule, rest + i, count);
            });
        }
    }
}

impl<R: OptimizerFormula> Update<'_, R> {
    /// Updates the first `size` weights, a multiple of a lane, without extras and bound; returns
    /// their number.
    ///
    /// # Safety
    ///
    /// There must be `size` floats at each pointer, and `USED` slots.
    #[inline(always)]
    unsafe fn plain<L: Simd, const USED: usize>(
        &self,
        (rule, coefficients): (&R, &Coefficients),
        size: usize,
    ) -> usize {
        let (scale, keep) = (L::splat(self.scale), L::splat(1.0 - self.decay));
        let (w, gradient, slots) = (self.w, self.gradient, self.slots);
        for i in (0..size).step_by(L::WIDTH) {
            // SAFETY: the caller's promise.
            unsafe {
                let mut now = [L::zero(); SLOTS];
                for n in 0..USED {
                    now[n] = L::load(slots[n].add(i));
                }
                let g = L::load(gradient.add(i)) * scale;
                let y = rule.step(coefficients, L::load(w.add(i)) * keep, g, &mut now);
                for n in 0..USED {
                    now[n].store(slots[n].add(i));
                }
                y.store(w.add(i));
            }
        }
        size
    }

    /// Updates `count` weights from `i` on, with all optional parts.
    ///
    /// # Safety
    ///
    /// There must be as many floats at each pointer.
    #[inline(always)]
    unsafe fn any<L: Simd>(
        &self,
        (rule, coefficients): (&R, &Coefficients),
        i: usize,
        count: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut w = L::load_n(self.w.add(i), count);
            let mut g = L::load_n(self.gradient.add(i), count);
            if let Some(extras) = &self.extras {
                g = extras.gather(g, w, i, count);
            }
            if !self.extras.is_some_and(|extras| extras.step.gathering) {
                let before = w;
                w = w * L::splat(1.0 - self.decay);
                g = g * L::splat(self.scale);
                if self.bound < f32::INFINITY {
                    let bound = L::splat(self.bound);
                    g = (-bound).max(bound.min(g));
                }
                let mut slots = [L::zero(); SLOTS];
                for (n, slot) in slots.iter_mut().enumerate().take(self.used) {
                    *slot = L::load_n(self.slots[n].add(i), count);
                }
                w = rule.step(coefficients, w, g, &mut slots);
                if self.extras.is_some_and(|extras| extras.keeps_zeros) {
                    w = where_not_zero(before, w);
                }
                for (n, slot) in slots.iter().enumerate().take(self.used) {
                    slot.store_n(self.slots[n].add(i), count);
                }
            }
            if let Some(extras) = &self.extras {
                w = extras.average(w, i, count);
            }
            w.store_n(self.w.add(i), count);
        }
    }
}

/// One step of the optimizer on a whole variable, by a rule that needs it in row-major order.
pub(in crate::engine::cpu) struct UpdateWhole<'a, R> {
    /// The update, whose regularizer and accumulator are separate operations.
    pub update: Update<'a, R>,
    pub isa: Isa,
    pub shape: &'a [usize],
    /// The layout of the variable, its gradient and its slots, if it is panel-packed.
    pub packed: Option<PanelPacked>,
    /// Scratch memory for copies of these, and for the rule.
    pub scratch: *mut f32,
}

impl<R: OptimizerFormula> Kernel for UpdateWhole<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let update = &self.update;
        if !update.extras.is_some_and(|extras| extras.step.gathering) {
            self.step();
        }
        if let Some(extras) = &update.extras {
            lanes!(L, update.size, |i, count| {
                // SAFETY: whoever makes the kernel promises `size` numbers at each
                // pointer, which no other thread touches.
                unsafe {
                    let at = update.w.add(i);
                    let averaged = extras.average(L::load_n(at, count), i, count);
                    averaged.store_n(at, count);
                }
            });
        }
    }
}

impl<R: OptimizerFormula> UpdateWhole<'_, R> {
    #[inline(always)]
    fn step(&self) {
        let update = &self.update;
        let (size, rule) = (update.size, update.rule);
        let room = (2 + update.used) * size + rule.scratch(self.shape);
        // SAFETY: whoever makes the kernel promises that much room, which is
        // this thread's.
        let room = unsafe { std::slice::from_raw_parts_mut(self.scratch, room) };
        let (w, room) = room.split_at_mut(size);
        let (gradient, mut room) = room.split_at_mut(size);
        let mut slots: [&mut [f32]; SLOTS] = Default::default();
        for slot in slots.iter_mut().take(update.used) {
            (*slot, room) = room.split_at_mut(size);
        }
        self.copy(update.w, w);
        self.copy(update.gradient, gradient);
        for (slot, from) in slots.iter_mut().zip(update.slots).take(update.used) {
            self.copy(from, slot);
        }
        w.iter_mut().for_each(|w| *w *= 1.0 - update.decay);
        for g in gradient.iter_mut() {
            *g = (*g * update.scale).clamp(-update.bound, update.bound);
        }
        let variable = Whole {
            shape: self.shape,
            w: &mut *w,
            gradient,
            slots: slots.each_mut().map(|slot| &mut **slot),
            scratch: room,
        };
        rule.step_whole(update.coefficients, variable);
        if update.extras.is_some_and(|extras| extras.keeps_zeros) {
            // The gradient is of no use any more: in its place the weights before the step.
            self.copy(update.w, gradient);
            let kept = w.iter_mut().zip(&*gradient);
            kept.filter(|(_, old)| **old == 0.0)
                .for_each(|(w, _)| *w = 0.0);
        }
        self.copy_back(w, update.w);
        for (slot, to) in slots.iter().zip(update.slots).take(update.used) {
            self.copy_back(slot, to);
        }
    }

    fn copy(&self, from: *const f32, to: &mut [f32]) {
        // SAFETY: there are `size` numbers at each of the update's pointers,
        // which no other thread writes.
        let from = unsafe { std::slice::from_raw_parts(from, to.len()) };
        match self.packed {
            Some(matrix) => matrix.unpack(self.isa, from, to),
            None => to.copy_from_slice(from),
        }
    }

    fn copy_back(&self, from: &[f32], to: *mut f32) {
        // SAFETY: there are `size` numbers at each of the update's pointers,
        // which no other thread touches.
        let to = unsafe { std::slice::from_raw_parts_mut(to, from.len()) };
        match self.packed {
            Some(matrix) => matrix.pack(self.isa, from, to),
            None => to.copy_from_slice(from),
        }
    }
}

/// y, but 0 where x is 0.
#[inline(always)]
fn where_not_zero<L: Simd>(x: L, y: L) -> L {
    L::select(L::zero().lt(x.abs()), y, L::zero())
}

impl Extras<'_> {
    /// Adds the penalty's derivative to the gradient, and averages it with the accumulated ones.
    ///
    /// # Safety
    ///
    /// There must be `count` floats at `i` of the accumulator.
    #[inline(always)]
    unsafe fn gather<L: Simd>(&self, mut g: L, w: L, i: usize, count: usize) -> L {
        if let Some(rule) = self.regularizer {
            g = g + rule.derivative(w);
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

    /// Updates the average, and returns the new weights.
    ///
    /// # Safety
    ///
    /// There must be `count` floats at `i` of the average.
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
        let mut average = L::splat(m) * before + L::splat(1.0 - m) * w;
        if self.keeps_zeros {
            average = where_not_zero(w, average);
        }
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
            keeps_zeros: false,
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

/// The sum of the penalties of `size` values, in doubles.
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

/// Values added up as floats before they go to a double.
const RUN: usize = 1024;

/// The sum of the squares of `size` values, in doubles.
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
