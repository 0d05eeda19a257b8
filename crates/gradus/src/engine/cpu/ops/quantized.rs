//! Products of whole numbers, for all of a task's columns at once: the rows are quantized but once.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::columns::Block;
use crate::engine::cpu::kernels::int8::{Int8Packed, QuantizedProduct, room};
use crate::plan::Plan;
use crate::plan::ops::QuantizedMatMul;

impl Execute for QuantizedMatMul {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        self.run_ahead(context, part.columns());
    }

    fn run_ahead(&self, context: &Context<'_>, block: Block) -> bool {
        context.isa.run_int8(QuantizedProduct {
            x: context.at(self.x),
            w: context.at(self.w).cast_const().cast(),
            matrix: Int8Packed::new(self.dims),
            scale: context.at(self.scale),
            y: context.at(self.y),
            block,
            lane: context.isa.width(),
            scratch: context.scratch(room(block.rows, self.dims.inputs)),
        });
        true
    }

    fn scratch(&self, plan: &Plan) -> usize {
        room(plan.rows * self.dims.positions, self.dims.inputs)
    }
}
