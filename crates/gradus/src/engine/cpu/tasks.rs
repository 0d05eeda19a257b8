//! How groups are cut into tasks.

use super::pieces;
use crate::plan::fuse::Group;
use crate::plan::op::PIECES;
use crate::plan::{Op, Plan, Split};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A part of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub group: Group,
    pub part: usize,
    pub parts: usize,
    /// Columns and numbers are cut where a lane begins: so many.
    lane: usize,
    /// Whether the first parts get what cannot be shared equally, not the last.
    first: bool,
    /// Of how many pieces that must stay whole each part is made, together.
    pieces: usize,
}

impl Task {
    /// The task's share of `units` things.
    pub fn share(&self, units: usize) -> (usize, usize) {
        let cut = |part: usize| match self.first {
            true => (units * part).div_ceil(self.parts),
            false => pieces::start(units, self.pieces, self.pieces * part / self.parts),
        };
        (cut(self.part), cut(self.part + 1))
    }

    /// The task's share of `n` columns or numbers.
    pub fn lanes(&self, n: usize) -> (usize, usize) {
        let (from, to) = self.share(n.div_ceil(self.lane));
        ((from * self.lane).min(n), (to * self.lane).min(n))
    }
}

/// Work that is not worth a second thread, in multiply-adds: about what one
/// core does in the microsecond that handing over costs.
const SERIAL: usize = 40_000;

/// Tasks that may be done at the same time.
#[derive(Debug)]
pub(super) struct Phase {
    tasks: Vec<Task>,
    /// A thread's tasks, which it does before it helps another: from step to
    /// step it finds the same columns in its cache.
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

    /// Has all tasks to be done again.
    pub fn reset(&self) {
        for share in &self.shares {
            share.next.store(share.start, Ordering::Relaxed);
        }
    }

    /// A task for this thread, if there is one left.
    pub fn next(&self, thread: usize) -> Option<&Task> {
        let (before, from) = self.shares.split_at(thread.min(self.shares.len()));
        from.iter().chain(before).find_map(|share| {
            // A look first: only few threads meet at a share that is not done.
            if share.next.load(Ordering::Relaxed) >= share.end {
                return None;
            }
            let next = share.next.fetch_add(1, Ordering::Relaxed);
            (next < share.end).then(|| &self.tasks[next])
        })
    }
}

/// A plan's tasks, phase by phase, for lanes of so many numbers.
pub(super) fn phases(plan: &Plan, threads: usize, lane: usize) -> Vec<Phase> {
    let phase = |groups: &Vec<Group>| {
        let mut tasks = Vec::new();
        let mut single = 0;
        let weighs = |group: &Group| matches!(group.split, Split::Weight(..));
        let some_weigh = groups.iter().any(weighs);
        for group in groups {
            let pieces = pieces::of(&plan.ops[group.ops.clone()], lane);
            let parts = parts(plan, group, threads.min(pieces.unwrap_or(threads)), lane);
            // Who has a lane more of a weight's gradient gets one less of the signal beside it.
            let first = some_weigh && !weighs(group);
            for part in 0..parts {
                // What is not worth cutting goes around.
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
                    pieces: pieces.unwrap_or(parts),
                };
                tasks.push((owner, task));
            }
        }
        Phase::new(tasks, threads)
    };
    plan.phases.iter().map(phase).collect()
}

fn parts(plan: &Plan, group: &Group, threads: usize, lane: usize) -> usize {
    let work: usize = plan.ops[group.ops.clone()]
        .iter()
        .map(|op| work(plan, op))
        .sum();
    if threads == 1 || work < SERIAL {
        return 1;
    }
    let most = match group.split {
        Split::Columns(view) => view.width.div_ceil(lane),
        Split::Rows(view) => plan.rows * view.positions,
        Split::Weight(_, columns) => columns.div_ceil(lane),
        Split::Elements(size) => size.div_ceil(1024),
        Split::Whole => 1,
    };
    threads.min(most).max(1)
}

/// Roughly how much an operation does, in multiply-adds.
fn work(plan: &Plan, op: &Op) -> usize {
    match op {
        Op::Product { of, .. } | Op::ProductInput { of, .. } | Op::ProductWeight { of, .. } => {
            plan.rows * of.positions * of.inputs * of.outputs
        }
        Op::Update { size, .. } | Op::SumGradients { size, .. } => 16 * size,
        Op::NormalizedWeight { of, .. } => 4 * of.inputs * of.outputs,
        Op::NormalizedScale { of, .. } => 4 * PIECES * of.inputs,
        Op::BatchProduct { of, .. } => plan.rows * of.rows * of.depth * of.columns,
        Op::Accumulate { size, .. } | Op::Constrain { size, .. } => 8 * size,
        Op::Penalty { size, .. } => 2 * size.of(plan.rows),
        Op::PenaltyGradient {
            size: crate::plan::Size::Fixed(size),
            ..
        }
        | Op::Round {
            size: crate::plan::Size::Fixed(size),
            ..
        } => 4 * size,
        Op::SquaredNorm { gradients, .. } => gradients.iter().map(|g| g.1).sum(),
        other => match other.split() {
            Split::Columns(view) | Split::Rows(view) => 32 * plan.rows * view.per_row(),
            _ => 0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sequential;
    use crate::model::layers::Dense;
    use crate::model::lowering::Wanted;
    use crate::plan::{Mode, View};
    use crate::rules::activations::Activation;
    use crate::rules::losses::Loss;
    use crate::rules::optimizers::SGD;

    #[test]
    fn the_threads_share_all_columns_and_the_odd_lanes_of_a_phase() {
        let model = Sequential::new().input([64]);
        let model = (0..3).fold(model, |model, _| {
            model.add(Dense::new(100).activation(Activation::Selu))
        });
        let model = model
            .compile(SGD::new(), Loss::MeanSquaredError, &[])
            .unwrap();
        let wanted = Wanted {
            mode: Mode::Train,
            rows: 64,
            weighted: false,
            mixed: false,
            bfloat16: false,
        };
        let plan = model.lower(&[wanted]).unwrap().program.plans.remove(0);
        let lane = 8;
        let mut shared = 0;
        for phase in phases(&plan, 2, lane) {
            let mut work = [0, 0];
            for task in &phase.tasks {
                let (Split::Columns(View { width, .. }) | Split::Weight(_, width)) =
                    task.group.split
                else {
                    continue;
                };
                let (from, to) = task.lanes(width);
                assert_eq!(from == 0, task.part == 0);
                assert_eq!(to == width, task.part + 1 == task.parts);
                if task.parts == 2 {
                    work[task.part] += (to - from).div_ceil(lane);
                }
            }
            let weighs = |task: &Task| matches!(task.group.split, Split::Weight(..));
            if phase.tasks.iter().any(weighs) && !phase.tasks.iter().all(weighs) {
                shared += 1;
                assert!(work[0].abs_diff(work[1]) <= 1, "{work:?}");
            }
        }
        assert!(shared > 0);
    }
}
