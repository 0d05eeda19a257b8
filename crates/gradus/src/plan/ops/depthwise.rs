//! Convolutions of each channel by itself, and their gradients.

use super::kernel_sum::{KernelShape, parts};
use crate::base::shape::Shape;
use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, factors, fixed, images};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, View};
use crate::rules::window::Window;

/// The sizes of a depthwise convolution. Its kernel is a matrix of a row for each tap, and a
/// column for each channel and filter of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthwiseDims {
    /// The window of the kernel's taps.
    pub window: Window,
    /// Channels of the input.
    pub channels: usize,
    /// Filters of each channel.
    pub multiplier: usize,
}

impl DepthwiseDims {
    /// Channels of the output.
    pub fn filters(self) -> usize {
        self.channels * self.multiplier
    }

    /// The input, a row for each pixel.
    pub fn input_view(self) -> View {
        View {
            positions: self.window.inputs(),
            width: self.channels,
        }
    }

    /// The output, a row for each pixel.
    pub fn output_view(self) -> View {
        View {
            positions: self.window.outputs(),
            width: self.filters(),
        }
    }

    fn kernel(self) -> usize {
        self.window.taps() * self.filters()
    }

    /// Parts of the batch over each of which the gradient of the kernel is summed by itself.
    pub fn parts(self) -> usize {
        parts(self.kernel())
    }

    fn check(self) -> Result<(), String> {
        self.window.check()?;
        match self.filters() {
            0 => Err(format!("{self:?} has no channels")),
            _ => Ok(()),
        }
    }

    fn multiply_adds(self, rows: usize) -> usize {
        rows * self.window.outputs() * self.kernel()
    }
}

/// y = x ∗ w, channel by channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Depthwise {
    pub x: Buffer,
    pub w: Buffer,
    pub y: Buffer,
    pub dims: DepthwiseDims,
}

impl Operation for Depthwise {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, images(self.dims.input_view()))
            .read(self.w, factors(self.dims.kernel()))
            .write(self.y, images(self.dims.output_view()))
    }

    fn split(&self) -> Split {
        Split::Rows(self.dims.output_view())
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &Depthwise { x, w, dims, .. } = self;
        pass.flush();
        if pass.wants(x) {
            pass.pass_on(x, dims.input_view(), |dx| DepthwiseInput {
                dy,
                w,
                dx,
                dims,
            });
        }
        if pass.wants(w) {
            let (parts, size) = (dims.parts(), dims.kernel());
            pass.weight_in_parts(w, parts, KernelShape::Rows(size), |dw| DepthwiseKernel {
                x,
                dy,
                dw,
                dims,
            });
        }
        Backward::Passed
    }

    fn factors_mut(&mut self) -> Vec<&mut Buffer> {
        vec![&mut self.x, &mut self.w]
    }

    fn check(&self) -> Result<(), String> {
        self.dims.check()
    }

    fn work(&self, rows: usize) -> usize {
        self.dims.multiply_adds(rows)
    }
}

/// The gradient of the input of `Depthwise`.
#[derive(Clone, Debug, PartialEq)]
pub struct DepthwiseInput {
    pub dy: Buffer,
    pub w: Buffer,
    pub dx: Buffer,
    pub dims: DepthwiseDims,
}

impl Operation for DepthwiseInput {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.dy, images(self.dims.output_view()))
            .read(self.w, factors(self.dims.kernel()))
            .write(self.dx, images(self.dims.input_view()))
    }

    fn split(&self) -> Split {
        Split::Rows(self.dims.input_view())
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn factors_mut(&mut self) -> Vec<&mut Buffer> {
        vec![&mut self.dy, &mut self.w]
    }

    fn check(&self) -> Result<(), String> {
        self.dims.check()
    }

    fn work(&self, rows: usize) -> usize {
        self.dims.multiply_adds(rows)
    }
}

/// The gradient of the kernel of `Depthwise`, of each part of the batch by itself: the n-th of so
/// many begins with row `rows · n / parts`.
#[derive(Clone, Debug, PartialEq)]
pub struct DepthwiseKernel {
    pub x: Buffer,
    pub dy: Buffer,
    /// The gradients, one behind the other.
    pub dw: Buffer,
    pub dims: DepthwiseDims,
}

impl Operation for DepthwiseKernel {
    fn operands(&self) -> Operands {
        let size = self.dims.parts() * self.dims.kernel();
        Operands::new()
            .read(self.x, images(self.dims.input_view()))
            .read(self.dy, images(self.dims.output_view()))
            .write(self.dw, fixed(size))
    }

    fn split(&self) -> Split {
        Split::Units(self.dims.parts())
    }

    fn sums_rows(&self) -> bool {
        true
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn factors_mut(&mut self) -> Vec<&mut Buffer> {
        vec![&mut self.x, &mut self.dy]
    }

    fn check(&self) -> Result<(), String> {
        self.dims.check()
    }

    fn work(&self, rows: usize) -> usize {
        self.dims.multiply_adds(rows)
    }
}

impl Lowering {
    /// x ∗ w, channel by channel, as images of the shape `to`.
    pub fn depthwise(&mut self, x: &Value, w: Buffer, dims: DepthwiseDims, to: &Shape) -> Value {
        let y = self.like("depthwise convolution", to);
        self.push(Depthwise {
            x: x.buffer,
            w,
            y: y.buffer,
            dims,
        });
        y
    }
}
