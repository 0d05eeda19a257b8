//! Numbers that name something, by rows; and the gradient of what they name, by
//! columns.

use super::kernels::columns::Block;
use super::session::Context;
use crate::plan::{Buffer, Op};
use crate::rules::mapping::named;
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
        Op::Map { rule, x, y, view } => rule.apply(read(*x, view.width), write(*y, view.width)),
        Op::FiniteGradient { x, dy, dx, view } => {
            let (x, dy) = (read(*x, view.width), read(*dy, view.width));
            for ((dx, x), dy) in write(*dx, view.width).iter_mut().zip(x).zip(dy) {
                *dx = if x.is_finite() { *dy } else { 0.0 };
            }
        }
        Op::Encode {
            x,
            y,
            indices,
            count,
            view,
        } => {
            let x = read(*x, *indices).chunks(*indices);
            for (x, y) in x.zip(write(*y, view.width).chunks_mut(view.width)) {
                y.fill(0.0);
                for place in x.iter().filter_map(|&x| named(x, view.width)) {
                    y[place] = if *count { y[place] + 1.0 } else { 1.0 };
                }
            }
        }
        Op::Embed {
            x,
            w,
            y,
            rows,
            view,
        } => {
            // SAFETY: the whole variable, which nobody writes to in this phase.
            let w = unsafe { from_raw_parts(context.at(*w), rows * view.width) };
            let y = write(*y, view.width).chunks_mut(view.width);
            for (y, &x) in y.zip(read(*x, 1)) {
                match named(x, *rows) {
                    Some(row) => y.copy_from_slice(&w[row * view.width..][..view.width]),
                    None => y.fill(f32::NAN),
                }
            }
        }
        other => unreachable!("{other:?} is not cut by rows"),
    }
}

/// The block's columns of dw: the sums of dy's rows, in their order, by the row of
/// dw that x names.
pub(super) fn embed_gradient(
    context: &Context<'_>,
    (x, dy, dw): (Buffer, Buffer, Buffer),
    rows: usize,
    block: Block,
) {
    let width = block.to - block.from;
    // SAFETY: the block's columns belong to this task alone; the verifier has
    // compared the sizes: `x` has a number for each of the block's rows, dy a row
    // of `stride`, and dw `rows` such rows.
    unsafe {
        let (dy, dw) = (
            context.at(dy).add(block.from),
            context.at(dw).add(block.from),
        );
        for row in 0..rows {
            from_raw_parts_mut(dw.add(row * block.stride), width).fill(0.0);
        }
        let x = from_raw_parts(context.at(x), block.rows);
        for (i, &x) in x.iter().enumerate() {
            let Some(row) = named(x, rows) else { continue };
            let dy = from_raw_parts(dy.add(i * block.stride), width);
            let dw = from_raw_parts_mut(dw.add(row * block.stride), width);
            for (dw, dy) in dw.iter_mut().zip(dy) {
                *dw += dy;
            }
        }
    }
}
