//! `gradus report RUN... [--out FILE]`.

use crate::args::Report;
use crate::copies;
use crate::output;
use gradus::Result;
use gradus::experiment;

/// Runs the command.
pub fn run(args: Report) -> Result<()> {
    let path = experiment::report(&args.runs, args.out.as_deref(), copies::shown())?;
    output::result(&format!("{}\n", path.display()))
}
