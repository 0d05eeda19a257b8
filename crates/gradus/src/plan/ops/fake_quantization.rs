//! Fake quantization of the operands of products: see [`crate::rules::fake_quantization`].

use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, columns, elements, fixed};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Mode, Size, View};

/// Columns of weights in a task's smallest share: whole lanes of any width.
const SHARE: usize = 16;

/// The least number of each column of x, and behind these the largest; infinities of no rows. NaN counts
/// for nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnEnds {
    pub x: Buffer,
    pub ends: Buffer,
    pub view: View,
}

impl Operation for ColumnEnds {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, columns(self.view))
            .write(self.ends, fixed(2 * self.view.width))
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        Backward::Zero
    }
}

/// A range, its least number and its largest, is moved by those of the batch's columns.
#[derive(Clone, Debug, PartialEq)]
pub struct MoveRange {
    pub ends: Buffer,
    pub range: Buffer,
    pub width: usize,
}

impl Operation for MoveRange {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.ends, fixed(2 * self.width))
            .update(self.range, fixed(2))
    }

    fn split(&self) -> Split {
        Split::Whole
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        Backward::Zero
    }
}

/// y = x rounded to the 256 numbers of a range; x itself if no batch has moved the range.
#[derive(Clone, Debug, PartialEq)]
pub struct FakeQuantize {
    pub x: Buffer,
    pub range: Buffer,
    pub y: Buffer,
    pub view: View,
}

impl Operation for FakeQuantize {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.range, fixed(2))
            .read(self.x, columns(self.view))
            .write(self.y, columns(self.view))
            .over(self.x)
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn is_by_element(&self) -> bool {
        true
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &FakeQuantize { x, range, view, .. } = self;
        if pass.wants(x) {
            pass.pass_on(x, view, |dx| FakeQuantizeGradient {
                x,
                range,
                dy,
                dx,
                view,
            });
        }
        Backward::Passed
    }
}

/// dx = dy where x is within half of a step of the 256 numbers of the range, else 0.
#[derive(Clone, Debug, PartialEq)]
pub struct FakeQuantizeGradient {
    pub x: Buffer,
    pub range: Buffer,
    pub dy: Buffer,
    pub dx: Buffer,
    pub view: View,
}

impl Operation for FakeQuantizeGradient {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.range, fixed(2))
            .read(self.x, columns(self.view))
            .read(self.dy, columns(self.view))
            .write(self.dx, columns(self.view))
            .over(self.dy)
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn is_by_element(&self) -> bool {
        true
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}

/// y = the weights rounded to 255 numbers around 0, by the largest of each column, which is an output
/// channel. No weight is beyond the largest, so that the straight-through gradient is that of y, which
/// the backward pass counts as the variable's.
#[derive(Clone, Debug, PartialEq)]
pub struct FakeQuantizeWeights {
    pub w: Buffer,
    pub y: Buffer,
    pub rows: usize,
    pub columns: usize,
}

impl FakeQuantizeWeights {
    /// The columns of these shares.
    pub fn columns_of(&self, from: usize, to: usize) -> (usize, usize) {
        (
            (from * SHARE).min(self.columns),
            (to * SHARE).min(self.columns),
        )
    }
}

impl Operation for FakeQuantizeWeights {
    fn operands(&self) -> Operands {
        let matrix = elements(self.rows * self.columns);
        Operands::new().read(self.w, matrix).write(self.y, matrix)
    }

    fn split(&self) -> Split {
        Split::Units(self.columns.div_ceil(SHARE))
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        Backward::None("it stands for weights, whose gradient is summed as theirs")
    }

    fn work(&self, _rows: usize) -> usize {
        16 * self.rows * self.columns
    }
}

impl Lowering {
    /// x rounded to the numbers of a range, which in training the batch moves before, if `moves`.
    pub fn fake_quantize(&mut self, x: &Value, range: Buffer, moves: bool) -> Value {
        let view = x.view();
        if self.mode == Mode::Train && moves {
            let ends = self.temporary("ends of columns", Size::Fixed(2 * view.width));
            self.push(ColumnEnds {
                x: x.buffer,
                ends,
                view,
            });
            self.push(MoveRange {
                ends,
                range,
                width: view.width,
            });
        }
        let y = self.like("fake-quantized", &x.shape);
        self.push(FakeQuantize {
            x: x.buffer,
            range,
            y: y.buffer,
            view,
        });
        y
    }

    /// Weights of so many output channels, rounded.
    pub fn fake_quantize_weights(&mut self, w: Buffer, columns: usize) -> Buffer {
        let info = &self.buffers[w.index()];
        let (name, size) = (format!("{} fake-quantized", info.name), info.size);
        let y = self.temporary(&name, size);
        self.push(FakeQuantizeWeights {
            w,
            y,
            rows: size.of(0) / columns.max(1),
            columns,
        });
        y
    }
}
