//! The sum of the parts of a kernel's gradient.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::columns;
use crate::plan::ops::KernelSum;

impl Execute for KernelSum {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let Part::Elements(from, to) = part else {
            unreachable!("it is cut by elements")
        };
        context.isa.run(columns::SumParts {
            parts: context.at(self.parts),
            count: self.count,
            size: self.shape.size(),
            y: context.at(self.dw),
            from,
            to,
        });
    }
}
