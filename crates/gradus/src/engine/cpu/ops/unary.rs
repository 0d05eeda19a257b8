//! Functions of single elements, and rounding.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::columns;
use crate::plan::ops::{Cast, FiniteGradient, Unary};

impl Execute for Unary {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, width) = (part.rows(context), self.view.width);
        // SAFETY: the verifier has compared the sizes; the rows are this task's, and y does
        // not share x's memory.
        let (x, y) = unsafe { (rows.read(self.x, width), rows.write(self.y, width)) };
        self.rule.apply(x, y);
    }
}

impl Execute for FiniteGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, width) = (part.rows(context), self.view.width);
        // SAFETY: the verifier has compared the sizes; the rows are this task's, and dx shares
        // no input's memory.
        let (x, dy, dx) = unsafe {
            let (x, dy) = (rows.read(self.x, width), rows.read(self.dy, width));
            (x, dy, rows.write(self.dx, width))
        };
        for ((dx, x), dy) in dx.iter_mut().zip(x).zip(dy) {
            *dx = if x.is_finite() { *dy } else { 0.0 };
        }
    }
}

impl Execute for Cast {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(columns::Cast {
            x: context.at(self.x),
            y: context.at(self.y),
            block: part.block(self.size.of(0)),
        });
    }
}
