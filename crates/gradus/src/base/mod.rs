//! Foundations that every other folder may use: shapes, the keyed random generator, the
//! arithmetic that a formula may use, names, hashes, the registry helper, files, urls, memory, text of others,
//! the connection of ranks that train together.

pub mod atomic_file;
pub(crate) mod digest;
pub(crate) mod files;
pub(crate) mod hash;
pub(crate) mod histogram;
pub(crate) mod json_schema;
pub(crate) mod lane;
pub(crate) mod math;
pub(crate) mod memory;
pub(crate) mod names;
pub(crate) mod old_words;
pub(crate) mod pattern;
pub(crate) mod random;
pub mod ranks;
pub(crate) mod read;
pub(crate) mod registry;
pub(crate) mod setters;
pub(crate) mod shape;
pub(crate) mod shown;
pub(crate) mod threads;
pub(crate) mod url;
pub(crate) mod written;
pub(crate) mod wrong_type;
