//! Parts that several ranks have made, passed on to all of them.

use super::{Execute, Part};
use crate::base::ranks::start;
use crate::engine::cpu::chunks;
use crate::engine::cpu::context::Context;
use crate::plan::ops::{CHUNKS, Gather, MatMulDims, Parts};
use std::ops::Range;
use std::slice::from_raw_parts_mut;

impl Execute for Gather {
    fn run(&self, context: &Context<'_>, _part: Part<'_>) {
        let Some(peers) = context.peers else {
            return;
        };
        let ranks = peers.ranks.ranks();
        if let Some((_, Parts::Sums(_))) = self.buffers.first() {
            let pieces = self.buffers.iter().map(|&(buffer, _)| {
                let size = context.plan().buffers[buffer.index()].size.of(0);
                // SAFETY: as below.
                unsafe { from_raw_parts_mut(context.at(buffer), size) }
            });
            // A rank without rows has summed nothing.
            let rows = |rank| start(context.rows, ranks, rank);
            let of: Vec<bool> = (0..ranks).map(|rank| rows(rank) < rows(rank + 1)).collect();
            return peers.sum(&mut pieces.collect::<Vec<_>>(), &of);
        }
        let mut pieces = Vec::new();
        for &(buffer, parts) in &self.buffers {
            for (first, size, of_rank) in pieces_of(context, parts) {
                // SAFETY: the verifier has compared the buffer's size; the operation stands in a
                // group of its own, and no other of its phase touches the buffer.
                let all = unsafe { from_raw_parts_mut(context.at(buffer).add(first), size) };
                pieces.push((all, (0..ranks).map(of_rank).collect()));
            }
        }
        peers.gather(&mut pieces);
    }
}

/// A piece of a buffer: its first element, the number of its elements, and the ones that a rank has made.
type Piece<'a> = (usize, usize, Box<dyn Fn(usize) -> Range<usize> + 'a>);

fn pieces_of<'a>(context: &'a Context<'_>, parts: Parts) -> Vec<Piece<'a>> {
    let ranks = context.peers.map_or(1, |peers| peers.ranks.ranks());
    let width = context.isa.width();
    let lanes = move |dims: MatMulDims| dims.outputs.div_ceil(width);
    // The elements from a lane of columns on: panel-packed, they lie together.
    let elements = move |dims: MatMulDims, lanes: Range<usize>| {
        let at = |lane: usize| (lane * width).min(dims.outputs) * dims.inputs;
        at(lanes.start)..at(lanes.end)
    };
    let share =
        move |units: usize, rank: usize| start(units, ranks, rank)..start(units, ranks, rank + 1);
    match parts {
        Parts::Rows(size) => {
            let of_rank = move |rank| {
                let rows = share(context.rows, rank);
                rows.start * size..rows.end * size
            };
            vec![(0, context.rows * size, Box::new(of_rank))]
        }
        Parts::Columns(dims) => {
            let of_rank = move |rank| elements(dims, share(lanes(dims), rank));
            vec![(0, dims.inputs * dims.outputs, Box::new(of_rank))]
        }
        Parts::ChunkedColumns(dims) => {
            let count = chunks::count(dims, width);
            let of_rank = move |rank| {
                let chunks = share(count, rank);
                let at = |chunk| chunks::start(lanes(dims), count, chunk);
                elements(dims, at(chunks.start)..at(chunks.end))
            };
            vec![(0, dims.inputs * dims.outputs, Box::new(of_rank))]
        }
        Parts::ChunkSums(dims) => {
            let count = chunks::count(dims, width);
            let half = |half: usize| -> Piece<'a> {
                let of_rank = move |rank| {
                    let chunks = share(count, rank);
                    chunks.start * dims.inputs..chunks.end * dims.inputs
                };
                let first = half * CHUNKS * dims.inputs;
                (first, count * dims.inputs, Box::new(of_rank))
            };
            vec![half(0), half(1)]
        }
        // Added up, where they stand by themselves.
        Parts::Sums(_) => Vec::new(),
    }
}
