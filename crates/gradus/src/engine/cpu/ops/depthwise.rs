//! Convolutions by channels: see [`convolution`](crate::engine::cpu::convolution).

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::convolution::{self, DepthwiseGradient};
use crate::plan::Plan;
use crate::plan::ops::{Depthwise, DepthwiseInput, DepthwiseKernel};

impl Execute for Depthwise {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        self.convolution().run(context, (rows.from, rows.to));
    }

    fn scratch(&self, _plan: &Plan) -> usize {
        self.convolution().room()
    }
}

impl Depthwise {
    fn convolution(&self) -> convolution::Depthwise {
        convolution::Depthwise {
            x: self.x,
            w: self.w,
            y: self.y,
            dims: self.dims,
            back: false,
        }
    }
}

impl Execute for DepthwiseInput {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        self.convolution().run(context, (rows.from, rows.to));
    }

    fn scratch(&self, _plan: &Plan) -> usize {
        self.convolution().room()
    }
}

impl DepthwiseInput {
    fn convolution(&self) -> convolution::Depthwise {
        convolution::Depthwise {
            x: self.dy,
            w: self.w,
            y: self.dx,
            dims: self.dims,
            back: true,
        }
    }
}

impl Execute for DepthwiseKernel {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        self.gradient().run(context, (rows.from, rows.to));
    }
}

impl DepthwiseKernel {
    fn gradient(&self) -> DepthwiseGradient {
        DepthwiseGradient {
            x: self.x,
            dy: self.dy,
            dw: self.dw,
            dims: self.dims,
        }
    }
}
