//! What is done to weights number by number, above all their update.

use super::kernels::columns::{Block, Sum};
use super::kernels::product::PACK_SIZE;
use super::kernels::update::{Accumulate, Extras, Update, UpdateWhole};
use super::layout::Laned;
use super::session::Context;
use super::simd::Isa;
use super::{gradient, pairs, sparse};
use crate::plan::op::Clip;
use crate::plan::{Buffer, Op, Plan};
use crate::rules::optimizers::{self, Coefficients, SLOTS};

/// The numbers of scratch that a plan's groups need.
pub(super) fn room(plan: &Plan) -> usize {
    let mut most = 0;
    for op in &plan.ops {
        most = most.max(match op {
            Op::Product { of, .. } | Op::ProductInput { of, .. } => {
                let rows = plan.rows * of.positions;
                let depth = match op {
                    Op::Product { .. } => of.inputs,
                    _ => of.outputs,
                };
                let joined = match plan.bfloat16 {
                    true => pairs::room(rows, depth),
                    false => 0,
                };
                PACK_SIZE.max(sparse::room(rows)).max(joined)
            }
            Op::ProductWeight { of, .. } => gradient::room(plan.rows * of.positions, of),
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
        Op::PenaltyGradient { size, .. } | Op::Round { size, .. } => {
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
