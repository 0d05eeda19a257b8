//! Checks that several layers share.

use crate::error::{Error, Result};

/// Refuses a dropout rate outside of [0, 1).
pub(super) fn check_dropping(rate: f64) -> Result<()> {
    if !(0.0..1.0).contains(&rate) {
        return Err(Error::invalid("rate", rate, "a number from 0 to below 1"));
    }
    Ok(())
}
