//! Batch normalization whose sums are made in parts, and other sums of parts of the matrix rows.

use super::{Execute, Part};
use crate::engine::cpu::chunks;
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::{batch_norm, batch_norm_parts};
use crate::plan::ops::{
    BatchMoments, BatchNormApply, BatchNormApplyGradient, BatchNormSums, BiasSums, MergeMoments,
};
use crate::plan::{Plan, View};

/// Some rows of one part.
struct Stretch {
    /// The number of the part.
    part: usize,
    /// Its rows before these, which have been summed.
    before: usize,
    block: batch_norm_parts::Rows,
}

/// The part that some rows are of.
fn stretch(context: &Context<'_>, view: View, part: Part<'_>) -> Stretch {
    let rows = part.rows(context);
    let (all, count) = (context.rows * view.positions, view.parts());
    // A part's rows begin with this one, or before it.
    let part = ((rows.from + 1) * count).div_ceil(all) - 1;
    let start = chunks::start(all, count, part);
    debug_assert!(start <= rows.from && rows.to <= chunks::start(all, count, part + 1));
    Stretch {
        part,
        before: rows.from - start,
        block: batch_norm_parts::Rows {
            first: rows.from,
            rows: rows.count(),
            width: view.width,
        },
    }
}

impl Execute for BatchMoments {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let Stretch {
            part,
            before,
            block,
        } = stretch(context, self.view, part);
        let width = self.view.width;
        context.isa.run(batch_norm_parts::BatchMoments {
            x: context.at(self.x),
            // SAFETY: the verifier has compared the sizes.
            moments: unsafe { context.at(self.parts).add(2 * part * width) },
            own: context.scratch(width),
            before,
            block,
        });
    }

    fn scratch(&self, _plan: &Plan) -> usize {
        self.view.width
    }
}

impl Execute for MergeMoments {
    fn run(&self, context: &Context<'_>, _part: Part<'_>) {
        context.isa.run(batch_norm_parts::MergeMoments {
            parts: context.at(self.parts),
            count: self.view.parts(),
            rows: context.rows * self.view.positions,
            statistics: batch_norm::Statistics {
                moving_mean: context.at(self.moving_mean),
                moving_variance: context.at(self.moving_variance),
                mean: context.at(self.mean),
                inverse: context.at(self.inverse),
                momentum: self.momentum,
                epsilon: self.epsilon,
            },
            width: self.view.width,
        });
    }
}

impl Execute for BatchNormApply {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(batch_norm::BatchNormApply {
            x: context.at(self.x),
            gamma: context.at_some(self.gamma),
            beta: context.at_some(self.beta),
            mean: context.at(self.mean),
            inverse: context.at(self.inverse),
            y: context.at(self.y),
            block: part.columns(),
            alike: true,
        });
    }
}

impl Execute for BatchNormSums {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let Stretch {
            part,
            before,
            block,
        } = stretch(context, self.view, part);
        // SAFETY: the verifier has compared the sizes.
        let of_part = |buffer| unsafe { context.at(buffer).add(part * self.view.width) };
        context.isa.run(batch_norm_parts::BatchNormSums {
            x: context.at(self.x),
            mean: context.at(self.mean),
            inverse: context.at(self.inverse),
            dy: context.at(self.dy),
            dbeta: of_part(self.dbeta),
            dgamma: of_part(self.dgamma),
            add: before > 0,
            block,
        });
    }
}

impl Execute for BatchNormApplyGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(batch_norm_parts::BatchNormApplyGradient {
            x: context.at(self.x),
            gamma: context.at_some(self.gamma),
            mean: context.at(self.mean),
            inverse: context.at(self.inverse),
            dy: context.at(self.dy),
            dbeta: context.at(self.dbeta),
            dgamma: context.at(self.dgamma),
            dx: context.at(self.dx),
            of: context.rows * self.view.positions,
            block: part.columns(),
        });
    }
}

impl Execute for BiasSums {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let Stretch {
            part,
            before,
            block,
        } = stretch(context, self.view, part);
        context.isa.run(batch_norm_parts::ColumnSums {
            x: context.at(self.dy),
            // SAFETY: the verifier has compared the sizes.
            sums: unsafe { context.at(self.parts).add(part * self.view.width) },
            add: before > 0,
            block,
        });
    }
}
