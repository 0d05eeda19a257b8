//! The launcher of this process, as it says in the environment.

/// The variables in which launchers write the number of processes that they have started together:
/// Open MPI's `mpirun`, MPICH's and Intel's, Slurm's `srun` (of a step).
const SIZES: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", SLURM];

/// The variable by which `srun` alone is known.
const SLURM: &str = "SLURM_STEP_NUM_TASKS";

/// The command that has started so many processes together: `mpirun -n 4`.
pub fn launcher(processes: usize) -> String {
    let is_set = |name: &str| std::env::var_os(name).is_some();
    match is_set(SLURM) && !is_set(SIZES[0]) {
        true => format!("srun -n {processes}"),
        false => format!("mpirun -n {processes}"),
    }
}

/// The number of processes that `mpirun` or `srun` has started together with this one, itself
/// included, and the variable that says so; `None` without a launcher, or if it started no other.
pub fn launched() -> Option<(usize, &'static str)> {
    let read = |name: &'static str| {
        let size = std::env::var(name).ok()?.trim().parse().ok()?;
        (size > 1).then_some((size, name))
    };
    SIZES.into_iter().find_map(read)
}
