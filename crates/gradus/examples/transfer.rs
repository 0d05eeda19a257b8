//! The chapter's transfer experiment on Fashion-MNIST: does a network that knows eight
//! kinds of clothes learn to tell shirts from sandals from 200 pictures?
//!
//! ```text
//! cargo run --release --example transfer
//! ```
//!
//! Model A learns 8 classes (all but shirts and sandals). Model B learns the two others
//! from scratch. B on A takes A's layers but the last, trains a new output for 4 epochs
//! with these frozen, then everything for 16 more with a lower rate. Same layers, same
//! rows, same number of epochs; five seeds. The last line says how long a step takes
//! with A's layers frozen and without.

use gradus::prelude::*;
use gradus::train::GradualUnfreezing;
use std::time::Instant;

const SANDAL: f32 = 5.0;
const SHIRT: f32 = 6.0;
const SEEDS: u64 = 5;
/// Rows that B learns from.
const FEW: usize = 200;
const EPOCHS: usize = 20;
const FROZEN: usize = 4;
/// Of A, of B and of the new output, and of everything once it is unfrozen: the
/// chapter's 1e-3 and 1e-4.
const RATE: f64 = 1e-3;
const LOWER_RATE: f64 = 1e-4;

fn main() -> gradus::Result<()> {
    let (train, test) = (load(Split::Train)?, load(Split::Test)?);
    let (train_a, test_a) = (rows_of_a(&train)?, rows_of_a(&test)?);
    let (train_b, test_b) = (rows_of_b(&train)?, rows_of_b(&test)?);
    println!(
        "A: {} rows of 8 classes; B: {FEW} of {} rows of 2, tested on {}",
        train_a.rows(),
        train_b.rows(),
        test_b.rows()
    );
    println!("seed   A: test accuracy   B: test error   B on A: test error");
    let (mut scratch, mut reused) = (Vec::new(), Vec::new());
    let mut last = None;
    for seed in 0..SEEDS {
        let from = seed as usize * FEW;
        let few = train_b.slice(from..from + FEW)?;
        let a = model_a(seed, &train_a)?;
        let know = a.evaluate(&test_a)?.get("accuracy").unwrap_or(f64::NAN);

        let mut b = with_new_output(body(seed))?;
        b.fit(&few, Fit::new().epochs(EPOCHS))?;
        scratch.push(error(&b, &test_b)?);

        let mut on_a = on_top_of(&a, seed)?;
        let output = on_a.layer_at(-1)?.name.clone();
        let thaw = GradualUnfreezing::new()
            .named(0, &[&output])
            .all(FROZEN)
            .learning_rate(LOWER_RATE);
        on_a.fit(&few, Fit::new().epochs(EPOCHS).callback(thaw))?;
        reused.push(error(&on_a, &test_b)?);
        println!(
            "{seed:4} {know:18.4} {:15.4} {:20.4}",
            scratch[scratch.len() - 1],
            reused[reused.len() - 1]
        );
        last = Some(a);
    }
    let mean = |errors: &[f64]| errors.iter().sum::<f64>() / errors.len() as f64;
    let (scratch, reused) = (mean(&scratch), mean(&reused));
    println!("mean {:18} {scratch:15.4} {reused:20.4}", "");
    println!(
        "B on A makes {:.2} times the errors of B: {}",
        reused / scratch,
        match reused / scratch {
            ..0.5 => "under half; the transfer helps a lot",
            0.5..1.0 => "it helps, but not by half",
            _ => "it does not help here",
        }
    );
    match last {
        Some(a) => freezing_pays(&a, &train_b),
        None => Ok(()),
    }
}

/// Fashion-MNIST's rows; an error that says where they are looked for if they are
/// not there.
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

/// The rows whose class gets a new number, with pixels from 0 to 1.
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
            SGD::new().learning_rate(RATE),
            Loss::SparseCategoricalCrossentropy,
            &[Metric::Accuracy],
        )?;
    a.fit(train, Fit::new().epochs(EPOCHS))?;
    Ok(a)
}

fn with_new_output(body: Sequential) -> gradus::Result<Model> {
    body.add(Dense::new(1).activation(Activation::Sigmoid))
        .compile(
            SGD::new().learning_rate(RATE),
            Loss::BinaryCrossentropy,
            &[Metric::Accuracy],
        )
}

/// A copy of A's layers but the last, under a new output.
fn on_top_of(a: &Model, seed: u64) -> gradus::Result<Model> {
    with_new_output(Sequential::new().seed(seed).add_layers(a, ..-1)?)
}

fn error(model: &Model, test: &Dataset) -> gradus::Result<f64> {
    let accuracy = model.evaluate(test)?.get("accuracy");
    Ok(1.0 - accuracy.unwrap_or(f64::NAN))
}

/// The time of a step of B on A with A's layers frozen and without, each the fastest
/// of five epochs that take turns.
fn freezing_pays(a: &Model, rows: &Dataset) -> gradus::Result<()> {
    let whole = on_top_of(a, 0)?;
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
