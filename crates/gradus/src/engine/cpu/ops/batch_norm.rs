//! Batch normalization, by column.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::batch_norm;
use crate::plan::ops::{
    BatchNormInfer, BatchNormInferGradient, BatchNormTrain, BatchNormTrainGradient,
};

impl Execute for BatchNormTrain {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(batch_norm::BatchNormTrain {
            x: context.at(self.x),
            gamma: context.at_some(self.gamma),
            beta: context.at_some(self.beta),
            statistics: batch_norm::Statistics {
                moving_mean: context.at(self.moving_mean),
                moving_variance: context.at(self.moving_variance),
                mean: context.at(self.mean),
                inverse: context.at(self.inverse),
                momentum: self.momentum,
                epsilon: self.epsilon,
            },
            y: context.at(self.y),
            block: part.columns(),
            alike: context.is_packed(self.x) == context.is_packed(self.y),
        });
    }
}

impl Execute for BatchNormTrainGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(batch_norm::BatchNormTrainGradient {
            x: context.at(self.x),
            gamma: context.at_some(self.gamma),
            mean: context.at(self.mean),
            inverse: context.at(self.inverse),
            dy: context.at(self.dy),
            dx: context.at(self.dx),
            dgamma: context.at_some(self.dgamma),
            dbeta: context.at_some(self.dbeta),
            block: part.columns(),
        });
    }
}

impl Execute for BatchNormInfer {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(batch_norm::BatchNormInfer {
            x: context.at(self.x),
            gamma: context.at_some(self.gamma),
            beta: context.at_some(self.beta),
            mean: context.at(self.mean),
            variance: context.at(self.variance),
            y: context.at(self.y),
            epsilon: self.epsilon,
            block: part.columns(),
        });
    }
}

/// A normalization without mean and β.
impl Execute for BatchNormInferGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(batch_norm::BatchNormInfer {
            x: context.at(self.dy),
            gamma: context.at_some(self.gamma),
            beta: std::ptr::null(),
            mean: std::ptr::null(),
            variance: context.at(self.variance),
            y: context.at(self.dx),
            epsilon: self.epsilon,
            block: part.columns(),
        });
    }
}
