//! The gradus side of `bench/inference`: timing of predictions.
//!
//! `bench_predict MODEL.keras X.npy` reads commands from standard
//! input, one a line, and answers each with a line of JSON:
//!
//! - `outputs FILE`: writes the predictions of all rows to FILE (`.npy`);
//! - `one SECONDS`: microseconds for one row, rows taking turns (median and least);
//! - `all SECONDS`: milliseconds for all rows (median and least);
//! - `call SECONDS`: as `one`, by `Model::predict`, which prepares the model anew;
//! - `mc SAMPLES`: seconds for that many samples of all rows.

use gradus::artifacts::keras::load_keras;
use gradus::prelude::*;
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

fn main() -> gradus::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, model, rows] = &arguments[..] else {
        eprintln!("usage: bench_predict MODEL.keras X.npy");
        std::process::exit(2);
    };
    let model = load_keras(model)?;
    let data = data::load(rows, Split::Test)?;
    let x = data.inputs()[0].to_f32();
    let width = data.inputs()[0].size();
    let predictor = model.predictor()?;
    let outputs = model.output_shapes()?[0].size();
    let mut y = vec![0.0; data.rows() * outputs];
    let mut one = 0;
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let (command, argument) = line.split_once(' ').unwrap_or((&line, ""));
        let seconds: f64 = argument.parse().unwrap_or(1.0);
        match command {
            "outputs" => {
                predictor.predict_into(&x, &mut y)?;
                let shape = [outputs].into();
                gradus::artifacts::atomic_file::write_atomic(Path::new(argument), |file| {
                    gradus::data::write_npy(file, &shape, &y)
                })?;
                println!("{{}}");
            }
            "one" => report(seconds, 1e6, || {
                one = (one + 1) % data.rows();
                let row = &x[one * width..][..width];
                predictor.predict_into(row, &mut y[..outputs])
            })?,
            "all" => report(seconds, 1e3, || predictor.predict_into(&x, &mut y))?,
            "call" => report(seconds, 1e6, || {
                one = (one + 1) % data.rows();
                model.predict(&data.slice(one..one + 1)?).map(|_| ())
            })?,
            "mc" => {
                let start = Instant::now();
                let found = model.predict_mc(&data, seconds as usize)?;
                let taken = start.elapsed().as_secs_f64();
                println!(
                    "{{\"median\": {taken}, \"least\": {taken}, \"rows\": {}}}",
                    found.mean.rows()
                );
            }
            _ => eprintln!("unknown command {command}"),
        }
    }
    Ok(())
}

/// Calls `work` repeatedly, and prints its duration.
fn report(
    seconds: f64,
    unit: f64,
    mut work: impl FnMut() -> gradus::Result<()>,
) -> gradus::Result<()> {
    let mut times = Vec::new();
    let begin = Instant::now();
    while times.len() < 3 || begin.elapsed().as_secs_f64() < seconds {
        let start = Instant::now();
        work()?;
        times.push(start.elapsed().as_secs_f64() * unit);
    }
    times.sort_by(f64::total_cmp);
    let (median, least) = (times[times.len() / 2], times[0]);
    println!(
        "{{\"median\": {median}, \"least\": {least}, \"times\": {}}}",
        times.len()
    );
    Ok(())
}
