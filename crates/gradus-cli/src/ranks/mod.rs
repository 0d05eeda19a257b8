//! Processes that train together, if `mpirun` or `srun` has started several.

#[cfg(not(feature = "mpi"))]
mod alone;
#[cfg(feature = "mpi")]
mod several;

use crate::output;
use gradus::Result;
use gradus::ranks::Collective;
use std::sync::Arc;

/// The connection with the processes that were started together with this one, if there are any, for a command
/// that they share out: the first one prints and writes, the others only compute.
pub fn join() -> Result<Option<Arc<dyn Collective>>> {
    let ranks = connect(false)?;
    if ranks.as_ref().is_some_and(|ranks| ranks.rank() > 0) {
        output::mute();
    }
    Ok(ranks)
}

#[cfg(not(feature = "mpi"))]
pub use alone::{connect, end, launcher, name};
#[cfg(feature = "mpi")]
pub use several::{connect, end, launcher, name};
