//! Plain data of one run on a page.

use super::importance::Importance;
use super::outputs::OutputPage;
use super::weights::WeightPage;
use crate::train::{History, Logs};

/// Everything that a page shows of a run. What is not known is empty.
#[derive(Clone, Debug, Default)]
pub struct RunPage {
    /// The name: its folder's.
    pub name: String,
    /// The exclusive end of its epochs, while it is trained.
    pub running: Option<usize>,
    /// Loss and metrics of every epoch, and the health of its layers.
    pub history: History,
    /// The epoch, from 0, and the momentum of its last step, if a schedule sets it.
    pub momentum: Vec<(usize, f64)>,
    /// Names and words: the model's size, the data's fingerprint, the machine, …
    pub facts: Vec<(String, String)>,
    /// The resolved configuration.
    pub config: String,
    /// The distributions of the weights.
    pub weights: Vec<WeightPage>,
    /// The rows that predictions are of, in words.
    pub rows: String,
    /// Loss and metrics of the model on these rows.
    pub measured: Logs,
    /// The predictions of each output.
    pub outputs: Vec<OutputPage>,
    /// The importance of a table's columns.
    pub importance: Option<Importance>,
    /// Lines about parts that were left out, with the reason.
    pub notes: Vec<String>,
}

/// The best epoch of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// The epoch, from 0.
    pub epoch: usize,
    /// The measure that is lowest in it: `val_loss`, or `loss` without validation.
    pub monitor: String,
    /// Its value.
    pub value: f64,
}

impl RunPage {
    /// The first epoch with the lowest `val_loss`, or `loss` if there is no validation.
    pub fn best(&self) -> Option<Best> {
        let has = |name: &str| !self.history.get(name).is_empty();
        let monitor = if has("val_loss") { "val_loss" } else { "loss" };
        let epochs = self.history.epochs.iter();
        let values = epochs.filter_map(|epoch| Some((epoch.epoch, epoch.logs.get(monitor)?)));
        let finite = values.filter(|(_, value)| value.is_finite());
        let (epoch, value) = finite.min_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(Best {
            epoch,
            monitor: monitor.to_owned(),
            value,
        })
    }
}
