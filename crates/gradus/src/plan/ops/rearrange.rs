//! The same values in other places: other orders of axes, copies, parts side by side.

use crate::base::shape::Shape;
use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, fixed, per_row, rows};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Role, Size, View};

/// y is x with each row's axes permuted: its n-th is x's `order[n]`-th.
#[derive(Clone, Debug, PartialEq)]
pub struct Permute {
    pub x: Buffer,
    pub y: Buffer,
    /// The shape of a row of x.
    pub dims: Vec<usize>,
    pub order: Vec<usize>,
    pub view: View,
}

impl Operation for Permute {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, rows(self.view))
            .write(self.y, rows(self.view))
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let mut back = vec![0; self.order.len()];
        for (place, &axis) in self.order.iter().enumerate() {
            back[axis] = place;
        }
        let dims = self.order.iter().map(|&axis| self.dims[axis]).collect();
        pass.pass_on(self.x, self.view, |dx| Permute {
            x: dy,
            y: dx,
            dims,
            order: back,
            view: self.view,
        });
        Backward::Passed
    }

    fn check(&self) -> Result<(), String> {
        let mut sorted = self.order.clone();
        sorted.sort_unstable();
        let each_axis_once = sorted.into_iter().eq(0..self.dims.len());
        match each_axis_once && self.dims.iter().product::<usize>() == self.view.width {
            true => Ok(()),
            false => Err("the axes are not those of a row".into()),
        }
    }
}

/// y's rows are made of elements of x's: the i-th is x's `from[i]`-th of `inputs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Broadcast {
    pub x: Buffer,
    pub y: Buffer,
    pub from: Vec<u32>,
    pub inputs: usize,
    pub view: View,
}

impl Operation for Broadcast {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, per_row(self.inputs))
            .write(self.y, rows(self.view))
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &Broadcast { x, inputs, .. } = self;
        if pass.wants(x) {
            let (from, view) = (self.from.clone(), View::row(inputs));
            pass.pass_on(x, view, |dx| BroadcastGradient {
                dy,
                dx,
                from,
                inputs,
                view,
            });
        }
        Backward::Passed
    }

    fn check(&self) -> Result<(), String> {
        check_places(&self.from, self.inputs, self.view.per_row())
    }
}

/// The gradient of `Broadcast`: each element of dx gets the sum over its copies.
#[derive(Clone, Debug, PartialEq)]
pub struct BroadcastGradient {
    pub dy: Buffer,
    pub dx: Buffer,
    pub from: Vec<u32>,
    pub inputs: usize,
    pub view: View,
}

impl Operation for BroadcastGradient {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.dy, per_row(self.from.len()))
            .write(self.dx, per_row(self.inputs))
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn check(&self) -> Result<(), String> {
        check_places(&self.from, self.inputs, self.from.len())?;
        match self.view == View::row(self.inputs) {
            true => Ok(()),
            false => Err("the view is not that of the inputs".into()),
        }
    }
}

fn check_places(from: &[u32], inputs: usize, outputs: usize) -> Result<(), String> {
    match from.len() == outputs && from.iter().all(|&place| (place as usize) < inputs) {
        true => Ok(()),
        false => Err(format!("{outputs} elements are not made of {inputs}")),
    }
}

/// y's matrix rows are the parts' concatenated, each with its width.
#[derive(Clone, Debug, PartialEq)]
pub struct Concatenate {
    pub parts: Vec<(Buffer, usize)>,
    pub y: Buffer,
    pub view: View,
}

impl Operation for Concatenate {
    fn operands(&self) -> Operands {
        let parts = self.parts.iter();
        let table = parts.fold(Operands::new(), |table, &(part, width)| {
            table.read(part, per_row(self.view.positions * width))
        });
        table.write(self.y, rows(self.view))
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let mut start = 0;
        for &(x, width) in &self.parts {
            if pass.wants(x) {
                let view = View { width, ..self.view };
                pass.pass_on(x, view, |dx| Slice {
                    x: dy,
                    y: dx,
                    width: self.view.width,
                    start,
                    view,
                });
            }
            start += width;
        }
        Backward::Passed
    }

    fn check(&self) -> Result<(), String> {
        let width: usize = self.parts.iter().map(|part| part.1).sum();
        match width == self.view.width {
            true => Ok(()),
            false => Err(format!("the parts have {width} columns in all")),
        }
    }
}

/// y is the columns of x, which has `width`, from `start` on.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    pub x: Buffer,
    pub y: Buffer,
    pub width: usize,
    pub start: usize,
    pub view: View,
}

impl Operation for Slice {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, per_row(self.view.positions * self.width))
            .write(self.y, rows(self.view))
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn check(&self) -> Result<(), String> {
        match self.start + self.view.width <= self.width {
            true => Ok(()),
            false => Err(format!("x has only {} columns", self.width)),
        }
    }
}

/// y = these values, whatever the batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    pub y: Buffer,
    pub values: Vec<f32>,
}

impl Operation for Constant {
    fn operands(&self) -> Operands {
        Operands::new().write(self.y, fixed(self.values.len()))
    }

    fn split(&self) -> Split {
        Split::Whole
    }

    /// It has no input.
    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        Backward::Passed
    }
}

impl Lowering {
    /// Values that are the same in each step.
    pub fn constant(&mut self, name: &str, values: Vec<f32>) -> Buffer {
        let y = self.add(name, Size::Fixed(values.len()), Role::Temporary);
        self.push(Constant { y, values });
        y
    }

    /// x with permuted axes: the n-th is x's `order[n]`-th.
    pub fn permute(&mut self, x: &Value, order: &[usize]) -> Value {
        let dims = x.shape.dims();
        let shape = Shape::new(order.iter().map(|&axis| dims[axis]).collect::<Vec<_>>());
        let long = order.iter().filter(|&&axis| dims[axis] > 1);
        if long.is_sorted() {
            return self.reshape(x, shape);
        }
        let y = self.like("permuted", &shape);
        self.push(Permute {
            x: x.buffer,
            y: y.buffer,
            dims: dims.to_vec(),
            order: order.to_vec(),
            view: View::row(shape.size()),
        });
        y
    }

    /// The result of `f` for x as a matrix whose columns run over `axes` and
    /// whose rows over all others; then back in x's own order. `axes` ascend.
    pub fn by_axes(
        &mut self,
        x: &Value,
        axes: &[usize],
        f: impl FnOnce(&mut Self, &Value) -> Value,
    ) -> Value {
        let dims = x.shape.dims();
        let others = (0..dims.len()).filter(|axis| !axes.contains(axis));
        let order: Vec<usize> = others.chain(axes.iter().copied()).collect();
        let width = axes.iter().map(|&axis| dims[axis]).product();
        let positions = x.shape.size() / usize::max(width, 1);
        let ordered = self.permute(x, &order);
        let matrix = self.reshape(&ordered, [positions, width].into());
        let y = f(self, &matrix);
        let y = self.reshape(&y, ordered.shape);
        let mut back = vec![0; order.len()];
        for (place, &axis) in order.iter().enumerate() {
            back[axis] = place;
        }
        self.permute(&y, &back)
    }

    /// x broadcast along its axes of length 1 to a shape of the same rank.
    pub fn spread(&mut self, x: &Value, shape: &Shape) -> Value {
        if x.shape == *shape {
            return x.clone();
        }
        let y = self.like("spread", shape);
        self.push(Broadcast {
            x: x.buffer,
            y: y.buffer,
            from: repeated(x.shape.dims(), shape.dims()),
            inputs: x.shape.size(),
            view: View::row(shape.size()),
        });
        y
    }

    /// The concatenation of the values along an axis of a row.
    pub fn concatenate(&mut self, values: &[Value], axis: usize) -> Value {
        let mut dims = values[0].shape.dims().to_vec();
        dims[axis] = values.iter().map(|v| v.shape.dims()[axis]).sum();
        let outer: usize = dims[..axis].iter().product();
        let shape = Shape::new(dims);
        let y = self.like("concatenated", &shape);
        let part = |v: &Value| (v.buffer, v.shape.size() / outer);
        self.push(Concatenate {
            parts: values.iter().map(part).collect(),
            y: y.buffer,
            view: View {
                positions: outer,
                width: shape.size() / outer,
            },
        });
        y
    }
}

/// The place of each element among those of which axes of length 1 are repeated.
fn repeated(from: &[usize], to: &[usize]) -> Vec<u32> {
    let mut places = vec![0];
    for (&from, &to) in from.iter().zip(to) {
        let next = |place: u32| (0..to).map(move |i| place * from as u32 + (i % from) as u32);
        places = places.into_iter().flat_map(next).collect();
    }
    places
}
