//! One file for each command.

pub mod convert;
pub mod data;
pub mod evaluate;
pub mod lr_find;
pub mod predict;
pub mod summary;
pub mod train;
