//! Mixup in a plan: each row of the batch is some of one row and some of another.

use super::graph::Model;
use super::lowering::target_shape;
use crate::base::shape::Shape;
use crate::error::Result;
use crate::plan::Buffer;
use crate::plan::backward::Start;
use crate::plan::lower::{Lowering, Value};
use crate::rules::losses::{Loss, Targets};
use crate::rules::pairwise::Pairwise;

/// What the losses of mixed rows need.
pub(super) struct Mixing {
    /// The targets of the rows, and of those that they are mixed with.
    targets: Vec<Value>,
    others: Vec<Value>,
    /// How much of each.
    share: Value,
    rest: Value,
}

impl Model {
    /// The feeds of a plan of mixed rows are in this order: the inputs and targets of
    /// the rows; those of the others; the shares of the first, and of the second.
    /// The inputs become mixtures.
    pub(super) fn mix(&self, plan: &mut Lowering, inputs: &mut [Value]) -> Result<Mixing> {
        let shapes = self.output_shapes()?;
        let goals = self.compiled()?.trained();
        let shapes: Vec<Shape> = goals
            .map(|(output, goal)| target_shape(&goal.loss, &shapes[output]))
            .collect();
        let feeds = |plan: &mut Lowering| -> Vec<Value> {
            let shapes = shapes.iter().cloned();
            shapes.map(|shape| plan.feed("target", shape)).collect()
        };
        let targets = feeds(plan);
        let inputs_of_others: Vec<Value> = inputs
            .iter()
            .map(|input| plan.feed("input", input.shape.clone()))
            .collect();
        let others = feeds(plan);
        let mixing = Mixing {
            targets,
            others,
            share: plan.feed("share", Shape::default()),
            rest: plan.feed("rest", Shape::default()),
        };
        for (input, other) in inputs.iter_mut().zip(&inputs_of_others) {
            *input = mixing.mixture(plan, input, other);
        }
        Ok(mixing)
    }
}

impl Mixing {
    /// share · a + rest · b, row by row.
    fn mixture(&self, plan: &mut Lowering, a: &Value, b: &Value) -> Value {
        let mut part = |share: &Value, x: &Value| {
            let share = plan.reshape(share, Shape::new(vec![1; x.shape.rank()]));
            let share = plan.spread(&share, &x.shape);
            plan.combine(Pairwise::Multiply, &share, x)
        };
        let (a, b) = (part(&self.share, a), part(&self.rest, b));
        plan.sum(&a, &b)
    }

    /// The loss of the `n`-th trained output, and where the gradients of that share
    /// start, if they are wanted.
    pub(super) fn loss(
        &self,
        plan: &mut Lowering,
        rule: &Loss,
        output: &Value,
        n: usize,
        gradient: Option<f64>,
    ) -> (Buffer, Vec<Start>) {
        let (target, other) = (&self.targets[n], &self.others[n]);
        if rule.targets() == Targets::LikeOutputs {
            let target = self.mixture(plan, target, other);
            let (losses, start) = plan.loss(rule, output, &target, None, gradient);
            return (losses, start.into_iter().collect());
        }
        // Crossentropies are linear in a one-hot target: the loss of a mixture is the
        // mixture of the losses.
        let mut part = |target, share| plan.loss(rule, output, target, Some(share), gradient);
        let (a, start) = part(target, &self.share);
        let (b, other_start) = part(other, &self.rest);
        let shape: Shape = [output.view().positions].into();
        let losses = |buffer| Value {
            buffer,
            shape: shape.clone(),
        };
        let sum = plan.sum(&losses(a), &losses(b));
        (sum.buffer, start.into_iter().chain(other_start).collect())
    }
}
