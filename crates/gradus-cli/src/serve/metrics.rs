//! Counts for Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Upper bounds of the histogram's buckets, in seconds.
const BUCKETS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Counts since the start.
pub struct Metrics {
    start: Instant,
    /// Answers, by route and status.
    answers: Mutex<BTreeMap<(&'static str, u16), u64>>,
    /// Requests for predictions, by the bucket of their seconds; the last one is above all.
    seconds: [AtomicU64; BUCKETS.len() + 1],
    microseconds: AtomicU64,
    in_flight: AtomicU64,
    rows: AtomicU64,
    batches: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            start: Instant::now(),
            answers: Mutex::default(),
            seconds: Default::default(),
            microseconds: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            batches: AtomicU64::new(0),
        }
    }
}

/// A request that is being answered, counted until it is dropped.
pub struct InFlight<'a>(&'a Metrics);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Counts a request as in flight.
    pub fn begin(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self)
    }

    /// Counts an answer; a request for predictions with its time.
    pub fn count_answer(&self, route: &'static str, status: u16, took: Option<Duration>) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry((route, status)).or_default() += 1;
        drop(answers);
        if let Some(took) = took {
            let seconds = took.as_secs_f64();
            let bucket = BUCKETS.partition_point(|&most| most < seconds);
            self.seconds[bucket].fetch_add(1, Ordering::Relaxed);
            let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            self.microseconds.fetch_add(took, Ordering::Relaxed);
        }
    }

    /// Counts a batch of this many rows.
    pub fn count_batch(&self, rows: usize) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// All counts, in Prometheus' text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: &str| {
            let _ = write!(
                text,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{samples}"
            );
        };
        let one = |name: &str, value: &dyn std::fmt::Display| format!("{name} {value}\n");
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);

        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answers: String = answers
            .iter()
            .map(|((route, status), count)| {
                let name = "gradus_requests_total";
                format!("{name}{{route=\"{route}\",status=\"{status}\"}} {count}\n")
            })
            .collect();
        let help = "Answered requests.";
        family("gradus_requests_total", "counter", help, &answers);

        let name = "gradus_rows_total";
        let help = "Rows that were predicted.";
        family(name, "counter", help, &one(name, &count(&self.rows)));

        let name = "gradus_batches_total";
        let help = "Batches, each of the rows of one or more requests.";
        family(name, "counter", help, &one(name, &count(&self.batches)));

        let name = "gradus_request_duration_seconds";
        let (mut below, mut samples) = (0, String::new());
        for (most, in_bucket) in BUCKETS.iter().zip(&self.seconds) {
            below += count(in_bucket);
            let _ = writeln!(samples, "{name}_bucket{{le=\"{most}\"}} {below}");
        }
        below += count(&self.seconds[BUCKETS.len()]);
        let sum = count(&self.microseconds) as f64 / 1e6;
        let _ = write!(
            samples,
            "{name}_bucket{{le=\"+Inf\"}} {below}\n{name}_sum {sum}\n{name}_count {below}\n"
        );
        let help = "Time from a request's headers to its answer, of requests for predictions.";
        family(name, "histogram", help, &samples);

        let name = "gradus_requests_in_flight";
        let help = "Requests that are being answered.";
        family(name, "gauge", help, &one(name, &count(&self.in_flight)));

        let name = "gradus_uptime_seconds";
        let help = "Time since the start.";
        let uptime = self.start.elapsed().as_secs_f64();
        family(name, "gauge", help, &one(name, &uptime));
        text
    }
}
