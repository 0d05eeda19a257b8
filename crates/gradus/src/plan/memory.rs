//! Memory: temporaries whose lives do not overlap share space.

use super::fuse::Group;
use super::{Buffer, BufferInfo, Op, Role, Split};
use std::collections::HashSet;

/// Where a buffer lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the arena, from this number on.
    Arena(usize),
    /// Nowhere: made and used up within one piece of a group.
    Piece,
    /// Outside the arena: a variable or a feed.
    Outside,
}

/// Offsets are multiples of this, so that every buffer starts a cache line.
const ALIGNMENT: usize = 16;

/// Names for each buffer the one whose memory it shares: an operation writes
/// over its input where nothing needs the input any more.
pub fn share(ops: &[Op], buffers: &[BufferInfo], kept: &[Buffer]) -> Vec<Buffer> {
    let mut roots: Vec<Buffer> = (0..buffers.len() as u32).map(Buffer).collect();
    let mut last_read = vec![0; buffers.len()];
    for (i, op) in ops.iter().enumerate() {
        op.reads(&mut |b| last_read[b.index()] = i);
    }
    for (i, op) in ops.iter().enumerate() {
        if let Some((x, y)) = op.in_place() {
            let (from, to) = (&buffers[x.index()], &buffers[y.index()]);
            let free = from.role == Role::Temporary
                && to.role == Role::Temporary
                && from.size == to.size
                && last_read[x.index()] == i
                && !kept.contains(&x);
            if free {
                roots[y.index()] = roots[x.index()];
            }
        }
    }
    roots
}

/// Gives every temporary its place, and says how long the arena must be.
pub fn places(
    ops: &[Op],
    buffers: &[BufferInfo],
    phases: &[Vec<Group>],
    roots: &[Buffer],
    kept: &[Buffer],
    rows: usize,
) -> (Vec<Place>, usize) {
    let mut lives: Vec<Option<(usize, usize)>> = vec![None; buffers.len()];
    for (phase, groups) in phases.iter().enumerate() {
        for op in groups.iter().flat_map(|g| &ops[g.ops.clone()]) {
            let mut touch = |b: Buffer| {
                let life = &mut lives[roots[b.index()].index()];
                *life = Some((life.map_or(phase, |(from, _)| from), phase));
            };
            op.reads(&mut touch);
            op.writes(&mut touch);
        }
    }
    for buffer in kept {
        if let Some(life) = &mut lives[roots[buffer.index()].index()] {
            life.1 = phases.len();
        }
    }

    // Products read whole lanes of weights, also behind a narrow last one.
    let weights: HashSet<Buffer> = ops
        .iter()
        .filter_map(|op| match op {
            Op::Product { w, .. } | Op::ProductInput { w, .. } => Some(*w),
            _ => None,
        })
        .collect();
    let mut places = vec![Place::Outside; buffers.len()];
    let in_pieces = made_in_pieces(ops, buffers, phases, roots, kept);
    // Large ones first: they are the hardest to fit.
    let mut order: Vec<usize> = (0..buffers.len())
        .filter(|&i| buffers[i].role == Role::Temporary && roots[i].index() == i)
        .collect();
    order.sort_by_key(|&i| std::cmp::Reverse(buffers[i].size.of(rows)));
    let mut taken: Vec<(usize, usize, (usize, usize))> = Vec::new();
    let mut arena = 0;
    for i in order {
        if in_pieces.contains(&Buffer(i as u32)) {
            places[i] = Place::Piece;
            continue;
        }
        let Some(life) = lives[i] else { continue };
        let spare = if weights.contains(&Buffer(i as u32)) {
            ALIGNMENT
        } else {
            0
        };
        let size = buffers[i].size.of(rows).next_multiple_of(ALIGNMENT) + spare;
        let mut start = 0;
        // The taken spaces are in order: the first gap that is long enough.
        for &(from, to, other) in &taken {
            let together = life.0 <= other.1 && other.0 <= life.1;
            if together && start < to && from < start + size {
                start = to;
            }
        }
        taken.push((start, start + size, life));
        taken.sort_unstable();
        arena = arena.max(start + size);
        places[i] = Place::Arena(start);
    }
    for i in 0..buffers.len() {
        places[i] = places[roots[i].index()];
    }
    (places, arena)
}

/// Gradients of weight matrices that only the update behind them reads: they
/// never go to memory.
fn made_in_pieces(
    ops: &[Op],
    buffers: &[BufferInfo],
    phases: &[Vec<Group>],
    roots: &[Buffer],
    kept: &[Buffer],
) -> Vec<Buffer> {
    let mut found = Vec::new();
    for group in phases.iter().flatten() {
        let (Split::Weight(..), Op::ProductWeight { dw, .. }) =
            (group.split, &ops[group.ops.start])
        else {
            continue;
        };
        let mut readers_outside = 0;
        for (i, op) in ops.iter().enumerate() {
            let outside = !group.ops.contains(&i);
            op.reads(&mut |b| readers_outside += usize::from(roots[b.index()] == *dw && outside));
        }
        let temporary = buffers[dw.index()].role == Role::Temporary;
        if temporary && readers_outside == 0 && group.ops.len() > 1 && !kept.contains(dw) {
            found.push(*dw);
        }
    }
    found
}
