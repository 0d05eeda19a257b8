//! Activations: element by element, and softmax by row.

use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, columns, rows};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Role, View};
use crate::rules::activations::{Activation, Form};

/// y = f(x), each element by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Activate {
    pub rule: Activation,
    pub x: Buffer,
    pub y: Buffer,
    pub view: View,
}

impl Operation for Activate {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, columns(self.view))
            .write(self.y, columns(self.view))
            .over(self.x)
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn is_by_element(&self) -> bool {
        true
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &Activate { x, y, view, .. } = self;
        let rule = self.rule.clone();
        let input = rule.derivative_uses_input().then_some(x);
        pass.pass_on(x, view, |dx| ActivateGradient {
            rule,
            x: input,
            y,
            dy,
            dx,
            view,
        });
        Backward::Passed
    }
}

/// dx = dy · f'(x); x is given only if f' needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivateGradient {
    pub rule: Activation,
    pub x: Option<Buffer>,
    pub y: Buffer,
    pub dy: Buffer,
    pub dx: Buffer,
    pub view: View,
}

impl Operation for ActivateGradient {
    fn operands(&self) -> Operands {
        let matrix = columns(self.view);
        Operands::new()
            .read(self.x, matrix)
            .read(self.y, matrix)
            .read(self.dy, matrix)
            .write(self.dx, matrix)
            .over(self.dy)
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn is_by_element(&self) -> bool {
        true
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}

/// y = softmax of each matrix row of x, or its logarithm.
#[derive(Clone, Debug, PartialEq)]
pub struct Softmax {
    pub x: Buffer,
    pub y: Buffer,
    pub log: bool,
    pub view: View,
}

impl Operation for Softmax {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, rows(self.view))
            .write(self.y, rows(self.view))
            .over(self.x)
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn is_by_rows(&self) -> bool {
        true
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &Softmax { x, y, log, view } = self;
        pass.pass_on(x, view, |dx| SoftmaxGradient {
            y,
            dy,
            dx,
            log,
            view,
        });
        Backward::Passed
    }
}

/// dx = y · (dy - Σ y dy); of the logarithm, dy - e^y Σ dy.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxGradient {
    pub y: Buffer,
    pub dy: Buffer,
    pub dx: Buffer,
    pub log: bool,
    pub view: View,
}

impl Operation for SoftmaxGradient {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.y, rows(self.view))
            .read(self.dy, rows(self.view))
            .write(self.dx, rows(self.view))
            .over(self.dy)
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn is_by_rows(&self) -> bool {
        true
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}

impl Lowering {
    /// f(x).
    pub fn activate(&mut self, x: &Value, rule: &Activation) -> Value {
        if *rule == Activation::Linear {
            return x.clone();
        }
        let y = self.like(rule.class(), &x.shape);
        match rule.form() {
            Form::Element => self.push(Activate {
                rule: rule.clone(),
                x: x.buffer,
                y: y.buffer,
                view: x.view(),
            }),
            form @ (Form::Softmax | Form::LogSoftmax) => self.push(Softmax {
                x: x.buffer,
                y: y.buffer,
                log: form == Form::LogSoftmax,
                view: x.view(),
            }),
        }
        y
    }

    /// x where it can be read after the step: a feed is copied.
    pub fn result(&mut self, x: &Value) -> Value {
        if self.buffers[x.buffer.index()].role == Role::Temporary {
            return x.clone();
        }
        let y = self.like("copy", &x.shape);
        self.push(Activate {
            rule: Activation::Linear,
            x: x.buffer,
            y: y.buffer,
            view: x.view(),
        });
        y
    }
}
