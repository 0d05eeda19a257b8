//! Health of what a plan has observed.

use super::{Distribution, LayerHealth, LayerHistograms};
use crate::base::histogram::{BINS, Histogram};
use crate::model::Model;
use crate::model::observed::{ObservedLayer, ObservedWeights};
use crate::plan::ops::Observe;
use crate::plan::{Buffer, View};

/// Copies a buffer of the step.
type Fetch<'a> = dyn Fn(Buffer, &mut [f32]) + 'a;

/// The health of a layer after a step on so many rows, which has changed the weights if it `updates`.
pub(in crate::train) fn health(
    layer: &ObservedLayer,
    rows: usize,
    updates: bool,
    fetch: &Fetch<'_>,
) -> LayerHealth {
    let outputs = Columns::fetch(layer.outputs, rows, fetch);
    let gradients = layer.gradients.map(|of| Columns::fetch(of, rows, fetch));
    let number = |buffer| {
        let mut value = [0.0];
        fetch(buffer, &mut value);
        f64::from(value[0])
    };
    let weights = layer.weights.as_ref();
    let norm = weights.map(|weights| number(weights.norm));
    let change = weights
        .filter(|_| updates)
        .map(|weights| number(weights.change));
    LayerHealth {
        outputs: outputs.distribution(),
        gradients: gradients.and_then(|gradients| gradients.distribution()),
        gradient_norm: weights.map(|weights| number(weights.gradient)),
        weight_norm: norm,
        update_ratio: norm
            .zip(change)
            .filter(|(norm, _)| *norm != 0.0)
            .map(|(norm, change)| change / norm),
        dead: layer.dies.then(|| outputs.dead()),
        saturated: layer.saturates.then(|| outputs.flat()),
    }
}

/// The histograms of a layer after a step that has counted.
pub(in crate::train) fn histograms(
    layer: &ObservedLayer,
    model: &Model,
    fetch: &Fetch<'_>,
) -> LayerHistograms {
    let histogram = |buffer| {
        let mut counts = [0.0; BINS];
        fetch(buffer, &mut counts);
        Histogram::of_counts(&counts.map(|count| count as u64))
    };
    let of_weights = |weights: &ObservedWeights| {
        let counts = weights.gradient_counts.iter();
        let named = counts.map(|&(weight, buffer)| {
            let name = model.layers[layer.layer].weights[weight].name;
            (name.to_owned(), histogram(buffer))
        });
        named.collect()
    };
    LayerHistograms {
        outputs: Some(histogram(layer.output_counts)),
        gradients: layer.weights.as_ref().map(of_weights).unwrap_or_default(),
    }
}

/// Statistics of the columns of a matrix: see [`Observe`].
struct Columns {
    values: Vec<f32>,
    /// The number of columns.
    width: usize,
    /// The number of values of a column.
    rows: usize,
}

impl Columns {
    fn fetch((buffer, view): (Buffer, View), rows: usize, fetch: &Fetch<'_>) -> Self {
        let mut values = vec![0.0; Observe::ROWS * view.width];
        fetch(buffer, &mut values);
        Columns {
            values,
            width: view.width,
            rows: rows * view.positions,
        }
    }

    /// First value, largest magnitude, sum and sum of squares of the differences, and number of values
    /// at flat ends, of each column.
    fn each(&self) -> impl Iterator<Item = [f64; Observe::ROWS]> {
        (0..self.width).map(|column| {
            std::array::from_fn(|row| f64::from(self.values[row * self.width + column]))
        })
    }

    /// The distribution of all values; `None` if there are none.
    fn distribution(&self) -> Option<Distribution> {
        let (rows, columns) = (self.rows as f64, self.width as f64);
        if self.rows == 0 || self.width == 0 {
            return None;
        }
        let means = || {
            self.each()
                .map(|[first, largest, sum, ..]| first + largest * (sum / rows))
        };
        let mean = means().sum::<f64>() / columns;
        let within = self.each().map(|[_, largest, sum, squares, _]| {
            largest * largest * (squares / rows - (sum / rows).powi(2)).max(0.0)
        });
        let between = means().map(|of_column| (of_column - mean).powi(2));
        let variance = within
            .zip(between)
            .map(|(within, between)| within + between);
        let largest = self.each().map(|[_, largest, ..]| largest);
        Some(Distribution {
            mean,
            std: (variance.sum::<f64>() / columns).sqrt(),
            largest: largest.fold(0.0, |most, x| if x > most || x.is_nan() { x } else { most }),
        })
    }

    /// The share of columns that are all 0.
    fn dead(&self) -> f64 {
        let dead = self.each().filter(|[_, largest, ..]| *largest == 0.0);
        dead.count() as f64 / self.width.max(1) as f64
    }

    /// The share of values at flat ends.
    fn flat(&self) -> f64 {
        let flat = self.each().map(|[.., flat]| flat);
        flat.sum::<f64>() / (self.width * self.rows).max(1) as f64
    }
}
