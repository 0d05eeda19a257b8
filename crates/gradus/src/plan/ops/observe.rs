//! Observation: statistics of a step that are for the eye alone, on steps that are sampled. They
//! change nothing else.

use crate::base::histogram::BINS;
use crate::plan::backward::Pass;
use crate::plan::lower::Lowering;
use crate::plan::operands::{Operands, columns, elements, fixed, unordered};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Size, View};

/// The values around which an activation is not flat: those nearer than `distance` to `middle`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steep {
    pub middle: f32,
    pub distance: f32,
}

/// Statistics of each column of x, in rows of y: the first value; the largest magnitude, NaN if a
/// value is NaN or infinite; the sum of the differences from the first value, and that of their
/// squares, both of differences over the largest magnitude; the number of values that are not
/// `steep`.
#[derive(Clone, Debug, PartialEq)]
pub struct Observe {
    pub x: Buffer,
    pub y: Buffer,
    pub steep: Steep,
    pub view: View,
}

impl Observe {
    /// Rows of y.
    pub const ROWS: usize = 5;
}

impl Operation for Observe {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, columns(self.view))
            .write(self.y, fixed(Self::ROWS * self.view.width))
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        Backward::Zero
    }
}

/// y = x, of a variable before its update.
#[derive(Clone, Debug, PartialEq)]
pub struct Keep {
    pub x: Buffer,
    pub y: Buffer,
    pub size: usize,
}

impl Operation for Keep {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, elements(self.size))
            .write(self.y, elements(self.size))
    }

    fn split(&self) -> Split {
        Split::Elements(self.size)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        Backward::Zero
    }

    fn work(&self, _rows: usize) -> usize {
        8 * self.size
    }
}

/// A part of what a [`Norm`] is of: x, or x - less, with its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormOf {
    pub x: Buffer,
    pub less: Option<Buffer>,
    pub size: usize,
}

/// y = the ℓ2 norm of all parts together. Of numbers whose squares are no `f32`, too.
#[derive(Clone, Debug, PartialEq)]
pub struct Norm {
    pub parts: Vec<NormOf>,
    pub y: Buffer,
}

impl Operation for Norm {
    fn operands(&self) -> Operands {
        let table = self.parts.iter().fold(Operands::new(), |table, part| {
            let size = unordered(Size::Fixed(part.size));
            table.read(part.x, size).read(part.less, size)
        });
        table.write(self.y, fixed(1))
    }

    fn split(&self) -> Split {
        Split::Whole
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn work(&self, _rows: usize) -> usize {
        self.parts.iter().map(|part| 4 * part.size).sum()
    }
}

/// y = the number of values of x in each bin of a histogram. Does nothing in a step that wants no
/// histograms.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    pub x: Buffer,
    pub y: Buffer,
    pub size: Size,
}

impl Operation for Count {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, unordered(self.size))
            .write(self.y, fixed(BINS))
    }

    fn split(&self) -> Split {
        Split::Whole
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        Backward::Zero
    }
}

impl Lowering {
    /// Observes the columns of a matrix; values outside `steep` are counted. Returns the
    /// statistics.
    pub fn observe(&mut self, x: Buffer, view: View, steep: Option<Steep>) -> Buffer {
        let size = Size::Fixed(Observe::ROWS * view.width);
        let y = self.observed("observed", size);
        let everything = Steep {
            middle: 0.0,
            distance: f32::INFINITY,
        };
        let steep = steep.unwrap_or(everything);
        self.push(Observe { x, y, steep, view });
        y
    }

    /// Keeps a variable of that size as it is before its update.
    pub fn keep(&mut self, x: Buffer, size: usize) -> Buffer {
        let y = self.temporary("kept", Size::Fixed(size));
        self.push(Keep { x, y, size });
        y
    }

    /// The norm of these together.
    pub fn norm(&mut self, parts: Vec<NormOf>) -> Buffer {
        let y = self.observed("norm", Size::Fixed(1));
        self.push(Norm { parts, y });
        y
    }

    /// The numbers of values in the bins of a histogram.
    pub fn count(&mut self, x: Buffer) -> Buffer {
        let y = self.observed("counts", Size::Fixed(BINS));
        let size = self.buffers[x.index()].size;
        self.push(Count { x, y, size });
        y
    }

    /// A buffer that is read after the step.
    fn observed(&mut self, name: &str, size: Size) -> Buffer {
        let buffer = self.temporary(name, size);
        self.observed.push(buffer);
        buffer
    }
}
