//! Elements that are indices: multi-hot rows, embeddings, and the gradient of these.

use crate::base::shape::Shape;
use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, fixed, per_row, rows};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, View};

/// Each matrix row of y, of zeros, counts the columns that `indices` elements of x name:
/// these get 1, or 1 for each index if `count`. Other indices name nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiHot {
    pub x: Buffer,
    pub y: Buffer,
    pub indices: usize,
    pub count: bool,
    pub view: View,
}

impl Operation for MultiHot {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, per_row(self.view.positions * self.indices))
            .write(self.y, rows(self.view))
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        Backward::Zero
    }
}

/// Each matrix row of y is the row of w, which has this many `rows`, that x names;
/// NaN where it names none.
#[derive(Clone, Debug, PartialEq)]
pub struct Embed {
    pub x: Buffer,
    pub w: Buffer,
    pub y: Buffer,
    pub rows: usize,
    pub view: View,
}

impl Operation for Embed {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, per_row(self.view.positions))
            .read(self.w, fixed(self.rows * self.view.width))
            .write(self.y, rows(self.view))
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    /// The indices have no derivative.
    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &Embed {
            x, w, rows, view, ..
        } = self;
        if !pass.wants(w) {
            return Backward::Zero;
        }
        pass.weight(w, |dw| EmbedGradient {
            x,
            dy,
            dw,
            rows,
            view,
        });
        Backward::Passed
    }
}

/// Each row of dw is the sum of the matrix rows of dy whose index in x is that row.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedGradient {
    pub x: Buffer,
    pub dy: Buffer,
    pub dw: Buffer,
    pub rows: usize,
    pub view: View,
}

impl Operation for EmbedGradient {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, per_row(self.view.positions))
            .read(self.dy, rows(self.view))
            .write(self.dw, fixed(self.rows * self.view.width))
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn sums_rows(&self) -> bool {
        true
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}

impl Lowering {
    /// Rows of `depth` elements that count what `indices` neighbouring elements of x
    /// name: 1 in its column, or the number of times if `count`. `shape` is the result's.
    pub fn encode(&mut self, x: &Value, indices: usize, count: bool, shape: &Shape) -> Value {
        let y = self.like("encoded", shape);
        self.push(MultiHot {
            x: x.buffer,
            y: y.buffer,
            indices,
            count,
            view: y.view(),
        });
        y
    }

    /// The row of w, a matrix of `rows` × `width`, that each element of x names.
    pub fn embed(&mut self, x: &Value, w: Buffer, rows: usize, width: usize) -> Value {
        let mut dims = x.shape.dims().to_vec();
        dims.push(width);
        let y = self.like("embedded", &Shape::new(dims));
        self.push(Embed {
            x: x.buffer,
            w,
            y: y.buffer,
            rows,
            view: y.view(),
        });
        y
    }
}
