//! Rules of convolutions, pooling and padding. ONNX has the channels first.

use super::super::messages::Attribute;
use super::Export;
use super::graph::{int, ints, lengths};
use super::products::Kernel;
use crate::plan::Buffer;
use crate::plan::ops::{AveragePool, Conv, ConvInput, Depthwise, MaxPool, Pad, PoolDims};
use crate::rules::window::{Slide, Window};

impl Export<'_> {
    /// With the bias behind it, as [`Export::product`].
    pub fn convolution(&mut self, n: usize, op: &Conv) -> usize {
        let dims = op.dims;
        let image = dims.window.inputs_of(dims.channels);
        let kernel = kernel(op.w, dims.window, dims.depth(), dims.filters);
        let group = (op.x, op.y, dims.groups);
        self.convolved(n, group, image, kernel, dims.window)
    }

    /// A convolution of each channel is one of as many groups.
    pub fn depthwise(&mut self, n: usize, op: &Depthwise) -> usize {
        let dims = op.dims;
        let image = dims.window.inputs_of(dims.channels);
        let kernel = kernel(op.w, dims.window, 1, dims.filters());
        let group = (op.x, op.y, dims.channels);
        self.convolved(n, group, image, kernel, dims.window)
    }

    fn convolved(
        &mut self,
        n: usize,
        (x, y, groups): (Buffer, Buffer, usize),
        image: [usize; 3],
        kernel: Kernel,
        window: Window,
    ) -> usize {
        let x = self.channels_first(x, image);
        let filters = kernel.outputs;
        let bias = self.bias_behind(n, y);
        let inputs = self.operands(n, x, &kernel, bias.map(|(bias, _)| bias));
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let mut attributes = sliding(window);
        attributes.push(int("group", groups as i64));
        let made = self.builder.node("Conv", &inputs, attributes);
        let y = bias.map_or(y, |(_, y)| y);
        self.channels_last(y, &made, window.outputs_of(filters));
        1 + usize::from(bias.is_some())
    }

    pub fn transposed_convolution(&mut self, op: &ConvInput) {
        let dims = op.dims;
        let x = self.channels_first(op.dy, dims.window.outputs_of(dims.filters));
        let w = self.float_kernel(&kernel(op.w, dims.window, dims.channels, dims.filters));
        let slides = [dims.window.rows, dims.window.columns];
        // Pixels that the result has behind those that taps reach; below 0, fewer than these.
        let more = slides.map(|s| (s.input + s.before) as i64 - s.padded() as i64);
        let before = slides.map(|s| s.before as i64);
        let pads = [before, more.map(|more| (-more).max(0))].concat();
        let attributes = vec![
            ints("strides", lengths(&slides.map(|s| s.stride))),
            ints("dilations", lengths(&slides.map(|s| s.dilation))),
            ints("pads", pads),
            ints("output_padding", more.map(|more| more.max(0)).to_vec()),
        ];
        let y = self.builder.node("ConvTranspose", &[&x, &w], attributes);
        self.channels_last(op.dx, &y, dims.window.inputs_of(dims.channels));
    }

    pub fn max_pool(&mut self, op: &MaxPool) {
        self.pool((op.x, op.y), op.dims, "MaxPool", None);
    }

    pub fn average_pool(&mut self, op: &AveragePool) {
        let padding = int("count_include_pad", 0);
        self.pool((op.x, op.y), op.dims, "AveragePool", Some(padding));
    }

    fn pool(
        &mut self,
        (x, y): (Buffer, Buffer),
        dims: PoolDims,
        operator: &str,
        more: Option<Attribute>,
    ) {
        let PoolDims { window, channels } = dims;
        let x = self.channels_first(x, window.inputs_of(channels));
        let taps = lengths(&[window.rows.taps, window.columns.taps]);
        let mut attributes = vec![ints("kernel_shape", taps), pads(window), strides(window)];
        attributes.extend(more);
        let made = self.builder.node(operator, &[&x], attributes);
        self.channels_last(y, &made, window.outputs_of(channels));
    }

    /// Fewer than no pixels of padding cut some off.
    pub fn pad(&mut self, op: &Pad) {
        let dims = op.dims;
        let image = |[rows, columns]: [usize; 2]| [rows, columns, dims.channels];
        let x = self.in_shape(op.x, &image(dims.from));
        let before = dims.before.map(|before| before as i64);
        let behind = [0, 1].map(|n| dims.to[n] as i64 - dims.from[n] as i64 - before[n]);
        let sides = [before, behind].map(|[rows, columns]| [0, rows, columns, 0]);
        let pads = self.builder.whole("pads", &sides.concat());
        let y = self.builder.op("Pad", &[&x, &pads]);
        self.made(op.y, y, image(dims.to).to_vec());
    }

    fn channels_first(&mut self, x: Buffer, image: [usize; 3]) -> String {
        let x = self.in_shape(x, &image);
        self.transpose(&x, &[0, 3, 1, 2])
    }

    fn channels_last(&mut self, y: Buffer, made: &str, image: [usize; 3]) {
        let made = self.transpose(made, &[0, 2, 3, 1]);
        self.made(y, made, image.to_vec());
    }
}

/// The kernel, which ONNX has as (filters, channels, rows, columns).
fn kernel(w: Buffer, window: Window, channels: usize, filters: usize) -> Kernel {
    Kernel {
        w,
        dims: vec![window.rows.taps, window.columns.taps, channels, filters],
        channels_first: true,
        outputs: filters,
    }
}

fn sliding(window: Window) -> Vec<Attribute> {
    let dilation = [window.rows.dilation, window.columns.dilation];
    vec![
        ints("dilations", lengths(&dilation)),
        pads(window),
        strides(window),
    ]
}

fn strides(window: Window) -> Attribute {
    let strides = [window.rows.stride, window.columns.stride];
    ints("strides", lengths(&strides))
}

fn pads(window: Window) -> Attribute {
    let slides = [window.rows, window.columns];
    let behind = |s: Slide| s.padded().saturating_sub(s.before + s.input);
    let pads = [slides.map(|s| s.before), slides.map(behind)];
    ints("pads", lengths(&pads.concat()))
}
