//! Functions of single elements without parameters, mostly of derivative 0; and rounding.

use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, columns, elements, rows};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Size, View};
use crate::rules::mapping::Mapping;

/// y = the rule's value for x, each element by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Unary {
    pub rule: Mapping,
    pub x: Buffer,
    pub y: Buffer,
    pub view: View,
}

impl Operation for Unary {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, rows(self.view))
            .write(self.y, rows(self.view))
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn is_by_element(&self) -> bool {
        true
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &Unary { x, view, .. } = self;
        if !self.rule.has_derivative() {
            return Backward::Zero;
        }
        if pass.wants(x) {
            pass.pass_on(x, view, |dx| FiniteGradient { x, dy, dx, view });
        }
        Backward::Passed
    }
}

/// dx = dy where x is finite, else 0.
#[derive(Clone, Debug, PartialEq)]
pub struct FiniteGradient {
    pub x: Buffer,
    pub dy: Buffer,
    pub dx: Buffer,
    pub view: View,
}

impl Operation for FiniteGradient {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, rows(self.view))
            .read(self.dy, rows(self.view))
            .write(self.dx, rows(self.view))
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}

/// y = x, rounded to bfloat16: columns of a view if x has some elements for each row.
#[derive(Clone, Debug, PartialEq)]
pub struct Cast {
    pub x: Buffer,
    pub y: Buffer,
    pub size: Size,
    pub view: View,
}

impl Operation for Cast {
    fn operands(&self) -> Operands {
        let extent = match self.size {
            Size::Fixed(size) => elements(size),
            Size::PerRow(_) => columns(self.view),
        };
        Operands::new().read(self.x, extent).write(self.y, extent)
    }

    fn split(&self) -> Split {
        match self.size {
            Size::Fixed(size) => Split::Elements(size),
            Size::PerRow(_) => Split::Columns(self.view),
        }
    }

    /// Factors are rounded once the backward pass is there.
    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn check(&self) -> Result<(), String> {
        match self.size {
            Size::PerRow(size) if size != self.view.per_row() => {
                Err(format!("{:?} does not have {size} elements", self.view))
            }
            _ => Ok(()),
        }
    }

    fn work(&self, rows: usize) -> usize {
        match self.size {
            Size::Fixed(size) => 4 * size,
            Size::PerRow(_) => 32 * rows * self.view.per_row(),
        }
    }
}

impl Lowering {
    /// The rule's value for x, element by element.
    pub fn map(&mut self, x: &Value, rule: Mapping) -> Value {
        let y = self.like("mapped", &x.shape);
        self.push(Unary {
            rule,
            x: x.buffer,
            y: y.buffer,
            view: x.view(),
        });
        y
    }
}
