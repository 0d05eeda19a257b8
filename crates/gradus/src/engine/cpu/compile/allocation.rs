//! Memory allocation: temporaries whose lifetimes don't overlap share space.

use super::groups::Group;
use super::occupied::{Life, Occupied};
use crate::engine::cpu::simd::WIDEST;
use crate::plan::operands::Layout;
use crate::plan::{Buffer, Op, Plan, Role};
use std::collections::HashSet;

/// The memory of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::cpu) enum Allocation {
    /// In the arena, from this element on.
    Arena(usize),
    /// None: made and used up within one chunk of a group.
    Chunk,
    /// Outside the arena: a variable or a feed.
    Outside,
}

/// The elements of memory for a buffer, so that the next one starts a cache line. Products read
/// whole lanes of weights, also behind a narrow last one: these have a lane of spare elements.
pub(in crate::engine::cpu) fn room(size: usize, weights: bool) -> usize {
    size.next_multiple_of(WIDEST) + if weights { WIDEST } else { 0 }
}

/// The buffer whose memory each buffer shares: an operation overwrites its input where nothing
/// needs the input any more. A product needs all columns of its factors until its group is done, which
/// others may do column by column meanwhile.
pub(super) fn share(plan: &Plan, groups: &[Group], kept: &HashSet<Buffer>) -> Vec<Buffer> {
    let Plan { ops, buffers, .. } = plan;
    let mut roots: Vec<Buffer> = (0..buffers.len() as u32).map(Buffer).collect();
    let mut last_read = vec![0; buffers.len()];
    for (i, op) in ops.iter().enumerate() {
        op.reads().for_each(|b| last_read[b.index()] = i);
    }
    for group in groups {
        let factors: Vec<Buffer> = group.factors(ops).map(|b| roots[b.index()]).collect();
        for i in group.ops.clone() {
            let Some((x, y)) = ops[i].in_place() else {
                continue;
            };
            let (from, to) = (&buffers[x.index()], &buffers[y.index()]);
            let free = from.role == Role::Temporary
                && to.role == Role::Temporary
                && from.size == to.size
                && last_read[x.index()] == i
                && !factors.contains(&roots[x.index()])
                && !kept.contains(&x);
            if free {
                roots[y.index()] = roots[x.index()];
            }
        }
    }
    roots
}

/// The memory of every buffer, and the length of the arena.
pub(super) fn allocate(
    plan: &Plan,
    phases: &[Vec<Group>],
    roots: &[Buffer],
    kept: &HashSet<Buffer>,
) -> (Vec<Allocation>, usize) {
    let Plan {
        ops, buffers, rows, ..
    } = plan;
    let mut lives: Vec<Option<Life>> = vec![None; buffers.len()];
    for (phase, groups) in phases.iter().enumerate() {
        for op in groups.iter().flat_map(|g| &ops[g.ops.clone()]) {
            let mut touch = |b: Buffer| {
                let life = &mut lives[roots[b.index()].index()];
                *life = Some((life.map_or(phase, |(from, _)| from), phase));
            };
            op.operands().iter().for_each(|o| touch(o.buffer));
        }
    }
    for buffer in kept {
        if let Some(life) = &mut lives[roots[buffer.index()].index()] {
            life.1 = phases.len();
        }
    }

    let weights: HashSet<Buffer> = ops
        .iter()
        .flat_map(Op::operands)
        .filter(|o| o.is_read() && matches!(o.layout, Layout::Weights(_)))
        .map(|o| o.buffer)
        .collect();
    let mut allocations = vec![Allocation::Outside; buffers.len()];
    let in_chunks = made_in_chunks(plan, phases, roots, kept);
    // Large ones first: they are the hardest to fit.
    let mut order: Vec<usize> = (0..buffers.len())
        .filter(|&i| buffers[i].role == Role::Temporary && roots[i].index() == i)
        .collect();
    order.sort_by_key(|&i| std::cmp::Reverse(buffers[i].size.of(*rows)));
    // Kept buffers live on behind the last phase.
    let mut taken = Occupied::new(phases.len() + 1);
    let mut arena = 0;
    for i in order {
        if in_chunks.contains(&Buffer(i as u32)) {
            allocations[i] = Allocation::Chunk;
            continue;
        }
        let Some(life) = lives[i] else { continue };
        let weights = weights.contains(&Buffer(i as u32));
        let size = room(buffers[i].size.of(*rows), weights);
        let start = taken.take(life, size);
        arena = arena.max(start + size);
        allocations[i] = Allocation::Arena(start);
    }
    for i in 0..buffers.len() {
        allocations[i] = allocations[roots[i].index()];
    }
    (allocations, arena)
}

/// Gradients of weight matrices that only the following update reads: they are never written to
/// memory.
fn made_in_chunks(
    plan: &Plan,
    phases: &[Vec<Group>],
    roots: &[Buffer],
    kept: &HashSet<Buffer>,
) -> HashSet<Buffer> {
    let Plan { ops, buffers, .. } = plan;
    // The first and last operation that reads each buffer's memory.
    let mut readers: Vec<Option<(usize, usize)>> = vec![None; buffers.len()];
    for (i, op) in ops.iter().enumerate() {
        for b in op.reads() {
            let readers = &mut readers[roots[b.index()].index()];
            *readers = Some((readers.map_or(i, |(first, _)| first), i));
        }
    }
    let mut found = HashSet::new();
    for group in phases.iter().flatten() {
        let Op::MatMulWeight(product) = &ops[group.ops.start] else {
            continue;
        };
        let dw = product.dw;
        let inside = |&(first, last): &(usize, usize)| {
            group.ops.contains(&first) && group.ops.contains(&last)
        };
        let temporary = buffers[dw.index()].role == Role::Temporary;
        let used_up = readers[dw.index()].as_ref().is_none_or(inside);
        if temporary && used_up && group.ops.len() > 1 && !kept.contains(&dw) {
            found.insert(dw);
        }
    }
    found
}
