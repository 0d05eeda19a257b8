//! The chapter's transfer experiment on Fashion-MNIST: does a network that knows eight
//! kinds of clothes learn to tell shirts from sandals from 200 pictures?
//!
//! ```text
//! cargo run --release --example transfer
//! ```
//!
//! Model A learns 8 classes (all but shirts and sandals). Model B learns the two others
//! from scratch. B on A takes A's layers but the last, trains a new output for 4 epochs
//! with these frozen, then everything for 16 more with a tenth of the rate. Same layers,
//! same rows, same number of epochs; five seeds; several rates, since what wins at one
//! may lose at another. The last line says how long a step takes with A's layers frozen
//! and without.

use gradus::prelude::*;
use gradus::train::GradualUnfreezing;
use std::time::Instant;

const SANDAL: f32 = 5.0;
const SHIRT: f32 = 6.0;
const SEEDS: usize = 5;
/// Rows that B learns from.
const FEW: usize = 200;
const EPOCHS: usize = 20;
const FROZEN: usize = 4;
/// A's, as in the chapter.
const RATE_OF_A: f64 = 1e-3;
/// Those of B, and of B on A; the first is the chapter's.
const RATES: [f64; 5] = [1e-3, 3e-3, 1e-2, 3e-2, 1e-1];

fn main() -> gradus::Result<()> {
    let (train, test) = (load(Split::Train)?, load(Split::Test)?);
    let (train_a, test_a) = (rows_of_a(&train)?, rows_of_a(&test)?);
    let (train_b, test_b) = (rows_of_b(&train)?, rows_of_b(&test)?);
    println!(
        "A: {} rows of 8 classes; B: {FEW} rows of 2, tested on {}",
        train_a.rows(),
        test_b.rows()
    );
    let mut models = Vec::new();
    for seed in 0..SEEDS {
        let a = model_a(seed as u64, &train_a)?;
        let accuracy = a.evaluate(&test_a)?.get("accuracy").unwrap_or(f64::NAN);
        println!("seed {seed}: A's test accuracy {accuracy:.4}");
        models.push(a);
    }
    println!("\nmean test error in % (of each seed)");
    let (mut best, mut best_on_a) = (f64::INFINITY, f64::INFINITY);
    for rate in RATES {
        let (mut scratch, mut reused) = (Vec::new(), Vec::new());
        for (n, a) in models.iter().enumerate() {
            let few = train_b.slice(n * FEW..(n + 1) * FEW)?;
            let mut b = with_new_output(body(n as u64), rate)?;
            b.fit(&few, Fit::new().epochs(EPOCHS))?;
            scratch.push(error(&b, &test_b)?);

            let mut on_a = on_top_of(a, rate)?;
            let output = on_a.layer_at(-1)?.name.clone();
            let thaw = GradualUnfreezing::new()
                .named(0, &[&output])
                .all(FROZEN)
                .learning_rate(rate / 10.0);
            on_a.fit(&few, Fit::new().epochs(EPOCHS).callback(thaw))?;
            reused.push(error(&on_a, &test_b)?);
        }
        let (b, on_a) = (mean(&scratch), mean(&reused));
        (best, best_on_a) = (best.min(b), best_on_a.min(on_a));
        println!("rate {rate:5}  B       {b:5.2} ({})", list(&scratch));
        println!("            B on A  {on_a:5.2} ({})", list(&reused));
        println!("            {}", verdict(b, on_a));
    }
    println!(
        "\neach at its best rate (chosen by the test rows, so a little too good for both): \
         B {best:.2}, B on A {best_on_a:.2}\n{}",
        verdict(best, best_on_a)
    );
    freezing_pays(&models[0], &train_b)
}

fn verdict(b: f64, on_a: f64) -> String {
    let judged = match on_a / b {
        ..0.5 => "under half: reuse helps a lot",
        0.5..1.0 => "fewer, but not under half",
        _ => "reuse does not help here",
    };
    format!("B on A makes {:.2} times B's errors: {judged}", on_a / b)
}

fn mean(errors: &[f64]) -> f64 {
    errors.iter().sum::<f64>() / errors.len() as f64
}

fn list(errors: &[f64]) -> String {
    let errors: Vec<String> = errors.iter().map(|e| format!("{e:.2}")).collect();
    errors.join(", ")
}

/// The rows of Fashion-MNIST; if they are missing, an error that names the folders searched.
fn load(split: Split) -> gradus::Result<Dataset> {
    data::BuiltIn::find("data", "fashion-mnist")?.load(split)
}

/// All but shirts and sandals, their classes numbered from 0.
fn rows_of_a(all: &Dataset) -> gradus::Result<Dataset> {
    pick(all, |class| match class {
        SANDAL | SHIRT => None,
        below if below < SANDAL => Some(below),
        above => Some(above - 2.0),
    })
}

/// Shirts (1) and sandals (0).
fn rows_of_b(all: &Dataset) -> gradus::Result<Dataset> {
    pick(all, |class| match class {
        SANDAL => Some(0.0),
        SHIRT => Some(1.0),
        _ => None,
    })
}

/// The rows whose class gets a new label, with pixels from 0 to 1.
fn pick(all: &Dataset, number: impl Fn(f32) -> Option<f32>) -> gradus::Result<Dataset> {
    let classes = all.targets()[0].to_f32();
    let rows = (0..all.rows()).filter(|&row| number(classes[row]).is_some());
    let picked = all.inputs()[0].take(&rows.collect::<Vec<_>>())?;
    let numbers = classes.into_iter().filter_map(number).collect();
    Dataset::new(
        picked.scaled(Scale::Divide(255.0))?,
        Tensor::from_column(numbers)?,
    )
}

/// The chapter's hidden layers.
fn body(seed: u64) -> Sequential {
    let hidden = [300, 100, 50, 50, 50].map(|units| {
        Dense::new(units)
            .activation(Activation::Selu)
            .kernel_initializer(Initializer::LecunNormal)
    });
    let flat = Sequential::new().seed(seed).add(Flatten::new());
    hidden.into_iter().fold(flat, Sequential::add)
}

fn model_a(seed: u64, train: &Dataset) -> gradus::Result<Model> {
    let mut a = body(seed)
        .add(Dense::new(8).activation(Activation::Softmax))
        .compile(
            SGD::new().learning_rate(RATE_OF_A),
            Loss::SparseCategoricalCrossentropy,
            &[Metric::Accuracy],
        )?;
    a.fit(train, Fit::new().epochs(EPOCHS))?;
    Ok(a)
}

fn with_new_output(body: Sequential, rate: f64) -> gradus::Result<Model> {
    body.add(Dense::new(1).activation(Activation::Sigmoid))
        .compile(
            SGD::new().learning_rate(rate),
            Loss::BinaryCrossentropy,
            &[Metric::Accuracy],
        )
}

/// A copy of A's layers but the last, under a new output.
fn on_top_of(a: &Model, rate: f64) -> gradus::Result<Model> {
    with_new_output(Sequential::new().seed(a.seed).add_layers(a, ..-1)?, rate)
}

/// The test error in percent.
fn error(model: &Model, test: &Dataset) -> gradus::Result<f64> {
    let accuracy = model.evaluate(test)?.get("accuracy");
    Ok(100.0 * (1.0 - accuracy.unwrap_or(f64::NAN)))
}

/// The time per step of B on A with A's layers frozen and without, each the fastest of five
/// alternating epochs.
fn freezing_pays(a: &Model, rows: &Dataset) -> gradus::Result<()> {
    let whole = on_top_of(a, RATES[0])?;
    let mut frozen = whole.clone();
    frozen.set_trainable("*", false)?;
    frozen.layer_at_mut(-1)?.trainable = true;
    let mut models = [(whole, f64::INFINITY), (frozen, f64::INFINITY)];
    let steps = rows.rows().div_ceil(32) as f64;
    for _ in 0..5 {
        for (model, fastest) in &mut models {
            let start = Instant::now();
            model.fit(rows, Fit::new())?;
            *fastest = fastest.min(start.elapsed().as_secs_f64() * 1e6 / steps);
        }
    }
    let [(_, whole), (_, frozen)] = models;
    println!(
        "a step of 32 rows takes {whole:.0} µs, {frozen:.0} µs with A's layers frozen: \
         {:.1} times as fast",
        whole / frozen
    );
    Ok(())
}
