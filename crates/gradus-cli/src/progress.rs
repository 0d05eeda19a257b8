//! How a training looks while it runs.

use crate::output::{measurements, message, number};
use gradus::train::Epoch;
use gradus::train::callbacks::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Where progress goes.
#[derive(Debug)]
pub enum Reporter {
    /// Nowhere.
    Quiet,
    /// One line an epoch.
    Lines,
    /// A bar on a terminal.
    Bar {
        /// The bar.
        bar: ProgressBar,
        /// When its text was last made.
        shown: Option<Instant>,
        /// The last epoch's validation, in the order of the measurements before
        /// it: their names would not fit in 80 columns.
        validation: String,
    },
}

/// Faster than this nobody can read.
const PAUSE: Duration = Duration::from_millis(80);

impl Reporter {
    /// A bar on a terminal, otherwise lines; nothing if `quiet`.
    pub fn new(quiet: bool) -> Self {
        if quiet {
            return Reporter::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Reporter::Lines;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let template = "{prefix} {bar:10} {eta} left  {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Reporter::Bar {
            bar,
            shown: None,
            validation: String::new(),
        }
    }

    /// A message that does not disturb the bar.
    pub fn say(&self, text: &str) {
        match self {
            Reporter::Quiet => {}
            Reporter::Lines => message(text),
            Reporter::Bar { bar, .. } => bar.suspend(|| message(text)),
        }
    }

    /// After a step. `first` is the epoch that this run began with.
    pub fn step(&mut self, first: usize, progress: &Progress<'_>) {
        let Reporter::Bar {
            bar,
            shown,
            validation,
        } = self
        else {
            return;
        };
        let last = progress.batch + 1 == progress.batches;
        if !last && shown.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        *shown = Some(Instant::now());
        let loss = std::iter::once(("loss", progress.loss()));
        let now = measurements(loss.chain(progress.metrics()));
        bar.set_length(((progress.epochs - first) * progress.batches) as u64);
        bar.set_prefix(format!("epoch {}/{}", progress.epoch + 1, progress.epochs));
        bar.set_message(format!("{now}  {validation}"));
        let done = (progress.epoch - first) * progress.batches + progress.batch + 1;
        bar.set_position(done as u64);
    }

    /// After an epoch.
    pub fn epoch(&mut self, epoch: &Epoch, epochs: usize) {
        match self {
            Reporter::Quiet => {}
            Reporter::Lines => message(&format!(
                "epoch {}/{epochs}  {}  {:.2} s",
                epoch.epoch + 1,
                measurements(epoch.logs.iter()),
                epoch.seconds
            )),
            Reporter::Bar { validation, .. } => {
                let logs = epoch.logs.iter();
                let values = logs.filter(|(name, _)| name.starts_with("val_"));
                let values: Vec<String> = values.map(|(_, value)| number(value)).collect();
                if !values.is_empty() {
                    *validation = format!("val {}", values.join(" "));
                }
            }
        }
    }

    /// At the end.
    pub fn finish(&self) {
        if let Reporter::Bar { bar, .. } = self {
            bar.finish_and_clear();
        }
    }
}
