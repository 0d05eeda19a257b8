//! Several tensors become one: the operations of merge layers, and their
//! gradients.

use super::backward::Pass;
use super::lower::{Lowering, Value};
use super::op::Inner;
use super::{Buffer, Op, Size, View};
use crate::base::shape::Shape;
use crate::rules::pairwise::Pairwise;

impl Lowering {
    /// a + b, of one shape.
    pub fn sum(&mut self, a: &Value, b: &Value) -> Value {
        let y = self.like("sum", &a.shape);
        self.ops.push(Op::Sum {
            a: a.buffer,
            b: b.buffer,
            y: y.buffer,
            view: a.view(),
        });
        y
    }

    /// What becomes of a and b, of one shape, number by number.
    pub fn combine(&mut self, rule: Pairwise, a: &Value, b: &Value) -> Value {
        let y = self.like("combined", &a.shape);
        self.ops.push(Op::Combine {
            rule,
            a: a.buffer,
            b: b.buffer,
            y: y.buffer,
            view: a.view(),
        });
        y
    }

    /// x repeated along its axes of length 1 until it has the shape, which has as
    /// many axes.
    pub fn spread(&mut self, x: &Value, shape: &Shape) -> Value {
        if x.shape == *shape {
            return x.clone();
        }
        let y = self.like("spread", shape);
        self.ops.push(Op::Spread {
            x: x.buffer,
            y: y.buffer,
            from: repeated(x.shape.dims(), shape.dims()),
            inputs: x.shape.size(),
            view: one_row(shape.size()),
        });
        y
    }

    /// The values one behind the other along an axis of a row.
    pub fn concatenate(&mut self, values: &[Value], axis: usize) -> Value {
        let mut dims = values[0].shape.dims().to_vec();
        dims[axis] = values.iter().map(|v| v.shape.dims()[axis]).sum();
        let outer: usize = dims[..axis].iter().product();
        let shape = Shape::new(dims);
        let y = self.like("concatenated", &shape);
        let part = |v: &Value| (v.buffer, v.shape.size() / outer);
        self.ops.push(Op::Concatenate {
            parts: values.iter().map(part).collect(),
            y: y.buffer,
            view: View {
                positions: outer,
                width: shape.size() / outer,
            },
        });
        y
    }

    /// a · b of each row, where these are matrices.
    pub fn batch_product(&mut self, a: &Value, b: &Value) -> Value {
        let (&[rows, depth], &[_, columns]) = (a.shape.dims(), b.shape.dims()) else {
            unreachable!("the layer makes matrices of them")
        };
        let y = self.like("dot", &[rows, columns].into());
        self.ops.push(Op::BatchProduct {
            a: a.buffer,
            b: b.buffer,
            y: y.buffer,
            of: Inner {
                rows,
                depth,
                columns,
            },
        });
        y
    }

    /// Each matrix row of x with length 1.
    pub fn unit_rows(&mut self, x: &Value) -> Value {
        let view = x.view();
        let y = self.like("of length 1", &x.shape);
        let inverse = self.temporary("inverse length", Size::PerRow(view.positions));
        self.ops.push(Op::UnitRows {
            x: x.buffer,
            y: y.buffer,
            inverse,
            view,
        });
        y
    }
}

impl Pass<'_> {
    /// The gradients of an operation that merges.
    pub(super) fn merge(&mut self, op: &Op) {
        let mut dy = None;
        op.writes(&mut |y| dy = dy.or(self.signal.get(&y).copied()));
        let Some(dy) = dy else { return };
        match *op {
            Op::Sum { a, b, view, .. } => {
                for part in [a, b] {
                    self.wanted_part(part, dy, view);
                }
            }
            Op::Combine {
                rule, a, b, view, ..
            } => {
                for (part, first) in [(a, true), (b, false)] {
                    if rule == Pairwise::Subtract && first {
                        self.wanted_part(part, dy, view);
                    } else if self.wanted.contains(&part) {
                        self.pass_on(part, view, |dx| Op::CombineGradient {
                            rule,
                            first,
                            a,
                            b,
                            dy,
                            dx,
                            view,
                        });
                    }
                }
            }
            Op::Spread {
                x,
                ref from,
                inputs,
                ..
            } if self.wanted.contains(&x) => {
                let (from, view) = (from.clone(), one_row(inputs));
                self.pass_on(x, view, |dx| Op::SpreadGradient {
                    dy,
                    dx,
                    from,
                    inputs,
                    view,
                });
            }
            Op::Concatenate {
                ref parts,
                view: whole,
                ..
            } => {
                let mut start = 0;
                for &(x, width) in parts {
                    if self.wanted.contains(&x) {
                        let view = View { width, ..whole };
                        self.pass_on(x, view, |dx| Op::Slice {
                            x: dy,
                            y: dx,
                            width: whole.width,
                            start,
                            view,
                        });
                    }
                    start += width;
                }
            }
            Op::BatchProduct { a, b, of, .. } => {
                let Inner {
                    rows,
                    depth,
                    columns,
                } = of;
                if self.wanted.contains(&a) {
                    let b = self.transposed(b, depth, columns);
                    self.pass_on(a, one_row(rows * depth), |da| Op::BatchProduct {
                        a: dy,
                        b,
                        y: da,
                        of: Inner {
                            rows,
                            depth: columns,
                            columns: depth,
                        },
                    });
                }
                if self.wanted.contains(&b) {
                    let a = self.transposed(a, rows, depth);
                    self.pass_on(b, one_row(depth * columns), |db| Op::BatchProduct {
                        a,
                        b: dy,
                        y: db,
                        of: Inner {
                            rows: depth,
                            depth: rows,
                            columns,
                        },
                    });
                }
            }
            Op::UnitRows {
                x,
                y,
                inverse,
                view,
            } if self.wanted.contains(&x) => {
                self.pass_on(x, view, |dx| Op::UnitRowsGradient {
                    y,
                    inverse,
                    dy,
                    dx,
                    view,
                });
            }
            _ => self.indices(op, dy),
        }
    }

    /// `dy` is a part of the gradient of `x`, if that is wanted.
    fn wanted_part(&mut self, x: Buffer, dy: Buffer, view: View) {
        if self.wanted.contains(&x) {
            self.pass_through(x, dy, view);
        }
    }

    /// Each row's matrix of `rows` × `columns`, turned.
    fn transposed(&mut self, x: Buffer, rows: usize, columns: usize) -> Buffer {
        let shape = [rows, columns].into();
        let x = Value { buffer: x, shape };
        self.lowering.permute(&x, &[1, 0]).buffer
    }
}

/// A row of the batch as one row of a matrix.
fn one_row(width: usize) -> View {
    View {
        positions: 1,
        width,
    }
}

/// Where each number comes from when axes of length 1 are repeated.
fn repeated(from: &[usize], to: &[usize]) -> Vec<u32> {
    let mut places = vec![0];
    for (&from, &to) in from.iter().zip(to) {
        let next = |place: u32| (0..to).map(move |i| place * from as u32 + (i % from) as u32);
        places = places.into_iter().flat_map(next).collect();
    }
    places
}
