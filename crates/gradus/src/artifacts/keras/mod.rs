//! Keras 3's files.

pub(crate) mod archive;
pub(crate) mod hdf5;
