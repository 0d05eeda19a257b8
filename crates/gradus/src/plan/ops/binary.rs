//! Two tensors of one shape become one, element by element.

use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, columns};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, View};
use crate::rules::pairwise::Pairwise;

/// y = a + b.
#[derive(Clone, Debug, PartialEq)]
pub struct Sum {
    pub a: Buffer,
    pub b: Buffer,
    pub y: Buffer,
    pub view: View,
}

impl Operation for Sum {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.a, columns(self.view))
            .read(self.b, columns(self.view))
            .write(self.y, columns(self.view))
            .over(self.a)
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn is_by_element(&self) -> bool {
        true
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        for part in [self.a, self.b] {
            if pass.wants(part) {
                pass.pass_through(part, dy, self.view);
            }
        }
        Backward::Passed
    }
}

/// y = the rule's value for a and b, element by element.
#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    pub rule: Pairwise,
    pub a: Buffer,
    pub b: Buffer,
    pub y: Buffer,
    pub view: View,
}

impl Operation for Binary {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.a, columns(self.view))
            .read(self.b, columns(self.view))
            .write(self.y, columns(self.view))
            .over(self.a)
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn is_by_element(&self) -> bool {
        true
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &Binary {
            rule, a, b, view, ..
        } = self;
        for (part, first) in [(a, true), (b, false)] {
            if !pass.wants(part) {
                continue;
            }
            if rule == Pairwise::Subtract && first {
                pass.pass_through(part, dy, view);
            } else {
                pass.pass_on(part, view, |dx| BinaryGradient {
                    rule,
                    first,
                    a,
                    b,
                    dy,
                    dx,
                    view,
                });
            }
        }
        Backward::Passed
    }
}

/// dx = dy · the derivative of `Binary` by a, or by b if not `first`.
#[derive(Clone, Debug, PartialEq)]
pub struct BinaryGradient {
    pub rule: Pairwise,
    pub first: bool,
    pub a: Buffer,
    pub b: Buffer,
    pub dy: Buffer,
    pub dx: Buffer,
    pub view: View,
}

impl Operation for BinaryGradient {
    fn operands(&self) -> Operands {
        let matrix = columns(self.view);
        Operands::new()
            .read(self.a, matrix)
            .read(self.b, matrix)
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

impl Lowering {
    /// a + b, of one shape.
    pub fn sum(&mut self, a: &Value, b: &Value) -> Value {
        let y = self.like("sum", &a.shape);
        self.push(Sum {
            a: a.buffer,
            b: b.buffer,
            y: y.buffer,
            view: a.view(),
        });
        y
    }

    /// The rule's value for a and b, of one shape, element by element.
    pub fn combine(&mut self, rule: Pairwise, a: &Value, b: &Value) -> Value {
        let y = self.like("combined", &a.shape);
        self.push(Binary {
            rule,
            a: a.buffer,
            b: b.buffer,
            y: y.buffer,
            view: a.view(),
        });
        y
    }
}
