//! The gradus side of `bench/run`: microseconds per training step, by the
//! protocol in `bench/README.md`.
//!
//! `cargo run --release --example bench_step -- --workload W1 --seconds 3 --data FOLDER`

mod workload;

use gradus::prelude::*;
use gradus::train::callbacks::{Callback, Progress};
use gradus::train::{Logs, Training};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;
use workload::Workload;

/// The record of the steps' callback.
#[derive(Default)]
struct Seen {
    steps: usize,
    /// Losses of the first steps, as many as requested.
    losses: Vec<f64>,
    /// Microseconds of each step, from the end of the previous one in the same epoch.
    times: Vec<f64>,
    /// Microseconds per step of each epoch, including the time between epochs.
    epochs: Vec<f64>,
    last_step: Option<Instant>,
    last_epoch: Option<Instant>,
    seconds: f64,
}

/// Records losses and times; ends the training at the end of the epoch in which the time is up.
struct Watch {
    seen: Rc<RefCell<Seen>>,
    losses: usize,
    seconds: f64,
    epoch_steps: usize,
}

impl Callback for Watch {
    fn on_train_begin(&mut self, _: &mut Training<'_>) -> gradus::Result<()> {
        // Timing starts here, after the plan was made.
        self.seen.borrow_mut().last_epoch = Some(Instant::now());
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        progress: &Progress<'_>,
        _: &mut Training<'_>,
    ) -> gradus::Result<()> {
        let mut seen = self.seen.borrow_mut();
        let now = Instant::now();
        if let Some(last) = seen.last_step.replace(now)
            && progress.batch > 0
        {
            seen.times.push((now - last).as_secs_f64() * 1e6);
        }
        if seen.steps < self.losses {
            // The mean so far, converted back to this batch's loss.
            let n = (progress.batch + 1) as f64;
            let before: f64 = seen.losses[seen.steps - progress.batch..].iter().sum();
            seen.losses.push(progress.loss() * n - before);
        }
        seen.steps += 1;
        self.epoch_steps = progress.batch + 1;
        Ok(())
    }

    fn on_epoch_end(
        &mut self,
        _: usize,
        _: &Logs,
        training: &mut Training<'_>,
    ) -> gradus::Result<()> {
        let mut seen = self.seen.borrow_mut();
        let now = Instant::now();
        if let Some(last) = seen.last_epoch.replace(now) {
            let seconds = (now - last).as_secs_f64();
            seen.seconds += seconds;
            seen.epochs.push(seconds * 1e6 / self.epoch_steps as f64);
        }
        if seen.seconds >= self.seconds {
            training.stop();
        }
        Ok(())
    }
}

fn argument(name: &str, default: &str) -> String {
    let mut arguments = std::env::args().skip_while(|a| a != name);
    arguments.nth(1).unwrap_or_else(|| default.to_owned())
}

/// The 10th percentile of the times: that of steps without interference from other processes.
fn tenth_fastest(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 10).copied().unwrap_or(f64::NAN)
}

fn main() -> gradus::Result<()> {
    let name = argument("--workload", "W1");
    let seconds: f64 = argument("--seconds", "3").parse().unwrap_or(3.0);
    let folder = argument("--data", "/usr/share/datasets/fashion-mnist");
    if let Ok(threads) = argument("--threads", "").parse() {
        gradus::set_threads(threads);
    }
    let seed: u64 = argument("--seed", "0").parse().unwrap_or(0);
    // Steps between two samples of the layers' health.
    let health: usize = argument("--health", "100").parse().unwrap_or(100);
    let Workload {
        model,
        batch,
        rate,
        loss_steps,
        rows,
    } = workload::workload(&name).unwrap_or_else(|message| {
        eprintln!("{message}");
        std::process::exit(2);
    });
    let read = |file: &str| gradus::data::read_idx(&std::path::Path::new(&folder).join(file));
    let images = read("train-images-idx3-ubyte.gz")?.reshaped([784])?;
    let images = images.scaled(Scale::Divide(255.0))?;
    let mut all = Dataset::new(images, read("train-labels-idx1-ubyte.gz")?)?;
    if let Some(rows) = rows {
        // The file's rows, repeated if there are not enough.
        let wanted: Vec<_> = (0..rows).map(|row| row % all.rows()).collect();
        all = all.take(&wanted)?;
    }
    let steps = all.rows() / batch;
    if steps == 0 {
        eprintln!("{name}: {} rows are no batch of {batch}", all.rows());
        std::process::exit(2);
    }

    let optimizer = SGD::new().momentum(0.9).nesterov(true).learning_rate(rate);
    let accuracy: &[Metric] = if name == "E1" {
        &[Metric::Accuracy]
    } else {
        &[]
    };
    let mut model =
        model
            .seed(seed)
            .compile(optimizer, Loss::SparseCategoricalCrossentropy, accuracy)?;

    if name == "E1" {
        return epochs(&mut model, &all, seconds);
    }
    let seen = Rc::new(RefCell::new(Seen::default()));
    let mut train = |steps: usize, seconds: f64| {
        let watch = Watch {
            seen: Rc::clone(&seen),
            losses: loss_steps,
            seconds,
            epoch_steps: 0,
        };
        let options = Fit::new().batch_size(batch).epochs(1_000_000);
        let options = options.health_every(health);
        model.fit(&all.slice(0..steps * batch)?, options.callback(watch))
    };
    let start = Instant::now();
    while seen.borrow().steps < loss_steps {
        train(loss_steps.min(steps), 0.0)?;
    }
    let before = seen.borrow().steps;
    let estimate = start.elapsed().as_secs_f64() / before as f64;
    seen.replace_with(|seen| Seen {
        steps: before,
        losses: std::mem::take(&mut seen.losses),
        ..Seen::default()
    });
    // Unless a number of rows is requested, epochs are parts of the file: two or more within the
    // time.
    let epoch = match rows {
        Some(_) => steps,
        None => steps.min(((seconds / 2.0 / estimate) as usize).clamp(10, 400)),
    };
    train(epoch, seconds)?;
    let mut seen = seen.borrow_mut();
    let steps = seen.steps - before;
    let half = &seen.losses[loss_steps / 2..loss_steps];
    let loss = half.iter().sum::<f64>() / half.len() as f64;
    println!(
        "{{\"peer\": \"gradus\", \"workload\": \"{name}\", \"version\": \"gradus {}\", \"threads\": {}, \
         \"us_per_step\": {:.2}, \"tenth_fastest_us\": {}, \"tenth_fastest_epoch_us\": {}, \
         \"steps\": {steps}, \"loss\": {}, \"loss_steps\": {loss_steps}}}",
        env!("CARGO_PKG_VERSION"),
        gradus::threads(),
        seen.seconds * 1e6 / steps as f64,
        number(tenth_fastest(&mut seen.times), 2),
        number(tenth_fastest(&mut seen.epochs), 2),
        number(loss, 6),
    );
    Ok(())
}

/// As JSON, which has no NaN.
fn number(value: f64, digits: usize) -> String {
    if value.is_finite() {
        format!("{value:.digits$}")
    } else {
        "null".into()
    }
}

/// Whole epochs of the book's network, validation included.
fn epochs(model: &mut Model, all: &Dataset, seconds: f64) -> gradus::Result<()> {
    let (held_out, train) = all.split_first(5000)?;
    let options = || Fit::new().batch_size(32).validation_data(held_out.clone());
    let first = model.fit(&train, options())?;
    let value = |name: &str| first.last(name).unwrap_or(f64::NAN);
    let start = Instant::now();
    let mut done = 0;
    while start.elapsed().as_secs_f64() < seconds || done == 0 {
        model.fit(&train, options())?;
        done += 1;
    }
    let each = start.elapsed().as_secs_f64() / f64::from(done);
    println!(
        "{{\"peer\": \"gradus\", \"workload\": \"E1\", \"version\": \"gradus {}\", \"threads\": {}, \
         \"us_per_step\": {:.2}, \"steps\": {}, \"seconds_per_epoch\": {each:.4}, \
         \"loss\": {:.6}, \"loss_steps\": 1719, \"accuracy\": {:.4}, \"val_loss\": {:.6}, \
         \"val_accuracy\": {:.4}}}",
        env!("CARGO_PKG_VERSION"),
        gradus::threads(),
        each * 1e6 / 1719.0,
        done * 1719,
        value("loss"),
        value("accuracy"),
        value("val_loss"),
        value("val_accuracy"),
    );
    Ok(())
}
