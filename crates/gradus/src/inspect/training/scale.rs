//! The scale of inputs and targets.

use crate::data::Dataset;
use crate::data::checks::{Finding, Where};
use crate::inspect::PlannedTraining;
use crate::inspect::graph::{Graph, at, effect, targets};
use crate::model::Source;
use crate::model::layers::Effect;
use crate::rules::activations::Nature;

/// Rows that show the scale.
const SAMPLED: usize = 512;
/// Root mean square of inputs that is large: training begins well at 1.
const LARGE: f64 = 25.0;
/// Ratio of two columns' ranges at which the smaller one is invisible,
const RATIO: f64 = 100.0;
/// if the larger one is larger than this.
const WIDE: f64 = 10.0;
/// Deviation of a target that makes losses and gradients huge.
const LARGE_TARGET: f64 = 100.0;

/// One element of each row, as it reaches the model.
struct Column {
    name: String,
    least: f64,
    most: f64,
    /// Pixels are not columns.
    alone: bool,
}

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let mut findings = unscaled_targets(planned);
    let graph = Graph::of(planned.model);
    let Some((first, inputs)) = graph.first_on_inputs() else {
        return findings;
    };
    let (columns, sum, squares, count) = columns(planned, &inputs);
    if count == 0.0 {
        return findings;
    }
    let (mean, size) = (sum / count, (squares / count).sqrt());
    let deviation = (squares / count - mean * mean).max(0.0).sqrt();
    let range = |column: &Column| column.most - column.least;
    let alone = || columns.iter().filter(|c| c.alone && range(c) > 0.0);
    let by_range = |a: &&Column, b: &&Column| range(a).total_cmp(&range(b));
    let place = || Where::of(format!("layer {}, the inputs", first.entry.name));
    let advice = "the network learns from the large ones alone: `{ type = \"Normalization\" }` as \
                  the first layer, or `data.scale = \"standard\"`";
    if let (Some(narrow), Some(wide)) = (alone().min_by(by_range), alone().max_by(by_range))
        && range(wide) > RATIO * range(narrow)
        && range(wide) > WIDE
    {
        let found = format!(
            "{} goes from {} to {}, {} from {} to {}",
            wide.name, wide.least, wide.most, narrow.name, narrow.least, narrow.most
        );
        findings.push(Finding::warning("unscaled_inputs", place(), found, advice));
    } else if size > LARGE {
        let most = columns
            .iter()
            .map(|c| c.most.abs().max(c.least.abs()))
            .fold(0.0, f64::max);
        let found = format!("numbers up to {most}, {size:.0} in the quadratic mean");
        let advice = "training begins well with numbers around 1: `data.scale = \"unit\"` for \
                      pixels, else `{ type = \"Normalization\" }` as the first layer";
        findings.push(Finding::warning("unscaled_inputs", place(), found, advice));
    } else if planned.fresh
        && first.nature() == Nature::SelfNormalizing
        && (mean.abs() > 0.5 || !(0.5..=2.0).contains(&deviation))
    {
        let found = format!("SELU on inputs of mean {mean:.2} and deviation {deviation:.2}");
        let advice = "it normalizes itself with inputs of mean 0 and deviation 1 alone: \
                      `{ type = \"Normalization\" }` as the first layer, or `data.scale = \"standard\"`";
        findings.push(Finding::warning(
            "selu",
            at(&first.entry.name),
            found,
            advice,
        ));
    }
    findings
}

/// The columns of these inputs in some rows; the sum, the sum of squares and the count of all their
/// values.
fn columns(planned: &PlannedTraining<'_>, inputs: &[usize]) -> (Vec<Column>, f64, f64, f64) {
    let (mut columns, mut sum, mut squares, mut count) = (Vec::new(), 0.0, 0.0, 0.0);
    let data = planned.data.train.sample();
    let names = planned.model.inputs.iter().map(|input| &*input.name);
    let Ok(tensors) = data.for_inputs(names) else {
        return (columns, sum, squares, count);
    };
    for &input in inputs {
        let tensor = tensors[input];
        if tensor.is_text() {
            continue;
        }
        let rows = sampled(data);
        let mut numbers = vec![0.0; rows.len() * tensor.size()];
        tensor.copy_rows(&rows, &mut numbers);
        for place in 0..tensor.size() {
            let all = numbers.iter().skip(place).step_by(tensor.size());
            let all = all.map(|&x| f64::from(x)).filter(|x| x.is_finite());
            let mut column = Column {
                name: match tensor.size() {
                    1 => planned.model.inputs[input].name.clone(),
                    _ => format!("column {place}"),
                },
                least: f64::INFINITY,
                most: f64::NEG_INFINITY,
                alone: tensor.shape().rank() < 2,
            };
            for x in all {
                (sum, squares, count) = (sum + x, squares + x * x, count + 1.0);
                column.least = column.least.min(x);
                column.most = column.most.max(x);
            }
            columns.push(column);
        }
    }
    (columns, sum, squares, count)
}

fn sampled(data: &Dataset) -> Vec<u32> {
    let step = data.rows().div_ceil(SAMPLED).max(1);
    (0..data.rows() as u32).step_by(step).collect()
}

/// Targets of regression far from 1; a table's model scales them itself.
fn unscaled_targets(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let model = planned.model;
    let Some(compiled) = &model.compiled else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let known = targets(model, planned.data.train.sample());
    for (output, output_loss) in compiled.trained() {
        let scaled = match model.outputs[output] {
            Source::Node(n) => {
                matches!(effect(model, n), Effect::Standardizes | Effect::Rescales)
            }
            Source::Input(_) => false,
        };
        let errors = ["MeanSquaredError", "MeanAbsoluteError", "Huber", "LogCosh"];
        if scaled || !errors.contains(&output_loss.loss.class()) {
            continue;
        }
        let Some(target) = known.get(&output) else {
            continue;
        };
        let all = target.to_f32();
        let n = all.len().max(1) as f64;
        let mean = all.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let variance = all
            .iter()
            .map(|&x| (f64::from(x) - mean).powi(2))
            .sum::<f64>()
            / n;
        let size = (variance + mean * mean).sqrt();
        if size > LARGE_TARGET {
            let found = format!(
                "targets of mean {mean:.1} and deviation {:.1}",
                variance.sqrt()
            );
            let advice = "the loss begins huge, and so do its gradients: divide the targets by \
                          their deviation, or train on a table, which does so inside the model";
            let place = Where::of(target.name());
            findings.push(Finding::warning("unscaled_target", place, found, advice));
        }
    }
    findings
}
