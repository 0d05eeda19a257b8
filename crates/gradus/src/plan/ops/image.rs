//! Images: augmentation, resizing, and the gradients of both.

use crate::base::shape::Shape;
use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, per_row};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, View};
use crate::rules::augment::{Augment as AugmentRule, Image, Resize as ResizeRule};
use std::sync::Arc;

/// y = x, an image in each row, augmented by a random stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Augment {
    pub rule: AugmentRule,
    pub image: Image,
    pub x: Buffer,
    pub y: Buffer,
    pub stream: u32,
}

impl Operation for Augment {
    fn operands(&self) -> Operands {
        let image = per_row(self.image.size());
        Operands::new().read(self.x, image).write(self.y, image)
    }

    fn split(&self) -> Split {
        Split::Rows(View::row(self.image.size()))
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &Augment {
            rule,
            image,
            x,
            y,
            stream,
        } = self;
        if pass.wants(x) {
            pass.pass_on(x, View::row(image.size()), |dx| AugmentGradient {
                rule,
                image,
                y: rule.gradient_needs_output().then_some(y),
                dy,
                dx,
                stream,
            });
        }
        Backward::Passed
    }
}

/// The gradient of `Augment`, with the same random numbers; y is given only if it is needed.
#[derive(Clone, Debug, PartialEq)]
pub struct AugmentGradient {
    pub rule: AugmentRule,
    pub image: Image,
    pub y: Option<Buffer>,
    pub dy: Buffer,
    pub dx: Buffer,
    pub stream: u32,
}

impl Operation for AugmentGradient {
    fn operands(&self) -> Operands {
        let image = per_row(self.image.size());
        Operands::new()
            .read(self.y, image)
            .read(self.dy, image)
            .write(self.dx, image)
    }

    fn split(&self) -> Split {
        Split::Rows(View::row(self.image.size()))
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}

/// y = x, an image in each row, resized; a random stream shifts all images of a step alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Resize {
    pub rule: Arc<ResizeRule>,
    pub x: Buffer,
    pub y: Buffer,
    pub stream: Option<u32>,
}

impl Operation for Resize {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, per_row(self.rule.from.size()))
            .write(self.y, per_row(self.rule.to.size()))
    }

    fn split(&self) -> Split {
        Split::Rows(View::row(self.rule.to.size()))
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &Resize { x, stream, .. } = self;
        let rule = &self.rule;
        if pass.wants(x) {
            pass.pass_on(x, View::row(rule.from.size()), |dx| ResizeGradient {
                rule: rule.clone(),
                dy,
                dx,
                stream,
            });
        }
        Backward::Passed
    }
}

/// The gradient of `Resize`, with the same shift.
#[derive(Clone, Debug, PartialEq)]
pub struct ResizeGradient {
    pub rule: Arc<ResizeRule>,
    pub dy: Buffer,
    pub dx: Buffer,
    pub stream: Option<u32>,
}

impl Operation for ResizeGradient {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.dy, per_row(self.rule.to.size()))
            .write(self.dx, per_row(self.rule.from.size()))
    }

    fn split(&self) -> Split {
        Split::Rows(View::row(self.rule.to.size()))
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}

impl Lowering {
    /// x under a random change in training mode; x itself otherwise.
    pub fn augment(&mut self, x: &Value, image: Image, rule: AugmentRule) -> Value {
        let stream = self.stream();
        if !self.training() {
            return x.clone();
        }
        let y = self.like("augmented", &x.shape);
        self.push(Augment {
            rule,
            image,
            x: x.buffer,
            y: y.buffer,
            stream,
        });
        y
    }

    /// x resized to the shape `to`; a random stream, if there is one, shifts all images of a step
    /// alike.
    pub fn resize(
        &mut self,
        x: &Value,
        to: &Shape,
        rule: ResizeRule,
        stream: Option<u32>,
    ) -> Value {
        let y = self.like("resized", to);
        self.push(Resize {
            rule: Arc::new(rule),
            x: x.buffer,
            y: y.buffer,
            stream,
        });
        y
    }
}
