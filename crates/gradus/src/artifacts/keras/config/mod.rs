//! `config.json`: the model and how it is trained, without its weights.

mod compile;
mod functional;
mod read;
mod write;

pub(crate) use compile::shortest;
pub(crate) use read::read;
pub(crate) use write::write;
