//! Groups are cut into tasks.

use super::Compiled;
use super::groups::Group;
use crate::base::ranks;
use crate::engine::cpu::chunks;
use crate::plan::Split;
use crate::plan::share::Place;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A part of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine::cpu) struct Task {
    pub group: Group,
    pub part: usize,
    pub parts: usize,
    /// Columns and elements are cut where a lane of this width begins.
    lane: usize,
    /// True if the first parts get what cannot be shared equally, not the last.
    first: bool,
    /// The number of chunks that must stay whole, if the parts are made of chunks.
    chunks: Option<usize>,
    /// The rank whose share is cut, and the number of ranks; 0 of 1 if they do not share the group.
    of: (usize, usize),
}

impl Task {
    /// The task's share of `units` units.
    pub fn share(&self, units: usize) -> (usize, usize) {
        let (rank, ranks) = self.of;
        // Whole chunks belong to a rank, if there are chunks.
        let (first, end) = match self.chunks {
            Some(chunks) => (
                ranks::start(chunks, ranks, rank),
                ranks::start(chunks, ranks, rank + 1),
            ),
            None => (
                ranks::start(units, ranks, rank),
                ranks::start(units, ranks, rank + 1),
            ),
        };
        let cut = |part: usize| {
            let at = match self.first {
                true => first + ((end - first) * part).div_ceil(self.parts),
                false => first + (end - first) * part / self.parts,
            };
            self.chunks
                .map_or(at, |chunks| chunks::start(units, chunks, at))
        };
        (cut(self.part), cut(self.part + 1))
    }

    /// The task's share of `n` columns or elements.
    pub fn lanes(&self, n: usize) -> (usize, usize) {
        let (from, to) = self.share(n.div_ceil(self.lane));
        ((from * self.lane).min(n), (to * self.lane).min(n))
    }
}

/// Work below which a second thread does not pay, in multiply-adds: those of one core in the
/// microsecond that handing over costs.
const SERIAL: usize = 40_000;

/// Tasks that may run concurrently.
#[derive(Debug)]
pub(in crate::engine::cpu) struct Phase {
    tasks: Vec<Task>,
    /// A thread's own tasks, run before it helps another: from step to step it finds the same
    /// columns in its cache.
    shares: Vec<Share>,
}

/// The tasks `start..end`, of which those before `next` are taken.
#[derive(Debug)]
struct Share {
    start: usize,
    end: usize,
    next: AtomicUsize,
}

impl Phase {
    fn new(tasks: Vec<(usize, Task)>, threads: usize) -> Self {
        let mut ordered = Vec::new();
        let mut shares = Vec::new();
        for thread in 0..threads {
            let start = ordered.len();
            let own = tasks.iter().filter(|(owner, _)| *owner == thread);
            ordered.extend(own.map(|(_, task)| task.clone()));
            shares.push(Share {
                start,
                end: ordered.len(),
                next: AtomicUsize::new(start),
            });
        }
        Phase {
            tasks: ordered,
            shares,
        }
    }

    /// Makes all tasks available again.
    pub fn reset(&self) {
        for share in &self.shares {
            share.next.store(share.start, Ordering::Relaxed);
        }
    }

    /// A task for this thread, if there is one left.
    pub fn next(&self, thread: usize) -> Option<&Task> {
        let (before, from) = self.shares.split_at(thread.min(self.shares.len()));
        from.iter().chain(before).find_map(|share| {
            // A load first: the atomic addition is only needed for unfinished shares.
            if share.next.load(Ordering::Relaxed) >= share.end {
                return None;
            }
            let next = share.next.fetch_add(1, Ordering::Relaxed);
            (next < share.end).then(|| &self.tasks[next])
        })
    }
}

/// A plan's tasks, phase by phase, for lanes of this width, of a rank of so many, if there are
/// several.
pub(in crate::engine::cpu) fn phases(
    compiled: &Compiled,
    threads: usize,
    lane: usize,
    rank: Option<(usize, usize)>,
) -> Vec<Phase> {
    let phase = |groups: &Vec<Group>| {
        let mut tasks = Vec::new();
        let mut single = 0;
        let weighs = |group: &Group| matches!(group.split, Split::Weight(..));
        let some_weigh = groups.iter().any(weighs);
        for group in groups {
            let chunks = chunks::of(&compiled.plan.ops[group.ops.clone()], lane);
            let parts = parts(
                compiled,
                group,
                threads.min(chunks.unwrap_or(threads)),
                lane,
            );
            let of = match group.place {
                Place::Columns => rank.unwrap_or((0, 1)),
                Place::Whole | Place::Rows | Place::Sums => (0, 1),
            };
            // The thread with a lane more of a weight's gradient gets one less of the input's beside it.
            let first = some_weigh && !weighs(group);
            for part in 0..parts {
                // Groups that are not worth cutting go around.
                let owner = match parts {
                    1 => single % threads,
                    _ => part * threads / parts,
                };
                single += usize::from(parts == 1);
                let group = group.clone();
                let task = Task {
                    group,
                    part,
                    parts,
                    lane,
                    first,
                    chunks,
                    of,
                };
                tasks.push((owner, task));
            }
        }
        Phase::new(tasks, threads)
    };
    compiled.phases.iter().map(phase).collect()
}

fn parts(compiled: &Compiled, group: &Group, threads: usize, lane: usize) -> usize {
    let work: usize = compiled.plan.ops[group.ops.clone()]
        .iter()
        .map(|op| op.work(compiled.plan.rows))
        .sum();
    if threads == 1 || work < SERIAL {
        return 1;
    }
    let most = match group.split {
        Split::Columns(view) => view.width.div_ceil(lane),
        Split::Rows(view) => compiled.plan.rows * view.positions,
        Split::Weight(_, columns) => columns.div_ceil(lane),
        Split::Units(units) => units,
        Split::Elements(size) => size.div_ceil(1024),
        Split::Whole => 1,
    };
    threads.min(most).max(1)
}

#[cfg(test)]
mod tests;
