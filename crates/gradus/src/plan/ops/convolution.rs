//! Convolutions of images and their gradients.

use super::kernel_sum::{KernelShape, MOST_PARTS, parts};
use super::matmul::MatMulDims;
use crate::base::shape::Shape;
use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, any, images, weights};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Mode, Size, View};
use crate::rules::window::Window;

/// Rows of a kernel's gradient that are worth a task of their own.
const PIECE: usize = 48;

/// The sizes of a convolution. Its kernel, which Keras keeps as (rows, columns, channels of a
/// group, filters), is a matrix of a row for each tap and channel, and a column for each filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvDims {
    /// The window of the kernel's taps.
    pub window: Window,
    /// Channels of the input.
    pub channels: usize,
    /// Channels of the output.
    pub filters: usize,
    /// Groups, into which both are cut: a group's filters see its channels alone.
    pub groups: usize,
}

impl ConvDims {
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
            width: self.filters,
        }
    }

    /// Channels of a group.
    pub fn depth(self) -> usize {
        self.channels / self.groups
    }

    /// The product of a patch of the input and the kernel.
    pub fn product(self) -> MatMulDims {
        MatMulDims {
            positions: self.window.outputs(),
            inputs: self.window.taps() * self.depth(),
            outputs: self.filters,
        }
    }

    /// True if each pixel is multiplied by itself.
    pub fn is_by_pixel(self) -> bool {
        self.window.is_a_pixel() && self.groups == 1
    }

    /// Parts of the batch over each of which the gradient of the kernel is summed by itself.
    pub fn parts(self) -> usize {
        let product = self.product();
        parts(product.inputs * product.outputs)
    }

    /// Pieces into which the rows of each are cut.
    pub fn pieces(self) -> usize {
        (self.product().inputs / PIECE).clamp(1, MOST_PARTS)
    }

    fn check(self) -> Result<(), String> {
        self.window.check()?;
        let whole = |n: usize| n > 0 && self.groups > 0 && n.is_multiple_of(self.groups);
        match whole(self.channels) && whole(self.filters) {
            true => Ok(()),
            false => Err(format!("{self:?} has no whole groups")),
        }
    }
}

/// y = x ∗ w: each pixel of y is the product of a patch of x and the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    pub x: Buffer,
    pub w: Buffer,
    pub y: Buffer,
    pub dims: ConvDims,
}

impl Operation for Conv {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, images(self.dims.input_view()))
            .read(self.w, weights(self.dims.product()))
            .write(self.y, images(self.dims.output_view()))
    }

    fn split(&self) -> Split {
        Split::Rows(self.dims.output_view())
    }

    fn is_by_rows(&self) -> bool {
        true
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &Conv { x, w, dims, .. } = self;
        pass.flush();
        if pass.wants(x) {
            pass.pass_on(x, dims.input_view(), |dx| ConvInput { dy, w, dx, dims });
        }
        if pass.wants(w) {
            pass.kernel_of(w, (x, dy), dims);
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
        self.dims.product().multiply_adds(rows)
    }
}

/// The gradient of the input of `Conv`: each pixel of dx is the sum over the patches that it is in.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvInput {
    pub dy: Buffer,
    pub w: Buffer,
    pub dx: Buffer,
    pub dims: ConvDims,
}

impl Operation for ConvInput {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.dy, images(self.dims.output_view()))
            .read(self.w, weights(self.dims.product()))
            .write(self.dx, images(self.dims.input_view()))
    }

    fn split(&self) -> Split {
        Split::Rows(self.dims.input_view())
    }

    fn is_by_rows(&self) -> bool {
        true
    }

    /// Of a forward transposed convolution.
    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &ConvInput { dy: x, w, dims, .. } = self;
        pass.flush();
        if pass.wants(x) {
            pass.pass_on(x, dims.output_view(), |dx| Conv {
                x: dy,
                w,
                y: dx,
                dims,
            });
        }
        if pass.wants(w) {
            pass.kernel_of(w, (dy, x), dims);
        }
        Backward::Passed
    }

    fn factors_mut(&mut self) -> Vec<&mut Buffer> {
        vec![&mut self.dy, &mut self.w]
    }

    fn check(&self) -> Result<(), String> {
        self.dims.check()
    }

    fn work(&self, rows: usize) -> usize {
        self.dims.product().multiply_adds(rows)
    }
}

/// The gradient of the kernel of `Conv`, of each part of the batch by itself: the n-th of so many
/// begins with row `rows · n / parts`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvKernel {
    pub x: Buffer,
    pub dy: Buffer,
    /// The gradients, one behind the other.
    pub dw: Buffer,
    pub dims: ConvDims,
}

impl Operation for ConvKernel {
    fn operands(&self) -> Operands {
        let dims = self.dims.product();
        let dw = match self.dims.parts() {
            1 => weights(dims),
            parts => any(Size::Fixed(parts * dims.inputs * dims.outputs)),
        };
        Operands::new()
            .read(self.x, images(self.dims.input_view()))
            .read(self.dy, images(self.dims.output_view()))
            .write(self.dw, dw)
    }

    fn split(&self) -> Split {
        Split::Units(self.dims.parts() * self.dims.pieces())
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
        self.dims.product().multiply_adds(rows)
    }
}

impl Pass<'_> {
    /// The gradient of the kernel of a convolution of x, whose gradient of the output is dy.
    fn kernel_of(&mut self, w: Buffer, (x, dy): (Buffer, Buffer), dims: ConvDims) {
        let shape = KernelShape::Product(dims.product());
        self.weight_in_parts(w, dims.parts(), shape, |dw| ConvKernel { x, dy, dw, dims });
    }
}

impl Lowering {
    /// x ∗ w, as images of the shape `to`.
    pub fn convolve(&mut self, x: &Value, w: Buffer, dims: ConvDims, to: &Shape) -> Value {
        // In training pixels are gone over by rows, with what is done to them before and after.
        let by_rows = self.mode == Mode::Train && dims.output_view().has_many_positions();
        if dims.is_by_pixel() && !by_rows {
            let y = self.product(x, w, dims.filters);
            return self.reshape(&y, to.clone());
        }
        let y = self.like("convolution", to);
        self.push(Conv {
            x: x.buffer,
            w,
            y: y.buffer,
            dims,
        });
        y
    }

    /// The transposed convolution: each pixel of x times the kernel, added to the patch of the
    /// result, of the shape `to`, from which the convolution of these sizes would make the pixel.
    pub fn convolve_transposed(
        &mut self,
        x: &Value,
        w: Buffer,
        dims: ConvDims,
        to: &Shape,
    ) -> Value {
        let y = self.like("transposed convolution", to);
        self.push(ConvInput {
            dy: x.buffer,
            w,
            dx: y.buffer,
            dims,
        });
        y
    }
}
