//! The program of `bench/int8`: predictions in float32 and in int8.
//!
//! - `bench_int8 time SECONDS`: both in turns, on networks of the book's size and of a wide one's.
//!   A table: rows of a batch, microseconds (the median of each), and how many times as fast int8 is
//!   (the median of neighbouring turns' ratios);
//! - `bench_int8 accuracy MODEL.keras DATA`: the accuracy of a model on test rows, and the bytes of
//!   its file without the optimizer's state.

use gradus::layers::Quantization;
use gradus::prelude::*;
use gradus::train::Predictor;
use std::time::Instant;

fn main() -> gradus::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["time", seconds] => times(seconds.parse().unwrap_or(2.0)),
        ["accuracy", model, data] => accuracy(model, data),
        _ => {
            eprintln!("usage: bench_int8 time SECONDS | accuracy MODEL.keras DATA");
            std::process::exit(2);
        }
    }
}

fn times(seconds: f64) -> gradus::Result<()> {
    println!("| network | rows | float32 µs | int8 µs | times as fast |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (name, hidden) in [
        ("784-300-100-10", &[300, 100][..]),
        ("784-2048-2048-2048-10", &[2048; 3]),
    ] {
        let float = network(hidden)?;
        let mut int8 = float.clone();
        int8.quantize(Quantization::Int8)?;
        let (float, int8) = (float.predictor()?, int8.predictor()?);
        for rows in [1, 32, 1024] {
            // No zeros, which a float product of many rows would leave out.
            let number = |i: usize| (i * 7919 % 1009) as f32 / 1009.0 + 0.001;
            let x: Vec<f32> = (0..rows * 784).map(number).collect();
            let mut y = vec![0.0; rows * 10];
            let mut time = |predictor: &Predictor| {
                let start = Instant::now();
                predictor.predict_into(&x, &mut y)?;
                gradus::Result::Ok(start.elapsed().as_secs_f64() * 1e6)
            };
            let mut turns: Vec<[f64; 2]> = Vec::new();
            let begin = Instant::now();
            while turns.len() < 9 || begin.elapsed().as_secs_f64() < seconds {
                turns.push([time(&float)?, time(&int8)?]);
            }
            let median = |of: fn(&[f64; 2]) -> f64| {
                let mut all: Vec<f64> = turns.iter().map(of).collect();
                all.sort_by(f64::total_cmp);
                all[all.len() / 2]
            };
            println!(
                "| {name} | {rows} | {:.1} | {:.1} | {:.2} |",
                median(|turn| turn[0]),
                median(|turn| turn[1]),
                median(|turn| turn[0] / turn[1])
            );
        }
    }
    Ok(())
}

/// A network for 784 pixels and 10 classes, as it is initialized.
fn network(hidden: &[usize]) -> gradus::Result<Model> {
    let mut chain = Sequential::new().seed(1).input([784]);
    for &units in hidden {
        let layer = Dense::new(units).activation(Activation::Elu);
        chain = chain.add(layer.kernel_initializer(Initializer::HeNormal));
    }
    let last = Dense::new(10).activation(Activation::Softmax);
    chain.add(last).build()
}

fn accuracy(model: &str, rows: &str) -> gradus::Result<()> {
    let float = Model::load(model)?;
    let mut int8 = float.clone();
    int8.quantize(Quantization::Int8)?;
    let rows = data::load(rows, Split::Test)?;
    let path = std::env::temp_dir().join(format!("bench_int8_{}.keras", std::process::id()));
    println!("| numbers | accuracy | loss | file |");
    println!("| --- | ---: | ---: | ---: |");
    for (name, mut model) in [("float32", float), ("int8", int8)] {
        let logs = model.evaluate(&rows)?;
        let of = |name| logs.get(name).unwrap_or(f64::NAN);
        model.compiled = None;
        model.save(&path)?;
        let bytes = std::fs::metadata(&path).map_or(0, |found| found.len());
        let _ = std::fs::remove_file(&path);
        println!(
            "| {name} | {:.4} | {:.4} | {bytes} |",
            of("accuracy"),
            of("loss")
        );
    }
    Ok(())
}
