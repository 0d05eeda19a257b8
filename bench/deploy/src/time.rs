//! Times of runtimes that take turns.

use super::Result;
use super::runtimes::{self, Run};
use rten::ThreadPool;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rows of a batch.
const BATCH: usize = 1000;

/// Batches in a turn.
const BATCHES: usize = 5;

/// Calls of one row in a turn, and how many of them, the first, are not counted: the others' weights
/// are in the caches then.
const CALLS: (usize, usize) = (200, 10);

/// Rows, and the class of each if it is known.
pub struct Rows {
    shape: Vec<usize>,
    numbers: Vec<f32>,
    labels: Option<Vec<u8>>,
}

impl Rows {
    pub fn read(shape: Vec<usize>, rows: &str, labels: &str) -> Result<Self> {
        let bytes = std::fs::read(rows)?;
        let numbers = bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let rows = Rows {
            shape,
            numbers: numbers.collect(),
            labels: (labels != "-").then(|| std::fs::read(labels)).transpose()?,
        };
        match rows.count() >= BATCH {
            true => Ok(rows),
            false => Err(format!("{} rows, not {BATCH} or more", rows.count()).into()),
        }
    }

    fn size(&self) -> usize {
        self.shape.iter().product()
    }

    fn count(&self) -> usize {
        self.numbers.len() / self.size()
    }

    fn at(&self, first: usize, count: usize) -> &[f32] {
        &self.numbers[first * self.size()..(first + count) * self.size()]
    }
}

struct Entry<'a> {
    name: &'a str,
    run: Run,
    outputs: Vec<f32>,
    /// Nanoseconds of calls of one row, and of the fastest batch.
    one: Vec<u128>,
    batch: u128,
}

pub fn time(seconds: f64, rows: &Rows, files: &[&str], pool: &Arc<ThreadPool>) -> Result<()> {
    let mut entries = Vec::new();
    for file in files {
        let (name, file) = file.split_once('=').ok_or("NAME=FILE is wanted")?;
        let mut run = runtimes::open((name, file), &rows.shape, [1, BATCH], pool)?;
        let (mut outputs, mut some) = (Vec::new(), Vec::new());
        for first in (0..=rows.count() - BATCH).step_by(BATCH) {
            run(rows.at(first, BATCH), BATCH, &mut some)?;
            outputs.extend_from_slice(&some);
        }
        entries.push(Entry {
            name,
            run,
            outputs,
            one: Vec::new(),
            batch: u128::MAX,
        });
    }
    let begin = Instant::now();
    let mut turn = 0;
    while turn < 3 || begin.elapsed() < Duration::from_secs_f64(seconds) {
        for entry in &mut entries {
            let mut out = Vec::new();
            for call in 0..CALLS.0 {
                let row = rows.at((turn * CALLS.0 + call) % rows.count(), 1);
                let start = Instant::now();
                (entry.run)(row, 1, &mut out)?;
                if call >= CALLS.1 {
                    entry.one.push(start.elapsed().as_nanos());
                }
            }
            for batch in 0..BATCHES {
                let first = (turn * BATCHES + batch) % (rows.count() / BATCH) * BATCH;
                let start = Instant::now();
                (entry.run)(rows.at(first, BATCH), BATCH, &mut out)?;
                entry.batch = entry.batch.min(start.elapsed().as_nanos());
            }
        }
        turn += 1;
    }
    let first = entries[0].outputs.clone();
    for entry in &mut entries {
        entry.one.sort_unstable();
        let at =
            |share: f64| entry.one[((entry.one.len() - 1) as f64 * share) as usize] as f64 / 1e3;
        let difference = first.iter().zip(&entry.outputs).map(|(a, b)| (a - b).abs());
        println!(
            "{}",
            serde_json::json!({
                "name": entry.name,
                "p50": at(0.5),
                "p99": at(0.99),
                "rows_per_second": BATCH as f64 / (entry.batch as f64 / 1e9),
                "accuracy": rows.labels.as_ref().map(|labels| accuracy(&entry.outputs, labels)),
                "difference": difference.fold(0.0, larger),
            })
        );
    }
    Ok(())
}

/// The larger of two, or NaN.
fn larger(a: f32, b: f32) -> f32 {
    if b > a || b.is_nan() { b } else { a }
}

/// The share of rows whose largest output is that of their class.
fn accuracy(outputs: &[f32], labels: &[u8]) -> f64 {
    let classes = outputs.len() / (labels.len() / BATCH * BATCH);
    let rows = outputs.chunks_exact(classes).zip(labels);
    let right = rows.filter(|(row, label)| {
        let largest = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        largest.is_some_and(|(class, _)| class == usize::from(**label))
    });
    right.count() as f64 / (outputs.len() / classes) as f64
}
