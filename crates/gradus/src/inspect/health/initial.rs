//! Health before any training: one forward and backward pass.

use super::{of_sample, short};
use crate::data::checks::{Finding, Where};
use crate::data::{Data, Dataset};
use crate::error::Result;
use crate::inspect::activity::sample;
use crate::inspect::graph::targets;
use crate::model::Model;
use crate::train::health::Health;
use crate::train::{Fit, OnNan};
use std::fmt;

/// Rows of the pass.
const ROWS: usize = 256;

/// Times the loss of chance from which a first loss says that something is wrong.
const OFF: f64 = 2.0;

/// The health of a model's layers with the weights that it has, and its loss.
#[derive(Clone, Debug, PartialEq)]
pub struct InitialHealth {
    /// The health, of one sample.
    pub health: Health,
    /// The loss.
    pub loss: f64,
    /// The loss of guessing: of crossentropy that of equal shares, of the mean squared error that of
    /// zeros. `None` of other losses, and of several outputs.
    pub chance: Option<f64>,
    /// The number of rows.
    pub rows: usize,
    /// The findings about it.
    pub findings: Vec<Finding>,
}

impl Model {
    /// Runs the compiled model forward and backward on rows of `data`, which are 256 at most, spread
    /// evenly, in training mode, and says what is wrong with signal and gradients. The model stays as
    /// it is. An error if the data does not fit.
    pub fn initial_health(&self, data: &Dataset) -> Result<InitialHealth> {
        let rows = sample(data)?;
        let step = rows.rows().div_ceil(ROWS).max(1);
        let rows = rows.take(&(0..rows.rows()).step_by(step).collect::<Vec<_>>())?;
        let chance = chance(self, &rows);
        let count = rows.rows();
        let options = Fit::new()
            .batch_size(count.max(1))
            .shuffle(false)
            .on_nan(OnNan::Continue)
            .health_every(1);
        let history = self.clone().fit(Data::from(rows), options)?;
        let loss = history.last("loss").unwrap_or(f64::NAN);
        let health = history.health;
        let mut findings = match health.samples.first() {
            Some(sample) => of_sample(self, &health.layers, sample),
            None => Vec::new(),
        };
        findings.extend(unlikely(loss, chance));
        Ok(InitialHealth {
            health,
            loss,
            chance,
            rows: count,
            findings,
        })
    }
}

/// A table, a line for each layer, and the loss.
impl fmt::Display for InitialHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(sample) = self.health.samples.first() else {
            return Ok(());
        };
        let title = [
            "layer",
            "mean",
            "deviation",
            "gradient",
            "norm",
            "over weights",
            "dead",
            "saturated",
        ];
        let mut lines = vec![title.map(str::to_owned)];
        for (name, layer) in self.health.layers.iter().zip(&sample.layers) {
            let cell = |value: Option<f64>| value.map_or(String::new(), short);
            let share =
                |share: Option<f64>| share.map_or(String::new(), |x| format!("{:.0}%", 100.0 * x));
            lines.push([
                name.clone(),
                cell(layer.outputs.map(|d| d.mean)),
                cell(layer.outputs.map(|d| d.std)),
                cell(layer.gradients.map(|d| d.std)),
                cell(layer.gradient_norm),
                cell(
                    layer
                        .gradient_norm
                        .zip(layer.weight_norm)
                        .map(|(g, w)| g / w),
                ),
                share(layer.dead),
                share(layer.saturated),
            ]);
        }
        writeln!(
            f,
            "\nfirst step, {} rows: outputs; deviation of their gradient; norm of the weights' gradient, and over the weights'",
            self.rows
        )?;
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths: Vec<usize> = (0..title.len())
            .map(|column| width(column).unwrap_or(0))
            .collect();
        for [name, rest @ ..] in &lines {
            let cells = rest
                .iter()
                .zip(&widths[1..])
                .map(|(cell, &width)| format!("  {cell:>width$}"));
            let line = format!(
                "{name:<width$}{}",
                cells.collect::<String>(),
                width = widths[0]
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        write!(f, "loss {}", short(self.loss))?;
        match self.chance {
            Some(chance) => writeln!(f, ", guessing gives {}", short(chance))?,
            None => writeln!(f)?,
        }
        match self.findings.is_empty() {
            true => writeln!(f, "signal and gradients are healthy\n"),
            false => writeln!(f),
        }
    }
}

/// The loss of guessing.
fn chance(model: &Model, rows: &Dataset) -> Option<f64> {
    let compiled = model.compiled.as_ref()?;
    let mut trained = compiled.trained();
    let ((output, of_output), None) = (trained.next()?, trained.next()) else {
        return None;
    };
    match of_output.loss.class() {
        "SparseCategoricalCrossentropy" | "CategoricalCrossentropy" => {
            let shapes = model.output_shapes().ok()?;
            Some((shapes.get(output)?.last() as f64).ln())
        }
        "BinaryCrossentropy" => Some(2_f64.ln()),
        "MeanSquaredError" => {
            let targets = targets(model, rows);
            let tensor = targets.get(&output)?;
            let mut values = vec![0.0; tensor.shape().size() * rows.rows()];
            let all: Vec<u32> = (0..rows.rows() as u32).collect();
            tensor.copy_rows(&all, &mut values);
            let squares = values.iter().map(|&y| f64::from(y).powi(2)).sum::<f64>();
            Some(squares / values.len().max(1) as f64)
        }
        _ => None,
    }
}

/// A first loss that is far above that of guessing.
fn unlikely(loss: f64, chance: Option<f64>) -> Option<Finding> {
    let chance = chance?;
    if loss <= OFF * chance || chance == 0.0 {
        return None;
    }
    let found = format!("it is {}, guessing gives {}", short(loss), short(chance));
    let advice = "the outputs are large before any training: scaled inputs, smaller initial weights, a last \
                  activation that goes with the loss";
    Some(Finding::warning(
        "first_loss",
        Where::of("the first loss"),
        found,
        advice,
    ))
}
