//! Groups that are cut by rows of a weight matrix: its gradient, and the update
//! by each block of it as soon as the block is there.

use super::kernels::columns::{Block, Sum};
use super::kernels::product::{PackRight, WeightBlock};
use super::kernels::update::{Accumulate, Extras, Update, UpdateWhole};
use super::session::Context;
use super::simd::{Isa, PANEL};
use crate::plan::op::Clip;
use crate::plan::{Buffer, Op, Plan};
use crate::rules::optimizers::{self, Coefficients, SLOTS};

/// Numbers of dy that are packed at a time: 128 KiB, a part of the second cache.
const PACKED: usize = 32_768;

/// Numbers of the gradient that are made before they are used: 16 KiB, half of
/// the first cache.
const MADE: usize = 4096;

/// How a group works through its part: columns and rows of dw at a time.
fn extent(batch_rows: usize, outputs: usize) -> (usize, usize) {
    let columns = (PACKED / batch_rows.max(1) / PANEL).max(1) * PANEL;
    let columns = columns.min(outputs);
    let rows = (MADE / columns / 12).max(1) * 12;
    (columns, rows)
}

/// The numbers of scratch that a plan's groups need.
pub(super) fn room(plan: &Plan) -> usize {
    let mut most = 0;
    for op in &plan.ops {
        most = most.max(match op {
            Op::ProductWeight { of, .. } => {
                let batch = plan.rows * of.positions;
                let (columns, rows) = extent(batch, of.outputs);
                PackRight::size(batch, columns) + rows * batch + rows * columns
            }
            Op::Loss { view, .. } => view.width,
            // These work in doubles.
            Op::Penalty {
                rule,
                size,
                columns,
                ..
            }
            | Op::PenaltyGradient {
                rule,
                size,
                columns,
                ..
            } => 2 * rule.scratch(*columns, size.of(plan.rows)),
            Op::Constrain { rule, shape, .. } => 2 * rule.scratch(shape),
            // The clipped gradient is there too.
            Op::Update {
                rule,
                whole: Some(shape),
                size,
                ..
            } => size + rule.scratch(shape),
            _ => 0,
        });
    }
    most
}

/// Rows `from..to` of a weight matrix: its gradient, and if the group has one
/// its update.
pub(super) fn run(context: &Context<'_>, ops: &[Op], from: usize, to: usize) {
    let Some((Op::ProductWeight { x, dy, dw, of }, followers)) = ops.split_first() else {
        unreachable!("the group starts with its product");
    };
    let batch = context.rows * of.positions;
    // By the plan's rows, not the batch's: a short batch must not need more room.
    let (columns, rows) = extent(context.plan.rows * of.positions, of.outputs);
    let gradient = context.at(*dw);
    let packed = context.scratch;
    // SAFETY: `room` has counted all three parts of the scratch; the rows and
    // columns are inside the matrices, and rows `from..to` are this task's.
    unsafe {
        let tiles = packed.add(PackRight::size(batch, columns));
        let made = tiles.add(rows * batch);
        for column in (0..of.outputs).step_by(columns) {
            let width = columns.min(of.outputs - column);
            context.isa.run(PackRight {
                rows: batch,
                dy: context.at(*dy).add(column),
                dy_stride: of.outputs,
                width,
                to: packed,
            });
            for row in (from..to).step_by(rows) {
                let end = (row + rows).min(to);
                let (dw, dw_stride) = if gradient.is_null() {
                    (made, width)
                } else {
                    (gradient.add(row * of.outputs + column), of.outputs)
                };
                context.isa.run(WeightBlock {
                    rows: batch,
                    x: context.at(*x),
                    x_stride: of.inputs,
                    packed,
                    from: row,
                    to: end,
                    width,
                    dw,
                    dw_stride,
                    pack: tiles,
                });
                for op in followers {
                    if width == of.outputs {
                        update(context, op, row * width, (end - row) * width, dw);
                        continue;
                    }
                    for r in row..end {
                        let gradient = dw.add((r - row) * dw_stride);
                        update(context, op, r * of.outputs + column, width, gradient);
                    }
                }
            }
        }
    }
}

/// An operation on numbers `from..to` of a variable.
pub(super) fn elements(context: &Context<'_>, op: &Op, from: usize, to: usize) {
    match op {
        Op::Update { gradient, .. } => {
            // SAFETY: inside the gradient, which is as long as the variable.
            let gradient = unsafe { context.at(*gradient).add(from) };
            update(context, op, from, to - from, gradient);
        }
        Op::SumGradients { a, b, y, size } => context.isa.run(Sum {
            a: context.at(*a),
            b: context.at(*b),
            y: context.at(*y),
            block: Block {
                rows: 1,
                stride: *size,
                from,
                to,
            },
        }),
        Op::PenaltyGradient { size, .. } => {
            let block = Block {
                rows: 1,
                stride: size.of(0),
                from,
                to,
            };
            super::columns::column_op(context, op, block);
        }
        Op::Accumulate {
            gradient,
            accumulator,
            y,
            ..
        } => {
            // SAFETY: inside the three, which are equally long.
            let at = |buffer: Buffer| unsafe { context.at(buffer).add(from) };
            context.isa.run(Accumulate {
                gradient: at(*gradient),
                accumulator: at(*accumulator),
                y: at(*y),
                step: context.step,
                size: to - from,
            });
        }
        other => unreachable!("{other:?} is not cut by elements"),
    }
}

/// The update of `size` numbers of a variable from `start` on, by the gradient
/// at `gradient`.
pub(super) fn update(
    context: &Context<'_>,
    op: &Op,
    start: usize,
    size: usize,
    gradient: *const f32,
) {
    let Op::Update {
        rule,
        w,
        slots,
        regularizer,
        accumulator,
        average,
        clip,
        decay,
        whole,
        ..
    } = op
    else {
        unreachable!("only an update follows a weight's gradient");
    };
    let (scale, bound) = match clip {
        Clip::None => (1.0, f32::INFINITY),
        Clip::Value(bound) => (1.0, *bound),
        Clip::Norm { norm, limit } => {
            // SAFETY: one number, written in an earlier phase.
            let norm = unsafe { *context.at(*norm) }.sqrt();
            (
                if norm > *limit { limit / norm } else { 1.0 },
                f32::INFINITY,
            )
        }
    };
    // SAFETY: `start` is inside the variable and its slots.
    let at = |buffer: Buffer| unsafe { context.at(buffer).add(start) };
    let mut pointers = [std::ptr::null_mut(); SLOTS];
    for (pointer, slot) in pointers.iter_mut().zip(slots) {
        *pointer = at(*slot);
    }
    let at_some = |buffer: &Option<Buffer>| buffer.map_or(std::ptr::null_mut(), at);
    let extras = Extras {
        regularizer: regularizer.as_ref(),
        accumulator: at_some(accumulator),
        average: at_some(average),
        step: context.step,
    };
    let some = regularizer.is_some() || accumulator.is_some() || average.is_some();
    rule.visit(Step {
        extras: (some || context.step.gathering).then_some(extras),
        isa: context.isa,
        coefficients: &context.step.coefficients,
        w: at(*w),
        gradient,
        slots: pointers,
        used: slots.len(),
        scale,
        bound,
        decay: decay * context.step.coefficients[0],
        whole: whole.as_deref().map(|shape| (shape, context.scratch)),
        size,
    });
}

struct Step<'a> {
    isa: Isa,
    coefficients: &'a Coefficients,
    w: *mut f32,
    gradient: *const f32,
    slots: [*mut f32; SLOTS],
    used: usize,
    scale: f32,
    bound: f32,
    decay: f32,
    extras: Option<Extras<'a>>,
    /// The shape and the room of a step that takes the whole variable.
    whole: Option<(&'a [usize], *mut f32)>,
    size: usize,
}

impl optimizers::Visit for Step<'_> {
    type Output = ();
    fn visit<R: optimizers::Formula>(self, rule: &R) {
        let update = Update {
            rule,
            coefficients: self.coefficients,
            w: self.w,
            gradient: self.gradient,
            slots: self.slots,
            used: self.used,
            scale: self.scale,
            bound: self.bound,
            decay: self.decay,
            extras: self.extras,
            size: self.size,
        };
        match self.whole {
            None => self.isa.run(update),
            Some((shape, scratch)) => self.isa.run(UpdateWhole {
                update,
                shape,
                scratch,
            }),
        }
    }
}
