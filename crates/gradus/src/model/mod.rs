//! Models: a graph of layers with their weights, as plain data.

#[cfg(feature = "train")]
mod cnn;
mod compiled;
#[cfg(feature = "train")]
mod config;
pub(crate) mod dtype;
mod facts;
mod fake_quantization;
pub(crate) mod feeds;
#[cfg(feature = "train")]
mod fixup;
pub(crate) mod frozen;
mod functional;
pub(crate) mod graph;
mod half;
#[cfg(feature = "train")]
mod layer_table;
pub mod layers;
pub(crate) mod lowering;
mod memory;
pub(crate) mod mixup;
pub(crate) mod noise;
pub(crate) mod observed;
pub(crate) mod order;
pub(crate) mod parts;
mod phrase;
#[cfg(feature = "train")]
mod predicts;
mod prune;
#[cfg(feature = "train")]
mod recipe;
mod reuse;
pub(crate) mod sequential;
mod subgraph;
pub(crate) mod summary;
mod surgery;
pub(crate) mod table;
mod task;
mod tied;
pub(crate) mod weights;
mod zeros;

pub use compiled::{Compiled, OutputLoss};
pub use dtype::Dtype;
pub use facts::InputFacts;
pub use functional::{Functional, Shared, Symbol, Symbols};
pub use graph::{Input, LayerEntry, Model, Node, Source, State};
pub use parts::{Submodel, Use};
pub use prune::Prune;
pub use sequential::Sequential;
pub use table::{Scored, ScoredCells, ScoredColumn};
pub use task::Task;
pub use weights::Weight;
pub use zeros::Zeros;

#[cfg(feature = "train")]
pub(crate) use self::{
    config::{Reuse, Saved},
    layer_table::LayerTable,
    table::TargetOutput,
};
#[cfg(feature = "train")]
pub use recipe::{Recipe, Style};
