//! Normalization of each row by itself: to mean 0 and variance 1, or to length 1.

use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, per_row, rows};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Size, View};

/// The largest factor that makes a row of length 1.
pub const LARGEST_INVERSE: f32 = 1e7;

/// y = (x - mean) / √(variance + ε), for each matrix row by itself; 1/√(variance + ε) is kept
/// for each.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNorm {
    pub x: Buffer,
    pub y: Buffer,
    pub inverse: Buffer,
    pub epsilon: f32,
    pub view: View,
}

impl Operation for LayerNorm {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, rows(self.view))
            .write(self.y, rows(self.view))
            .over(self.x)
            .write(self.inverse, per_row(self.view.positions))
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &LayerNorm {
            x,
            y,
            inverse,
            view,
            ..
        } = self;
        pass.pass_on(x, view, |dx| LayerNormGradient {
            y,
            inverse,
            dy,
            dx,
            view,
        });
        Backward::Passed
    }
}

/// dx = (dy - mean dy - y · mean(y dy)) / √(variance + ε), for each matrix row.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNormGradient {
    pub y: Buffer,
    pub inverse: Buffer,
    pub dy: Buffer,
    pub dx: Buffer,
    pub view: View,
}

impl Operation for LayerNormGradient {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.y, rows(self.view))
            .read(self.inverse, per_row(self.view.positions))
            .read(self.dy, rows(self.view))
            .write(self.dx, rows(self.view))
            .over(self.dy)
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}

/// y = x / max(‖x‖, 1e-7), of each matrix row by itself; the factor of x
/// is kept for each.
#[derive(Clone, Debug, PartialEq)]
pub struct L2Normalize {
    pub x: Buffer,
    pub y: Buffer,
    pub inverse: Buffer,
    pub view: View,
}

impl Operation for L2Normalize {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, rows(self.view))
            .write(self.y, rows(self.view))
            .over(self.x)
            .write(self.inverse, per_row(self.view.positions))
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &L2Normalize {
            x,
            y,
            inverse,
            view,
        } = self;
        if pass.wants(x) {
            pass.pass_on(x, view, |dx| L2NormalizeGradient {
                y,
                inverse,
                dy,
                dx,
                view,
            });
        }
        Backward::Passed
    }
}

/// dx = (dy - y · Σ y dy) / ‖x‖, for each matrix row.
#[derive(Clone, Debug, PartialEq)]
pub struct L2NormalizeGradient {
    pub y: Buffer,
    pub inverse: Buffer,
    pub dy: Buffer,
    pub dx: Buffer,
    pub view: View,
}

impl Operation for L2NormalizeGradient {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.y, rows(self.view))
            .read(self.inverse, per_row(self.view.positions))
            .read(self.dy, rows(self.view))
            .write(self.dx, rows(self.view))
            .over(self.dy)
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}

impl Lowering {
    /// Each matrix row standardized to mean 0 and variance 1.
    pub fn standardize_rows(&mut self, x: &Value, epsilon: f64) -> Value {
        let view = x.view();
        let y = self.like("standardized", &x.shape);
        let inverse = self.temporary("inverse deviation", Size::PerRow(view.positions));
        self.push(LayerNorm {
            x: x.buffer,
            y: y.buffer,
            inverse,
            epsilon: epsilon as f32,
            view,
        });
        y
    }

    /// Each matrix row of x normalized to L2 norm 1.
    pub fn unit_rows(&mut self, x: &Value) -> Value {
        let view = x.view();
        let y = self.like("of length 1", &x.shape);
        let inverse = self.temporary("inverse length", Size::PerRow(view.positions));
        self.push(L2Normalize {
            x: x.buffer,
            y: y.buffer,
            inverse,
            view,
        });
        y
    }
}
