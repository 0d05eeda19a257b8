//! Batch normalization of images in training: sums over parts of the matrix rows, each of which stays in a
//! cache, then over the parts; and what is made of the sums, element by element.

use super::kernel_sum::KernelShape;
use super::{KernelSum, Statistics};
use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, columns, fixed, rows};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Size, View};

/// The mean of each column of x, and the sum of the squared deviations from it, over each of
/// [`View::parts`] parts of the matrix rows: a row of means and one of sums for each.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchMoments {
    pub x: Buffer,
    pub parts: Buffer,
    pub view: View,
}

impl Operation for BatchMoments {
    fn operands(&self) -> Operands {
        let size = 2 * self.view.parts() * self.view.width;
        Operands::new()
            .read(self.x, rows(self.view))
            .write(self.parts, fixed(size))
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn row_parts(&self) -> Option<usize> {
        Some(self.view.parts())
    }
}

/// Mean and 1/√(variance + ε) of each column, from those of the parts (Chan, Golub & LeVeque 1979);
/// the moving statistics are moved.
#[derive(Clone, Debug, PartialEq)]
pub struct MergeMoments {
    pub parts: Buffer,
    pub moving_mean: Buffer,
    pub moving_variance: Buffer,
    pub mean: Buffer,
    pub inverse: Buffer,
    pub momentum: f32,
    pub epsilon: f32,
    pub view: View,
}

impl Operation for MergeMoments {
    fn operands(&self) -> Operands {
        let vector = fixed(self.view.width);
        Operands::new()
            .read(self.parts, fixed(2 * self.view.parts() * self.view.width))
            .update(self.moving_mean, vector)
            .update(self.moving_variance, vector)
            .write(self.mean, vector)
            .write(self.inverse, vector)
    }

    fn split(&self) -> Split {
        Split::Whole
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}

/// y = γ (x - mean) · inverse + β, by the batch's own mean and 1/√(variance + ε).
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormApply {
    pub x: Buffer,
    pub gamma: Option<Buffer>,
    pub beta: Option<Buffer>,
    pub mean: Buffer,
    pub inverse: Buffer,
    pub y: Buffer,
    pub view: View,
}

impl Operation for BatchNormApply {
    fn operands(&self) -> Operands {
        let vector = fixed(self.view.width);
        Operands::new()
            .read(self.gamma, vector)
            .read(self.beta, vector)
            .read(self.x, columns(self.view))
            .read(self.mean, vector)
            .read(self.inverse, vector)
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
        let &BatchNormApply {
            x,
            gamma,
            beta,
            mean,
            inverse,
            view,
            ..
        } = self;
        let of = |variable: Option<Buffer>, pass: &mut Pass<'_>| match variable {
            Some(variable) => pass.lowering.gradient_of(variable),
            None => pass.lowering.temporary("sums", Size::Fixed(view.width)),
        };
        let (dbeta, dgamma) = (of(beta, pass), of(gamma, pass));
        let size = Size::Fixed(view.parts() * view.width);
        let dbeta_parts = pass.lowering.temporary("parts of sums", size);
        let dgamma_parts = pass.lowering.temporary("parts of sums", size);
        pass.lowering.push(BatchNormSums {
            x,
            mean,
            inverse,
            dy,
            dbeta: dbeta_parts,
            dgamma: dgamma_parts,
            view,
        });
        // Weight gradients that wait would stand between that of x and the product that goes on with it.
        pass.flush();
        for (parts, dw) in [(dbeta_parts, dbeta), (dgamma_parts, dgamma)] {
            pass.lowering.push(sum_of(parts, dw, view));
        }
        pass.pass_on(x, view, |dx| BatchNormApplyGradient {
            x,
            gamma,
            mean,
            inverse,
            dy,
            dbeta,
            dgamma,
            dx,
            view,
        });
        for (variable, part) in [(gamma, dgamma), (beta, dbeta)] {
            if let Some(variable) = variable {
                pass.gather(variable, part);
            }
        }
        Backward::Passed
    }
}

/// The sum of a row of numbers of each of a view's parts.
pub(super) fn sum_of(parts: Buffer, dw: Buffer, view: View) -> KernelSum {
    KernelSum {
        parts,
        count: view.parts(),
        dw,
        shape: KernelShape::Rows(view.width),
    }
}

/// Σ dy and Σ dy x̂ of each column, over each of [`View::parts`] parts of the matrix rows.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormSums {
    pub x: Buffer,
    pub mean: Buffer,
    pub inverse: Buffer,
    pub dy: Buffer,
    pub dbeta: Buffer,
    pub dgamma: Buffer,
    pub view: View,
}

impl Operation for BatchNormSums {
    fn operands(&self) -> Operands {
        let vector = fixed(self.view.width);
        let parts = fixed(self.view.parts() * self.view.width);
        Operands::new()
            .read(self.x, rows(self.view))
            .read(self.mean, vector)
            .read(self.inverse, vector)
            .read(self.dy, rows(self.view))
            .write(self.dbeta, parts)
            .write(self.dgamma, parts)
    }

    fn split(&self) -> Split {
        Split::Rows(self.view)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn row_parts(&self) -> Option<usize> {
        Some(self.view.parts())
    }
}

/// The gradient of the input of `BatchNormApply`, from the sums over all matrix rows.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormApplyGradient {
    pub x: Buffer,
    pub gamma: Option<Buffer>,
    pub mean: Buffer,
    pub inverse: Buffer,
    pub dy: Buffer,
    pub dbeta: Buffer,
    pub dgamma: Buffer,
    pub dx: Buffer,
    pub view: View,
}

impl Operation for BatchNormApplyGradient {
    fn operands(&self) -> Operands {
        let vector = fixed(self.view.width);
        Operands::new()
            .read(self.gamma, vector)
            .read(self.x, columns(self.view))
            .read(self.mean, vector)
            .read(self.inverse, vector)
            .read(self.dbeta, vector)
            .read(self.dgamma, vector)
            .read(self.dy, columns(self.view))
            .write(self.dx, columns(self.view))
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
    /// x normalized by the batch, its sums made in parts.
    pub(super) fn normalize_in_parts(&mut self, x: &Value, of: Statistics) -> Value {
        let view = x.view();
        let size = Size::Fixed(2 * view.parts() * view.width);
        let parts = self.temporary("moments", size);
        let mean = self.temporary("mean", Size::Fixed(view.width));
        let inverse = self.temporary("inverse deviation", Size::Fixed(view.width));
        let y = self.like("normalized", &x.shape);
        self.push(BatchMoments {
            x: x.buffer,
            parts,
            view,
        });
        self.push(MergeMoments {
            parts,
            moving_mean: of.mean,
            moving_variance: of.variance,
            mean,
            inverse,
            momentum: of.momentum,
            epsilon: of.epsilon,
            view,
        });
        self.push(BatchNormApply {
            x: x.buffer,
            gamma: of.gamma,
            beta: of.beta,
            mean,
            inverse,
            y: y.buffer,
            view,
        });
        y
    }
}
