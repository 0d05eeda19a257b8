//! Regularizers: what is added to the loss for weights or for a layer's output.

use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Extent, Operands, any, elements, fixed, per_row};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Size, View};
use crate::rules::regularizers::{Form, Regularizer};

/// penalty = the regularizer's penalty for all of x.
#[derive(Clone, Debug, PartialEq)]
pub struct Penalty {
    pub rule: Regularizer,
    pub x: Buffer,
    pub penalty: Buffer,
    pub size: Size,
    pub columns: usize,
}

impl Operation for Penalty {
    fn operands(&self) -> Operands {
        let x = match self.size {
            Size::Fixed(_) => any(self.size),
            Size::PerRow(size) => per_row(size),
        };
        Operands::new()
            .read(self.x, x)
            .write(self.penalty, fixed(1))
    }

    fn split(&self) -> Split {
        Split::Whole
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        Backward::None("a penalty is only added to the loss")
    }

    /// The penalty's derivative by a layer's output; by a variable, the update adds it.
    fn begin_backward(&self, pass: &mut Pass<'_>) {
        let &Penalty {
            x, size, columns, ..
        } = self;
        if let Size::PerRow(elements) = size
            && pass.wants(x)
        {
            let rule = self.rule.clone();
            pass.pass_on(x, matrix(elements, columns), |dx| PenaltyGradient {
                rule,
                x,
                dx,
                size,
                columns,
            });
        }
    }

    fn check(&self) -> Result<(), String> {
        check_columns(self.size, self.columns)
    }

    fn work(&self, rows: usize) -> usize {
        2 * self.size.of(rows)
    }
}

/// dx = the derivative of the penalty for x, divided by the batch's rows if x
/// has some elements for each.
#[derive(Clone, Debug, PartialEq)]
pub struct PenaltyGradient {
    pub rule: Regularizer,
    pub x: Buffer,
    pub dx: Buffer,
    pub size: Size,
    pub columns: usize,
}

impl PenaltyGradient {
    fn extent(&self) -> Extent {
        match self.size {
            Size::Fixed(size) => elements(size),
            Size::PerRow(size) => per_row(size),
        }
    }
}

impl Operation for PenaltyGradient {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, self.extent())
            .write(self.dx, self.extent())
    }

    fn split(&self) -> Split {
        match (self.rule.form(), self.size) {
            (Form::Element, Size::Fixed(size)) => Split::Elements(size),
            (Form::Element, Size::PerRow(size)) => Split::Columns(matrix(size, self.columns)),
            (Form::Matrix, _) => Split::Whole,
        }
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn check(&self) -> Result<(), String> {
        check_columns(self.size, self.columns)
    }

    fn work(&self, rows: usize) -> usize {
        match (self.size, self.split()) {
            (Size::Fixed(size), _) => 4 * size,
            (Size::PerRow(size), Split::Columns(_)) => 32 * rows * size,
            (Size::PerRow(_), _) => 0,
        }
    }
}

/// A layer's output of so many elements and columns.
fn matrix(elements: usize, columns: usize) -> View {
    View {
        positions: elements / columns.max(1),
        width: columns,
    }
}

fn check_columns(size: Size, columns: usize) -> Result<(), String> {
    match size.of(1).is_multiple_of(columns.max(1)) {
        true => Ok(()),
        false => Err(format!("{size:?} has no {columns} columns")),
    }
}

impl Lowering {
    /// Adds the penalty of a variable to the loss.
    pub fn penalize(&mut self, rule: &Regularizer, w: Buffer, columns: usize) {
        let size = self.buffers[w.index()].size;
        self.penalty(rule, w, size, columns);
    }

    /// Adds the penalty of a layer's output, by row, to the loss.
    pub fn penalize_activity(&mut self, rule: &Regularizer, x: &Value) {
        let View { width, .. } = x.view();
        self.penalty(rule, x.buffer, Size::PerRow(x.shape.size()), width);
    }

    fn penalty(&mut self, rule: &Regularizer, x: Buffer, size: Size, columns: usize) {
        let penalty = self.temporary("penalty", Size::Fixed(1));
        self.penalties
            .push((penalty, matches!(size, Size::PerRow(_))));
        self.push(Penalty {
            rule: rule.clone(),
            x,
            penalty,
            size,
            columns,
        });
    }
}
