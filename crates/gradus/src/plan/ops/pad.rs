//! Images with pixels of zeros around them, or with some cut off.

use crate::base::shape::Shape;
use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, per_row};
use crate::plan::operation::{Backward, Operation, Split};
use crate::plan::{Buffer, View};

/// The sizes of images, and of those that are made of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PadDims {
    /// Rows and columns of the input.
    pub from: [usize; 2],
    /// Rows and columns of the output.
    pub to: [usize; 2],
    /// Rows of zeros above, and columns of zeros before it; below 0, those that are cut off.
    pub before: [isize; 2],
    /// Channels of the image.
    pub channels: usize,
}

impl PadDims {
    fn input(self) -> usize {
        self.from[0] * self.from[1] * self.channels
    }

    fn output(self) -> usize {
        self.to[0] * self.to[1] * self.channels
    }

    /// The sizes of the way back.
    fn back(self) -> Self {
        PadDims {
            from: self.to,
            to: self.from,
            before: self.before.map(|n| -n),
            ..self
        }
    }

    /// The input's pixel at one of the output, along an axis; none among the zeros.
    pub fn pixel(self, axis: usize, at: usize) -> Option<usize> {
        let pixel = at.checked_add_signed(-self.before[axis])?;
        (pixel < self.from[axis]).then_some(pixel)
    }
}

/// y = x, an image in each row, padded or cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Pad {
    pub x: Buffer,
    pub y: Buffer,
    pub dims: PadDims,
}

impl Operation for Pad {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, per_row(self.dims.input()))
            .write(self.y, per_row(self.dims.output()))
    }

    fn split(&self) -> Split {
        Split::Rows(View::row(self.dims.output()))
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &Pad { x, dims, .. } = self;
        if pass.wants(x) {
            pass.pass_on(x, View::row(dims.input()), |dx| Pad {
                x: dy,
                y: dx,
                dims: dims.back(),
            });
        }
        Backward::Passed
    }
}

impl Lowering {
    /// x padded with zeros, or cut, to images of the shape `to`.
    pub fn pad(&mut self, x: &Value, dims: PadDims, to: &Shape) -> Value {
        let y = self.like("padded", to);
        self.push(Pad {
            x: x.buffer,
            y: y.buffer,
            dims,
        });
        y
    }
}
