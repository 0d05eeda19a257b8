//! The `gradus` command: train, evaluate and use neural networks from the shell.

mod args;
mod commands;
mod copies;
mod curve;
mod fetch;
mod interrupt;
mod models;
mod output;
mod progress;
mod ranks;
#[cfg(feature = "serve")]
mod serve;

use args::{Args, Command};
use clap::Parser;
use gradus::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    output::make_panics_one_line();
    interrupt::watch();
    let done = match Args::parse().command {
        Command::Train(args) => commands::train::run(args),
        Command::Evaluate(args) => commands::evaluate::run(args),
        Command::Predict(args) => commands::predict::run(args),
        Command::Calibrate(args) => commands::calibrate::run(args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => commands::serve::run(args),
        Command::LrFind(args) => commands::lr_find::run(args),
        Command::Check(args) => commands::check::run(args),
        Command::Summary(args) => commands::summary::run(args),
        Command::Runs(args) => commands::runs::run(args),
        Command::Convert(args) => commands::convert::run(args),
        Command::Optimize(args) => commands::optimize::run(args),
        Command::Report(args) => commands::report::run(args),
        Command::Init(args) => commands::init::run(args),
        Command::Schema(args) => commands::schema::run(args),
        Command::Completions(args) => commands::completions::run(args),
        Command::Data(args) => commands::data::run(args),
    };
    let code = match done {
        Ok(()) => 0,
        Err(Error::Interrupted) => interrupt::farewell(),
        Err(error) => {
            output::message(&format!("error: {}{error}", ranks::name()));
            if error.is_users_mistake() { 2 } else { 1 }
        }
    };
    ExitCode::from(ranks::end(code))
}
