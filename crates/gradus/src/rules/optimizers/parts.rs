//! Helpers shared by several optimizers.

use crate::error::{Error, Result};

/// Declares how an optimizer is made in code: `new`, with the default arguments, and a setter
/// for each of its own arguments, beside those that [`OptimizerOf`](super::OptimizerOf) has for all.
macro_rules! arguments {
    ($rule:ident { $( $argument:ident : $type:ty ),+ $(,)? }) => {
        impl $rule {
            #[doc = concat!("`", stringify!($rule), "` with its default arguments. Those that it has ")]
            /// alone and those of every optimizer ([`OptimizerOf`]: `learning_rate`, `clipnorm`,
            /// `weight_decay`, …) are set in any order.
            ///
            /// [`OptimizerOf`]: crate::rules::optimizers::OptimizerOf
            pub fn new() -> $crate::rules::optimizers::OptimizerOf<Self> {
                $crate::rules::optimizers::OptimizerOf::of(Self::default())
            }
        }

        impl $crate::rules::optimizers::OptimizerOf<$rule> {
            $(
                #[doc = concat!("Sets [`", stringify!($argument), "`](", stringify!($rule), "::", stringify!($argument), ").")]
                pub fn $argument(mut self, $argument: $type) -> Self {
                    self.method.$argument = $argument;
                    self
                }
            )+
        }
    };
}

pub(super) use arguments;

/// Refuses a decay rate outside [0, 1).
pub(super) fn check_rate(name: &str, beta: f64) -> Result<()> {
    if (0.0..1.0).contains(&beta) {
        Ok(())
    } else {
        Err(Error::invalid(name, beta, "a number from 0 to below 1"))
    }
}

/// Refuses NaN and numbers below 0.
pub(super) fn check_positive(name: &str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::invalid(name, value, "a number of 0 or more"))
    }
}

/// 1 - βᵗ in single precision, as in Keras: near 1, β's own rounding matters.
pub(super) fn correction(beta: f64, t: u64) -> f32 {
    1.0 - (beta as f32).powf(t as f32)
}
