//! Fake quantization of the operands of products.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::columns::Block;
use crate::engine::cpu::kernels::fake_quantization as kernels;
use crate::plan::Buffer;
use crate::plan::ops::{
    ColumnEnds, FakeQuantize, FakeQuantizeGradient, FakeQuantizeWeights, MoveRange,
};
use crate::rules::fake_quantization::{Scale, move_range};
use std::slice::{from_raw_parts, from_raw_parts_mut};

impl Execute for ColumnEnds {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(kernels::ColumnEnds {
            x: context.at(self.x),
            ends: context.at(self.ends),
            width: self.view.width,
            block: part.columns(),
        });
    }
}

impl Execute for MoveRange {
    fn run(&self, context: &Context<'_>, _part: Part<'_>) {
        // SAFETY: the verifier has compared the sizes; this task alone touches the range, and nobody
        // writes to the ends in this phase.
        let (ends, range) = unsafe {
            (
                from_raw_parts(context.at(self.ends), 2 * self.width),
                from_raw_parts_mut(context.at(self.range), 2),
            )
        };
        move_range(range, ends);
    }
}

/// The scale of a range, if a batch has moved it.
fn scale(context: &Context<'_>, range: Buffer) -> Option<Scale> {
    // SAFETY: the verifier has compared the size; nobody writes to it in this phase.
    Scale::learned(unsafe { from_raw_parts(context.at(range), 2) })
}

impl Execute for FakeQuantize {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (x, y) = (context.at(self.x), context.at(self.y));
        let block = part.columns();
        match scale(context, self.range) {
            Some(scale) => context
                .isa
                .run(kernels::FakeQuantize { x, y, scale, block }),
            None => context.isa.run(kernels::Copy { x, y, block }),
        }
    }
}

impl Execute for FakeQuantizeGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (dy, dx) = (context.at(self.dy), context.at(self.dx));
        let block = part.columns();
        match scale(context, self.range) {
            Some(scale) => context.isa.run(kernels::FakeQuantizeGradient {
                x: context.at(self.x),
                dy,
                dx,
                scale,
                block,
            }),
            None => context.isa.run(kernels::Copy {
                x: dy,
                y: dx,
                block,
            }),
        }
    }
}

impl Execute for FakeQuantizeWeights {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let Part::Rows(from, to) = part else {
            unreachable!("it is cut by shares of columns")
        };
        let (from, to) = self.columns_of(from, to);
        let packed = context.packed_weights(self.w).is_some();
        debug_assert_eq!(packed, context.packed_weights(self.y).is_some());
        context.isa.run(kernels::FakeQuantizeWeights {
            w: context.at(self.w),
            y: context.at(self.y),
            block: Block {
                first: 0,
                rows: self.rows,
                stride: self.columns,
                from,
                to,
                packed,
            },
        });
    }
}
