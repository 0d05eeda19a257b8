//! Foundations that every other folder may use: shapes, the keyed random generator, the
//! arithmetic that a formula may use, hashes, the registry helper, atomic files.

pub mod atomic_file;
pub(crate) mod digest;
pub(crate) mod hash;
pub(crate) mod lane;
pub(crate) mod math;
pub(crate) mod pattern;
pub(crate) mod random;
pub(crate) mod registry;
pub(crate) mod setters;
pub(crate) mod shape;
pub(crate) mod threads;
pub(crate) mod written;
