//! Gradients of variables summed, measured and gathered; the optimizer's step; constraints.

use crate::plan::backward::Pass;
use crate::plan::operands::{Operands, any, elements, fixed};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Size};
use crate::rules::constraints::Constraint;
use crate::rules::optimizers::{Method, SLOTS};
use crate::rules::regularizers::L1L2;

/// The clipping of an update's gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// None: values stay as they are.
    None,
    /// Each element is cut to ± this.
    Value(f32),
    /// The gradient is scaled down so that the norm in `norm` becomes at most `limit`.
    Norm {
        /// The squared norm.
        norm: Buffer,
        /// The largest norm.
        limit: f32,
    },
}

/// y = a + b for the gradients of a variable that is used twice.
#[derive(Clone, Debug, PartialEq)]
pub struct SumGradients {
    pub a: Buffer,
    pub b: Buffer,
    pub y: Buffer,
    pub size: usize,
}

impl Operation for SumGradients {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.a, elements(self.size))
            .read(self.b, elements(self.size))
            .write(self.y, elements(self.size))
    }

    fn split(&self) -> Split {
        Split::Elements(self.size)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn work(&self, _rows: usize) -> usize {
        16 * self.size
    }
}

/// norm = Σ x² over all of `gradients`, each with its size.
#[derive(Clone, Debug, PartialEq)]
pub struct SquaredNorm {
    pub gradients: Vec<(Buffer, usize)>,
    pub norm: Buffer,
}

impl Operation for SquaredNorm {
    fn operands(&self) -> Operands {
        let gradients = self.gradients.iter();
        let table = gradients.fold(Operands::new(), |table, &(gradient, size)| {
            table.read(gradient, any(Size::Fixed(size)))
        });
        table.write(self.norm, fixed(1))
    }

    fn split(&self) -> Split {
        Split::Whole
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn work(&self, _rows: usize) -> usize {
        self.gradients.iter().map(|g| g.1).sum()
    }
}

/// y = (gradient + accumulator) / steps, and the accumulator is reset to 0; in a step that only
/// accumulates, the gradient is added to the accumulator and y is 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Accumulate {
    pub gradient: Buffer,
    pub accumulator: Buffer,
    pub y: Buffer,
    pub size: usize,
}

impl Operation for Accumulate {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.gradient, elements(self.size))
            .update(self.accumulator, elements(self.size))
            .write(self.y, elements(self.size))
    }

    fn split(&self) -> Split {
        Split::Elements(self.size)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn work(&self, _rows: usize) -> usize {
        8 * self.size
    }
}

/// One step of the optimizer on a variable: the gradient plus the regularizer's, accumulated,
/// clipped; decay; update; zeros kept; moving average. A step that only accumulates does only the first and
/// the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    pub rule: Method,
    pub w: Buffer,
    pub gradient: Buffer,
    pub slots: Vec<Buffer>,
    /// Penalty whose derivative is added to the gradient.
    pub regularizer: Option<L1L2>,
    /// Accumulated gradients since the last update.
    pub accumulator: Option<Buffer>,
    /// Moving average of w.
    pub average: Option<Buffer>,
    pub clip: Clip,
    /// Share, times the learning rate, subtracted before the update.
    pub decay: f32,
    /// The factor of the learning rate.
    pub rate: f32,
    /// True if elements that are 0 stay 0, in the moving average, too: those that were pruned.
    pub keeps_zeros: bool,
    /// The variable's shape, if the rule updates it as a whole. Then regularizer and
    /// accumulation are separate operations.
    pub whole: Option<Vec<usize>>,
    pub size: usize,
}

impl Operation for Update {
    fn operands(&self) -> Operands {
        let variable = elements(self.size);
        let slots = self.slots.iter();
        let table = slots.fold(Operands::new(), |table, &slot| table.update(slot, variable));
        let table = table
            .update(self.accumulator, variable)
            .update(self.average, variable)
            .update(self.w, variable)
            .read(self.gradient, variable);
        match self.clip {
            Clip::Norm { norm, .. } => table.read(norm, fixed(1)),
            Clip::None | Clip::Value(_) => table,
        }
    }

    fn split(&self) -> Split {
        match self.whole {
            Some(_) => Split::Whole,
            None => Split::Elements(self.size),
        }
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn check(&self) -> Result<(), String> {
        let whole = self.whole.as_ref();
        if whole.is_some_and(|shape| shape.iter().product::<usize>() != self.size) {
            return Err(format!("{whole:?} does not have {} elements", self.size));
        }
        if whole.is_some() && (self.regularizer.is_some() || self.accumulator.is_some()) {
            return Err("a whole variable's gradient must be whole".into());
        }
        match self.slots.len() <= SLOTS {
            true => Ok(()),
            false => Err(format!("no optimizer keeps {} slots", self.slots.len())),
        }
    }

    fn work(&self, _rows: usize) -> usize {
        16 * self.size
    }
}

/// w is brought back to its constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct Constrain {
    pub rule: Constraint,
    pub w: Buffer,
    pub shape: Vec<usize>,
    pub size: usize,
}

impl Operation for Constrain {
    fn operands(&self) -> Operands {
        Operands::new().update(self.w, any(Size::Fixed(self.size)))
    }

    fn split(&self) -> Split {
        Split::Whole
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn check(&self) -> Result<(), String> {
        match self.shape.iter().product::<usize>() == self.size {
            true => Ok(()),
            false => Err(format!("{:?} is no shape of {}", self.shape, self.size)),
        }
    }

    fn work(&self, _rows: usize) -> usize {
        8 * self.size
    }
}
