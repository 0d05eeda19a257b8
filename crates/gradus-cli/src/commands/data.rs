//! `gradus data list | show SPEC`.

use crate::args::Data;
use crate::output;
use gradus::{Result, Split, data};

/// Runs the command.
pub fn run(args: Data) -> Result<()> {
    match args {
        Data::List => output::result(&data::list()),
        Data::Show { spec } => output::result(&data::describe(&data::load(&spec, Split::Train)?)),
    }
}
