//! Training: how often a plan is run, on what, and what is done in between.

pub mod callbacks;
mod evaluate;
mod fit;
mod history;
mod predict;
mod runner;

pub use callbacks::{
    Callback, EarlyStopping, LearningRateScheduler, ReduceLROnPlateau, TerminateOnNaN, Training,
};
pub use fit::Fit;
pub use history::{Epoch, History, Logs};

#[cfg(test)]
mod tests;
