//! `gradus completions SHELL`.

use crate::args::{Args, Completions};
use crate::output;
use clap::CommandFactory;
use gradus::Result;

/// Runs the command.
pub fn run(args: Completions) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "gradus", &mut script);
    output::result(&String::from_utf8_lossy(&script))
}
