//! `config.json`: the model and its training configuration, without weights.

mod arithmetic;
mod compile;
mod functional;
mod quantized;
mod read;
mod write;

pub(crate) use compile::shortest;
pub(crate) use read::read;
pub(crate) use write::write;

/// Size limit of the JSON, twice the need of a graph of ten thousand layers. Parsed, it takes some
/// fifteen times as much memory.
pub(super) const MAX_JSON: u64 = 32 << 20;
