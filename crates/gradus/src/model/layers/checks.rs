//! What several layers refuse.

use crate::error::{Error, Result};
use crate::rules::constraints::Constraint;
use crate::rules::initializers::Initializer;
use crate::rules::regularizers::Regularizer;

/// Arguments that make no sense in what a layer has for its variable `of`.
pub(super) fn check_variable(
    of: &str,
    initializer: &Initializer,
    regularizer: &Option<Regularizer>,
    constraint: &Option<Constraint>,
) -> Result<()> {
    let under = |what: &'static str| move |error: Error| error.under(&format!("{of}_{what}"));
    initializer.check().map_err(under("initializer"))?;
    if let Some(rule) = regularizer {
        rule.check().map_err(under("regularizer"))?;
    }
    if let Some(rule) = constraint {
        rule.check().map_err(under("constraint"))?;
    }
    Ok(())
}

/// A rate of dropping that is no share, or a mask that is shared along an axis.
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
