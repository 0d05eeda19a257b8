//! Updates of the variables: gradients summed, measured and gathered, steps, constraints.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::isa::Isa;
use crate::engine::cpu::kernels::{columns, update};
use crate::engine::cpu::packed::PanelPacked;
use crate::plan::ops::{Accumulate, Clip, Constrain, SquaredNorm, SumGradients, Update};
use crate::plan::{Buffer, Plan};
use crate::rules::optimizers::{self, Coefficients, SLOTS};
use std::slice::from_raw_parts_mut;

impl Execute for SumGradients {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(columns::Sum {
            a: context.at(self.a),
            b: context.at(self.b),
            y: context.at(self.y),
            block: part.block(self.size),
        });
    }
}

impl Execute for SquaredNorm {
    fn run(&self, context: &Context<'_>, _part: Part<'_>) {
        let squares = self.gradients.iter().map(|&(gradient, size)| {
            context.isa.run(update::SquaredNorm {
                x: context.at(gradient),
                size,
            })
        });
        let total: f64 = squares.sum();
        // SAFETY: one element, which this task alone writes.
        unsafe { *context.at(self.norm) = total as f32 };
    }
}

impl Execute for Accumulate {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let Part::Elements(from, to) = part else {
            unreachable!("it is cut by elements")
        };
        // SAFETY: inside the three, whose sizes the verifier has compared.
        let at = |buffer: Buffer| unsafe { context.at(buffer).add(from) };
        context.isa.run(update::Accumulate {
            gradient: at(self.gradient),
            accumulator: at(self.accumulator),
            y: at(self.y),
            step: context.step,
            size: to - from,
        });
    }
}

impl Execute for Constrain {
    fn run(&self, context: &Context<'_>, _part: Part<'_>) {
        let (scratch, room) = context.doubles(self.rule.scratch(&self.shape), self.size);
        // SAFETY: the verifier has compared the size of the variable, which this task alone
        // touches; the room is as long.
        let (values, room) = unsafe {
            (
                from_raw_parts_mut(context.at(self.w), self.size),
                from_raw_parts_mut(room, self.size),
            )
        };
        match context.packed_weights(self.w) {
            Some(matrix) => {
                matrix.unpack(context.isa, values, room);
                self.rule.apply_in(&self.shape, room, scratch);
                matrix.pack(context.isa, room, values);
            }
            None => self.rule.apply_in(&self.shape, values, scratch),
        }
    }

    fn scratch(&self, _plan: &Plan) -> usize {
        2 * self.rule.scratch(&self.shape) + self.size
    }
}

impl Execute for Update {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        // SAFETY: inside the gradient, which the verifier has found as long as the variable.
        let gradient = |from| unsafe { context.at(self.gradient).add(from) };
        match part {
            Part::Elements(from, to) => self.step(context, from, to - from, gradient(from)),
            Part::Columns(block) => {
                self.step(context, block.from, block.width(), gradient(block.from));
            }
            Part::Whole => self.step(context, 0, self.size, gradient(0)),
            Part::Panel(panel) => {
                for lane in 0..panel.lanes {
                    let column = panel.column + lane * context.isa.width();
                    let (at, width) = panel.matrix.at(context.isa, panel.row, column);
                    // SAFETY: it has the lane.
                    let dw = unsafe { panel.dw.lane(lane, panel.lanes) };
                    self.step(context, at, panel.rows * width, dw);
                }
            }
            Part::Weights { .. } | Part::Rows(..) => {
                unreachable!("an update follows its gradient, or is cut by elements")
            }
        }
    }

    /// Of a whole variable, copies of the weights, the gradient and the slots.
    fn scratch(&self, _plan: &Plan) -> usize {
        self.whole.as_ref().map_or(0, |shape| {
            (2 + self.slots.len()) * self.size + self.rule.scratch(shape)
        })
    }
}

impl Update {
    /// The step on `size` elements of the variable from `start` on, by the gradient at
    /// `gradient`.
    fn step(&self, context: &Context<'_>, start: usize, size: usize, gradient: *const f32) {
        let (scale, bound) = match self.clip {
            Clip::None => (1.0, f32::INFINITY),
            Clip::Value(bound) => (1.0, bound),
            Clip::Norm { norm, limit } => {
                // SAFETY: one element, written in an earlier phase.
                let norm = unsafe { *context.at(norm) }.sqrt();
                (if norm > limit { limit / norm } else { 1.0 }, f32::INFINITY)
            }
        };
        // SAFETY: `start` is inside the variable and its slots.
        let at = |buffer: Buffer| unsafe { context.at(buffer).add(start) };
        let mut pointers = [std::ptr::null_mut(); SLOTS];
        for (pointer, slot) in pointers.iter_mut().zip(&self.slots) {
            *pointer = at(*slot);
        }
        let at_some = |buffer: Option<Buffer>| buffer.map_or(std::ptr::null_mut(), at);
        let extras = update::Extras {
            regularizer: self.regularizer.as_ref(),
            accumulator: at_some(self.accumulator),
            average: at_some(self.average),
            keeps_zeros: self.keeps_zeros,
            step: context.step,
        };
        let some = self.regularizer.is_some() || self.accumulator.is_some();
        let some = some || self.average.is_some() || self.keeps_zeros;
        self.rule.visit(Step {
            extras: (some || context.step.gathering).then_some(extras),
            isa: context.isa,
            coefficients: &context.step.coefficients,
            w: at(self.w),
            gradient,
            slots: pointers,
            used: self.slots.len(),
            scale,
            bound,
            decay: self.decay,
            rate: self.rate,
            whole: self.whole.as_deref().map(|shape| InWhole {
                shape,
                packed: context.packed_weights(self.w),
                scratch: context.scratch(self.scratch(context.plan())),
            }),
            size,
        });
    }
}

/// The needs of a step that takes the whole variable.
struct InWhole<'a> {
    shape: &'a [usize],
    packed: Option<PanelPacked>,
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
    extras: Option<update::Extras<'a>>,
    whole: Option<InWhole<'a>>,
    size: usize,
}

impl optimizers::Visit for Step<'_> {
    type Output = ();
    fn visit<R: optimizers::OptimizerFormula>(self, rule: &R) {
        let coefficients = rule.at_rate(self.coefficients, self.rate);
        let update = update::Update {
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
            Some(whole) => self.isa.run(update::UpdateWhole {
                update,
                isa: self.isa,
                shape: whole.shape,
                packed: whole.packed,
                scratch: whole.scratch,
            }),
        }
    }
}
