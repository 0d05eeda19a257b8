//! Two tensors of one shape become one.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::{binary, columns};
use crate::plan::ops::{Binary, BinaryGradient, Sum};

impl Execute for Sum {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(columns::Sum {
            a: context.at(self.a),
            b: context.at(self.b),
            y: context.at(self.y),
            block: part.columns(),
        });
    }
}

impl Execute for Binary {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(binary::Binary {
            rule: self.rule,
            a: context.at(self.a),
            b: context.at(self.b),
            y: context.at(self.y),
            block: part.columns(),
        });
    }
}

impl Execute for BinaryGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(binary::BinaryGradient {
            rule: self.rule,
            first: self.first,
            a: context.at(self.a),
            b: context.at(self.b),
            dy: context.at(self.dy),
            dx: context.at(self.dx),
            block: part.columns(),
        });
    }
}
