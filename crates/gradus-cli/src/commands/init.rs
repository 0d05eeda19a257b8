//! `gradus init FILE|FOLDER|NAME`.

use crate::args::Init;
use crate::output;
use gradus::{Result, experiment};

/// Runs the command.
pub fn run(args: Init) -> Result<()> {
    output::result(&experiment::starter(&args.data)?)
}
