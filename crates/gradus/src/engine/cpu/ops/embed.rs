//! Elements that are indices, by rows; and the gradient of what they name, by columns.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::plan::ops::{Embed, EmbedGradient, MultiHot};
use crate::rules::mapping::named;
use std::slice::{from_raw_parts, from_raw_parts_mut};

impl Execute for MultiHot {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, width) = (part.rows(context), self.view.width);
        // SAFETY: the verifier has compared the sizes; the rows are this task's, and y does
        // not share x's memory.
        let (x, y) = unsafe { (rows.read(self.x, self.indices), rows.write(self.y, width)) };
        for (x, y) in x.chunks(self.indices).zip(y.chunks_mut(width)) {
            y.fill(0.0);
            for place in x.iter().filter_map(|&x| named(x, width)) {
                y[place] = if self.count { y[place] + 1.0 } else { 1.0 };
            }
        }
    }
}

impl Execute for Embed {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, width) = (part.rows(context), self.view.width);
        // SAFETY: the verifier has compared the sizes; the rows are this task's, y shares no
        // input's memory, and nobody writes to the variable in this phase.
        let (x, w, y) = unsafe {
            let w = from_raw_parts(context.at(self.w), self.rows * width);
            (rows.read(self.x, 1), w, rows.write(self.y, width))
        };
        for (y, &x) in y.chunks_mut(width).zip(x) {
            match named(x, self.rows) {
                Some(row) => y.copy_from_slice(&w[row * width..][..width]),
                None => y.fill(f32::NAN),
            }
        }
    }
}

/// The block's columns of dw: the sums of dy's rows, in their order, by the row of dw whose index
/// is in x.
impl Execute for EmbedGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let block = part.columns();
        let width = block.to - block.from;
        // SAFETY: the block's columns belong to this task alone; the verifier has
        // compared the sizes: `x` has an element for each of the block's rows, dy a row
        // of `stride`, and dw `rows` such rows.
        unsafe {
            let (dy, dw) = (
                context.at(self.dy).add(block.from),
                context.at(self.dw).add(block.from),
            );
            for row in 0..self.rows {
                from_raw_parts_mut(dw.add(row * block.stride), width).fill(0.0);
            }
            let x = from_raw_parts(context.at(self.x), block.rows);
            for (i, &x) in x.iter().enumerate() {
                let Some(row) = named(x, self.rows) else {
                    continue;
                };
                let dy = from_raw_parts(dy.add(i * block.stride), width);
                let dw = from_raw_parts_mut(dw.add(row * block.stride), width);
                for (dw, dy) in dw.iter_mut().zip(dy) {
                    *dw += dy;
                }
            }
        }
    }
}
