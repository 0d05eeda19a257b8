//! Models: a graph of layers with their weights, as plain data.

mod arrange;
mod compiled;
mod config;
mod functional;
pub(crate) mod graph;
pub mod layers;
pub(crate) mod lowering;
mod noise;
pub(crate) mod order;
pub(crate) mod parts;
mod recipe;
mod reuse;
pub(crate) mod sequential;
pub(crate) mod summary;
pub(crate) mod weights;

pub use compiled::{Compiled, Goal};
pub use functional::{Functional, Shared, Symbol, Symbols};
pub use graph::{Input, LayerEntry, Model, Node, Source, State};
pub use parts::{Part, Use};
pub use recipe::{Recipe, Style, Task};
pub use sequential::Sequential;
pub use weights::Weight;
