//! Measurements of a model: the size of its file, its latency, what it gets right.

use gradus::data::Data;
use gradus::train::{Logs, Predictor};
use gradus::{Dataset, Model, Result, Tensor};
use std::time::{Duration, Instant};

/// Rows of the batch whose time is taken.
const BATCH: usize = 1024;
/// The time that the measurement of one latency may take.
const PATIENCE: Duration = Duration::from_millis(300);

/// Measurements of a model.
pub struct Measured {
    /// The size of its file, in bytes.
    pub bytes: u64,
    /// Its parameters.
    pub parameters: usize,
    /// The share of zeros in its kernels and embeddings.
    pub zeros: f64,
    /// With data.
    pub on_data: Option<OnData>,
}

/// Measurements on rows.
pub struct OnData {
    /// Loss and metrics, of a model that has a loss.
    pub logs: Option<Logs>,
    /// Microseconds for one row, asked alone: the median.
    pub one_row: f64,
    /// Rows of a batch, and microseconds for each of them: the median.
    pub batch: (usize, f64),
    /// The outputs for all rows.
    outputs: Vec<Tensor>,
}

impl OnData {
    /// The largest difference of an output from another model's.
    pub fn largest_difference(&self, other: &OnData) -> f64 {
        let pairs = self.outputs.iter().zip(&other.outputs);
        let numbers = pairs.flat_map(|(a, b)| a.to_f32().into_iter().zip(b.to_f32()));
        let differences = numbers.map(|(a, b)| f64::from((a - b).abs()));
        // A NaN is the largest.
        differences.fold(0.0, |most, x| if x > most || x.is_nan() { x } else { most })
    }
}

/// Measures a model whose file has this size, on rows if there are some.
pub fn measure(model: &Model, bytes: u64, rows: Option<&Data>, labelled: bool) -> Result<Measured> {
    let zeros = model.zeros()?;
    Ok(Measured {
        bytes,
        parameters: model.weights().map(|weight| weight.values.len()).sum(),
        zeros: gradus::model::Zeros::total(&zeros),
        on_data: rows
            .map(|rows| on_data(model, rows, labelled))
            .transpose()?,
    })
}

fn on_data(model: &Model, rows: &Data, labelled: bool) -> Result<OnData> {
    let predictor = model.predictor()?;
    let sample = rows.sample();
    let first = |count: usize| -> Result<Dataset> {
        let places: Vec<usize> = (0..count.min(sample.rows())).collect();
        sample.take(&places)
    };
    let (one, batch) = (first(1)?, first(BATCH)?);
    let many = batch.rows().max(1);
    Ok(OnData {
        logs: labelled.then(|| model.evaluate(rows)).transpose()?,
        one_row: median(&predictor, &one)?,
        batch: (many, median(&predictor, &batch)? / many as f64),
        outputs: predictor.predict_all(rows)?,
    })
}

/// The median time of a prediction, in microseconds.
fn median(predictor: &Predictor, rows: &Dataset) -> Result<f64> {
    predictor.predict_all(rows)?;
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < 5 || start.elapsed() < PATIENCE && times.len() < 1000 {
        let before = Instant::now();
        predictor.predict_all(rows)?;
        times.push(before.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
