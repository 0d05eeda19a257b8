use super::{Batch, Better, MetricFormula};
use crate::base::registry::Rule;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

type Row = dyn Fn(&[f32], &[f32]) -> f64 + Send + Sync;

/// A metric of the user's own: the mean of a function of the targets and outputs of a row (of a
/// position, where outputs have several axes). It gets labels as they are, if the loss takes
/// labels.
///
/// It cannot be saved: a model is saved without it.
///
/// ```
/// use gradus::prelude::*;
///
/// let close = Metric::function("close", |target, output| {
///     f64::from((target[0] - output[0]).abs() < 0.1)
/// });
/// let x = Tensor::from_f32([1], vec![0.0, 0.5, 1.0])?;
/// let data = Dataset::new(x.clone(), x)?;
/// let mut model = Sequential::new()
///     .add(Dense::new(1).kernel_initializer(Initializer::Ones))
///     .compile(SGD::new(), Loss::MeanSquaredError, &[close])?;
/// model.build(&[[1].into()])?;
/// assert_eq!(model.evaluate(&data)?.get("close"), Some(1.0));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Serialize)]
pub struct Function {
    name: String,
    #[serde(skip)]
    row: Arc<Row>,
}

impl Function {
    /// A function of a row's targets and outputs, with its name in the history.
    pub fn new(name: &str, row: impl Fn(&[f32], &[f32]) -> f64 + Send + Sync + 'static) -> Self {
        Function {
            name: name.into(),
            row: Arc::new(row),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
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
        Arc::ptr_eq(&self.row, &other.row)
    }
}

impl<'de> Deserialize<'de> for Function {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("a function is made in code"))
    }
}

impl Rule for Function {}

impl MetricFormula for Function {
    const BETTER: Option<Better> = None;

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        for (target, output, weight) in batch.positions() {
            gathered[0] += weight * (self.row)(target, output);
            gathered[1] += weight;
        }
    }
}
