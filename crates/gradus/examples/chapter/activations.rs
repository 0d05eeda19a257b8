//! Activation functions and their derivatives.

use super::Done;
use super::picture::{Chart, Line, draw};
use gradus::prelude::*;
use plotters::prelude::SeriesLabelPosition;
use std::path::Path;

/// Half the distance of the values that a derivative is taken from.
const STEP: f64 = 1e-2;

pub fn plot(path: &Path) -> Done<()> {
    let shown = ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu"];
    let places: Vec<f64> = (-100..=100).map(|n| f64::from(n) / 20.0).collect();
    let (mut values, mut slopes) = (Vec::new(), Vec::new());
    for name in shown {
        let at = |shift: f64| values_of(name, places.iter().map(|x| x + shift));
        let (below, above) = (at(-STEP)?, at(STEP)?);
        let slope = below
            .iter()
            .zip(&above)
            .map(|(a, b)| (b - a) / (2.0 * STEP));
        values.push(Line::new(name, places.iter().copied().zip(at(0.0)?)));
        slopes.push(Line::new(name, places.iter().copied().zip(slope)));
    }
    let chart = |title, y, lines| Chart {
        title,
        x: ("input", -5.0, 5.0),
        y,
        lines,
        log: false,
        legend: SeriesLabelPosition::UpperLeft,
    };
    let first = chart(
        "Saturated below and above, or below alone",
        ("output", -2.0, 3.0),
        &values[..],
    );
    let second = chart(
        "A sigmoid's derivative is at most 0.25",
        ("derivative", -0.1, 1.9),
        &slopes[..],
    );
    draw(path, &[first, second])
}

/// The values of an activation at these places, by a model that is that activation.
fn values_of(name: &str, places: impl Iterator<Item = f64>) -> gradus::Result<Vec<f64>> {
    let places: Vec<f32> = places.map(|x| x as f32).collect();
    let layer = layers::Activation::new(Activation::from_config("", &name.into())?);
    let model = Sequential::new().input([1]).add(layer).build()?;
    let x = Tensor::from_f32([1], places)?;
    let values = model.predict(&x)?.to_f32();
    Ok(values.into_iter().map(f64::from).collect())
}
