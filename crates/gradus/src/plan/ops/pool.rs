//! Pooling: the largest number or the mean of each window of an image, channel by channel.

use crate::base::shape::Shape;
use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, per_row};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, View};
use crate::rules::window::Window;

/// The sizes of pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolDims {
    /// The window that is pooled. Its padding counts for nothing.
    pub window: Window,
    /// Channels of the image.
    pub channels: usize,
}

impl PoolDims {
    fn input(self) -> usize {
        self.window.inputs() * self.channels
    }

    /// The output, a row for each pixel.
    pub fn output_view(self) -> View {
        View {
            positions: self.window.outputs(),
            width: self.channels,
        }
    }

    fn work(self, rows: usize) -> usize {
        (rows * self.output_view().per_row()).saturating_mul(self.window.taps())
    }

    fn check(self) -> Result<(), String> {
        self.window.check()?;
        let places = |slide: crate::rules::window::Slide| {
            let full = |place| (0..slide.taps).any(|tap| slide.pixel(place, tap).is_some());
            (0..slide.output).all(full)
        };
        let Window { rows, columns } = self.window;
        match self.channels > 0 && places(rows) && places(columns) {
            true => Ok(()),
            false => Err(format!("{self:?} pools nothing but padding")),
        }
    }
}

/// The receiver of a gradient where several numbers of a window are the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ties {
    /// The first of them, row by row, as of pooling in JAX, TensorFlow and PyTorch.
    First,
    /// Each its share, as of the maximum of an axis in JAX.
    Share,
}

/// y = the largest number of each window.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxPool {
    pub x: Buffer,
    pub y: Buffer,
    pub dims: PoolDims,
    pub ties: Ties,
}

impl Operation for MaxPool {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, per_row(self.dims.input()))
            .write(self.y, per_row(self.dims.output_view().per_row()))
    }

    fn split(&self) -> Split {
        Split::Rows(self.dims.output_view())
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &MaxPool { x, y, dims, ties } = self;
        if pass.wants(x) {
            pass.pass_on(x, View::row(dims.input()), |dx| MaxPoolGradient {
                x,
                y,
                dy,
                dx,
                dims,
                ties,
            });
        }
        Backward::Passed
    }

    fn check(&self) -> Result<(), String> {
        self.dims.check()
    }

    fn work(&self, rows: usize) -> usize {
        self.dims.work(rows)
    }
}

/// The gradient of `MaxPool`.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxPoolGradient {
    pub x: Buffer,
    pub y: Buffer,
    pub dy: Buffer,
    pub dx: Buffer,
    pub dims: PoolDims,
    pub ties: Ties,
}

impl Operation for MaxPoolGradient {
    fn operands(&self) -> Operands {
        let (input, output) = (self.dims.input(), self.dims.output_view().per_row());
        Operands::new()
            .read(self.x, per_row(input))
            .read(self.y, per_row(output))
            .read(self.dy, per_row(output))
            .write(self.dx, per_row(input))
    }

    fn split(&self) -> Split {
        Split::Rows(View::row(self.dims.input()))
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn check(&self) -> Result<(), String> {
        self.dims.check()
    }

    fn work(&self, rows: usize) -> usize {
        self.dims.work(rows)
    }
}

/// y = the mean of each window.
#[derive(Clone, Debug, PartialEq)]
pub struct AveragePool {
    pub x: Buffer,
    pub y: Buffer,
    pub dims: PoolDims,
}

impl Operation for AveragePool {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, per_row(self.dims.input()))
            .write(self.y, per_row(self.dims.output_view().per_row()))
    }

    fn split(&self) -> Split {
        Split::Rows(self.dims.output_view())
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &AveragePool { x, dims, .. } = self;
        if pass.wants(x) {
            pass.pass_on(x, View::row(dims.input()), |dx| AveragePoolGradient {
                dy,
                dx,
                dims,
            });
        }
        Backward::Passed
    }

    fn check(&self) -> Result<(), String> {
        self.dims.check()
    }

    fn work(&self, rows: usize) -> usize {
        self.dims.work(rows)
    }
}

/// The gradient of `AveragePool`.
#[derive(Clone, Debug, PartialEq)]
pub struct AveragePoolGradient {
    pub dy: Buffer,
    pub dx: Buffer,
    pub dims: PoolDims,
}

impl Operation for AveragePoolGradient {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.dy, per_row(self.dims.output_view().per_row()))
            .write(self.dx, per_row(self.dims.input()))
    }

    fn split(&self) -> Split {
        Split::Rows(View::row(self.dims.input()))
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn check(&self) -> Result<(), String> {
        self.dims.check()
    }

    fn work(&self, rows: usize) -> usize {
        self.dims.work(rows)
    }
}

impl Lowering {
    /// The largest number of each window of x, as images of the shape `to`.
    pub fn max_pool(&mut self, x: &Value, dims: PoolDims, ties: Ties, to: &Shape) -> Value {
        let y = self.like("max pooling", to);
        self.push(MaxPool {
            x: x.buffer,
            y: y.buffer,
            dims,
            ties,
        });
        y
    }

    /// The mean of each window of x, as images of the shape `to`.
    pub fn average_pool(&mut self, x: &Value, dims: PoolDims, to: &Shape) -> Value {
        let y = self.like("average pooling", to);
        self.push(AveragePool {
            x: x.buffer,
            y: y.buffer,
            dims,
        });
        y
    }
}
