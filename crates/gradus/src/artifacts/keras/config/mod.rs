//! `config.json`: the model and its training configuration, without weights.

mod compile;
mod functional;
mod read;
mod write;

pub(crate) use compile::shortest;
pub(crate) use read::read;
pub(crate) use write::write;
