//! What stays after training: files that gradus and others read.

pub mod keras;
pub mod whole;
