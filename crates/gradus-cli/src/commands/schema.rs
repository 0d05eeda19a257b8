//! `gradus schema`.

use crate::args::Schema;
use crate::output;
use gradus::{Error, Result, experiment};

/// Runs the command.
pub fn run(args: Schema) -> Result<()> {
    if args.markdown {
        return output::result(&experiment::reference()?);
    }
    let schema = serde_json::to_string_pretty(&experiment::schema());
    let schema = schema.map_err(|error| Error::Internal(error.to_string()))?;
    output::result(&(schema + "\n"))
}
