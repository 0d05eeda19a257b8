//! The model that is served, and the limits of requests.

use super::arrays::Inputs;
use super::batches::Batches;
use super::metrics::Metrics;
use super::rows::Columns;
use gradus::data::Schema;
use gradus::{Model, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Bodies of this many times the largest fit into memory at the same time.
const BODIES: usize = 8;

/// Limits of requests.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Rows of a batch after which no further request joins it.
    pub batch: usize,
    /// Rows of a request.
    pub rows: usize,
    /// Bytes of a request's body.
    pub body: usize,
    /// Open connections.
    pub connections: u32,
    /// Time for each thing that a client may delay.
    pub time: Duration,
}

/// Settings of a server.
pub struct Settings {
    /// Samples of each row with dropout on.
    pub samples: Option<usize>,
    /// The probability below which a row has no class.
    pub reject_below: Option<f32>,
    pub limits: Limits,
}

/// A model with all that requests need.
pub struct Service {
    pub model: Model,
    /// The name in paths.
    pub name: String,
    /// The columns of rows, if the inputs are such.
    pub schema: Option<Schema>,
    pub columns: Option<Columns>,
    /// The inputs as arrays; none of a model that was trained on a table, whose columns are read
    /// as their schema says.
    pub inputs: Option<Inputs>,
    /// True if its rows have columns of classes.
    pub is_classifier: bool,
    /// The probability below which a row has no class.
    pub reject_below: Option<f32>,
    /// True if dropout is on.
    pub is_sampled: bool,
    pub limits: Limits,
    pub batches: Batches,
    pub metrics: Arc<Metrics>,
    /// Room for bodies, in KiB.
    pub room: Arc<Semaphore>,
}

impl Service {
    /// Prepares a model.
    pub fn new(model: Model, name: &str, settings: Settings) -> Result<Self> {
        let Settings {
            samples,
            reject_below,
            limits,
        } = settings;
        let schema = model.table_schema();
        let inputs = model.facts().schema.is_none();
        let metrics = Arc::new(Metrics::default());
        Ok(Service {
            columns: schema.as_ref().map(Columns::new),
            schema,
            inputs: inputs.then(|| Inputs::new(&model)),
            is_classifier: model.is_classifier(),
            reject_below,
            is_sampled: samples.is_some(),
            name: name.to_owned(),
            room: Arc::new(Semaphore::new(BODIES * limits.body.div_ceil(1024))),
            batches: Batches::new(&model, samples, limits.batch, metrics.clone())?,
            metrics,
            limits,
            model,
        })
    }
}
