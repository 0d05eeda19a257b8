//! Checks that several layers share.

use crate::error::{Error, Result};

/// Refuses a dropout rate outside of [0, 1), or a mask shared along an axis.
pub(super) fn check_dropping(rate: f64, noise_shape: &Option<Vec<Option<usize>>>) -> Result<()> {
    if !(0.0..1.0).contains(&rate) {
        return Err(Error::invalid("rate", rate, "a number from 0 to below 1"));
    }
    if noise_shape.is_some() {
        return Err(Error::invalid(
            "noise_shape",
            "a shape",
            "none: masks that are shared along an axis are not supported",
        ));
    }
    Ok(())
}
