//! What a model was compiled with and its file could not give: that keeps nobody from using
//! its layers.

use std::fmt;

/// A part of how a model is trained that was not read from its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which part.
    pub part: NotRead,
    /// Where it stands in the file, and what is wrong with it.
    pub problem: String,
}

/// What was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRead {
    /// The optimizer: to train the model on, it is compiled with another.
    Optimizer,
    /// The optimizer's state: training on starts it afresh.
    State,
    /// The loss, and so what is measured beside it: to evaluate or train, it is named.
    Loss,
    /// A metric: it is not measured.
    Metric,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, follows) = match self.part {
            NotRead::Optimizer => ("the optimizer", "to train on, name one"),
            NotRead::State => ("the optimizer's state", "training on starts it afresh"),
            NotRead::Loss => ("the loss", "to evaluate it or train on, name one"),
            NotRead::Metric => ("a metric", "it is not measured"),
        };
        write!(f, "{what} is not read ({}): {follows}", self.problem)
    }
}
