//! Pooling: forward by pixels of the output, backward by images.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::pool;
use crate::plan::ops::{AveragePool, AveragePoolGradient, MaxPool, MaxPoolGradient};

impl Execute for MaxPool {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        context.isa.run(pool::MaxPool {
            dims: self.dims,
            x: context.at(self.x),
            y: context.at(self.y),
            range: (rows.from, rows.to),
        });
    }
}

impl Execute for MaxPoolGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        context.isa.run(pool::MaxPoolGradient {
            dims: self.dims,
            ties: self.ties,
            x: context.at(self.x),
            y: context.at(self.y),
            dy: context.at(self.dy),
            dx: context.at(self.dx),
            range: (rows.from, rows.to),
        });
    }
}

impl Execute for AveragePool {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        context.isa.run(pool::AveragePool {
            dims: self.dims,
            x: context.at(self.x),
            y: context.at(self.y),
            range: (rows.from, rows.to),
        });
    }
}

impl Execute for AveragePoolGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        context.isa.run(pool::AveragePoolGradient {
            dims: self.dims,
            dy: context.at(self.dy),
            dx: context.at(self.dx),
            range: (rows.from, rows.to),
        });
    }
}
