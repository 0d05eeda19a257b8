//! Tests of whole files: real, written by gradus, and malicious.

mod compiled;
mod graphs;
mod hostile;
mod legacy;
mod old;
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
    load_noting(bytes).map(|(model, _)| model)
}

fn load_noting(bytes: Vec<u8>) -> Result<(Model, Vec<Note>)> {
    from_reader(Cursor::new(bytes), Path::new("m.keras"))
}
