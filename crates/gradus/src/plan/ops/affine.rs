//! Bias and scale by column.

use super::batch_norm_parts::sum_of;
use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Layout, Operands, columns, fixed, rows};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Op, Size, View};

/// y = x + bias, for each matrix row.
#[derive(Clone, Debug, PartialEq)]
pub struct Bias {
    pub x: Buffer,
    pub bias: Buffer,
    pub y: Buffer,
    pub view: View,
}

impl Operation for Bias {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, columns(self.view))
            .read(self.bias, fixed(self.view.width))
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
        let &Bias { x, bias, view, .. } = self;
        if pass.wants(bias) {
            let db = pass.lowering.gradient_of(bias);
            if view.has_many_positions() && pass.lowering.is_image(x) {
                let size = Size::Fixed(view.parts() * view.width);
                let parts = pass.lowering.temporary("parts of sums", size);
                pass.lowering.push(BiasSums { dy, parts, view });
                pass.lowering.push(sum_of(parts, db, view));
            } else {
                pass.lowering.push(BiasGradient { dy, db, view });
            }
            pass.gather(bias, db);
        }
        if pass.wants(x) {
            pass.pass_through(x, dy, view);
        }
        Backward::Passed
    }
}

/// db = the sum of dy over matrix rows.
#[derive(Clone, Debug, PartialEq)]
pub struct BiasGradient {
    pub dy: Buffer,
    pub db: Buffer,
    pub view: View,
}

impl Operation for BiasGradient {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.dy, columns(self.view))
            .write(self.db, fixed(self.view.width))
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

/// Σ dy of each column, over each of [`View::parts`] parts of the matrix rows.
#[derive(Clone, Debug, PartialEq)]
pub struct BiasSums {
    pub dy: Buffer,
    pub parts: Buffer,
    pub view: View,
}

impl Operation for BiasSums {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.dy, rows(self.view))
            .write(self.parts, fixed(self.view.parts() * self.view.width))
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn sums_rows(&self) -> bool {
        true
    }

    fn row_parts(&self) -> Option<usize> {
        Some(self.view.parts())
    }
}

/// y = x · by, for each matrix row; if `negative_only`, y = x where x is above 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    pub x: Buffer,
    pub by: Buffer,
    pub y: Buffer,
    pub negative_only: bool,
    pub view: View,
}

impl Operation for Scale {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, columns(self.view))
            .read(self.by, fixed(self.view.width))
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
        let &Scale {
            x,
            by,
            negative_only,
            view,
            ..
        } = self;
        let dby = pass.wants(by).then(|| pass.lowering.gradient_of(by));
        pass.pass_on(x, view, |dx| ScaleGradient {
            x,
            by,
            dy,
            dx,
            dby,
            negative_only,
            view,
        });
        if let Some(dby) = dby {
            pass.gather(by, dby);
        }
        Backward::Passed
    }
}

/// The gradients of `Scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleGradient {
    pub x: Buffer,
    pub by: Buffer,
    pub dy: Buffer,
    pub dx: Buffer,
    pub dby: Option<Buffer>,
    pub negative_only: bool,
    pub view: View,
}

impl Operation for ScaleGradient {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, columns(self.view))
            .read(self.by, fixed(self.view.width))
            .read(self.dy, columns(self.view))
            .write(self.dby, fixed(self.view.width))
            .write(self.dx, columns(self.view))
            .over(self.dy)
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
    /// True of what a convolution makes.
    fn is_image(&self, x: Buffer) -> bool {
        let images = |op: &Op| {
            let mut operands = op.operands().into_iter();
            operands
                .any(|o| o.buffer == x && o.is_written() && matches!(o.layout, Layout::Images(_)))
        };
        self.ops.iter().any(images)
    }

    /// x + bias on the last axis.
    pub fn bias(&mut self, x: &Value, bias: Buffer) -> Value {
        let y = self.like("biased", &x.shape);
        self.push(Bias {
            x: x.buffer,
            bias,
            y: y.buffer,
            view: x.view(),
        });
        y
    }

    /// x · by on the last axis; if `negative_only`, x where it is above 0.
    pub fn scale(&mut self, x: &Value, by: Buffer, negative_only: bool) -> Value {
        let y = self.like("scaled", &x.shape);
        self.push(Scale {
            x: x.buffer,
            by,
            y: y.buffer,
            negative_only,
            view: x.view(),
        });
        y
    }
}
