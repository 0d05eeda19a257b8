//! A program built without MPI.

use gradus::ranks::{Collective, launched};
use gradus::{Error, Result};
use std::sync::Arc;

/// The connection with the processes that were started together with this one: there is none. An
/// error if MPI's launcher has started several, which would train one model each.
pub fn connect(_threads_given: bool) -> Result<Option<Arc<dyn Collective>>> {
    match launched() {
        Some((size, says)) if !says.starts_with("SLURM") => Err(Error::other(format!(
            "{size} processes were started together ({says}), and this gradus was built without MPI: \
             build it with `cargo build --release -p gradus-cli --features mpi`"
        ))),
        _ => Ok(None),
    }
}

/// The launcher's words before a command that goes on with a run: none.
pub fn launcher() -> Option<String> {
    None
}

/// The name of this process in messages, before which others have had time for theirs: none.
pub fn name() -> String {
    String::new()
}

/// Ends the program with that exit code.
pub fn end(code: u8) -> u8 {
    code
}
