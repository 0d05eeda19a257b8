//! Convolutions, as products of patches: see [`convolution`](crate::engine::cpu::convolution).

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::convolution::{Convolution, KernelGradient};
use crate::plan::Plan;
use crate::plan::ops::{Conv, ConvInput, ConvKernel};

impl Execute for Conv {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        self.product().run(context, (rows.from, rows.to));
    }

    fn scratch(&self, _plan: &Plan) -> usize {
        self.product().room()
    }
}

impl Conv {
    fn product(&self) -> Convolution {
        Convolution {
            x: self.x,
            w: self.w,
            y: self.y,
            dims: self.dims,
            back: false,
        }
    }
}

impl Execute for ConvInput {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        self.product().run(context, (rows.from, rows.to));
    }

    fn scratch(&self, _plan: &Plan) -> usize {
        self.product().room()
    }
}

impl ConvInput {
    fn product(&self) -> Convolution {
        Convolution {
            x: self.dy,
            w: self.w,
            y: self.dx,
            dims: self.dims,
            back: true,
        }
    }
}

impl Execute for ConvKernel {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        self.gradient().run(context, (rows.from, rows.to));
    }

    fn scratch(&self, _plan: &Plan) -> usize {
        self.gradient().room()
    }
}

impl ConvKernel {
    fn gradient(&self) -> KernelGradient {
        KernelGradient {
            x: self.x,
            dy: self.dy,
            dw: self.dw,
            dims: self.dims,
        }
    }
}
