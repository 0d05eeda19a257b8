//! Operations that are not cut.

use super::kernels::update::{Penalty, SquaredNorm};
use super::session::Context;
use super::weights;
use crate::plan::{Buffer, Op, Size};

/// Does an operation.
pub(super) fn run(context: &Context<'_>, op: &Op) {
    match op {
        Op::SquaredNorm { gradients, norm } => {
            let squares = gradients.iter().map(|&(g, size)| {
                context.isa.run(SquaredNorm {
                    x: context.at(g),
                    size,
                })
            });
            let total: f64 = squares.sum();
            // SAFETY: one number, which this task alone writes.
            unsafe { *context.at(*norm) = total as f32 };
        }
        Op::Update { gradient, size, .. } => {
            weights::update(context, op, 0, *size, context.at(*gradient));
        }
        Op::Constant { y, values } => {
            // SAFETY: the buffer has as many numbers, which this task alone writes.
            unsafe {
                std::ptr::copy_nonoverlapping(values.as_ptr(), context.at(*y), values.len());
            }
        }
        Op::Penalty {
            rule,
            x,
            penalty,
            size,
            columns,
        } => {
            let size = size.of(context.rows);
            let total = match rule.l1_l2() {
                Some(rule) => context.isa.run(Penalty {
                    rule: &rule,
                    x: context.at(*x),
                    size,
                }),
                None => {
                    let (scratch, room) = doubles(context, rule.scratch(*columns, size));
                    // SAFETY: the buffer is that long, and nobody writes to it
                    // in this phase.
                    let values = unsafe { std::slice::from_raw_parts(context.at(*x), size) };
                    rule.matrix(*columns, plain(context, *x, values, room), None, scratch)
                }
            };
            // SAFETY: one number, which this task alone writes.
            unsafe { *context.at(*penalty) = total as f32 };
        }
        Op::PenaltyGradient {
            rule,
            x,
            dx,
            size,
            columns,
        } => {
            let by_row = matches!(size, Size::PerRow(_));
            let size = size.of(context.rows);
            let (scratch, room) = doubles(context, rule.scratch(*columns, size));
            // SAFETY: both buffers are that long; nobody writes to the first in
            // this phase, and this task alone touches the second. The scratch
            // has room for both.
            let (x_now, dx_now, room, slopes) = unsafe {
                (
                    std::slice::from_raw_parts(context.at(*x), size),
                    std::slice::from_raw_parts_mut(context.at(*dx), size),
                    room,
                    std::slice::from_raw_parts_mut(room.add(size), size),
                )
            };
            let x_now = plain(context, *x, x_now, room);
            slopes.fill(0.0);
            rule.matrix(*columns, x_now, Some(slopes), scratch);
            if by_row {
                let rows = context.rows as f32;
                slopes.iter_mut().for_each(|g| *g /= rows);
            }
            match context.laned(*dx) {
                Some(matrix) => matrix.pack(context.isa, slopes, dx_now),
                None => dx_now.copy_from_slice(slopes),
            }
        }
        Op::Constrain {
            rule,
            w,
            shape,
            size,
        } => {
            let (scratch, room) = doubles(context, rule.scratch(shape));
            // SAFETY: the variable is that long, and this task alone touches
            // it; so is the room.
            let (values, room) = unsafe {
                (
                    std::slice::from_raw_parts_mut(context.at(*w), *size),
                    std::slice::from_raw_parts_mut(room, *size),
                )
            };
            match context.laned(*w) {
                Some(matrix) => {
                    matrix.unpack(context.isa, values, room);
                    rule.apply_in(shape, room, scratch);
                    matrix.pack(context.isa, room, values);
                }
                None => rule.apply_in(shape, values, scratch),
            }
        }
        other => unreachable!("{other:?} can be cut"),
    }
}

/// The numbers of a buffer row after row: themselves, or a copy in `room`.
fn plain<'a>(
    context: &Context<'_>,
    buffer: Buffer,
    values: &'a [f32],
    room: *mut f32,
) -> &'a [f32] {
    let Some(matrix) = context.laned(buffer) else {
        return values;
    };
    // SAFETY: `weights::room` has counted as many numbers behind the doubles.
    let room = unsafe { std::slice::from_raw_parts_mut(room, values.len()) };
    matrix.unpack(context.isa, values, room);
    room
}

/// This thread's room as so many doubles, and where it goes on behind them.
#[allow(clippy::mut_from_ref)]
fn doubles<'a>(context: &'a Context<'_>, count: usize) -> (&'a mut [f64], *mut f32) {
    // SAFETY: the scratch is this thread's alone and starts a cache line;
    // `weights::room` has counted two floats for each double.
    unsafe {
        let doubles = std::slice::from_raw_parts_mut(context.scratch.cast::<f64>(), count);
        (doubles, context.scratch.add(2 * count))
    }
}
