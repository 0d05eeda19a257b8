//! `.npz`: a zip of NumPy arrays with their names.

use super::names::NamedArray;
use crate::base::shape::Shape;
use crate::data::npy::read_all;
use crate::data::write_npy;
use crate::error::{Error, Result};
use std::io::{Cursor, Write};
use std::path::Path;
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, DateTime};

/// The bytes of an archive, as `numpy.savez` writes it.
pub(super) fn write(arrays: &[NamedArray]) -> Result<Vec<u8>> {
    let internal = |error: &dyn std::fmt::Display| Error::Internal(error.to_string());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for array in arrays {
        // No date: the same weights give the same file.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o600);
        let mut entry = Vec::new();
        let row = Shape::new(array.shape.get(1..).unwrap_or_default());
        write_npy(&mut entry, &row, &array.values).map_err(|error| internal(&error))?;
        zip.start_file(format!("{}.npy", array.name), options)
            .map_err(|error| internal(&error))?;
        zip.write_all(&entry).map_err(|error| internal(&error))?;
    }
    let bytes = zip.finish().map_err(|error| internal(&error))?;
    Ok(bytes.into_inner())
}

/// Reads the arrays of an untrusted file.
pub(super) fn read(path: &Path) -> Result<Vec<NamedArray>> {
    let arrays = read_all(path)?.into_iter().map(|(name, tensor)| {
        tensor.numbers()?;
        Ok(NamedArray {
            name,
            int8: false,
            shape: std::iter::once(tensor.rows())
                .chain(tensor.shape().dims().iter().copied())
                .collect(),
            values: tensor.to_f32(),
        })
    });
    arrays.collect()
}
