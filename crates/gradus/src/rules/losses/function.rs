use super::{LossFormula, Targets};
use crate::base::registry::Rule;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

type Row = dyn Fn(&[f32], &[f32], &mut [f32]) -> f32 + Send + Sync;

/// A loss of the user's own: a function of the targets and outputs of one row (of one position,
/// where outputs have several axes) that returns the row's loss and writes its derivatives by the
/// outputs.
///
/// Any number of threads may call it at the same time. It cannot be saved: a model compiled with
/// one is saved as if it had not been compiled, with its weights.
///
/// ```
/// use gradus::prelude::*;
///
/// // The fourth power of the error.
/// let quartic = Loss::function("quartic", |target, output, gradient| {
///     let error = output[0] - target[0];
///     gradient[0] = 4.0 * error.powi(3);
///     error.powi(4)
/// });
/// let x = Tensor::from_f32([1], vec![0.0, 0.5, 1.0, 1.5])?;
/// let y = Tensor::from_column(vec![1.0, 0.5, 0.0, -0.5])?;
/// let data = Dataset::new(x, y)?;
/// let mut model = Sequential::new()
///     .add(Dense::new(1))
///     .compile(SGD::new().learning_rate(0.05), quartic, &[])?;
/// let history = model.fit(&data, Fit::new().epochs(20).batch_size(4))?;
/// assert!(history.last("loss") < history.epochs[0].logs.get("loss"));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Serialize)]
pub struct Function {
    name: String,
    #[serde(skip)]
    targets: Targets,
    #[serde(skip)]
    row: Arc<Row>,
}

impl Function {
    /// A function of a row's targets and outputs, of the same length; it writes the derivatives by
    /// the outputs to its last argument.
    pub fn new(
        name: &str,
        row: impl Fn(&[f32], &[f32], &mut [f32]) -> f32 + Send + Sync + 'static,
    ) -> Self {
        Function {
            name: name.into(),
            targets: Targets::LikeOutputs,
            row: Arc::new(row),
        }
    }

    /// Sets the kind of targets. Default as many values as outputs.
    pub fn targets(mut self, targets: Targets) -> Self {
        self.targets = targets;
        self
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Function").field(&self.name).finish()
    }
}

/// Functions are equal only if they are the same object.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.targets == other.targets && Arc::ptr_eq(&self.row, &other.row)
    }
}

impl<'de> Deserialize<'de> for Function {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("a function is made in code"))
    }
}

impl Rule for Function {}

impl LossFormula for Function {
    fn targets(&self) -> Targets {
        self.targets
    }

    fn row(&self, target: &[f32], output: &[f32], gradient: &mut [f32]) -> f32 {
        (self.row)(target, output, gradient)
    }
}
