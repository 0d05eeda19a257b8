//! Convolutions on images that are smaller than their kernels, and what stands behind them.

use crate::base::shape::Shape;
use crate::data::checks::{Finding, Severity};
use crate::inspect::PlannedTraining;
use crate::inspect::graph::{at, passes};
use crate::model::{Model, Source};
use crate::rules::window::Slide;

/// The weights of a dense layer behind images that are worth a word.
const MANY: usize = 500_000;

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let model = planned.model;
    let Ok(shapes) = model.shapes() else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for (node, (inputs, _)) in model.nodes.iter().zip(&shapes) {
        let entry = &model.layers[node.layer];
        let window = inputs.first().and_then(|input| entry.rule.window(input));
        let Some(window) = window else {
            continue;
        };
        let (rows, columns) = (window.rows, window.columns);
        if sees_padding_alone(rows) || sees_padding_alone(columns) {
            let side = |rows: usize, columns: usize| format!("{rows} × {columns}");
            let found = format!(
                "its kernel reaches over {} pixels, and the image has {}",
                side(rows.reach(), columns.reach()),
                side(rows.input, columns.input),
            );
            let advice = "some of its weights see padding alone: a smaller `kernel_size` or \
                          `dilation_rate`, or fewer strides and pools before it";
            findings.push(Finding::warning(
                "kernel_size",
                at(&entry.name),
                found,
                advice,
            ));
        }
    }
    findings.extend(behind_images(model, &shapes));
    findings
}

/// True if a tap is in the padding at every place.
fn sees_padding_alone(slide: Slide) -> bool {
    let none = |tap| (0..slide.output).all(|place| slide.pixel(place, tap).is_none());
    (0..slide.taps).any(none)
}

/// A dense layer on all pixels of an image that holds most of the model's weights.
fn behind_images(model: &Model, shapes: &[(Vec<Shape>, Shape)]) -> Option<Finding> {
    let weights = |layer: usize| {
        let weights = model.layers[layer].weights.iter();
        weights.map(|weight| weight.values.len()).sum::<usize>()
    };
    let all: usize = (0..model.layers.len()).map(weights).sum();
    let from_image_to_row = |node: usize| {
        let (inputs, output) = &shapes[node];
        passes(model, node) && output.rank() == 1 && inputs.iter().any(|shape| shape.rank() > 2)
    };
    let flattens = |source: &Source| match *source {
        Source::Node(n) => {
            let before = &model.nodes[n];
            from_image_to_row(n) && before.inputs.iter().any(|s| matches!(s, Source::Node(_)))
        }
        Source::Input(_) => false,
    };
    let node = model.nodes.iter().find(|node| {
        let large = weights(node.layer) > MANY && 2 * weights(node.layer) > all;
        large
            && model.layers[node.layer].rule.as_dense().is_some()
            && node.inputs.iter().any(flattens)
    })?;
    let found = format!(
        "{} of the model's {all} weights, behind a Flatten",
        weights(node.layer)
    );
    let advice = "`GlobalAveragePooling2D` in place of `Flatten`, or a pool more before it, is \
                  smaller, faster, and overfits less";
    let finding = Finding::warning("flatten", at(&model.layers[node.layer].name), found, advice);
    Some(finding.severity(Severity::Note))
}
