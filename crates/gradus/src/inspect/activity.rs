//! Units that are never active: a forward pass over some rows, with the weights as they are.

use super::graph::{at, called, effect};
use crate::data::Dataset;
use crate::data::checks::{Finding, named};
use crate::error::Result;
use crate::model::Model;
use crate::model::layers::Effect;
use serde::Serialize;

const NAME: &str = "dead_units";
/// Rows of a pass.
const ROWS: usize = 2000;
/// Share of a layer's units that is worth a warning: a tenth is common with ReLU.
const MANY: f64 = 0.3;

/// The activity of a layer whose units can die: its activation is flat below, as ReLU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Activity {
    /// The layer's name.
    pub layer: String,
    /// Its activation: `relu`.
    pub activation: String,
    /// The number of its units.
    pub units: usize,
    /// The units, from 0, whose output was 0 for each of the rows.
    pub never: Vec<usize>,
    /// The number of rows.
    pub rows: usize,
}

impl Activity {
    /// The share of its units that are never active.
    pub fn share(&self) -> f64 {
        self.never.len() as f64 / self.units.max(1) as f64
    }

    /// The finding about it, if many of its units are never active.
    pub fn finding(&self) -> Option<Finding> {
        let (dead, units) = (self.never.len(), self.units);
        if self.share() < MANY {
            return None;
        }
        let found = format!(
            "{dead} of {units} {} units ({:.0}%) are active for none of {} rows: {}",
            self.activation,
            100.0 * self.share(),
            self.rows,
            named(&self.never)
        );
        let advice = "they get no gradient and never learn again: `leaky_relu` or `elu`, \
                      `he_normal`, a smaller rate, scaled inputs, biases that begin at 0";
        Some(Finding::warning(NAME, at(&self.layer), found, advice))
    }
}

/// Rows that are spread evenly, 2,000 at most.
pub(crate) fn sample(data: &Dataset) -> Result<Dataset> {
    let step = data.rows().div_ceil(ROWS).max(1);
    data.take(&(0..data.rows()).step_by(step).collect::<Vec<_>>())
}

impl Model {
    /// The activity of each layer whose units can die, for rows of `data`, which are 2,000 at most,
    /// spread evenly. Noise is off. An error if the model is not built, or the data does not fit.
    pub fn activity(&self, data: &Dataset) -> Result<Vec<Activity>> {
        let nodes = 0..self.nodes.len();
        let activations = nodes.filter_map(|node| match effect(self, node) {
            Effect::Activates(of) | Effect::ActivatesLike(of) | Effect::Product(of) => {
                of.dies().then(|| (self.nodes[node].layer, called(&of)))
            }
            _ => None,
        });
        // The last use of a shared layer.
        let mut found: Vec<(usize, String)> = activations.collect();
        found.dedup_by_key(|(layer, _)| *layer);
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let names = found.iter().map(|(layer, _)| &*self.layers[*layer].name);
        let names: Vec<&str> = names.collect();
        let rows = sample(data)?;
        let outputs = self.up_to(&names)?.predict_all(&rows)?;
        let all = names.iter().zip(&outputs).zip(&found);
        let activity = all.map(|((name, output), (_, activation))| {
            let units = output.shape().last().max(1);
            let mut active = vec![false; units];
            for row in output.to_f32().chunks_exact(units) {
                active
                    .iter_mut()
                    .zip(row)
                    .for_each(|(active, x)| *active |= *x > 0.0);
            }
            Activity {
                layer: (*name).to_owned(),
                activation: activation.clone(),
                units,
                never: (0..units).filter(|&unit| !active[unit]).collect(),
                rows: rows.rows(),
            }
        });
        Ok(activity.collect())
    }
}
