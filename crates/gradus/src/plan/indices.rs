//! Numbers that name something: what becomes of them, and the gradients.

use super::backward::Pass;
use super::lower::{Lowering, Value};
use super::{Buffer, Op, View};
use crate::base::shape::Shape;
use crate::rules::mapping::Mapping;

impl Lowering {
    /// What becomes of x, number by number.
    pub fn map(&mut self, x: &Value, rule: Mapping) -> Value {
        let y = self.like("mapped", &x.shape);
        self.ops.push(Op::Map {
            rule,
            x: x.buffer,
            y: y.buffer,
            view: x.view(),
        });
        y
    }

    /// Rows of `depth` numbers that say what `indices` neighbouring numbers of x
    /// name: 1 in its column, or how often if `count`. `shape` is the result's.
    pub fn encode(&mut self, x: &Value, indices: usize, count: bool, shape: &Shape) -> Value {
        let y = self.like("encoded", shape);
        self.ops.push(Op::Encode {
            x: x.buffer,
            y: y.buffer,
            indices,
            count,
            view: y.view(),
        });
        y
    }

    /// The row of w, a matrix of `rows` × `width`, that each number of x names.
    pub fn embed(&mut self, x: &Value, w: Buffer, rows: usize, width: usize) -> Value {
        let mut dims = x.shape.dims().to_vec();
        dims.push(width);
        let y = self.like("embedded", &Shape::new(dims));
        self.ops.push(Op::Embed {
            x: x.buffer,
            w,
            y: y.buffer,
            rows,
            view: y.view(),
        });
        y
    }
}

impl Pass<'_> {
    /// The gradients of an operation whose result has the gradient `dy`. What a
    /// number names has no slope.
    pub(super) fn indices(&mut self, op: &Op, dy: Buffer) {
        match *op {
            Op::Map {
                ref rule, x, view, ..
            } if rule.has_slope() && self.wanted.contains(&x) => {
                self.pass_on(x, view, |dx| Op::FiniteGradient { x, dy, dx, view });
            }
            Op::Embed {
                x, w, rows, view, ..
            } if self.wanted.contains(&w) => self.embed(x, w, dy, rows, view),
            _ => {}
        }
    }

    fn embed(&mut self, x: Buffer, w: Buffer, dy: Buffer, rows: usize, view: View) {
        self.weight(w, |dw| Op::EmbedGradient {
            x,
            dy,
            dw,
            rows,
            view,
        });
    }
}
