//! Denormal numbers count as 0 while a plan runs.
//!
//! Some processors take a hundred cycles for an operation with one, and weights that
//! decay towards 0 stay among them for long. TensorFlow and XLA flush them in their
//! threads too.

/// Until it is dropped, this thread's arithmetic takes denormal numbers for 0 and makes
/// none; rounding is to the nearest and nothing traps, whatever the caller has set, so
/// that each thread makes the same numbers. Then all is as it was.
///
/// Rust's rules give no room for it: the compiler assumes that the state is the default.
/// What it may do on the strength of that is to fold operations on constants, which are
/// not denormal here, and to move arithmetic across the switch: but the kernels' numbers
/// come from memory and go there, and the switch is a barrier to both.
pub(super) struct Flushed {
    before: imp::State,
}

impl Flushed {
    pub fn new() -> Self {
        let before = imp::get();
        imp::set(imp::FLUSHED);
        Flushed { before }
    }
}

impl Drop for Flushed {
    fn drop(&mut self) {
        imp::set(self.before);
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod imp {
    use std::arch::asm;

    /// MXCSR. The intrinsics for it are deprecated in favour of this.
    pub type State = u32;

    /// What a process starts with (all exceptions masked), denormals-are-zero (bit 6),
    /// flush-to-zero (bit 15).
    pub const FLUSHED: State = 0x1f80 | 1 << 6 | 1 << 15;

    pub fn get() -> State {
        let mut state = 0;
        // SAFETY: writes the four bytes of `state`.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut state, options(nostack)) };
        state
    }

    pub fn set(state: State) {
        // SAFETY: reads the four bytes of `state`, which came from `get` or is `FLUSHED`:
        // no reserved bit is set. About what Rust assumes see `Flushed`.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const state, options(nostack)) };
    }
}

#[cfg(all(target_arch = "aarch64", not(miri)))]
mod imp {
    use std::arch::asm;

    /// FPCR.
    pub type State = u64;

    /// What a process starts with, and flush-to-zero (bit 24), which is for operands too.
    pub const FLUSHED: State = 1 << 24;

    pub fn get() -> State {
        let state;
        // SAFETY: reads a register that every program may read.
        unsafe { asm!("mrs {}, fpcr", out(reg) state, options(nostack)) };
        state
    }

    pub fn set(state: State) {
        // SAFETY: the state came from `get` or is `FLUSHED`. About what Rust assumes see
        // `Flushed`.
        unsafe { asm!("msr fpcr, {}", in(reg) state, options(nostack)) };
    }
}

/// Elsewhere nothing is flushed.
#[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri))))]
mod imp {
    pub type State = ();
    pub const FLUSHED: State = ();
    pub fn get() -> State {}
    pub fn set(_: State) {}
}

#[cfg(test)]
#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
mod tests {
    use super::*;
    use crate::data::{Dataset, Tensor};
    use crate::engine::cpu::{Cpu, Isa};
    use crate::engine::reference::Reference;
    use crate::model::layers::Dense;
    use crate::model::{Model, Sequential};
    use crate::rules::initializers::{Constant, Initializer};
    use crate::rules::losses::Loss;
    use crate::rules::optimizers::SGD;
    use crate::train::{Device, Fit};
    use std::hint::black_box;

    /// Whether this thread makes denormal numbers, and whether it knows them from 0.
    fn flushed() -> (bool, bool) {
        let half = black_box(f32::MIN_POSITIVE) * black_box(0.5);
        let least = black_box(f32::from_bits(1));
        (half.to_bits() == 0, least <= black_box(0.0))
    }

    fn weight(value: f32) -> Sequential {
        let constant = Constant {
            value: value.into(),
        };
        let dense = Dense::new(1).use_bias(false);
        Sequential::new()
            .input([1])
            .add(dense.kernel_initializer(Initializer::from(constant)))
    }

    fn zeros() -> Dataset {
        let x = Tensor::from_f32([1], vec![0.0; 4]).unwrap();
        Dataset::new(x.clone(), x).unwrap()
    }

    /// A weight that only decays: to a half of it in each step.
    fn decaying() -> Model {
        let sgd = SGD::new().learning_rate(1.0).weight_decay(0.5);
        weight(2.0 * f32::MIN_POSITIVE)
            .compile(sgd, Loss::MeanSquaredError, &[])
            .unwrap()
    }

    fn three_steps() -> Fit<'static> {
        Fit::new().epochs(3).batch_size(4)
    }

    #[test]
    fn a_weight_that_decays_becomes_zero() {
        let mut model = decaying();
        model.fit(zeros(), three_steps()).unwrap();
        assert_eq!(model.weights().next().unwrap().values, [0.0]);
        for isa in Isa::tested() {
            for threads in 1..4 {
                let threads = Some(threads);
                let mut model = decaying();
                let options = three_steps().on(Device::new(Cpu { isa, threads }));
                model.fit(zeros(), options).unwrap();
                assert_eq!(model.weights().next().unwrap().values, [0.0], "{isa:?}");
            }
        }
        let mut model = decaying();
        let options = three_steps().on(Device::new(Reference));
        model.fit(zeros(), options).unwrap();
        let quarter = f32::MIN_POSITIVE / 4.0;
        assert_eq!(model.weights().next().unwrap().values, [quarter]);
    }

    #[test]
    fn nothing_changes_outside_of_the_engine() {
        assert_eq!(flushed(), (false, false));
        let mut model = decaying();
        model.fit(zeros(), three_steps()).unwrap();
        assert_eq!(flushed(), (false, false));
        model.predict(&zeros()).unwrap();
        assert_eq!(flushed(), (false, false));
        {
            let _flushed = Flushed::new();
            assert_eq!(flushed(), (true, true));
        }
        assert_eq!(flushed(), (false, false));
    }

    /// Round down, besides what a process starts with.
    #[cfg(target_arch = "x86_64")]
    const DOWN: imp::State = 0x1f80 | 1 << 13;
    #[cfg(target_arch = "aarch64")]
    const DOWN: imp::State = 1 << 23;

    #[test]
    fn the_callers_state_is_put_back_and_does_not_matter() {
        let model = weight(1.0 / 3.0).build().unwrap();
        let predictor = model.predictor().unwrap();
        let predicted = |state| {
            let mut y = [0.0];
            let before = imp::get();
            imp::set(state);
            predictor.predict_into(&[0.1], &mut y).unwrap();
            let after = imp::get();
            imp::set(before);
            // Which exceptions there were is nobody's state.
            (y, after & !0x3f)
        };
        let usual = predicted(imp::get() & !0x3f);
        assert_eq!(predicted(DOWN), (usual.0, DOWN));
        // The exact product lies below the nearest number.
        assert!(f64::from(usual.0[0]) > f64::from(1.0_f32 / 3.0) * f64::from(0.1_f32));
    }
}
