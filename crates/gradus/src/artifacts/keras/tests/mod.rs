//! Whole files: real ones, our own, and ones that mean harm.

mod graphs;
mod hostile;
mod legacy;
mod round_trip;

use super::archive::{self, Archive};
use super::*;
use std::io::Cursor;

/// Bytes of a file made by `tests/keras_files/make.py`.
fn real(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keras_files/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

fn parts(bytes: &[u8]) -> Archive {
    archive::read(Cursor::new(bytes)).unwrap()
}

fn load(bytes: Vec<u8>) -> Result<Model> {
    from_reader(Cursor::new(bytes), Path::new("m.keras"))
}
