//! Random changes of each element.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::{columns, noise};
use crate::plan::ops::{Dropout, Noise, NoiseGradient};

impl Execute for Dropout {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(columns::Dropout {
            key: context.key(self.stream),
            rate: self.rate,
            x: context.at(self.x),
            y: context.at(self.y),
            block: part.columns(),
        });
    }
}

impl Execute for Noise {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(noise::Noise {
            rule: self.rule,
            key: context.key(self.stream),
            x: context.at(self.x),
            y: context.at(self.y),
            block: part.columns(),
        });
    }
}

impl Execute for NoiseGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(noise::NoiseGradient {
            rule: self.rule,
            key: context.key(self.stream),
            y: context.at(self.y),
            dy: context.at(self.dy),
            dx: context.at(self.dx),
            block: part.columns(),
        });
    }
}
