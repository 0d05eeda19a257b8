//! The loss of each row, and its gradient.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::plan::Plan;
use crate::plan::ops::Loss;
use std::slice::{from_mut, from_raw_parts, from_raw_parts_mut};

impl Execute for Loss {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, view) = (part.rows(context), self.view);
        let target_width = self.target_width();
        let all = context.rows * view.positions;
        // SAFETY: the verifier has compared the sizes; the rows are this task's, and no output
        // shares an input's memory. Nobody writes to targets and weights, which are looked at
        // for the whole batch too.
        let (losses, targets, outputs, targets_of_all, weights) = unsafe {
            (
                rows.write(self.losses, 1),
                rows.read(self.target, target_width),
                rows.read(self.x, view.width),
                from_raw_parts(context.at(self.target), all * target_width),
                self.weight
                    .map(|w| from_raw_parts(context.at(w), context.rows)),
            )
        };
        let scale = self.rule.scale(all, targets_of_all, weights);
        let from = rows.from;
        let weight_of = |p: usize| weights.map_or(1.0, |w| w[(from + p) / view.positions]) * scale;
        match self.gradient {
            Some(gradient) => {
                // SAFETY: see above.
                let gradients = unsafe { rows.write(gradient, view.width) };
                self.rule
                    .rows(view.width, targets, outputs, losses, gradients);
                for (p, gradients) in gradients.chunks_exact_mut(view.width).enumerate() {
                    let share = self.share * weight_of(p) / all as f32;
                    gradients.iter_mut().for_each(|g| *g *= share);
                }
            }
            None => {
                // One row of scratch takes the place of each row's gradient.
                // SAFETY: the scratch is this thread's, and has room for a row.
                let gradients =
                    unsafe { from_raw_parts_mut(context.scratch(view.width), view.width) };
                for (p, loss) in losses.iter_mut().enumerate() {
                    self.rule.rows(
                        view.width,
                        &targets[p * target_width..(p + 1) * target_width],
                        &outputs[p * view.width..(p + 1) * view.width],
                        from_mut(loss),
                        gradients,
                    );
                }
            }
        }
        for (p, loss) in losses.iter_mut().enumerate() {
            *loss *= weight_of(p);
        }
    }

    fn scratch(&self, _plan: &Plan) -> usize {
        self.view.width
    }
}
