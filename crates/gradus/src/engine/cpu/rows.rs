//! Operations that are cut by rows.

use super::kernels::rows::{Softmax, SoftmaxGradient, StandardizeRows, StandardizeRowsGradient};
use super::session::Context;
use super::{augment, merge};
use crate::plan::{Buffer, Op};
use crate::rules::losses::Targets;

/// An operation on matrix rows `from..to`.
pub(super) fn run(context: &Context<'_>, op: &Op, from: usize, to: usize) {
    // SAFETY, of this function: `from..to` is inside the view's rows, and
    // belongs to this task alone.
    match op {
        Op::Softmax { x, y, log, view } => {
            let start = from * view.width;
            context.isa.run(Softmax {
                // SAFETY: see above.
                x: unsafe { context.at(*x).add(start) },
                // SAFETY: see above.
                y: unsafe { context.at(*y).add(start) },
                log: *log,
                rows: to - from,
                width: view.width,
            });
        }
        Op::SoftmaxGradient {
            y,
            dy,
            dx,
            log,
            view,
        } => {
            let start = from * view.width;
            context.isa.run(SoftmaxGradient {
                // SAFETY: see above.
                y: unsafe { context.at(*y).add(start) },
                // SAFETY: see above.
                dy: unsafe { context.at(*dy).add(start) },
                // SAFETY: see above.
                dx: unsafe { context.at(*dx).add(start) },
                log: *log,
                rows: to - from,
                width: view.width,
            });
        }
        Op::StandardizeRows {
            x,
            y,
            inverse,
            epsilon,
            view,
        } => {
            let start = from * view.width;
            context.isa.run(StandardizeRows {
                // SAFETY: see above.
                x: unsafe { context.at(*x).add(start) },
                // SAFETY: see above.
                y: unsafe { context.at(*y).add(start) },
                // SAFETY: see above; one number for each row.
                inverse: unsafe { context.at(*inverse).add(from) },
                epsilon: *epsilon,
                rows: to - from,
                width: view.width,
            });
        }
        Op::StandardizeRowsGradient {
            y,
            inverse,
            dy,
            dx,
            view,
        } => {
            let start = from * view.width;
            context.isa.run(StandardizeRowsGradient {
                // SAFETY: see above.
                y: unsafe { context.at(*y).add(start) },
                // SAFETY: see above; one number for each row.
                inverse: unsafe { context.at(*inverse).add(from) },
                // SAFETY: see above.
                dy: unsafe { context.at(*dy).add(start) },
                // SAFETY: see above.
                dx: unsafe { context.at(*dx).add(start) },
                rows: to - from,
                width: view.width,
            });
        }
        Op::Permute {
            x, y, dims, order, ..
        } => {
            let size = dims.iter().product::<usize>();
            let (x, y) = (context.at(*x), context.at(*y));
            for row in from..to {
                // SAFETY: see above; a row of each has `size` numbers.
                unsafe { permute(x.add(row * size), y.add(row * size), dims, order) };
            }
        }
        Op::Loss {
            rule,
            x,
            target,
            weight,
            losses,
            gradient,
            share,
            view,
        } => {
            let target_width = match rule.targets() {
                Targets::ClassNumbers => 1,
                Targets::LikeOutputs => view.width,
            };
            let count = to - from;
            let slice = |buffer: Buffer, width: usize| {
                // SAFETY: see above.
                unsafe {
                    std::slice::from_raw_parts(context.at(buffer).add(from * width), count * width)
                }
            };
            // SAFETY: see above; without a gradient, one row of scratch takes
            // the place of each row's.
            let losses =
                unsafe { std::slice::from_raw_parts_mut(context.at(*losses).add(from), count) };
            let targets = slice(*target, target_width);
            let outputs = slice(*x, view.width);
            let all = context.rows * view.positions;
            // SAFETY: the targets and weights of the whole batch, which nobody
            // writes to.
            let (targets_of_all, weights) = unsafe {
                (
                    std::slice::from_raw_parts(context.at(*target), all * target_width),
                    weight.map(|w| std::slice::from_raw_parts(context.at(w), context.rows)),
                )
            };
            let scale = rule.scale(all, targets_of_all, weights);
            let weight_of =
                |p: usize| weights.map_or(1.0, |w| w[(from + p) / view.positions]) * scale;
            match gradient {
                Some(gradient) => {
                    // SAFETY: see above.
                    let slopes = unsafe {
                        let start = context.at(*gradient).add(from * view.width);
                        std::slice::from_raw_parts_mut(start, count * view.width)
                    };
                    rule.rows(view.width, targets, outputs, losses, slopes);
                    for (p, slopes) in slopes.chunks_exact_mut(view.width).enumerate() {
                        let share = share * weight_of(p) / all as f32;
                        slopes.iter_mut().for_each(|s| *s *= share);
                    }
                }
                None => {
                    // SAFETY: the scratch is this thread's, and has room for a row.
                    let slopes =
                        unsafe { std::slice::from_raw_parts_mut(context.scratch, view.width) };
                    for (p, loss) in losses.iter_mut().enumerate() {
                        rule.rows(
                            view.width,
                            &targets[p * target_width..(p + 1) * target_width],
                            &outputs[p * view.width..(p + 1) * view.width],
                            std::slice::from_mut(loss),
                            slopes,
                        );
                    }
                }
            }
            for (p, loss) in losses.iter_mut().enumerate() {
                *loss *= weight_of(p);
            }
        }
        Op::Augment { .. }
        | Op::AugmentGradient { .. }
        | Op::Resize { .. }
        | Op::ResizeGradient { .. } => augment::rows(context, op, from, to),
        other => merge::rows(context, other, from, to),
    }
}

/// One row with its axes in another order.
///
/// # Safety
/// `x` and `y` lead to as many numbers as `dims` says.
unsafe fn permute(x: *const f32, mut y: *mut f32, dims: &[usize], order: &[usize]) {
    let Some((&axis, inner)) = order.split_first() else {
        // SAFETY: the caller's promise.
        unsafe { *y = *x };
        return;
    };
    let stride: usize = dims[axis + 1..].iter().product();
    let size: usize = inner.iter().map(|&axis| dims[axis]).product();
    for i in 0..dims[axis] {
        // SAFETY: the i-th part of each, along this axis.
        unsafe {
            permute(x.add(i * stride), y, dims, inner);
            y = y.add(size);
        }
    }
}
