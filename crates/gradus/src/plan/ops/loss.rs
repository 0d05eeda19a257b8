//! The loss of each row, from which the backward pass starts.

use super::Op;
use crate::plan::backward::{Pass, Start};
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, per_row, rows};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Size, View};
use crate::rules::activations::Activation;
use crate::rules::losses::{Loss as Rule, Targets};

/// The loss of each matrix row, and optionally the derivative of the batch's mean weighted
/// loss, times `share`, by x.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    pub rule: Rule,
    pub x: Buffer,
    pub target: Buffer,
    pub weight: Option<Buffer>,
    pub losses: Buffer,
    pub gradient: Option<Buffer>,
    pub share: f32,
    pub view: View,
}

impl Loss {
    /// Target elements for each matrix row.
    pub fn target_width(&self) -> usize {
        match self.rule.targets() {
            Targets::ClassNumbers => 1,
            Targets::LikeOutputs => self.view.width,
        }
    }
}

impl Operation for Loss {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.weight, per_row(1))
            .read(self.x, rows(self.view))
            .read(
                self.target,
                per_row(self.view.positions * self.target_width()),
            )
            .write(self.gradient, rows(self.view))
            .write(self.losses, per_row(self.view.positions))
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    /// It emits its gradient itself.
    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}

impl Lowering {
    /// The loss of `output`, computed before the last activation if they can be combined; returns
    /// the losses' buffer and, if a gradient of this share is needed, the starting point of the
    /// backward pass.
    pub fn loss(
        &mut self,
        rule: &Rule,
        output: &Value,
        target: &Value,
        weight: Option<&Value>,
        gradient: Option<f64>,
    ) -> (Buffer, Option<Start>) {
        let view = output.view();
        let (x, rule) = self.before_activation(rule, output.buffer);
        let losses = self.temporary("losses", Size::PerRow(view.positions));
        let share = gradient.unwrap_or(1.0) as f32;
        let gradient = gradient.map(|_| self.gradient_of(x));
        self.push(Loss {
            rule,
            x,
            target: target.buffer,
            weight: weight.map(|w| w.buffer),
            losses,
            gradient,
            share,
            view,
        });
        (losses, gradient.map(|g| (x, g, view)))
    }

    fn before_activation(&self, rule: &Rule, output: Buffer) -> (Buffer, Rule) {
        let last = self.ops.iter().find_map(|op| match op {
            Op::Activate(op) if op.y == output => Some((op.rule.clone(), op.x)),
            Op::Softmax(op) if op.y == output => match op.log {
                false => Some((Activation::Softmax, op.x)),
                true => Some((Activation::LogSoftmax, op.x)),
            },
            _ => None,
        });
        if let Some((activation, x)) = last
            && let Some(earlier) = rule.before(&activation)
        {
            return (x, earlier);
        }
        (output, rule.clone())
    }
}
