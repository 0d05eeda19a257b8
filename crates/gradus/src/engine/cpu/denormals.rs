//! Flushing of denormal values to 0 while a plan runs.
//!
//! Some processors take a hundred cycles for an operation with one, and weights that decay towards
//! 0 stay denormal for long. TensorFlow and XLA flush them in their threads too.

/// Until it is dropped, this thread's arithmetic flushes denormal inputs and results to 0; rounding
/// is to nearest and nothing traps, whatever the caller has set, so that all threads compute the
/// same values. Then the state is restored.
///
/// Rust does not define it: the compiler assumes the default state. That lets it fold operations on
/// constants, which are not denormal here, and move arithmetic across the switch: but the kernels'
/// values come from memory and go there, and the switch is a barrier to both.
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

    /// MXCSR, whose intrinsics are deprecated in favour of this.
    pub type State = u32;

    /// The initial state of a process (all exceptions masked), denormals-are-zero (bit 6),
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

    /// The initial state of a process, and flush-to-zero (bit 24), which covers operands too.
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

/// Other architectures flush nothing.
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
    use crate::predict::device::Device;
    use crate::rules::initializers::{Constant, Initializer};
    use crate::rules::losses::Loss;
    use crate::rules::optimizers::SGD;
    use crate::train::Fit;
    use std::hint::black_box;

    /// True if this thread flushes denormal results, and if it flushes denormal inputs.
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

    /// A weight that only decays, by half in each step.
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
        model.predict(zeros()).unwrap();
        assert_eq!(flushed(), (false, false));
        {
            let _flushed = Flushed::new();
            assert_eq!(flushed(), (true, true));
        }
        assert_eq!(flushed(), (false, false));
    }

    /// Rounding down, added to the initial state.
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
            // Exception flags are not part of the state.
            (y, after & !0x3f)
        };
        let usual = predicted(imp::get() & !0x3f);
        assert_eq!(predicted(DOWN), (usual.0, DOWN));
        // The exact product lies below the nearest float.
        assert!(f64::from(usual.0[0]) > f64::from(1.0_f32 / 3.0) * f64::from(0.1_f32));
    }
}
