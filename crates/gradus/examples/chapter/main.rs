//! The plots of the chapter, made by gradus: activation functions, signal and gradients through 100
//! layers, schedules, optimizers in a valley, 1cycle beside a constant rate.
//!
//! `cargo run --release --example chapter -- docs/chapter`

mod activations;
mod optimizers;
mod picture;
mod rates;
mod signal;

use std::path::PathBuf;

/// The result of a plot: gradus' errors, or the plotting library's.
type Done<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Done<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or("docs/chapter".into()));
    std::fs::create_dir_all(&folder)?;
    activations::plot(&folder.join("activations.svg"))?;
    signal::plot(&folder.join("signal.svg"))?;
    rates::plot_schedules(&folder.join("schedules.svg"))?;
    optimizers::plot(&folder.join("optimizers.svg"))?;
    rates::plot_one_cycle(&folder.join("one-cycle.svg"))
}
