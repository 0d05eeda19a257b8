//! Weight matrices: a gradient, block by block, and the update by each block as
//! soon as it is there.

use super::kernels::columns::{Block, Sum};
use super::kernels::factors::{Lanes, Left};
use super::kernels::pack::{PackLanes, Transpose};
use super::kernels::product::WeightBlock;
use super::kernels::update::{Accumulate, Extras, Update, UpdateWhole};
use super::layout::Laned;
use super::session::Context;
use super::simd::{Isa, PANEL};
use crate::plan::op::{Clip, Factors};
use crate::plan::{Buffer, Op, Plan};
use crate::rules::optimizers::{self, Coefficients, SLOTS};

/// Numbers of dy that are packed at a time: 256 KiB, half of the second cache.
const PACKED: usize = 65_536;

/// Numbers of x that are turned at a time: 128 KiB, a quarter of it.
const TURNED: usize = 32_768;

/// The most rows of the gradient that are made before they are used: with their
/// weights and slots, half of the first cache. Whole tiles.
const MADE: usize = 120;

/// How a group works through its part: columns and rows of dw at a time.
fn extent(batch: usize, of: &Factors) -> (usize, usize) {
    let columns = (PACKED / batch.max(1) / PANEL).max(1) * PANEL;
    let rows = (TURNED / batch.max(1) / 24).max(1) * 24;
    (columns.min(of.outputs), rows.min(of.inputs))
}

/// The numbers of scratch that a plan's groups need.
pub(super) fn room(plan: &Plan) -> usize {
    let mut most = 0;
    for op in &plan.ops {
        most = most.max(match op {
            Op::ProductWeight { of, .. } => {
                let batch = plan.rows * of.positions;
                let (columns, rows) = extent(batch, of);
                (batch * columns + PANEL).next_multiple_of(16) + rows * batch + MADE * PANEL
            }
            Op::Loss { view, .. } => view.width,
            // These work in doubles, on a matrix that may have to be copied.
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
            } => 2 * rule.scratch(*columns, size.of(plan.rows)) + 2 * size.of(plan.rows),
            Op::Constrain {
                rule, shape, size, ..
            } => 2 * rule.scratch(shape) + *size,
            // Copies of the weights, the gradient and the slots.
            Op::Update {
                rule,
                whole: Some(shape),
                slots,
                size,
                ..
            } => (2 + slots.len()) * size + rule.scratch(shape),
            _ => 0,
        });
    }
    most
}

/// Columns `from..to` of a weight matrix: its gradient, and if the group has one
/// its update.
pub(super) fn run(context: &Context<'_>, ops: &[Op], from: usize, to: usize) {
    let Some((Op::ProductWeight { x, dy, dw, of }, followers)) = ops.split_first() else {
        unreachable!("the group starts with its product");
    };
    let isa = context.isa;
    let batch = context.rows * of.positions;
    // By the plan's rows, not the batch's: a short batch must not need more room.
    let (columns, rows) = extent(context.plan.rows * of.positions, of);
    let matrix = Laned {
        rows: of.inputs,
        columns: of.outputs,
    };
    let gradient = context.at(*dw);
    let packed = context.scratch;
    // SAFETY: `room` has counted all three parts of the scratch; the rows and
    // columns are inside the matrices, and columns `from..to` are this task's.
    unsafe {
        let turned = packed.add((batch * columns + PANEL).next_multiple_of(16));
        let made = turned.add(rows * batch);
        for start in (from..to).step_by(columns) {
            let width = columns.min(to - start);
            let dy = signal(context, *dy, of, batch, start, width);
            for first in (0..of.inputs).step_by(rows) {
                let end = (first + rows).min(of.inputs);
                let lanes = context.lanes(*x, batch, of.inputs);
                if lanes.is_none() {
                    isa.run(Transpose {
                        rows: batch,
                        x: context.at(*x),
                        x_stride: of.inputs,
                        from: first,
                        to: end,
                        y: turned,
                    });
                }
                let panels = (0..width).step_by(isa.panel());
                let blocks = panels.flat_map(|column| {
                    let rows = (first..end).step_by(MADE);
                    rows.map(move |row| (column, row))
                });
                for (column, row) in blocks {
                    let rows = MADE.min(end - row);
                    let columns = isa.panel().min(width - column);
                    let (place, _) = matrix.at(isa, row, start + column);
                    let (dw, dw_stride) = if gradient.is_null() {
                        (made, rows * isa.width())
                    } else {
                        (gradient.add(place), of.inputs * isa.width())
                    };
                    isa.run(WeightBlock {
                        batch,
                        x: match lanes {
                            Some(lanes) => Left::Columns(lanes, row),
                            None => Left::Plain(turned.add((row - first) * batch), batch),
                        },
                        rows,
                        dy,
                        lane: column / isa.width(),
                        lanes: columns.div_ceil(isa.width()),
                        dw,
                        dw_stride,
                    });
                    for op in followers {
                        for (lane, i) in (0..columns).step_by(isa.width()).enumerate() {
                            let (place, width) = matrix.at(isa, row, start + column + i);
                            update(context, op, place, rows * width, dw.add(lane * dw_stride));
                        }
                    }
                }
            }
        }
    }
}

/// Columns of dy, lane by lane, as a product reads them: with a lane's room behind the
/// last.
///
/// # Safety
/// dy must have the columns, and the scratch room for them.
unsafe fn signal(
    context: &Context<'_>,
    dy: Buffer,
    of: &Factors,
    batch: usize,
    start: usize,
    width: usize,
) -> Lanes {
    let packed = context.scratch;
    // SAFETY: the caller's promise; lane by lane, the columns lie together.
    let from = unsafe {
        let dy_at = context.at(dy);
        if !context.lies_laned(dy) {
            context.isa.run(PackLanes {
                rows: batch,
                dy: dy_at.add(start),
                dy_stride: of.outputs,
                width,
                to: packed,
            });
            packed
        } else if width.is_multiple_of(context.isa.width()) {
            dy_at.add(start * batch)
        } else {
            let columns = dy_at.add(start * batch);
            std::ptr::copy_nonoverlapping(columns, packed, width * batch);
            packed
        }
    };
    Lanes {
        from,
        rows: batch,
        columns: width,
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
                laned: false,
            },
        }),
        Op::PenaltyGradient { size, .. } => {
            let block = Block {
                rows: 1,
                stride: size.of(0),
                from,
                to,
                laned: false,
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
        rate,
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
        decay: *decay,
        rate: *rate,
        whole: whole.as_deref().map(|shape| InWhole {
            shape,
            laned: context.laned(*w),
            scratch: context.scratch,
        }),
        size,
    });
}

/// What a step needs that takes the whole variable.
struct InWhole<'a> {
    shape: &'a [usize],
    laned: Option<Laned>,
    scratch: *mut f32,
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
    rate: f32,
    extras: Option<Extras<'a>>,
    whole: Option<InWhole<'a>>,
    size: usize,
}

impl optimizers::Visit for Step<'_> {
    type Output = ();
    fn visit<R: optimizers::Formula>(self, rule: &R) {
        let coefficients = rule.at_rate(self.coefficients, self.rate);
        let update = Update {
            rule,
            coefficients: &coefficients,
            w: self.w,
            gradient: self.gradient,
            slots: self.slots,
            used: self.used,
            scale: self.scale,
            bound: self.bound,
            decay: self.decay * coefficients[0],
            extras: self.extras,
            size: self.size,
        };
        match self.whole {
            None => self.isa.run(update),
            Some(whole) => self.isa.run(UpdateWhole {
                update,
                isa: self.isa,
                shape: whole.shape,
                laned: whole.laned,
                scratch: whole.scratch,
            }),
        }
    }
}
