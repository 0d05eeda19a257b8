//! One file for each command.

pub mod data;
pub mod evaluate;
pub mod predict;
pub mod summary;
pub mod train;
