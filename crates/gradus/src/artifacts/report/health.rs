//! The heat map of layer health: layers down, steps across.

use super::figure::{Cell, Cells, Figure, Heat, Measure, Picture};
use crate::train::health::{Health, LayerHealth};

/// The cells of a measure that are drawn, the columns, and the rows.
const CELLS: usize = 60_000;
const COLUMNS: usize = 200;
const ROWS: usize = 1000;

/// A measure: its name, the way to read it, whether its colours are logarithmic, its value.
type Of = (
    &'static str,
    &'static str,
    bool,
    fn(&LayerHealth) -> Option<f64>,
);

const MEASURES: [Of; 7] = [
    (
        "gradient norm",
        "The ℓ2 norm of the gradient of the layer's weights. Layers that are darker towards the \
         input have vanishing gradients; what gets brighter from step to step explodes.",
        true,
        |layer| layer.gradient_norm,
    ),
    (
        "update ratio",
        "The size of a step's change over the size of the weights: about 0.001 is usual; far less \
         learns slowly, far more is unstable.",
        true,
        |layer| layer.update_ratio,
    ),
    (
        "output deviation",
        "The standard deviation of the outputs. A signal that fades or grows from layer to layer \
         asks for another initializer or for normalization.",
        true,
        |layer| layer.outputs.map(|outputs| outputs.std),
    ),
    (
        "output gradient deviation",
        "The standard deviation of the gradient of the loss with respect to the outputs.",
        true,
        |layer| layer.gradients.map(|gradients| gradients.std),
    ),
    (
        "weight norm",
        "The ℓ2 norm of the layer's trained weights.",
        true,
        |layer| layer.weight_norm,
    ),
    (
        "dead units",
        "The share of units that were 0 for every row of the batch: they learn nothing from it.",
        false,
        |layer| layer.dead,
    ),
    (
        "saturated outputs",
        "The share of outputs at the flat ends of their activation, where the gradient is near 0.",
        false,
        |layer| layer.saturated,
    ),
];

/// The picture, if there is any health.
pub fn figure(health: &Health) -> Option<Figure> {
    let shown = trained(health);
    let rows: Vec<usize> = evenly(shown.len(), ROWS)
        .into_iter()
        .map(|n| shown[n])
        .collect();
    let most = (CELLS / rows.len().max(1)).clamp(1, COLUMNS);
    let columns = evenly(health.samples.len(), most);
    let measures = MEASURES.iter().filter_map(|(name, says, log, value)| {
        let cell = |&layer: &usize, &sample: &usize| {
            let layers = &health.samples[sample].layers;
            Cell::of(layers.get(layer).and_then(value))
        };
        let row = |layer| columns.iter().map(move |sample| cell(layer, sample));
        let cells: Vec<Cell> = rows.iter().flat_map(row).collect();
        let empty = cells.iter().all(|cell| *cell == Cell::Number(None));
        (!empty).then(|| Measure {
            name: (*name).to_owned(),
            says: (*says).to_owned(),
            log: *log,
            cells: Cells::Dense(cells),
        })
    });
    let measures: Vec<Measure> = measures.collect();
    if measures.is_empty() {
        return None;
    }
    let broken = health.samples.iter().find_map(|sample| {
        let place = sample.layers.iter().position(LayerHealth::is_broken)?;
        Some((sample.step, health.layers.get(place)?))
    });
    let mut caption = match broken {
        Some((step, layer)) => format!(
            "NaN or infinite first in step {}, in the layer {layer}. ",
            step.saturating_add(1)
        ),
        None => String::new(),
    };
    caption += "The first layer is on top.";
    if columns.len() < health.samples.len() {
        let (some, all) = (columns.len(), health.samples.len());
        caption += &format!(" {some} of {all} sampled steps, evenly chosen.");
    }
    if shown.len() < health.layers.len() {
        caption += " Left out: layers that no gradient reaches, as of preprocessing.";
    }
    if rows.len() < shown.len() {
        let (some, all) = (rows.len(), shown.len());
        caption += &format!(" {some} of {all} layers, evenly chosen.");
    }
    Some(Figure {
        title: "Layer health: layers down, training steps across".into(),
        caption,
        wide: true,
        picture: Picture::Heat(Heat {
            rows: "layer".into(),
            columns: "step".into(),
            row_names: rows.iter().map(|&row| health.layers[row].clone()).collect(),
            column_names: columns
                .iter()
                .map(|&column| health.samples[column].step.saturating_add(1).to_string())
                .collect(),
            measures,
            square: false,
        }),
    })
}

/// The places of the layers that a gradient reaches; all if it reaches none.
fn trained(health: &Health) -> Vec<usize> {
    let all = 0..health.layers.len();
    let has = |layer: &LayerHealth| layer.gradients.is_some() || layer.gradient_norm.is_some();
    let reached = |&place: &usize| {
        let mut of = health
            .samples
            .iter()
            .filter_map(|sample| sample.layers.get(place));
        of.any(has)
    };
    let found: Vec<usize> = all.clone().filter(reached).collect();
    if found.is_empty() {
        all.collect()
    } else {
        found
    }
}

/// Up to `most` of `all` places, evenly chosen, the first and the last among them.
fn evenly(all: usize, most: usize) -> Vec<usize> {
    match (all, most) {
        (all, most) if all <= most => (0..all).collect(),
        (all, 1) => vec![all - 1],
        (all, most) => (0..most).map(|n| n * (all - 1) / (most - 1)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::health::HealthSample;

    #[test]
    fn of_many_steps_some_are_drawn_and_nan_is_named() {
        let layer = |norm: f64| LayerHealth {
            gradient_norm: Some(norm),
            ..LayerHealth::default()
        };
        let sample = |step: u64| HealthSample {
            epoch: 0,
            step,
            layers: vec![layer(0.1), layer(if step < 500 { 0.2 } else { f64::NAN })],
        };
        let health = Health {
            layers: vec!["a".into(), "b".into()],
            samples: (0..1000).map(sample).collect(),
        };
        let figure = figure(&health).unwrap();
        assert!(
            figure.caption.contains("first in step 501, in the layer b"),
            "{}",
            figure.caption
        );
        assert!(
            figure.caption.contains("200 of 1000 sampled steps"),
            "{}",
            figure.caption
        );
        let Picture::Heat(heat) = figure.picture else {
            panic!("{:?}", figure.picture);
        };
        assert_eq!(heat.measures.len(), 1);
        assert_eq!(
            (&*heat.column_names[0], &*heat.column_names[199]),
            ("1", "1000")
        );
        let Cells::Dense(cells) = &heat.measures[0].cells else {
            panic!();
        };
        assert_eq!((cells.len(), cells[399]), (400, Cell::NotFinite("NaN")));
        assert_eq!(super::figure(&Health::default()), None);
    }

    #[test]
    fn chosen_places_reach_both_ends() {
        assert_eq!(evenly(5, 9), [0, 1, 2, 3, 4]);
        assert_eq!(evenly(100, 4), [0, 33, 66, 99]);
        assert_eq!(evenly(7, 1), [6]);
        assert!(evenly(0, 3).is_empty());
    }
}
