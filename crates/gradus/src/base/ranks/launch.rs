//! The launcher of this process, as it says in the environment.

/// The variables in which launchers write the number of processes that they have started together:
/// Open MPI's `mpirun`, MPICH's and Intel's, Slurm's `srun` (of a step).
const SIZES: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"];

/// The number of processes that `mpirun` or `srun` has started together with this one, itself
/// included, and the variable that says so; `None` without a launcher, or if it started no other.
pub fn launched() -> Option<(usize, &'static str)> {
    let read = |name: &'static str| {
        let size = std::env::var(name).ok()?.trim().parse().ok()?;
        (size > 1).then_some((size, name))
    };
    SIZES.into_iter().find_map(read)
}
