//! Augmentation: the operation and its gradient.

use super::backward::Pass;
use super::lower::{Lowering, Value};
use super::{Op, View};
use crate::rules::augment::{Augment, Image};

impl Lowering {
    /// x under a random change in training mode; elsewhere x.
    pub fn augment(&mut self, x: &Value, image: Image, rule: Augment) -> Value {
        let stream = self.stream();
        if !self.training() {
            return x.clone();
        }
        let y = self.like("augmented", &x.shape);
        self.ops.push(Op::Augment {
            rule,
            image,
            x: x.buffer,
            y: y.buffer,
            stream,
        });
        y
    }
}

impl Pass<'_> {
    /// The gradient of an augmentation, if a trained layer is before it.
    pub(super) fn augment(&mut self, op: &Op) {
        let &Op::Augment {
            rule,
            image,
            x,
            y,
            stream,
        } = op
        else {
            return;
        };
        let Some(&dy) = self.signal.get(&y) else {
            return;
        };
        if !self.wanted.contains(&x) {
            return;
        }
        let view = View {
            positions: 1,
            width: image.size(),
        };
        self.pass_on(x, view, |dx| Op::AugmentGradient {
            rule,
            image,
            y: rule.gradient_needs_output().then_some(y),
            dy,
            dx,
            stream,
        });
    }
}
