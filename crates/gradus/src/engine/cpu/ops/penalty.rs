//! Regularizers' penalties and their derivatives.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::{columns, update};
use crate::plan::ops::{Penalty, PenaltyGradient};
use crate::plan::{Buffer, Plan, Size};
use std::slice::{from_raw_parts, from_raw_parts_mut};

impl Execute for Penalty {
    fn run(&self, context: &Context<'_>, _part: Part<'_>) {
        let size = self.size.of(context.rows);
        let total = match self.rule.l1_l2() {
            Some(rule) => context.isa.run(update::Penalty {
                rule: &rule,
                x: context.at(self.x),
                size,
            }),
            None => {
                let doubles = self.rule.scratch(self.columns, size);
                let (scratch, room) = context.doubles(doubles, size);
                // SAFETY: the verifier has compared the sizes, and nobody writes to the buffer
                // in this phase.
                let values = unsafe { from_raw_parts(context.at(self.x), size) };
                let values = plain(context, self.x, values, room);
                self.rule.matrix(self.columns, values, None, scratch)
            }
        };
        // SAFETY: one element, which this task alone writes.
        unsafe { *context.at(self.penalty) = total as f32 };
    }

    fn scratch(&self, plan: &Plan) -> usize {
        let size = self.size.of(plan.rows);
        2 * self.rule.scratch(self.columns, size) + size
    }
}

impl Execute for PenaltyGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        if let Part::Whole = part {
            return self.whole(context);
        }
        let Some(rule) = self.rule.l1_l2() else {
            unreachable!("a penalty of a whole matrix is not cut");
        };
        context.isa.run(columns::PenaltyGradient {
            rule: &rule,
            scale: match self.size {
                Size::PerRow(_) => 1.0 / context.rows as f32,
                Size::Fixed(_) => 1.0,
            },
            x: context.at(self.x),
            dx: context.at(self.dx),
            block: part.block(self.size.of(0)),
        });
    }

    fn scratch(&self, plan: &Plan) -> usize {
        let size = self.size.of(plan.rows);
        2 * self.rule.scratch(self.columns, size) + 2 * size
    }
}

impl PenaltyGradient {
    fn whole(&self, context: &Context<'_>) {
        let size = self.size.of(context.rows);
        let doubles = self.rule.scratch(self.columns, size);
        let (scratch, room) = context.doubles(doubles, 2 * size);
        // SAFETY: the verifier has compared the sizes; nobody writes to the first buffer in
        // this phase, and this task alone touches the second. The room is for both.
        let (x, dx, gradients) = unsafe {
            (
                from_raw_parts(context.at(self.x), size),
                from_raw_parts_mut(context.at(self.dx), size),
                from_raw_parts_mut(room.add(size), size),
            )
        };
        let x = plain(context, self.x, x, room);
        gradients.fill(0.0);
        self.rule.matrix(self.columns, x, Some(gradients), scratch);
        if matches!(self.size, Size::PerRow(_)) {
            let rows = context.rows as f32;
            gradients.iter_mut().for_each(|g| *g /= rows);
        }
        match context.packed_weights(self.dx) {
            Some(matrix) => matrix.pack(context.isa, gradients, dx),
            None => dx.copy_from_slice(gradients),
        }
    }
}

/// The elements of a buffer in row-major order: themselves, or a copy in `room`.
fn plain<'a>(
    context: &Context<'_>,
    buffer: Buffer,
    values: &'a [f32],
    room: *mut f32,
) -> &'a [f32] {
    let Some(matrix) = context.packed_weights(buffer) else {
        return values;
    };
    // SAFETY: the room has as many elements behind the doubles.
    let room = unsafe { from_raw_parts_mut(room, values.len()) };
    matrix.unpack(context.isa, values, room);
    room
}
