//! Bias and scale by column.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::{columns, scale};
use crate::plan::ops::{Bias, BiasGradient, Scale, ScaleGradient};

impl Execute for Bias {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(columns::Bias {
            x: context.at(self.x),
            bias: context.at(self.bias),
            y: context.at(self.y),
            block: part.columns(),
        });
    }
}

impl Execute for BiasGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(columns::BiasGradient {
            dy: context.at(self.dy),
            db: context.at(self.db),
            block: part.columns(),
        });
    }
}

impl Execute for Scale {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(scale::Scale {
            x: context.at(self.x),
            by: context.at(self.by),
            y: context.at(self.y),
            negative_only: self.negative_only,
            block: part.columns(),
        });
    }
}

impl Execute for ScaleGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(scale::ScaleGradient {
            x: context.at(self.x),
            by: context.at(self.by),
            dy: context.at(self.dy),
            dx: context.at(self.dx),
            dby: context.at_some(self.dby),
            negative_only: self.negative_only,
            block: part.columns(),
        });
    }
}
