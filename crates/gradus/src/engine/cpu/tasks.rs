//! How groups are cut into tasks.

use crate::plan::fuse::Group;
use crate::plan::{Op, Plan, Split};

/// A part of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub group: Group,
    pub part: usize,
    pub parts: usize,
}

impl Task {
    /// The task's share of `units` things.
    pub fn share(&self, units: usize) -> (usize, usize) {
        (
            units * self.part / self.parts,
            units * (self.part + 1) / self.parts,
        )
    }

    /// The task's share of the rows of a weight matrix.
    pub fn rows(&self, n: usize) -> (usize, usize) {
        let (from, to) = self.share(n.div_ceil(ROWS));
        ((from * ROWS).min(n), (to * ROWS).min(n))
    }

    /// The task's share of `n` columns or numbers.
    pub fn lanes(&self, n: usize) -> (usize, usize) {
        let (from, to) = self.share(n.div_ceil(WIDEST));
        ((from * WIDEST).min(n), (to * WIDEST).min(n))
    }
}

/// Columns and numbers are cut where this many begin: a panel of AVX2, a lane
/// of AVX-512.
const WIDEST: usize = 16;

/// Rows of a weight matrix are cut where this many begin: whole tiles.
const ROWS: usize = 12;

/// Work that is not worth a second thread, in multiply-adds: about what one
/// core does in the microsecond that handing over costs.
const SERIAL: usize = 40_000;

/// Work from which a group is cut into more tasks than threads, so that a
/// thread that loses its core for a while does not hold up the others.
const LONG: usize = 2_000_000;

/// Work from which it is cut finer still.
const VERY_LONG: usize = 20_000_000;

/// A plan's tasks, phase by phase.
pub(super) fn tasks(plan: &Plan, threads: usize) -> Vec<Vec<Task>> {
    let phase = |groups: &Vec<Group>| {
        groups
            .iter()
            .flat_map(|group| {
                let parts = parts(plan, group, threads);
                (0..parts).map(move |part| Task {
                    group: group.clone(),
                    part,
                    parts,
                })
            })
            .collect()
    };
    plan.phases.iter().map(phase).collect()
}

fn parts(plan: &Plan, group: &Group, threads: usize) -> usize {
    let work: usize = plan.ops[group.ops.clone()]
        .iter()
        .map(|op| work(plan, op))
        .sum();
    if threads == 1 || work < SERIAL {
        return 1;
    }
    let wanted = match work {
        0..LONG => threads,
        LONG..VERY_LONG => 2 * threads,
        _ => 4 * threads,
    };
    let most = match group.split {
        Split::Columns(view) => view.width.div_ceil(WIDEST),
        Split::Rows(view) => plan.rows * view.positions,
        Split::Weight(rows, _) => rows.div_ceil(ROWS),
        Split::Elements(size) => size.div_ceil(1024),
        Split::Whole => 1,
    };
    wanted.min(most).max(1)
}

/// Roughly how much a plan does, in multiply-adds.
pub(super) fn total(plan: &Plan) -> usize {
    plan.ops.iter().map(|op| work(plan, op)).sum()
}

/// Roughly how much an operation does, in multiply-adds.
fn work(plan: &Plan, op: &Op) -> usize {
    match op {
        Op::Product { of, .. } | Op::ProductInput { of, .. } | Op::ProductWeight { of, .. } => {
            plan.rows * of.positions * of.inputs * of.outputs
        }
        Op::Update { size, .. } | Op::SumGradients { size, .. } => 16 * size,
        Op::BatchProduct { of, .. } => plan.rows * of.rows * of.depth * of.columns,
        Op::Accumulate { size, .. } | Op::Constrain { size, .. } => 8 * size,
        Op::Penalty { size, .. } => 2 * size.of(plan.rows),
        Op::PenaltyGradient {
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
