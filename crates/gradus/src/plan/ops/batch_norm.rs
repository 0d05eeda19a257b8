//! Batch normalization, in training and in inference.

use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, columns, columns_or_feed, fixed};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Mode, Size, View};

/// Batch normalization in training: y = γ (x - mean) / √(variance + ε) + β by
/// column; mean and 1/√(variance + ε) are kept, the moving statistics moved.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormTrain {
    pub x: Buffer,
    pub gamma: Option<Buffer>,
    pub beta: Option<Buffer>,
    pub moving_mean: Buffer,
    pub moving_variance: Buffer,
    pub mean: Buffer,
    pub inverse: Buffer,
    pub y: Buffer,
    pub momentum: f32,
    pub epsilon: f32,
    pub view: View,
}

impl Operation for BatchNormTrain {
    fn operands(&self) -> Operands {
        let vector = fixed(self.view.width);
        Operands::new()
            .read(self.gamma, vector)
            .read(self.beta, vector)
            // A feed is read in place.
            .read(self.x, columns_or_feed(self.view))
            .update(self.moving_mean, vector)
            .update(self.moving_variance, vector)
            .write(self.mean, vector)
            .write(self.inverse, vector)
            .write(self.y, columns(self.view))
            .over(self.x)
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &BatchNormTrain {
            x,
            gamma,
            beta,
            mean,
            inverse,
            view,
            ..
        } = self;
        let dgamma = gamma.map(|g| pass.lowering.gradient_of(g));
        let dbeta = beta.map(|b| pass.lowering.gradient_of(b));
        pass.pass_on(x, view, |dx| BatchNormTrainGradient {
            x,
            gamma,
            mean,
            inverse,
            dy,
            dx,
            dgamma,
            dbeta,
            view,
        });
        for (variable, part) in [(gamma, dgamma), (beta, dbeta)] {
            if let (Some(variable), Some(part)) = (variable, part) {
                pass.gather(variable, part);
            }
        }
        Backward::Passed
    }
}

/// The gradients of `BatchNormTrain`.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormTrainGradient {
    pub x: Buffer,
    pub gamma: Option<Buffer>,
    pub mean: Buffer,
    pub inverse: Buffer,
    pub dy: Buffer,
    pub dx: Buffer,
    pub dgamma: Option<Buffer>,
    pub dbeta: Option<Buffer>,
    pub view: View,
}

impl Operation for BatchNormTrainGradient {
    fn operands(&self) -> Operands {
        let vector = fixed(self.view.width);
        Operands::new()
            .read(self.gamma, vector)
            .read(self.x, columns(self.view))
            .read(self.mean, vector)
            .read(self.inverse, vector)
            .read(self.dy, columns(self.view))
            .write(self.dgamma, vector)
            .write(self.dbeta, vector)
            .write(self.dx, columns(self.view))
            .over(self.dy)
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}

/// Batch normalization in inference: y = γ (x - mean) / √(variance + ε) + β.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormInfer {
    pub x: Buffer,
    pub gamma: Option<Buffer>,
    pub beta: Option<Buffer>,
    pub mean: Buffer,
    pub variance: Buffer,
    pub y: Buffer,
    pub epsilon: f32,
    pub view: View,
}

impl Operation for BatchNormInfer {
    fn operands(&self) -> Operands {
        let vector = fixed(self.view.width);
        Operands::new()
            .read(self.gamma, vector)
            .read(self.beta, vector)
            .read(self.x, columns(self.view))
            .read(self.mean, vector)
            .read(self.variance, vector)
            .write(self.y, columns(self.view))
            .over(self.x)
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn is_by_element(&self) -> bool {
        true
    }

    /// γ and β are not trained here: `Lowering::normalize` takes operations of their own
    /// for those that are.
    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &BatchNormInfer {
            x,
            gamma,
            variance,
            epsilon,
            view,
            ..
        } = self;
        if pass.wants(x) {
            pass.pass_on(x, view, |dx| BatchNormInferGradient {
                gamma,
                variance,
                dy,
                dx,
                epsilon,
                view,
            });
        }
        Backward::Passed
    }
}

/// dx = dy γ / √(variance + ε).
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormInferGradient {
    pub gamma: Option<Buffer>,
    pub variance: Buffer,
    pub dy: Buffer,
    pub dx: Buffer,
    pub epsilon: f32,
    pub view: View,
}

impl Operation for BatchNormInferGradient {
    fn operands(&self) -> Operands {
        let vector = fixed(self.view.width);
        Operands::new()
            .read(self.gamma, vector)
            .read(self.variance, vector)
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

/// A layer's parameters for batch normalization.
#[derive(Clone, Copy, Debug)]
pub struct Statistics {
    /// γ.
    pub gamma: Option<Buffer>,
    /// β.
    pub beta: Option<Buffer>,
    /// The moving mean.
    pub mean: Buffer,
    /// The moving variance.
    pub variance: Buffer,
    /// The share of the moving statistics that stays in a step.
    pub momentum: f32,
    /// ε.
    pub epsilon: f32,
}

impl Lowering {
    /// x normalized by column: by the batch in training mode if `trainable`, else by the moving
    /// statistics.
    pub fn normalize(&mut self, x: &Value, of: Statistics, trainable: bool) -> Value {
        let view = x.view();
        if self.training() && trainable && view.has_many_positions() {
            return self.normalize_in_parts(x, of);
        }
        let y = self.like("normalized", &x.shape);
        if self.training() && trainable {
            let mean = self.temporary("mean", Size::Fixed(view.width));
            let inverse = self.temporary("inverse deviation", Size::Fixed(view.width));
            self.push(BatchNormTrain {
                x: x.buffer,
                gamma: of.gamma,
                beta: of.beta,
                moving_mean: of.mean,
                moving_variance: of.variance,
                mean,
                inverse,
                y: y.buffer,
                momentum: of.momentum,
                epsilon: of.epsilon,
                view,
            });
        } else if self.mode == Mode::Train && trainable && (of.gamma.or(of.beta)).is_some() {
            // The moving statistics stay, γ and β are trained.
            let (gamma, beta) = (of.gamma, of.beta);
            let of = Statistics {
                gamma: None,
                beta: None,
                ..of
            };
            let y = self.normalize(x, of, trainable);
            let y = gamma.map_or(y.clone(), |gamma| self.scale(&y, gamma, false));
            return beta.map_or(y.clone(), |beta| self.bias(&y, beta));
        } else {
            self.push(BatchNormInfer {
                x: x.buffer,
                gamma: of.gamma,
                beta: of.beta,
                mean: of.mean,
                variance: of.variance,
                y: y.buffer,
                epsilon: of.epsilon,
                view,
            });
        }
        y
    }
}
