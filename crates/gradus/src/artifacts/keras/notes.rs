//! Unread parts of a file's training configuration, which leave the layers usable.

use std::fmt;

/// An unread part of a file's training configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The part.
    pub part: NotRead,
    /// Its place in the file, and the problem.
    pub problem: String,
}

/// The kind of an unread part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRead {
    /// The optimizer: to train on, compile the model with another.
    Optimizer,
    /// The optimizer's state: training on starts it anew.
    State,
    /// The loss, and with it the metrics: to evaluate or train, name one.
    Loss,
    /// A metric, which is left out.
    Metric,
    /// An output of an ONNX file that holds no floats, such as a classifier's labels.
    Output,
    /// The names of an ONNX output's numbers.
    Names,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, follows) = match self.part {
            NotRead::Optimizer => ("the optimizer", "to train on, name one"),
            NotRead::State => ("the optimizer's state", "training on starts it afresh"),
            NotRead::Loss => ("the loss", "to evaluate it or train on, name one"),
            NotRead::Metric => ("a metric", "it is not measured"),
            NotRead::Output => ("an output", "the others are there"),
            NotRead::Names => ("the names of an output's numbers", "they are numbered"),
        };
        write!(f, "{what} is not read ({}): {follows}", self.problem)
    }
}
