//! Images: augmentation, other sizes, and the gradients of both.

use super::backward::Pass;
use super::lower::{Lowering, Value};
use super::{Op, View};
use crate::base::shape::Shape;
use crate::rules::augment::{Augment, Image, Resize};
use std::sync::Arc;

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

    /// x in another size, of the shape `to`; all images of a step moved by a stream,
    /// if there is one.
    pub fn resize(&mut self, x: &Value, to: &Shape, rule: Resize, stream: Option<u32>) -> Value {
        let y = self.like("resized", to);
        self.ops.push(Op::Resize {
            rule: Arc::new(rule),
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
    /// The gradient of another size, if a trained layer is before it.
    pub(super) fn resize(&mut self, op: &Op) {
        let Op::Resize { rule, x, y, stream } = op else {
            return;
        };
        let (Some(&dy), true) = (self.signal.get(y), self.wanted.contains(x)) else {
            return;
        };
        let view = View {
            positions: 1,
            width: rule.from.size(),
        };
        self.pass_on(*x, view, |dx| Op::ResizeGradient {
            rule: rule.clone(),
            dy,
            dx,
            stream: *stream,
        });
    }
}
