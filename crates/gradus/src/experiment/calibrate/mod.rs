//! Calibration: a model's probabilities made as often true as they say (temperature scaling, Guo et
//! al. 2017), and a threshold below which rows are rejected.
//!
//! `last_layer` is where a temperature goes; `scores` are a model's logits with what came true;
//! `temperature` finds the best one, `confidence` measures probabilities, `rejection` chooses the
//! threshold.

mod confidence;
mod last_layer;
mod rejection;
mod scores;
mod temperature;

pub use confidence::{BINS, Confidence};
pub use rejection::{Rejection, wilson};
pub use temperature::Temperature;

use crate::data::Data;
use crate::error::{Error, Result};
use crate::model::Model;
use last_layer::LastLayer;

/// A calibrated model, and the changes.
#[derive(Clone, Debug)]
pub struct Calibration {
    /// The model, its last layers divided by their temperatures: an ordinary one.
    pub model: Model,
    /// The outputs that have probabilities.
    pub outputs: Vec<CalibratedOutput>,
    /// The names of the other outputs.
    pub others: Vec<String>,
}

/// The temperature of an output, and what it changed.
#[derive(Clone, Debug)]
pub struct CalibratedOutput {
    /// The output's name.
    pub name: String,
    /// The layer whose weights were divided.
    pub layer: String,
    /// The temperature.
    pub temperature: Temperature,
    /// The model's probabilities before.
    pub before: Confidence,
    /// The calibrated model's probabilities.
    pub after: Confidence,
    /// The probability of each row's predicted class, calibrated, and true where it was right.
    /// Empty if each row has several answers of yes or no.
    pub predictions: Vec<(f64, bool)>,
}

/// Finds the temperature of each output with probabilities of classes that makes those of `data`
/// likeliest, and divides kernel and bias of the output's last layer by it. The predicted classes
/// stay.
///
/// An error if the model was not compiled with a loss of classes, if an output's last layer is not
/// a `Dense` layer with softmax or sigmoid (or with logits, for such a loss) of its own, or if the
/// rows determine no temperature: if all are right, or the model knows nothing about them.
///
/// ```
/// use gradus::experiment::calibrate::calibrate;
/// use gradus::prelude::*;
///
/// let data = data::digits(Split::Train)?;
/// let (train, held_out) = data.split_fraction(0.3)?;
/// let mut model = Sequential::new()
///     .add(Flatten::new())
///     .add(Dense::new(10).activation(Activation::Softmax))
///     .compile(Adam::new(), "sparse_categorical_crossentropy", &[])?;
/// model.fit(&train, Fit::new().epochs(3))?;
/// let found = calibrate(&model, &(&held_out).into())?;
/// let output = &found.outputs[0];
/// assert!(output.after.loss <= output.before.loss);
/// assert_eq!(output.after.accuracy, output.before.accuracy);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn calibrate(model: &Model, data: &Data) -> Result<Calibration> {
    let (layers, others) = LastLayer::all(model)?;
    if layers.is_empty() {
        let found = "no output with a loss of classes (a crossentropy)";
        return Err(Error::invalid("calibrate", found, "at least one"));
    }
    if data.sample().sample_weight().is_some() {
        let found = "rows with weights";
        return Err(Error::invalid(
            "calibrate",
            found,
            "rows that count the same",
        ));
    }
    let before = scores::of(model, &layers, data)?;
    let mut calibrated = model.clone();
    let mut temperatures = Vec::new();
    for (layer, scores) in layers.iter().zip(&before) {
        let found = Temperature::of(scores).map_err(|error| error.under(&layer.output))?;
        layer.divide(&mut calibrated, found.value);
        temperatures.push(found);
    }
    let after = scores::of(&calibrated, &layers, data)?;
    let each = layers
        .iter()
        .zip(temperatures)
        .zip(before.iter().zip(&after));
    let outputs = each.map(|((layer, temperature), (before, after))| CalibratedOutput {
        name: layer.output.clone(),
        layer: layer.name.clone(),
        temperature,
        before: Confidence::of(before),
        after: Confidence::of(after),
        predictions: match layer.answers {
            1 => after.predictions(),
            _ => Vec::new(),
        },
    });
    Ok(Calibration {
        outputs: outputs.collect(),
        model: calibrated,
        others,
    })
}
