//! The program of `bench/pruned`: predictions of a dense layer with zeros among its weights, beside
//! the same layer without.
//!
//! `bench_pruned SECONDS`: both in turns, for some sizes, shares of zeros and rows of a batch. A
//! table: microseconds without zeros, and how many times as fast it is with each share of them (the
//! median of neighbouring turns' ratios).

use gradus::model::Prune;
use gradus::prelude::*;
use gradus::train::Predictor;
use std::time::Instant;

const ZEROS: [f64; 7] = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98];

fn main() -> gradus::Result<()> {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let seconds: f64 = seconds.unwrap_or(0.2);
    print!("| weights | rows | µs |");
    ZEROS
        .iter()
        .for_each(|zeros| print!(" {:.0}% |", zeros * 100.0));
    println!("\n| --- | ---: | ---: |{}", " ---: |".repeat(ZEROS.len()));
    for (inputs, units) in [(784, 300), (300, 100), (2048, 2048)] {
        let model = Sequential::new().seed(1).input([inputs]);
        let model = model.add(Dense::new(units)).build()?;
        let whole = model.predictor()?;
        let pruned = ZEROS.iter().map(|&zeros| {
            let mut model = model.clone();
            model.prune(&Prune::new(zeros))?;
            model.predictor()
        });
        let pruned = pruned.collect::<gradus::Result<Vec<_>>>()?;
        for rows in [1, 2, 4, 8, 16, 64, 512] {
            // No zeros, which a product of many rows would leave out.
            let number = |i: usize| (i * 7919 % 1009) as f32 / 1009.0 + 0.001;
            let x: Vec<f32> = (0..rows * inputs).map(number).collect();
            let mut y = vec![0.0; rows * units];
            let mut time = |predictor: &Predictor| {
                let start = Instant::now();
                predictor.predict_into(&x, &mut y)?;
                gradus::Result::Ok(start.elapsed().as_secs_f64() * 1e6)
            };
            let (mut all, mut ratios) = (Vec::new(), Vec::new());
            for pruned in &pruned {
                let mut turns = Vec::new();
                let begin = Instant::now();
                while turns.len() < 9 || begin.elapsed().as_secs_f64() < seconds {
                    let of_whole = time(&whole)?;
                    turns.push(of_whole / time(pruned)?);
                    all.push(of_whole);
                }
                ratios.push(format!("{:.2} |", median(turns)));
            }
            let ratios = ratios.join(" ");
            println!(
                "| {inputs} · {units} | {rows} | {:.1} | {ratios}",
                median(all)
            );
        }
    }
    Ok(())
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
