//! Keras 3's files.

pub(crate) mod archive;
pub(crate) mod families;
pub(crate) mod hdf5;
pub(crate) mod names;
pub(crate) mod objects;
