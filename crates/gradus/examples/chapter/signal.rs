//! Signal and gradients through 100 layers, for five initializations.

use super::Done;
use super::picture::{Chart, Line, draw};
use gradus::prelude::*;
use gradus::rules::initializers::RandomNormal;
use gradus::train::health::{Distribution, LayerHealth};
use plotters::prelude::SeriesLabelPosition;
use std::path::Path;

/// Logarithms of the smallest number that is shown.
const LEAST: f64 = -14.0;

pub fn plot(path: &Path) -> Done<()> {
    let normal = RandomNormal {
        stddev: 1.0,
        ..RandomNormal::default()
    };
    let stacks = [
        ("sigmoid, N(0, 1)", Activation::Sigmoid, normal.into()),
        ("tanh, Glorot", Activation::Tanh, Initializer::GlorotNormal),
        ("ReLU, Glorot", Activation::Relu, Initializer::GlorotNormal),
        ("ReLU, He", Activation::Relu, Initializer::HeNormal),
        ("SELU, LeCun", Activation::Selu, Initializer::LecunNormal),
    ];
    let (mut outputs, mut gradients) = (Vec::new(), Vec::new());
    for (name, activation, initializer) in stacks {
        let layers = health(activation, initializer)?;
        let line = |of: fn(&LayerHealth) -> Option<Distribution>| {
            let stds = layers
                .iter()
                .take(100)
                .map(|layer| of(layer).map_or(0.0, |d| d.std));
            let logs = stds.map(|std| std.log10().max(LEAST));
            Line::new(name, (1..).map(f64::from).zip(logs))
        };
        outputs.push(line(|layer| layer.outputs));
        gradients.push(line(|layer| layer.gradients));
    }
    let chart = |title, y, lines, legend| Chart {
        title,
        x: ("layer", 1.0, 100.0),
        y: (y, LEAST, 2.0),
        lines,
        log: true,
        legend,
    };
    let first = chart(
        "Outputs, from the first layer to the last",
        "deviation of outputs",
        &outputs[..],
        SeriesLabelPosition::LowerLeft,
    );
    let second = chart(
        "Gradients, from the last layer down to the first",
        "deviation of gradients",
        &gradients[..],
        SeriesLabelPosition::LowerRight,
    );
    draw(path, &[first, second])
}

/// The health of 100 layers of 100 units on the digits, before any training.
fn health(activation: Activation, initializer: Initializer) -> gradus::Result<Vec<LayerHealth>> {
    let data = data::digits(Split::Train)?;
    let mut model = Sequential::new()
        .seed(42)
        .add(Flatten::new())
        .add(layers::Normalization::new());
    for _ in 0..100 {
        let dense = Dense::new(100).activation(activation.clone());
        model = model.add(dense.kernel_initializer(initializer.clone()));
    }
    let model = model.add(Dense::new(10).activation(Activation::Softmax));
    let loss = Loss::SparseCategoricalCrossentropy;
    let mut model = model.compile(SGD::new(), loss, &[])?;
    model.adapt(&data)?;
    let health = model.initial_health(&data)?.health;
    let dense = health.layers.iter().zip(&health.samples[0].layers);
    let dense = dense.filter(|(name, _)| name.starts_with("dense"));
    Ok(dense.map(|(_, layer)| layer.clone()).collect())
}
