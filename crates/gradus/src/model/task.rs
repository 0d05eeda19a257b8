//! The task of a recipe's network: its last layer, its loss and its metric follow from the targets.

use super::layers::Dense;
use crate::data::{Data, Tensor};
use crate::error::{Error, Result};
use crate::rules::activations::Activation;
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;

/// The task of a network, which decides its last layer and its loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// One of this many classes; targets are labels.
    Classes(usize),
    /// The same, with one-hot targets.
    OneHot(usize),
    /// This many yes-or-no questions.
    Binary(usize),
    /// This many numbers.
    Numbers(usize),
}

impl Task {
    /// The task of these targets: by the loss if one is given; else classes if each target is one
    /// whole number, and every number from 0 to the largest occurs.
    pub fn of(data: impl Into<Data>, loss: Option<&Loss>) -> Result<Self> {
        let data = data.into();
        let sample = data.sample();
        let [target] = sample.targets() else {
            let found = format!("{} targets", sample.targets().len());
            return Err(Error::invalid(sample.name(), found, "one, for a recipe"));
        };
        let size = target.size();
        let known = sample.class_names().len();
        match loss.map(Loss::class) {
            Some("SparseCategoricalCrossentropy") => {
                let problem = "a label that is no whole number of 0 or more";
                let seen = labels(&data)?;
                let seen =
                    seen.ok_or_else(|| Error::invalid(target.name(), problem, "class numbers"))?;
                Ok(Task::Classes(if known > 0 { known } else { seen.len() }))
            }
            Some(class @ ("CategoricalCrossentropy" | "CategoricalFocalCrossentropy")) => {
                match size {
                    1 => Err(of_class_numbers(class, target)),
                    _ => Ok(Task::OneHot(size)),
                }
            }
            Some(class @ ("BinaryCrossentropy" | "BinaryFocalCrossentropy")) => {
                match labels(&data)? {
                    Some(seen) if seen.len() > 2 => Err(of_class_numbers(class, target)),
                    _ => Ok(Task::Binary(size)),
                }
            }
            Some(_) => Ok(Task::Numbers(size)),
            None if known > 0 => Ok(Task::Classes(known)),
            None => Ok(match labels(&data)? {
                Some(seen) if seen.len() > 1 && seen.iter().all(|&seen| seen) => {
                    Task::Classes(seen.len())
                }
                _ => Task::Numbers(size),
            }),
        }
    }

    /// The default loss.
    pub fn loss(&self) -> Loss {
        match self {
            Task::Classes(_) => Loss::SparseCategoricalCrossentropy,
            Task::OneHot(_) => Loss::CategoricalCrossentropy,
            Task::Binary(_) => Loss::BinaryCrossentropy,
            Task::Numbers(_) => Loss::MeanSquaredError,
        }
    }

    /// The default metric.
    pub fn metric(&self) -> Metric {
        match self {
            Task::Numbers(_) => Metric::MeanAbsoluteError,
            _ => Metric::Accuracy,
        }
    }

    pub(super) fn last_layer(&self) -> Dense {
        match *self {
            Task::Classes(n) | Task::OneHot(n) => Dense::new(n).activation(Activation::Softmax),
            Task::Binary(n) => Dense::new(n).activation(Activation::Sigmoid),
            Task::Numbers(n) => Dense::new(n),
        }
    }
}

/// The error for a loss that does not take labels, which the target has.
fn of_class_numbers(loss: &str, target: &Tensor) -> Error {
    let found = format!(
        "{loss}, and the targets ({}) are class numbers",
        target.name()
    );
    let expected = "sparse_categorical_crossentropy, or one-hot targets";
    Error::invalid("loss", found, expected)
}

/// The labels that occur, up to the largest, if all targets are whole numbers from 0 on.
fn labels(data: &Data) -> Result<Option<Vec<bool>>> {
    const MOST: f32 = 16_777_216.0;
    let mut seen = Vec::new();
    let mut all = true;
    data.each(&mut |data| {
        for target in data.targets() {
            all &= target.size() == 1;
            for label in target.to_f32() {
                all &= (0.0..MOST).contains(&label) && label.fract() == 0.0;
                if !all {
                    break;
                }
                let label = label as usize;
                if label >= seen.len() {
                    seen.resize(label + 1, false);
                }
                seen[label] = true;
            }
        }
        Ok(())
    })?;
    Ok((all && !seen.is_empty()).then_some(seen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;

    fn task(targets: Vec<f32>) -> Task {
        let x = Tensor::from_f32([2], vec![0.5; targets.len() * 2]).unwrap();
        let y = Tensor::from_column(targets).unwrap();
        Task::of(Dataset::new(x, y).unwrap(), None).unwrap()
    }

    #[test]
    fn whole_numbers_without_a_gap_are_classes() {
        assert_eq!(task(vec![0.0, 2.0, 1.0, 2.0]), Task::Classes(3));
        assert_eq!(task(vec![0.0, 3.0, 1.0, 0.0]), Task::Numbers(1));
        assert_eq!(task(vec![0.0, 0.5, 1.0]), Task::Numbers(1));
        assert_eq!(task(vec![1e9, 0.0]), Task::Numbers(1));
    }
}
