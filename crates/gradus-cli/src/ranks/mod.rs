//! Processes that train together, if `mpirun` or `srun` has started several.

#[cfg(not(feature = "mpi"))]
mod alone;
#[cfg(feature = "mpi")]
mod several;

#[cfg(not(feature = "mpi"))]
pub use alone::{connect, end, name};
#[cfg(feature = "mpi")]
pub use several::{connect, end, name};
