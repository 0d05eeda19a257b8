//! Products of a matrix of the batch and a weight matrix, and their gradients.

use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, product, weights};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, View};

/// The sizes of a product y = x · w.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatMulDims {
    /// Matrix rows for each row of the batch.
    pub positions: usize,
    /// Columns of x, rows of w.
    pub inputs: usize,
    /// Columns of w and of y.
    pub outputs: usize,
}

impl MatMulDims {
    /// x as a matrix.
    pub fn input_view(self) -> View {
        View {
            positions: self.positions,
            width: self.inputs,
        }
    }

    /// y as a matrix.
    pub fn output_view(self) -> View {
        View {
            positions: self.positions,
            width: self.outputs,
        }
    }

    pub(super) fn multiply_adds(self, rows: usize) -> usize {
        rows * self.positions * self.inputs * self.outputs
    }
}

/// y = x · w.
#[derive(Clone, Debug, PartialEq)]
pub struct MatMul {
    pub x: Buffer,
    pub w: Buffer,
    pub y: Buffer,
    pub dims: MatMulDims,
}

impl Operation for MatMul {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, product(self.dims.input_view()))
            .read(self.w, weights(self.dims))
            .write(self.y, product(self.dims.output_view()))
    }

    fn split(&self) -> Split {
        Split::Columns(self.dims.output_view())
    }

    fn is_by_rows(&self) -> bool {
        true
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &MatMul { x, w, dims, .. } = self;
        pass.flush();
        if let Some(normalized) = pass.normalized_input(x, w, dims) {
            pass.through_normalized(normalized, dy, w, dims);
            return Backward::Passed;
        }
        if pass.wants(x) {
            pass.pass_on(x, dims.input_view(), |dx| MatMulInput { dy, w, dx, dims });
        }
        if pass.wants(w) {
            pass.weight(w, |dw| MatMulWeight { x, dy, dw, dims });
        }
        Backward::Passed
    }

    fn factors_mut(&mut self) -> Vec<&mut Buffer> {
        vec![&mut self.x, &mut self.w]
    }

    fn work(&self, rows: usize) -> usize {
        self.dims.multiply_adds(rows)
    }
}

/// dx = dy · wᵀ.
#[derive(Clone, Debug, PartialEq)]
pub struct MatMulInput {
    pub dy: Buffer,
    pub w: Buffer,
    pub dx: Buffer,
    pub dims: MatMulDims,
}

impl Operation for MatMulInput {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.dy, product(self.dims.output_view()))
            .read(self.w, weights(self.dims))
            .write(self.dx, product(self.dims.input_view()))
    }

    fn split(&self) -> Split {
        Split::Columns(self.dims.input_view())
    }

    fn is_by_rows(&self) -> bool {
        true
    }

    /// Of a forward y = x · wᵀ.
    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &MatMulInput { dy: x, w, dims, .. } = self;
        pass.flush();
        if pass.wants(x) {
            pass.pass_on(x, dims.output_view(), |dx| MatMul {
                x: dy,
                w,
                y: dx,
                dims,
            });
        }
        if pass.wants(w) {
            pass.weight(w, |dw| MatMulWeight {
                x: dy,
                dy: x,
                dw,
                dims,
            });
        }
        Backward::Passed
    }

    fn factors_mut(&mut self) -> Vec<&mut Buffer> {
        vec![&mut self.dy, &mut self.w]
    }

    fn work(&self, rows: usize) -> usize {
        self.dims.multiply_adds(rows)
    }
}

/// dw = xᵀ · dy.
#[derive(Clone, Debug, PartialEq)]
pub struct MatMulWeight {
    pub x: Buffer,
    pub dy: Buffer,
    pub dw: Buffer,
    pub dims: MatMulDims,
}

impl Operation for MatMulWeight {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, product(self.dims.input_view()))
            .read(self.dy, product(self.dims.output_view()))
            .write(self.dw, weights(self.dims))
    }

    fn split(&self) -> Split {
        Split::Weight(self.dims.inputs, self.dims.outputs)
    }

    fn sums_rows(&self) -> bool {
        true
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn factors_mut(&mut self) -> Vec<&mut Buffer> {
        vec![&mut self.x, &mut self.dy]
    }

    fn work(&self, rows: usize) -> usize {
        self.dims.multiply_adds(rows)
    }
}

impl Lowering {
    /// x · w on the last axis.
    pub fn product(&mut self, x: &Value, w: Buffer, outputs: usize) -> Value {
        let View { positions, width } = x.view();
        let y = self.like("product", &x.shape.with_last(outputs));
        self.push(MatMul {
            x: x.buffer,
            w,
            y: y.buffer,
            dims: MatMulDims {
                positions,
                inputs: width,
                outputs,
            },
        });
        y
    }

    /// x · wᵀ on the last axis.
    pub fn product_transposed(&mut self, x: &Value, w: Buffer, outputs: usize) -> Value {
        let View { positions, width } = x.view();
        let y = self.like("product", &x.shape.with_last(outputs));
        self.push(MatMulInput {
            dy: x.buffer,
            w,
            dx: y.buffer,
            dims: MatMulDims {
                positions,
                inputs: outputs,
                outputs: width,
            },
        });
        y
    }
}
