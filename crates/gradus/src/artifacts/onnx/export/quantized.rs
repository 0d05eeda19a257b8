//! Products of whole numbers, as Keras' int8 layers have them.

use super::Export;
use super::graph::int;
use crate::artifacts::onnx::messages::data_type;
use crate::plan::ops::QuantizedMatMul;
use crate::rules::int8::{EPSILON, LARGEST};

impl Export<'_> {
    /// The rows as whole numbers by a scale of each, the exact product, and both scales taken off.
    pub(super) fn quantized_product(&mut self, op: &QuantizedMatMul) {
        let (inputs, outputs) = (op.dims.inputs, op.dims.outputs);
        let (x, mut dims) = self.by_width(op.x, op.dims.input_view());
        let kernel = self.values(op.w);
        let scale = self.in_shape(op.scale, &[outputs]);
        let builder = &mut self.builder;
        let kernel = builder.int8("kernel", &[inputs, outputs], &kernel);
        let size = builder.op("Abs", &[&x]);
        let last = builder.whole("axis", &[-1]);
        let largest = builder.node("ReduceMax", &[&size, &last], vec![int("keepdims", 1)]);
        let largest = builder.binary_with("Add", &largest, EPSILON);
        let limit = builder.scalar(LARGEST);
        let of_row = builder.op("Div", &[&limit, &largest]);
        let scaled = builder.op("Mul", &[&x, &of_row]);
        let rounded = builder.op("Round", &[&scaled]);
        let whole = builder.cast(&rounded, data_type::INT8);
        let sums = builder.op("MatMulInteger", &[&whole, &kernel]);
        let sums = builder.cast(&sums, data_type::FLOAT);
        let scales = builder.op("Mul", &[&scale, &of_row]);
        let y = builder.op("Div", &[&sums, &scales]);
        dims.pop();
        dims.push(outputs);
        self.made(op.y, y, dims);
    }
}
