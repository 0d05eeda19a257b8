//! Where rows come from, and how they reach a batch: sources, splits, scaling,
//! shuffling.

mod batches;
mod dataset;
mod digits;
mod scale;
mod tensor;

pub use batches::Batches;
pub use dataset::{Dataset, Split};
pub use digits::digits;
pub use scale::Scale;
pub use tensor::{Tensor, Values};
