//! Models: a graph of layers with their weights, as plain data.

pub(crate) mod graph;
pub mod layers;
pub(crate) mod lowering;
mod recipe;
pub(crate) mod sequential;
pub(crate) mod summary;
pub(crate) mod weights;

pub use graph::{Compiled, LayerEntry, Model, Node, Source, State};
pub use recipe::{Recipe, Style, Task};
pub use sequential::Sequential;
pub use weights::Weight;
