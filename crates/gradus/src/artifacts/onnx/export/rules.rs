//! A rule for each operation of an inference plan.

use super::Export;
use super::graph::{float, int};
use crate::plan::ops::{BatchNormInfer, Bias, L2Normalize, LayerNorm, MatMul, MatMulInput};
use crate::plan::{Buffer, Op, View};

/// Mean over deviation up to which `BatchNormalization`, which runtimes compute as one factor and
/// one shift, is exact to some 1e-6.
const EXACT: f32 = 8.0;

impl Export<'_> {
    /// Adds the nodes of the n-th operation, and returns the number of operations done: those
    /// behind it may be part of a node. The reason, if ONNX cannot say it.
    pub(super) fn operation(&mut self, n: usize) -> Result<usize, String> {
        let plan = self.plan;
        match &plan.ops[n] {
            Op::MatMul(op) => {
                let &MatMul { x, w, y, dims } = op;
                return Ok(self.product(n, (x, w, y), dims));
            }
            Op::MatMulInput(op) => {
                let &MatMulInput { dy, w, dx, dims } = op;
                return Ok(self.transposed_product(n, (dy, w, dx), dims));
            }
            Op::Bias(Bias { x, bias, y, view }) => self.by_column("Add", *x, *bias, *y, *view),
            Op::Scale(op) => {
                let operator = if op.negative_only { "PRelu" } else { "Mul" };
                self.by_column(operator, op.x, op.by, op.y, op.view);
            }
            Op::Activate(op) => {
                let (x, dims) = self.as_it_is(op.x);
                let y = self.builder.activation(&op.rule, &x)?;
                self.made(op.y, y, dims);
            }
            Op::Softmax(op) => {
                let (x, dims) = self.by_width(op.x, op.view);
                let operator = if op.log { "LogSoftmax" } else { "Softmax" };
                let y = self.builder.node(operator, &[&x], vec![int("axis", -1)]);
                self.made(op.y, y, dims);
            }
            Op::QuantizedMatMul(op) => self.quantized_product(op),
            Op::BatchNormInfer(op) => self.batch_norm(op),
            Op::LayerNorm(op) => return Ok(self.layer_norm(n, op)),
            Op::L2Normalize(op) => self.unit_rows(op),
            Op::Resize(op) => self.resize(op),
            Op::Conv(op) => return Ok(self.convolution(n, op)),
            Op::ConvInput(op) => self.transposed_convolution(op),
            Op::Depthwise(op) => return Ok(self.depthwise(n, op)),
            Op::MaxPool(op) => self.max_pool(op),
            Op::AveragePool(op) => self.average_pool(op),
            Op::Pad(op) => self.pad(op),
            Op::Sum(op) => {
                let (a, b, dims) = self.alike(op.a, op.b);
                let y = self.builder.op("Add", &[&a, &b]);
                self.made(op.y, y, dims);
            }
            Op::Binary(op) => {
                let (a, b, dims) = self.alike(op.a, op.b);
                let y = self.builder.pairwise(op.rule, &a, &b);
                self.made(op.y, y, dims);
            }
            Op::Permute(op) => self.permute(op),
            Op::Broadcast(op) => self.broadcast(op),
            Op::Concatenate(op) => {
                let rows = |width| View { width, ..op.view };
                let parts = op.parts.iter();
                let parts: Vec<String> = parts
                    .map(|&(part, width)| self.in_shape(part, &dims_of(rows(width))))
                    .collect();
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                let y = self.builder.node("Concat", &parts, vec![int("axis", -1)]);
                self.made(op.y, y, dims_of(op.view));
            }
            Op::Constant(op) => {
                let name = &plan.buffers[op.y.index()].name;
                let dims = vec![op.values.len()];
                let y = self.builder.numbers(name, &dims, &op.values);
                self.made(op.y, y, dims);
            }
            Op::Unary(op) => {
                let (x, dims) = self.as_it_is(op.x);
                let y = self.builder.mapping(&op.rule, &x, !self.core)?;
                self.made(op.y, y, dims);
            }
            Op::MultiHot(op) => self.multi_hot(op),
            Op::Embed(op) => self.embed(op),
            Op::BatchMatMul(op) => self.batch_product(op),
            Op::Dropout(_) | Op::ChannelDropout(_) | Op::Noise(_) => {
                return Err(
                    "it draws random numbers in every prediction, which ONNX files are \
                            not to do: `gradus predict --mc-samples N` samples it, and with a \
                            Dropout or AlphaDropout layer in its place the model has an ONNX file"
                        .into(),
                );
            }
            other => return Err(format!("its operation {} has no rule", other.name())),
        }
        Ok(1)
    }

    /// An operator of each matrix row and a vector.
    fn by_column(&mut self, operator: &str, x: Buffer, by: Buffer, y: Buffer, view: View) {
        let (x, dims) = self.by_width(x, view);
        let by = self.in_shape(by, &[view.width]);
        let made = self.builder.op(operator, &[&x, &by]);
        self.made(y, made, dims);
    }

    fn batch_norm(&mut self, op: &BatchNormInfer) {
        let width = op.view.width;
        let (mean, variance) = (self.values(op.mean), self.values(op.variance));
        let deviations = variance.iter().map(|v| (v + op.epsilon).sqrt());
        let is_exact = mean
            .iter()
            .zip(deviations.clone())
            .all(|(m, d)| m.abs() <= EXACT * d);
        if op.view.positions == 1 && is_exact {
            let x = self.in_shape(op.x, &[width]);
            let mut vector = |buffer: Option<Buffer>, name: &str, fill: f32| match buffer {
                Some(buffer) => self.in_shape(buffer, &[width]),
                None => self.builder.numbers(name, &[width], &vec![fill; width]),
            };
            let gamma = vector(op.gamma, "gamma", 1.0);
            let beta = vector(op.beta, "beta", 0.0);
            let mean = vector(Some(op.mean), "", 0.0);
            let variance = vector(Some(op.variance), "", 0.0);
            let inputs = [&*x, &gamma, &beta, &mean, &variance];
            let epsilon = float("epsilon", op.epsilon.into());
            let y = self
                .builder
                .node("BatchNormalization", &inputs, vec![epsilon]);
            self.made(op.y, y, vec![width]);
            return;
        }
        // γ / √(variance + ε) (x - mean) + β, in this order.
        let gamma = op
            .gamma
            .map_or_else(|| vec![1.0; width], |gamma| self.values(gamma));
        let factor: Vec<f32> = gamma.iter().zip(deviations).map(|(g, d)| g / d).collect();
        let factor = self.builder.numbers("factor", &[width], &factor);
        let mean = self.in_shape(op.mean, &[width]);
        let (x, dims) = self.by_width(op.x, op.view);
        let centred = self.builder.op("Sub", &[&x, &mean]);
        let mut y = self.builder.op("Mul", &[&centred, &factor]);
        if let Some(beta) = op.beta {
            let beta = self.in_shape(beta, &[width]);
            y = self.builder.op("Add", &[&y, &beta]);
        }
        self.made(op.y, y, dims);
    }

    /// With the factor and shift behind it.
    fn layer_norm(&mut self, n: usize, op: &LayerNorm) -> usize {
        let width = op.view.width;
        let (x, dims) = self.by_width(op.x, op.view);
        let (mut y, mut done) = (op.y, 1);
        let gamma = match self.next_alone(n, y) {
            Some(Op::Scale(next)) if !next.negative_only && next.view == op.view => {
                (y, done) = (next.y, 2);
                self.in_shape(next.by, &[width])
            }
            _ => self.builder.numbers("gamma", &[width], &vec![1.0; width]),
        };
        let mut inputs = vec![x, gamma];
        if let Some(Op::Bias(next)) = self.next_alone(n + done - 1, y)
            && next.view == op.view
        {
            (y, done) = (next.y, done + 1);
            inputs.push(self.in_shape(next.bias, &[width]));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let attributes = vec![int("axis", -1), float("epsilon", op.epsilon.into())];
        let made = self.builder.node("LayerNormalization", &inputs, attributes);
        self.made(y, made, dims);
        done
    }

    fn unit_rows(&mut self, op: &L2Normalize) {
        let (x, dims) = self.by_width(op.x, op.view);
        let builder = &mut self.builder;
        let square = builder.op("Mul", &[&x, &x]);
        let last = builder.whole("axis", &[-1]);
        let sum = builder.node("ReduceSum", &[&square, &last], vec![int("keepdims", 1)]);
        let length = builder.op("Sqrt", &[&sum]);
        let length = builder.binary_with("Max", &length, 1.0 / crate::plan::ops::LARGEST_INVERSE);
        let y = builder.op("Div", &[&x, &length]);
        self.made(op.y, y, dims);
    }
}

/// A row as matrix rows, or as the only one.
pub(super) fn dims_of(view: View) -> Vec<usize> {
    match view.positions {
        1 => vec![view.width],
        positions => vec![positions, view.width],
    }
}
