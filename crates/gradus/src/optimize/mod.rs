//! Models made smaller and faster for deployment: model in, model out.

mod calibration;
mod fold;
mod graph;
mod quantize;
mod units;

use crate::error::{Error, Result};
use crate::model::{Model, Weight};

pub use calibration::{Calibration, CalibrationMethod, InputRange, calibrate};
pub use fold::{Folded, Folding, fold};
pub use quantize::Quantized;
pub use units::{Shrunk, prune_units};

/// The bias of a dense layer.
fn bias(values: Vec<f32>) -> Weight {
    Weight {
        name: "bias",
        shape: vec![values.len()],
        trainable: true,
        int8: false,
        values,
    }
}

/// Refuses a model without weights, or with some that are not finite.
fn check(model: &Model) -> Result<()> {
    model.check_built()?;
    match model.not_finite().next() {
        None => Ok(()),
        Some((layer, weight)) => Err(Error::Config {
            at: format!("layer {layer}"),
            problem: format!("its {weight} has NaN or infinite numbers"),
        }),
    }
}
