//! Ranks that are processes, on one machine or on many, connected by MPI.

use super::{Collective, add_up, gather_texts, launched, starts};
use crate::error::{Error, Result};
use ::mpi::Threading;
use ::mpi::datatype::{Partition, PartitionMut};
use ::mpi::environment::{Universe, processor_name};
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::*;
use std::sync::{Mutex, PoisonError};

/// The processes that `mpirun` or `srun` has started together. MPI ends when it is dropped, which has to
/// wait for the last call of all.
///
/// If one of them dies, MPI's launcher ends all.
pub struct Mpi {
    rank: usize,
    ranks: usize,
    /// The values that this rank sends; held during a call, since MPI is promised one at a time.
    sent: Mutex<Vec<f32>>,
    _universe: Universe,
}

impl Mpi {
    /// Connects this process with those that were started together with it. Once per process.
    ///
    /// An error if MPI has begun already, lets only one thread call it, or knows fewer processes
    /// than the launcher: then it is another MPI than the one that gradus was built with.
    pub fn start() -> Result<Self> {
        let started = ::mpi::initialize_with_threading(Threading::Serialized);
        let Some((universe, provided)) = started else {
            return Err(Error::other("MPI has been started already in this process"));
        };
        if provided < Threading::Serialized {
            let problem = format!(
                "this MPI lets threads take turns at calling it only as far as {provided:?}, \
                 and gradus needs MPI_THREAD_SERIALIZED"
            );
            return Err(Error::other(problem));
        }
        let world = SimpleCommunicator::world();
        let (rank, ranks) = (world.rank() as usize, world.size() as usize);
        if let Some((launched, says)) = launched()
            && launched != ranks
        {
            let problem = format!(
                "{says} says that {launched} processes were started together, and MPI knows {ranks}: \
                 start gradus by the `mpirun` of the MPI that it was built with ({})",
                ::mpi::environment::library_version()
                    .unwrap_or_default()
                    .trim()
            );
            return Err(Error::other(problem));
        }
        Ok(Mpi {
            rank,
            ranks,
            sent: Mutex::default(),
            _universe: universe,
        })
    }

    /// Ends all processes at once, with that exit code.
    pub fn abort(&self, code: u8) -> ! {
        SimpleCommunicator::world().abort(code.into())
    }

    /// The number of threads for this rank: the processor's cores that it may run on, divided by
    /// the ranks that may run on the same.
    pub fn threads(&self) -> Result<usize> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let allowed = status
            .lines()
            .find(|line| line.starts_with("Cpus_allowed_list"));
        let place = format!(
            "{} {}",
            processor_name().unwrap_or_default(),
            allowed.unwrap_or_default()
        );
        let places = gather_texts(self, &place)?;
        let beside = places.iter().filter(|other| **other == place).count();
        Ok((cores / beside.max(1)).max(1))
    }
}

impl Collective for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.ranks
    }

    fn all_gather(&self, values: &mut [f32], starts: &[usize]) -> Result<()> {
        if self.ranks == 1 {
            return Ok(());
        }
        let count = |n: usize| {
            i32::try_from(n).map_err(|_| {
                let problem = format!("passes {n} numbers on, and MPI at most {}", i32::MAX);
                let rank = self.rank;
                Error::Rank { rank, problem }
            })
        };
        let counts = starts.windows(2).map(|ends| count(ends[1] - ends[0]));
        let counts = counts.collect::<Result<Vec<i32>>>()?;
        let begins = starts[..self.ranks].iter().map(|&start| count(start));
        let begins = begins.collect::<Result<Vec<i32>>>()?;
        let sent = self.sent.lock();
        let mut sent = sent.unwrap_or_else(PoisonError::into_inner);
        sent.clear();
        sent.extend_from_slice(&values[starts[self.rank]..starts[self.rank + 1]]);
        let mut all = PartitionMut::new(values, counts, begins);
        SimpleCommunicator::world().all_gather_varcount_into(&sent[..], &mut all);
        Ok(())
    }

    /// Each rank adds a part of the numbers up, and passes it on: 2 (N − 1)/N of the bytes come to it, where
    /// (N − 1) would with all parts of all.
    fn sum(&self, values: &mut [f32], of: &[bool]) -> Result<()> {
        if self.ranks == 1 {
            return Ok(());
        }
        let cut: Vec<usize> = starts(values.len(), self.ranks).collect();
        let own = cut[self.rank]..cut[self.rank + 1];
        let whole = |n: usize| {
            i32::try_from(n).map_err(|_| {
                let problem = format!("adds {n} numbers up, and MPI at most {}", i32::MAX);
                let rank = self.rank;
                Error::Rank { rank, problem }
            })
        };
        let mut parts = vec![0.0; own.len() * self.ranks];
        {
            let sizes = cut.windows(2).map(|ends| whole(ends[1] - ends[0]));
            let sizes = sizes.collect::<Result<Vec<i32>>>()?;
            let begins = cut[..self.ranks].iter().map(|&start| whole(start));
            let begins = begins.collect::<Result<Vec<i32>>>()?;
            let each = vec![whole(own.len())?; self.ranks];
            let places = (0..self.ranks).map(|rank| whole(rank * own.len()));
            let places = places.collect::<Result<Vec<i32>>>()?;
            // MPI is promised one call at a time.
            let _turn = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            let sent = Partition::new(&*values, sizes, begins);
            let mut received = PartitionMut::new(&mut parts[..], each, places);
            SimpleCommunicator::world().all_to_all_varcount_into(&sent, &mut received);
        }
        add_up(&mut values[own], &parts, of);
        self.all_gather(values, &cut)
    }

    /// Nothing: the launcher ends all when a process ends without MPI's leave, as with
    /// [`Mpi::abort`].
    fn fail(&self, _problem: &str) {}
}
