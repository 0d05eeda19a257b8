//! Operations that make one tensor of several, or take it apart, by rows.

use super::indices;
use super::session::Context;
use crate::plan::Op;
use crate::plan::op::{Inner, LARGEST_INVERSE};
use std::slice::{from_raw_parts, from_raw_parts_mut};

/// An operation on matrix rows `from..to`.
pub(super) fn rows(context: &Context<'_>, op: &Op, from: usize, to: usize) {
    // SAFETY, of this function: the plan's verifier has compared the sizes;
    // `from..to` is inside the view's rows, and belongs to this task alone.
    let read = |buffer, width: usize| {
        // SAFETY: see above.
        unsafe { from_raw_parts(context.at(buffer).add(from * width), (to - from) * width) }
    };
    let write = |buffer, width: usize| {
        // SAFETY: see above.
        unsafe { from_raw_parts_mut(context.at(buffer).add(from * width), (to - from) * width) }
    };
    match op {
        Op::Spread {
            x, y, from, inputs, ..
        } => {
            let x = read(*x, *inputs).chunks(*inputs);
            for (x, y) in x.zip(write(*y, from.len()).chunks_mut(from.len())) {
                for (y, &place) in y.iter_mut().zip(from) {
                    *y = x[place as usize];
                }
            }
        }
        Op::SpreadGradient {
            dy,
            dx,
            from,
            inputs,
            ..
        } => {
            let dy = read(*dy, from.len()).chunks(from.len());
            for (dy, dx) in dy.zip(write(*dx, *inputs).chunks_mut(*inputs)) {
                dx.fill(0.0);
                for (dy, &place) in dy.iter().zip(from) {
                    dx[place as usize] += dy;
                }
            }
        }
        Op::Concatenate { parts, y, view } => {
            let mut start = 0;
            let y = write(*y, view.width);
            for &(part, width) in parts {
                let x = read(part, width).chunks(width);
                for (x, y) in x.zip(y.chunks_mut(view.width)) {
                    y[start..start + width].copy_from_slice(x);
                }
                start += width;
            }
        }
        Op::Slice {
            x,
            y,
            width,
            start,
            view,
        } => {
            let x = read(*x, *width).chunks(*width);
            for (x, y) in x.zip(write(*y, view.width).chunks_mut(view.width)) {
                y.copy_from_slice(&x[*start..start + view.width]);
            }
        }
        Op::BatchProduct { a, b, y, of } => {
            let (a_size, b_size) = (of.rows * of.depth, of.depth * of.columns);
            let (a, b) = (read(*a, a_size), read(*b, b_size));
            let y_size = of.rows * of.columns;
            let y = write(*y, y_size).chunks_mut(y_size);
            for ((a, b), y) in a.chunks(a_size).zip(b.chunks(b_size)).zip(y) {
                product(a, b, y, *of);
            }
        }
        Op::UnitRows {
            x,
            y,
            inverse,
            view,
        } => {
            // x may be y's memory.
            // SAFETY: see above.
            let (x, y) = unsafe {
                let start = from * view.width;
                (context.at(*x).add(start), context.at(*y).add(start))
            };
            for (row, inverse) in write(*inverse, 1).iter_mut().enumerate() {
                let numbers = row * view.width..(row + 1) * view.width;
                // SAFETY: numbers of this task's rows.
                let squares = numbers.clone().map(|i| unsafe { *x.add(i) * *x.add(i) });
                *inverse = (1.0 / squares.sum::<f32>().sqrt()).min(LARGEST_INVERSE);
                for i in numbers {
                    // SAFETY: as above.
                    unsafe { *y.add(i) = *x.add(i) * *inverse };
                }
            }
        }
        Op::UnitRowsGradient {
            y,
            inverse,
            dy,
            dx,
            view,
        } => {
            let y = read(*y, view.width).chunks(view.width);
            // dx may be dy's memory.
            // SAFETY: see above.
            let (dy, dx) = unsafe {
                let start = from * view.width;
                (context.at(*dy).add(start), context.at(*dx).add(start))
            };
            for (row, (y, &inverse)) in y.zip(read(*inverse, 1)).enumerate() {
                let start = row * view.width;
                // A row that is multiplied by the most is not of length 1.
                let mut dot = 0.0;
                if inverse < LARGEST_INVERSE {
                    for (i, y) in y.iter().enumerate() {
                        // SAFETY: numbers of this task's rows.
                        dot += y * unsafe { *dy.add(start + i) };
                    }
                }
                for (i, y) in y.iter().enumerate() {
                    // SAFETY: as above.
                    unsafe {
                        *dx.add(start + i) = (*dy.add(start + i) - y * dot) * inverse;
                    }
                }
            }
        }
        other => indices::rows(context, other, from, to),
    }
}

/// y = a · b, row by row of b, so that neighbouring numbers are neighbours in
/// memory too.
fn product(a: &[f32], b: &[f32], y: &mut [f32], of: Inner) {
    y.fill(0.0);
    for (a, y) in a.chunks(of.depth).zip(y.chunks_mut(of.columns)) {
        for (a, b) in a.iter().zip(b.chunks(of.columns)) {
            for (y, b) in y.iter_mut().zip(b) {
                *y += a * b;
            }
        }
    }
}
