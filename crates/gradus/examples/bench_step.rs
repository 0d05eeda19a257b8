//! The gradus side of `bench/run`: microseconds per training step, by the
//! protocol in `bench/README.md`.
//!
//! `cargo run --release --example bench_step -- --workload W1 --seconds 3 --data FOLDER`

use gradus::prelude::*;
use gradus::train::callbacks::{Callback, Progress};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

/// A network of the bench, and how it is trained.
struct Workload {
    model: Sequential,
    batch: usize,
    rate: f64,
    /// Steps before the clock starts; the losses of their second half are reported.
    warm_up: usize,
}

fn dense(units: usize) -> Dense {
    Dense::new(units).kernel_initializer(Initializer::HeNormal)
}

fn plain(hidden: &[usize], activation: Activation, initializer: Initializer) -> Sequential {
    let layer = |&units: &usize| {
        dense(units)
            .activation(activation.clone())
            .kernel_initializer(initializer.clone())
    };
    hidden
        .iter()
        .map(layer)
        .fold(Sequential::new(), Sequential::add)
}

fn normalized(hidden: &[usize]) -> Sequential {
    hidden.iter().fold(Sequential::new(), |model, &units| {
        model
            .add(dense(units).use_bias(false))
            .add(BatchNormalization::new())
            .add(layers::Activation::new(Activation::Elu))
    })
}

fn workload(name: &str) -> Option<Workload> {
    let book = || plain(&[300, 100], Activation::Elu, Initializer::HeNormal);
    let (model, batch, rate, warm_up) = match name {
        "W1" => (book(), 32, 0.01, 200),
        "W2" => {
            let with_input = Sequential::new().add(BatchNormalization::new());
            let model = [300, 100].iter().fold(with_input, |model, &units| {
                model
                    .add(dense(units).use_bias(false))
                    .add(BatchNormalization::new())
                    .add(layers::Activation::new(Activation::Elu))
            });
            (model, 32, 0.01, 200)
        }
        "W3" => (normalized(&[100; 20]), 32, 0.01, 200),
        "W4" => {
            let model = [2048; 3].iter().fold(Sequential::new(), |model, &units| {
                model
                    .add(dense(units).activation(Activation::Relu))
                    .add(Dropout::new(0.2))
            });
            (model, 128, 0.01, 50)
        }
        "W5" => (book(), 512, 0.01, 200),
        "S100" => {
            let model = plain(&[100; 100], Activation::Selu, Initializer::LecunNormal);
            (model, 32, 0.0001, 200)
        }
        // The book's network on images that are changed in every step.
        "A1" => {
            let augmented = Sequential::new()
                .add(layers::Reshape::new([28, 28, 1]))
                .add(layers::RandomFlip::new(layers::FlipMode::Horizontal))
                .add(layers::RandomTranslation::new(0.1, 0.1))
                .add(layers::RandomRotation::new(0.05))
                .add(Flatten::new());
            let model = [300, 100].iter().fold(augmented, |model, &units| {
                model.add(dense(units).activation(Activation::Elu))
            });
            (model, 32, 0.01, 200)
        }
        "E1" => (book(), 32, 0.01, 1719),
        _ => return None,
    };
    let model = model.add(Dense::new(10).activation(Activation::Softmax));
    Some(Workload {
        model,
        batch,
        rate,
        warm_up,
    })
}

/// What the steps' callback has seen.
#[derive(Default)]
struct Seen {
    steps: usize,
    losses: Vec<f64>,
    /// Microseconds of each step, from the end of the one before.
    times: Vec<f64>,
    last: Option<Instant>,
}

struct Watch(Rc<RefCell<Seen>>, usize);

impl Callback for Watch {
    fn on_train_batch_end(
        &mut self,
        progress: &Progress<'_>,
        _: &mut gradus::train::Training<'_>,
    ) -> gradus::Result<()> {
        let mut seen = self.0.borrow_mut();
        let now = Instant::now();
        if let Some(last) = seen.last.replace(now)
            && progress.batch > 0
        {
            seen.times.push((now - last).as_secs_f64() * 1e6);
        }
        if seen.steps < self.1 {
            // The mean so far, turned back into this batch's loss.
            let n = (progress.batch + 1) as f64;
            let before: f64 = seen.losses[seen.steps - progress.batch..].iter().sum();
            seen.losses.push(progress.loss() * n - before);
        }
        seen.steps += 1;
        Ok(())
    }
}

fn argument(name: &str, default: &str) -> String {
    let mut arguments = std::env::args().skip_while(|a| a != name);
    arguments.nth(1).unwrap_or_else(|| default.to_owned())
}

fn main() -> gradus::Result<()> {
    let name = argument("--workload", "W1");
    let seconds: f64 = argument("--seconds", "3").parse().unwrap_or(3.0);
    let folder = argument("--data", "/usr/share/datasets/fashion-mnist");
    if let Ok(threads) = argument("--threads", "").parse() {
        gradus::set_threads(threads);
    }
    let seed: u64 = argument("--seed", "0").parse().unwrap_or(0);
    let Some(Workload {
        model,
        batch,
        rate,
        warm_up,
    }) = workload(&name)
    else {
        eprintln!("unknown workload {name}");
        std::process::exit(2);
    };
    let read = |file: &str| gradus::data::read_idx(&std::path::Path::new(&folder).join(file));
    let images = read("train-images-idx3-ubyte.gz")?.reshaped([784])?;
    let images = images.scaled(Scale::Divide(255.0))?;
    let all = Dataset::new(images, read("train-labels-idx1-ubyte.gz")?)?;

    let optimizer = Optimizer::from(SGD::new().momentum(0.9).nesterov(true)).learning_rate(rate);
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
    let watch = || Watch(Rc::clone(&seen), warm_up);
    let options = || Fit::new().batch_size(batch);
    // Slow workloads take their epochs from a part of the rows.
    let rows = (all.rows() / batch).min(if name == "W4" { 50 } else { 400 }) * batch;
    let part = all.slice(0..rows)?;
    let first = all.slice(0..warm_up.min(all.rows() / batch) * batch)?;
    while seen.borrow().steps < warm_up {
        model.fit(&first, options().callback(watch()))?;
    }
    let before = seen.borrow().steps;
    seen.borrow_mut().times.clear();
    let start = Instant::now();
    while start.elapsed().as_secs_f64() < seconds {
        model.fit(&part, options().epochs(4).callback(watch()))?;
    }
    let mut seen = seen.borrow_mut();
    let steps = seen.steps - before;
    // What a step takes while nobody else wants the processor.
    seen.times.sort_by(f64::total_cmp);
    let undisturbed = seen.times[seen.times.len() / 10];
    let micros = start.elapsed().as_secs_f64() * 1e6 / steps as f64;
    let half = &seen.losses[warm_up / 2..warm_up];
    println!(
        "{{\"peer\": \"gradus\", \"workload\": \"{name}\", \"version\": \"gradus {}\", \
         \"threads\": {}, \"us_per_step\": {micros:.2}, \"tenth_fastest_us\": {undisturbed:.2}, \"steps\": {steps}, \
         \"loss\": {:.6}, \"loss_steps\": {warm_up}}}",
        env!("CARGO_PKG_VERSION"),
        gradus::threads(),
        half.iter().sum::<f64>() / half.len() as f64,
    );
    Ok(())
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
