//! Convolutions and pooling of every geometry, without a model around them.

use super::{Cpu, Isa, Reference};
use crate::engine::{Engine, Step};
use crate::plan::ops::{
    AveragePool, AveragePoolGradient, Conv, ConvDims, ConvInput, ConvKernel, Depthwise,
    DepthwiseDims, DepthwiseInput, DepthwiseKernel, KernelShape, KernelSum, MaxPool,
    MaxPoolGradient, Pad, PadDims, PoolDims, Ties,
};
use crate::plan::{Buffer, BufferInfo, Mode, Op, Plan, Program, Role, Size, Variable, verify};
use crate::rules::window::{Slide, Window};

/// A plan in the making.
#[derive(Default)]
struct Ops {
    buffers: Vec<BufferInfo>,
    ops: Vec<Op>,
}

impl Ops {
    fn buffer(&mut self, size: Size, role: Role) -> Buffer {
        let name = format!("b{}", self.buffers.len());
        self.buffers.push(BufferInfo { name, size, role });
        Buffer(self.buffers.len() as u32 - 1)
    }

    fn variable(&mut self, size: usize) -> Buffer {
        self.buffer(Size::Fixed(size), Role::Variable)
    }

    fn feed(&mut self, size: usize) -> Buffer {
        let feeds = self
            .buffers
            .iter()
            .filter(|b| matches!(b.role, Role::Feed(_)));
        let n = feeds.count();
        self.buffer(Size::PerRow(size), Role::Feed(n))
    }

    fn temporary(&mut self, size: Size) -> Buffer {
        self.buffer(size, Role::Temporary)
    }

    fn result(&mut self, size: usize) -> Buffer {
        self.temporary(Size::PerRow(size))
    }
}

fn number(i: usize) -> f32 {
    ((i * 7919 % 1013) as f32 / 1013.0 - 0.5) * 2.0
}

/// Runs the plan on some numbers, in batches of up to `most` rows; returns its results, and its
/// variables.
fn run(engine: &dyn Engine, made: &Ops, (rows, most): (usize, usize)) -> Vec<Vec<f32>> {
    let variables: Vec<_> = made
        .buffers
        .iter()
        .filter(|b| b.role == Role::Variable)
        .collect();
    let outputs = |ops: &Ops| {
        let made = ops.buffers.iter().enumerate();
        let rows = made.filter(|(_, b)| b.role == Role::Temporary);
        let rows = rows.filter(|(_, b)| matches!(b.size, Size::PerRow(_)));
        let all = rows.map(|(n, b)| (Buffer(n as u32), [b.size.of(1)].into()));
        all.collect::<Vec<_>>()
    };
    let plan = Plan {
        mode: Mode::Train,
        rows: most,
        buffers: made.buffers.clone(),
        ops: made.ops.clone(),
        outputs: outputs(made),
        losses: Vec::new(),
        penalties: Vec::new(),
        observed: Vec::new(),
        bfloat16: false,
    };
    verify::verify(&plan).unwrap();
    let sizes: Vec<usize> = variables.iter().map(|b| b.size.of(0)).collect();
    let named = variables.iter().map(|b| Variable {
        name: b.name.clone(),
        size: b.size.of(0),
    });
    let program = Program {
        variables: named.collect(),
        plans: vec![plan],
    };
    let mut session = engine.compile(program).unwrap();
    for (n, &size) in sizes.iter().enumerate() {
        let values: Vec<f32> = (0..size).map(|i| number(i + 31 * n)).collect();
        session.write(Buffer(n as u32), &values);
    }
    let feeds = made
        .buffers
        .iter()
        .filter(|b| matches!(b.role, Role::Feed(_)));
    let mut feeds: Vec<Vec<f32>> = feeds.map(|b| vec![0.0; b.size.of(most)]).collect();
    let fill = |feed: usize, range: std::ops::Range<usize>, to: &mut [f32]| {
        let first = range.start * to.len() / range.len().max(1);
        for (i, to) in to.iter_mut().enumerate() {
            *to = number(first + i + 7 * feed);
        }
    };
    // Twice: the second time, memory is no longer 0.
    session.run(0, most, &mut feeds, &fill, &Step::default());
    session.run(0, rows, &mut feeds, &fill, &Step::default());
    let mut found = Vec::new();
    for (buffer, shape) in outputs(made) {
        let mut values = vec![0.0; rows * shape.size()];
        session.fetch(0, buffer, &mut values);
        found.push(values);
    }
    for (n, &size) in sizes.iter().enumerate() {
        let mut values = vec![0.0; size];
        session.read(Buffer(n as u32), &mut values);
        found.push(values);
    }
    found
}

/// Compares the fast engine with the reference, and itself on more threads.
fn compare(name: &str, made: &Ops, rows: (usize, usize)) {
    let expected = run(&Reference, made, rows);
    for isa in Isa::tested() {
        let on = |threads| {
            let threads = Some(threads);
            run(&Cpu { isa, threads }, made, rows)
        };
        let found = on(1);
        for (n, (a, b)) in expected.iter().zip(&found).enumerate() {
            let largest = a.iter().fold(1.0_f32, |m, x| m.max(x.abs()));
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                assert!(
                    (a - b).abs() <= 1e-5 * largest,
                    "{name}, {isa:?}, result {n}, number {i}: {a} {b}"
                );
            }
        }
        for threads in [2, 3] {
            assert!(found == on(threads), "{name}, {isa:?}, {threads} threads");
        }
    }
}

/// An axis of this input, with as many places as there are.
fn slide(input: usize, taps: usize, stride: usize, dilation: usize, before: usize) -> Slide {
    let reach = (taps - 1) * dilation + 1;
    Slide {
        input,
        output: (input + 2 * before - reach) / stride + 1,
        taps,
        stride,
        dilation,
        before,
    }
}

fn windows() -> Vec<Window> {
    let of = |rows, columns| Window { rows, columns };
    let square = |slide| of(slide, slide);
    vec![
        square(slide(6, 3, 1, 1, 0)),
        square(slide(7, 3, 1, 1, 1)),
        square(slide(9, 3, 2, 1, 1)),
        of(slide(8, 2, 2, 1, 0), slide(11, 3, 3, 1, 0)),
        of(slide(9, 3, 1, 2, 2), slide(10, 2, 2, 3, 1)),
        of(Slide::ONE, slide(23, 5, 1, 1, 4)),
        square(slide(5, 5, 1, 1, 0)),
        square(slide(4, 1, 1, 1, 0)),
        square(slide(7, 1, 2, 1, 0)),
        of(slide(3, 3, 1, 1, 1), slide(260, 3, 1, 1, 1)),
        // Padding behind the image alone, and a pixel that no tap reaches.
        of(
            Slide {
                output: 4,
                ..slide(8, 3, 2, 1, 0)
            },
            Slide {
                output: 2,
                ..slide(8, 3, 3, 1, 0)
            },
        ),
    ]
}

/// Compares a convolution and its gradients.
fn compare_convolution(dims: ConvDims, rows: (usize, usize)) {
    let product = dims.product();
    let kernel = product.inputs * product.outputs;
    let mut ops = Ops::default();
    let (w, dw) = (ops.variable(kernel), ops.variable(kernel));
    let x = ops.feed(dims.input_view().per_row());
    let dy = ops.feed(dims.output_view().per_row());
    let y = ops.result(dims.output_view().per_row());
    let dx = ops.result(dims.input_view().per_row());
    let count = dims.parts();
    let parts = match count {
        1 => dw,
        _ => ops.temporary(Size::Fixed(count * kernel)),
    };
    ops.ops.push(Conv { x, w, y, dims }.into());
    ops.ops.push(ConvInput { dy, w, dx, dims }.into());
    let gradient = ConvKernel {
        x,
        dy,
        dw: parts,
        dims,
    };
    ops.ops.push(gradient.into());
    if count > 1 {
        let sum = KernelSum {
            parts,
            count,
            dw,
            shape: KernelShape::Product(product),
        };
        ops.ops.push(sum.into());
    }
    compare(&format!("{dims:?}"), &ops, rows);
}

#[test]
fn convolutions_are_those_of_the_reference() {
    let sizes = [
        (1, 5, 1),
        (3, 8, 1),
        (16, 16, 1),
        (9, 33, 1),
        (20, 24, 1),
        (6, 8, 2),
        (24, 48, 3),
    ];
    for (n, window) in windows().into_iter().enumerate() {
        let some = sizes.iter().enumerate().filter(|(i, _)| (i + n) % 3 == 0);
        for (i, &(channels, filters, groups)) in some {
            let dims = ConvDims {
                window,
                channels,
                filters,
                groups,
            };
            let rows = if i % 2 == 0 { (3, 5) } else { (1, 2) };
            compare_convolution(dims, rows);
        }
    }
}

#[test]
fn a_kernel_too_large_for_parts_is_cut_by_rows() {
    let axis = slide(4, 3, 1, 1, 0);
    let dims = ConvDims {
        window: Window {
            rows: axis,
            columns: axis,
        },
        channels: 130,
        filters: 260,
        groups: 1,
    };
    assert_eq!(dims.parts(), 1);
    compare_convolution(dims, (1, 2));
}

#[test]
fn convolutions_by_channels_are_those_of_the_reference() {
    for (n, window) in windows().into_iter().enumerate() {
        for (channels, multiplier) in [(1, 1), (16, 1), (21, 1), (5, 3)] {
            let dims = DepthwiseDims {
                window,
                channels,
                multiplier,
            };
            let kernel = window.taps() * dims.filters();
            let mut ops = Ops::default();
            let (w, dw) = (ops.variable(kernel), ops.variable(kernel));
            let x = ops.feed(dims.input_view().per_row());
            let dy = ops.feed(dims.output_view().per_row());
            let y = ops.result(dims.output_view().per_row());
            let dx = ops.result(dims.input_view().per_row());
            let (count, shape) = (dims.parts(), KernelShape::Rows(kernel));
            let parts = ops.temporary(Size::Fixed(count * kernel));
            ops.ops.push(Depthwise { x, w, y, dims }.into());
            ops.ops.push(DepthwiseInput { dy, w, dx, dims }.into());
            let gradient = DepthwiseKernel {
                x,
                dy,
                dw: parts,
                dims,
            };
            ops.ops.push(gradient.into());
            let sum = KernelSum {
                parts,
                count,
                dw,
                shape,
            };
            ops.ops.push(sum.into());
            let rows = if n % 2 == 0 { (3, 5) } else { (1, 2) };
            compare(&format!("{dims:?}"), &ops, rows);
        }
    }
}

#[test]
fn pooling_is_that_of_the_reference() {
    for window in windows() {
        for channels in [1, 21] {
            let dims = PoolDims { window, channels };
            for ties in [Ties::First, Ties::Share] {
                let mut ops = Ops::default();
                let (input, output) = (window.inputs() * channels, window.outputs() * channels);
                let (x, dy) = (ops.feed(input), ops.feed(output));
                let (y, mean) = (ops.result(output), ops.result(output));
                let (dx, dmean) = (ops.result(input), ops.result(input));
                ops.ops.push(MaxPool { x, y, dims, ties }.into());
                ops.ops.push(AveragePool { x, y: mean, dims }.into());
                let gradient = MaxPoolGradient {
                    x,
                    y,
                    dy,
                    dx,
                    dims,
                    ties,
                };
                ops.ops.push(gradient.into());
                ops.ops.push(
                    AveragePoolGradient {
                        dy,
                        dx: dmean,
                        dims,
                    }
                    .into(),
                );
                compare(&format!("{dims:?}, {ties:?}"), &ops, (3, 5));
            }
        }
    }
}

#[test]
fn padding_is_that_of_the_reference() {
    for (from, to, before) in [
        ([3, 4], [6, 6], [1, 2]),
        ([5, 6], [2, 3], [-1, -3]),
        ([4, 4], [7, 2], [2, -1]),
        ([3, 2], [3, 2], [0, 0]),
    ] {
        let dims = PadDims {
            from,
            to,
            before,
            channels: 3,
        };
        let mut ops = Ops::default();
        let x = ops.feed(from[0] * from[1] * 3);
        let y = ops.result(to[0] * to[1] * 3);
        ops.ops.push(Pad { x, y, dims }.into());
        compare(&format!("{dims:?}"), &ops, (3, 5));
    }
}
