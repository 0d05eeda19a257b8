//! Products of an input and weights, their operands in float numbers or in int8 ones of fixed
//! scales.

use super::super::Int8;
use super::Export;
use super::graph::{int, ints};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::plan::ops::{Bias, MatMulDims};
use crate::plan::{Buffer, Op};
use crate::rules::fake_quantization::Scale;
use std::collections::HashMap;

/// The largest whole number of weights of 8 bits, and of 7.
const LARGEST: [f32; 2] = [127.0, 64.0];

/// The largest whole number of a bias, with room for the sum beside it.
const LARGEST_BIAS: f32 = (1_u32 << 30) as f32;

/// The int8 products of a file.
#[derive(Debug, Default)]
pub(super) struct Products {
    /// Of each node, the scale of its input, if its product is one of int8 numbers.
    inputs: Vec<Option<Scale>>,
    /// True for weights of 7 bits.
    reduce_range: bool,
    /// Tensors and their scales, with the quantized ones made of them.
    quantized: HashMap<(String, u32, u8), String>,
}

/// The weights of a product.
pub(super) struct Kernel {
    pub w: Buffer,
    /// Its dimensions, the output channels last.
    pub dims: Vec<usize>,
    /// True if ONNX has it as (outputs, channels, rows, columns).
    pub channels_first: bool,
    pub outputs: usize,
}

impl Products {
    /// None, or those of a calibration, which must be this model's.
    pub fn new(model: &Model, int8: Option<Int8<'_>>) -> Result<Self> {
        let Some(int8) = int8 else {
            return Ok(Products::default());
        };
        if let Some((layer, weight)) = model.not_finite().next() {
            let at = format!("layer {layer}");
            let problem = format!("its {weight} has NaN or infinite numbers");
            return Err(Error::Config { at, problem });
        }
        let mut inputs = vec![None; model.nodes.len()];
        for range in &int8.calibration.ranges {
            let layer = model.nodes.get(range.node);
            let layer = layer.map(|node| &model.layers[node.layer]);
            let fits = layer.is_some_and(|l| l.name == range.layer && l.rule.is_one_product());
            let is_range = range.min <= range.max && (range.max - range.min).is_finite();
            if !fits || !is_range {
                let found = format!(
                    "{} to {} for layer {} at node {}",
                    range.min, range.max, range.layer, range.node
                );
                let expected = "a range of a Dense or a convolution of this model";
                return Err(Error::invalid("calibration", found, expected));
            }
            inputs[range.node] = Some(Scale::of(range.min, range.max));
        }
        Ok(Products {
            inputs,
            reduce_range: int8.reduce_range,
            quantized: HashMap::new(),
        })
    }
}

impl Export<'_> {
    /// x · w; with the bias behind it if nothing else needs the product. Returns the number of
    /// operations done.
    pub fn product(
        &mut self,
        n: usize,
        (x, w, y): (Buffer, Buffer, Buffer),
        dims: MatMulDims,
    ) -> usize {
        let kernel = Kernel {
            w,
            dims: vec![dims.inputs, dims.outputs],
            channels_first: false,
            outputs: dims.outputs,
        };
        let (x, mut shape) = match dims.positions {
            1 => (self.in_shape(x, &[dims.inputs]), vec![dims.inputs]),
            _ => self.by_width(x, dims.input_view()),
        };
        let bias = match dims.positions {
            1 => self.bias_behind(n, y),
            _ => None,
        };
        let inputs = self.operands(n, x, &kernel, bias.map(|(bias, _)| bias));
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let operator = if dims.positions == 1 {
            "Gemm"
        } else {
            "MatMul"
        };
        let made = self.builder.op(operator, &inputs);
        shape.pop();
        shape.push(dims.outputs);
        self.made(bias.map_or(y, |(_, y)| y), made, shape);
        1 + usize::from(bias.is_some())
    }

    /// x · wᵀ, in float numbers; as [`Export::product`].
    pub fn transposed_product(
        &mut self,
        n: usize,
        (x, w, y): (Buffer, Buffer, Buffer),
        dims: MatMulDims,
    ) -> usize {
        let w = self.in_shape(w, &[dims.inputs, dims.outputs]);
        if dims.positions == 1 {
            let bias = self.bias_behind(n, y);
            let mut inputs = vec![self.in_shape(x, &[dims.outputs]), w];
            inputs.extend(bias.map(|(bias, _)| self.in_shape(bias, &[dims.inputs])));
            let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
            let made = self.builder.node("Gemm", &inputs, vec![int("transB", 1)]);
            self.made(bias.map_or(y, |(_, y)| y), made, vec![dims.inputs]);
            return 1 + usize::from(bias.is_some());
        }
        let (x, mut shape) = self.by_width(x, dims.output_view());
        let w = self.builder.op("Transpose", &[&w]);
        let made = self.builder.op("MatMul", &[&x, &w]);
        shape.pop();
        shape.push(dims.inputs);
        self.made(y, made, shape);
        1
    }

    /// The bias, and the sum, of the operation behind the n-th, if it adds one to its result `y`,
    /// which nothing else reads.
    pub fn bias_behind(&self, n: usize, y: Buffer) -> Option<(Buffer, Buffer)> {
        match self.next_alone(n, y) {
            Some(&Op::Bias(Bias {
                x, bias, y: sum, ..
            })) if x == y => Some((bias, sum)),
            _ => None,
        }
    }

    /// The inputs of the operator of the n-th operation: `x`, the kernel, and the bias, if there is
    /// one.
    pub fn operands(
        &mut self,
        n: usize,
        x: String,
        kernel: &Kernel,
        bias: Option<Buffer>,
    ) -> Vec<String> {
        let node = self.node_of(n);
        if let Some(scale) = self.products.inputs.get(node).copied().flatten() {
            return self.int8_operands(x, scale, kernel, bias);
        }
        let mut inputs = vec![x, self.float_kernel(kernel)];
        inputs.extend(bias.map(|bias| self.in_shape(bias, &[kernel.outputs])));
        inputs
    }

    /// The kernel as ONNX has it.
    pub fn float_kernel(&mut self, kernel: &Kernel) -> String {
        let w = self.in_shape(kernel.w, &kernel.dims);
        match kernel.channels_first {
            true => {
                let order = ints("perm", vec![3, 2, 0, 1]);
                self.builder.node("Transpose", &[&w], vec![order])
            }
            false => w,
        }
    }

    fn int8_operands(
        &mut self,
        x: String,
        input: Scale,
        kernel: &Kernel,
        bias: Option<Buffer>,
    ) -> Vec<String> {
        let values = self.values(kernel.w);
        let bias = bias.map(|bias| self.values(bias));
        let largest = LARGEST[usize::from(self.products.reduce_range)];
        let mut scales = vec![0.0_f32; kernel.outputs];
        for row in values.chunks_exact(kernel.outputs) {
            for (scale, w) in scales.iter_mut().zip(row) {
                *scale = scale.max(w.abs());
            }
        }
        for (channel, scale) in scales.iter_mut().enumerate() {
            *scale /= largest;
            if let Some(bias) = &bias {
                // Tiny weights beside a bias get a scale by which that fits, too.
                *scale = scale.max(bias[channel].abs() / LARGEST_BIAS / input.scale);
            }
            if *scale < f32::MIN_POSITIVE {
                *scale = 1.0;
            }
        }
        let whole = values.iter().zip(scales.iter().cycle());
        let whole = whole.map(|(w, scale)| {
            let whole = (w / scale).round_ties_even();
            whole.clamp(-largest, largest)
        });
        let whole: Vec<f32> = whole.collect();
        let x = self.quantized_input(x, input);
        let builder = &mut self.builder;
        let (whole, dims, axis) = match (kernel.channels_first, &kernel.dims[..]) {
            (true, &[rows, columns, channels, filters]) => {
                let taps = rows * columns;
                let place = |n: usize| (n % taps * channels + n / taps % channels) * filters;
                let each = 0..whole.len();
                let turned = each.map(|n| whole[place(n) + n / (taps * channels)]);
                let dims = vec![filters, channels, rows, columns];
                (turned.collect(), dims, 0)
            }
            _ => (whole, kernel.dims.clone(), 1),
        };
        let w = builder.int8("kernel", &dims, &whole);
        let scale = builder.numbers("kernel_scale", &[kernel.outputs], &scales);
        let zeros = vec![0.0; kernel.outputs];
        let zero = builder.int8("kernel_zero_point", &[kernel.outputs], &zeros);
        let inputs = [&*w, &scale, &zero];
        let w = builder.node("DequantizeLinear", &inputs, vec![int("axis", axis)]);
        let mut operands = vec![x, w];
        if let Some(bias) = bias {
            let scales: Vec<f32> = scales.iter().map(|scale| scale * input.scale).collect();
            let whole = bias.iter().zip(&scales);
            let whole: Vec<i32> = whole
                .map(|(b, scale)| (b / scale).round_ties_even() as i32)
                .collect();
            let b = builder.int32("bias", &whole);
            let scale = builder.numbers("bias_scale", &[kernel.outputs], &scales);
            let axis = vec![int("axis", 0)];
            operands.push(builder.node("DequantizeLinear", &[&b, &scale], axis));
        }
        operands
    }

    /// A tensor quantized, and back.
    fn quantized_input(&mut self, x: String, by: Scale) -> String {
        let key = (x, by.scale.to_bits(), by.zero);
        if let Some(made) = self.products.quantized.get(&key) {
            return made.clone();
        }
        let builder = &mut self.builder;
        let (scale, zero) = (builder.scalar(by.scale), builder.byte(by.zero));
        let whole = builder.op("QuantizeLinear", &[&key.0, &scale, &zero]);
        let made = builder.op("DequantizeLinear", &[&whole, &scale, &zero]);
        self.products.quantized.insert(key, made.clone());
        made
    }
}
