//! Models made smaller and faster for deployment: model in, model out.

mod fold;

pub use fold::{Folded, Folding, fold};
