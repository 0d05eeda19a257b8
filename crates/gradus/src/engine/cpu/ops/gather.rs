//! Parts that several ranks have made, passed on to all of them.

use super::{Execute, Part};
use crate::base::ranks::{start, starts};
use crate::engine::cpu::context::Context;
use crate::plan::ops::{Gather, Parts};
use std::slice::from_raw_parts_mut;

impl Execute for Gather {
    fn run(&self, context: &Context<'_>, _part: Part<'_>) {
        let Some(peers) = context.peers else {
            return;
        };
        let ranks = peers.ranks.ranks();
        let (size, starts): (usize, Vec<usize>) = match self.parts {
            Parts::Rows(size) => {
                let starts = starts(context.rows, ranks).map(|row| row * size);
                (context.rows * size, starts.collect())
            }
            // Panel-packed, columns that begin a lane lie together.
            Parts::Columns(dims) => {
                let (width, size) = (context.isa.width(), dims.inputs * dims.outputs);
                let lanes = dims.outputs.div_ceil(width);
                let first = |rank| start(lanes, ranks, rank) * width;
                let starts = (0..=ranks).map(|rank| first(rank).min(dims.outputs) * dims.inputs);
                (size, starts.collect())
            }
        };
        // SAFETY: the verifier has compared the size; the operation stands in a group of its own,
        // and no other of its phase touches the buffer.
        let values = unsafe { from_raw_parts_mut(context.at(self.x), size) };
        peers.gather(values, &starts);
    }
}
