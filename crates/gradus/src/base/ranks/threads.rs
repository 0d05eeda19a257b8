//! Ranks that are threads of one process: for tests, and for programs without MPI.

use super::Collective;
use crate::error::{Error, Result};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The state that the ranks share.
struct Shared {
    ranks: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Even while the parts of a call come, odd while its ranks take all of them.
    phase: u64,
    /// Ranks that have come to the phase.
    arrived: usize,
    /// The parts of the call that have come.
    values: Vec<f32>,
    /// The first rank that has ended, and why.
    ended: Option<(usize, String)>,
}

/// A rank that is a thread. When it is dropped, ranks that still wait for it get an error.
pub struct InProcess {
    rank: usize,
    shared: Arc<Shared>,
}

/// Makes that many ranks, one for each thread that is to train: see
/// [`Fit::ranks`](crate::train::Fit::ranks).
///
/// An error for none.
pub fn in_process(ranks: usize) -> Result<Vec<InProcess>> {
    if ranks == 0 {
        return Err(Error::invalid("ranks", 0, "a whole number above 0"));
    }
    let shared = Arc::new(Shared {
        ranks,
        state: Mutex::default(),
        changed: Condvar::new(),
    });
    let rank = |rank| InProcess {
        rank,
        shared: Arc::clone(&shared),
    };
    Ok((0..ranks).map(rank).collect())
}

impl InProcess {
    fn state(&self) -> MutexGuard<'_, State> {
        // A rank that panicked is noticed by its drop.
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, problem: &str) {
        let mut state = self.state();
        state
            .ended
            .get_or_insert_with(|| (self.rank, problem.to_owned()));
        self.shared.changed.notify_all();
    }
}

impl InProcess {
    /// Waits until all ranks have come to the end of this phase.
    fn meet<'a>(&'a self, mut state: MutexGuard<'a, State>) -> Result<MutexGuard<'a, State>> {
        let phase = state.phase;
        state.arrived += 1;
        if state.arrived == self.shared.ranks && state.ended.is_none() {
            state.arrived = 0;
            state.phase += 1;
            self.shared.changed.notify_all();
        }
        while state.phase == phase {
            if let Some((rank, problem)) = &state.ended {
                return Err(Error::Rank {
                    rank: *rank,
                    problem: problem.clone(),
                });
            }
            let woken = self.shared.changed.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
        Ok(state)
    }
}

impl Collective for InProcess {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.shared.ranks
    }

    fn all_gather(&self, values: &mut [f32], starts: &[usize]) -> Result<()> {
        let own = starts[self.rank]..starts[self.rank + 1];
        let mut state = self.state();
        if state.arrived == 0 {
            state.values.clear();
            state.values.resize(values.len(), 0.0);
        }
        if state.values.len() != values.len() {
            let (found, expected) = (values.len(), state.values.len());
            let problem = format!("passes {found} numbers on where another rank passes {expected}");
            drop(state);
            self.end(&problem);
            state = self.state();
        } else {
            state.values[own.clone()].copy_from_slice(&values[own]);
        }
        let state = self.meet(state)?;
        values.copy_from_slice(&state.values);
        // The next call begins when all have taken the values of this one.
        self.meet(state).map(drop)
    }

    fn fail(&self, problem: &str) {
        self.end(problem);
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.end("has ended before the others");
    }
}

#[cfg(test)]
mod tests {
    use super::super::{agree, gather_texts, starts};
    use super::*;

    /// Runs `work` on that many ranks, and returns what each has made of it.
    fn on_ranks<T: Send>(ranks: usize, work: impl Fn(InProcess) -> T + Sync) -> Vec<T> {
        let ranks = in_process(ranks).unwrap();
        std::thread::scope(|scope| {
            let work = &work;
            let started: Vec<_> = ranks
                .into_iter()
                .map(|rank| scope.spawn(move || work(rank)))
                .collect();
            started.into_iter().map(|t| t.join().unwrap()).collect()
        })
    }

    #[test]
    fn every_rank_gets_the_parts_of_all() {
        for count in [1, 2, 3, 5] {
            let all = on_ranks(count, |ranks| {
                let mut sums = 0.0;
                for turn in 0..100 {
                    // Some parts are empty.
                    let starts: Vec<usize> = starts(turn % 7, count).collect();
                    let mut values = vec![-1.0; turn % 7];
                    let own = starts[ranks.rank()]..starts[ranks.rank() + 1];
                    own.for_each(|i| values[i] = (turn * i) as f32);
                    ranks.all_gather(&mut values, &starts).unwrap();
                    let expected: Vec<f32> = (0..turn % 7).map(|i| (turn * i) as f32).collect();
                    assert_eq!(values, expected);
                    sums += values.iter().sum::<f32>();
                }
                let mut word = [ranks.rank() as f32];
                ranks.broadcast(count - 1, &mut word).unwrap();
                ranks.barrier().unwrap();
                (sums, word[0])
            });
            assert!(all.iter().all(|&one| one == all[0]));
            assert_eq!(all[0].1, (count - 1) as f32);
        }
    }

    #[test]
    fn texts_differ_or_agree() {
        let texts = on_ranks(3, |ranks| {
            let own = "é".repeat(ranks.rank());
            gather_texts(&ranks, &own).unwrap()
        });
        assert_eq!(texts[1], ["", "é", "éé"]);
        let refused = on_ranks(3, |ranks| {
            let own = if ranks.rank() == 1 { "b" } else { "a" };
            agree(&ranks, "the letter", own, "the same one").unwrap_err()
        });
        for error in refused {
            let said = error.to_string();
            assert_eq!(
                said,
                "rank 1: the letter is b, that of rank 0 a: expected the same one"
            );
        }
    }

    #[test]
    fn a_rank_that_ends_is_named_to_those_that_wait() {
        let ends = on_ranks(3, |ranks| match ranks.rank() {
            2 => {
                ranks.barrier().unwrap();
                ranks.fail("no room on the disk");
                None
            }
            _ => {
                ranks.barrier().unwrap();
                Some(ranks.barrier().unwrap_err().to_string())
            }
        });
        assert_eq!(ends[0].as_deref(), Some("rank 2: no room on the disk"));
        assert_eq!(ends[0], ends[1]);
        let ends = on_ranks(2, |ranks| match ranks.rank() {
            0 => None,
            _ => Some(ranks.barrier().unwrap_err().to_string()),
        });
        assert_eq!(
            ends[1].as_deref(),
            Some("rank 0: has ended before the others")
        );
    }

    #[test]
    fn ranks_that_are_apart_are_noticed() {
        let ends = on_ranks(2, |ranks| {
            let mut values = vec![0.0; 3 + ranks.rank()];
            ranks
                .all_gather(&mut values, &[0, 1, 2])
                .unwrap_err()
                .to_string()
        });
        assert_eq!(ends[0], ends[1]);
        assert!(
            ends[0].contains("numbers on where another rank passes"),
            "{}",
            ends[0]
        );
    }

    #[test]
    fn there_is_a_rank_at_least() {
        assert!(in_process(0).is_err());
    }
}
