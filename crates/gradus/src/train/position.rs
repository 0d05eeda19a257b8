//! The place inside an epoch that an interrupted training goes on from.

/// The steps of an epoch that are done, and what they leave behind besides the model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Position {
    /// The number of steps.
    pub step: usize,
    /// The sums of loss and metrics over their rows, as
    /// [`Progress::sums`](super::callbacks::Progress::sums) gives them.
    pub meters: Vec<f64>,
    /// The seconds that they took.
    pub seconds: f64,
}
