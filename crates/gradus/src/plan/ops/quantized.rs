//! Products of whole numbers.

use super::MatMulDims;
use crate::plan::Buffer;
use crate::plan::View;
use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, columns, fixed, int8, rows};
use crate::plan::operation::{Backward, Operation, Split};
use crate::rules::int8::MOST_PRODUCTS;

/// y = q · w / (scale · s): w has whole numbers from -128 to 127 and a scale for each column; q
/// and s are the whole numbers and the scale of each matrix row of x, by [`crate::rules::int8`].
/// Sums of q · w are exact. A row with a NaN or infinity becomes NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedMatMul {
    pub x: Buffer,
    pub w: Buffer,
    pub scale: Buffer,
    pub y: Buffer,
    pub dims: MatMulDims,
}

impl Operation for QuantizedMatMul {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, rows(self.dims.input_view()))
            .read(self.w, int8(self.dims))
            .read(self.scale, fixed(self.dims.outputs))
            .write(self.y, columns(self.dims.output_view()))
    }

    fn split(&self) -> Split {
        Split::Columns(self.dims.output_view())
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        Backward::None("it rounds its input to whole numbers")
    }

    fn check(&self) -> Result<(), String> {
        match self.dims.inputs {
            0..=MOST_PRODUCTS => Ok(()),
            n => Err(format!("{n} products may exceed an int32")),
        }
    }

    fn work(&self, rows: usize) -> usize {
        self.dims.multiply_adds(rows)
    }
}

impl Lowering {
    /// x, quantized row by row, times an int8 matrix with its scales, on the last axis.
    pub fn quantized_product(
        &mut self,
        x: &Value,
        (w, scale): (Buffer, Buffer),
        outputs: usize,
    ) -> Value {
        let View { positions, width } = x.view();
        let y = self.like("product", &x.shape.with_last(outputs));
        self.push(QuantizedMatMul {
            x: x.buffer,
            w,
            scale,
            y: y.buffer,
            dims: MatMulDims {
                positions,
                inputs: width,
                outputs,
            },
        });
        y
    }
}
