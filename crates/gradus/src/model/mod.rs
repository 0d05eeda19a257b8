//! Models: a graph of layers with their weights, as plain data.

mod compiled;
mod config;
pub(crate) mod dtype;
mod facts;
pub(crate) mod feeds;
mod fixup;
mod functional;
pub(crate) mod graph;
pub mod layers;
pub(crate) mod lowering;
mod memory;
pub(crate) mod mixup;
pub(crate) mod noise;
pub(crate) mod order;
pub(crate) mod parts;
mod predicts;
mod recipe;
mod reuse;
pub(crate) mod sequential;
mod subgraph;
pub(crate) mod summary;
pub(crate) mod table;
mod tied;
pub(crate) mod weights;

pub use compiled::{Compiled, OutputLoss};
pub(crate) use config::{Reuse, Saved};
pub use dtype::Dtype;
pub use facts::InputFacts;
pub use functional::{Functional, Shared, Symbol, Symbols};
pub use graph::{Input, LayerEntry, Model, Node, Source, State};
pub use parts::{Submodel, Use};
pub use recipe::{Recipe, Style, Task};
pub use sequential::Sequential;
pub(crate) use table::TargetOutput;
pub use table::{Scored, ScoredCells, ScoredColumn};
pub use weights::Weight;
