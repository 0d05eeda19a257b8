//! `.safetensors`: a JSON header with names, types and shapes, then the values.

use super::names::{Layout, NamedArray};
use crate::base::files;
use crate::data::numbers::half;
use crate::error::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use std::path::Path;

/// Size limit of the header, some ten thousand arrays. Parsed, it takes some fifteen times as much
/// memory.
const MAX_HEADER: u64 = 4 << 20;

/// The bytes of a file.
pub(super) fn write(arrays: &[NamedArray], layout: Layout) -> Result<Vec<u8>> {
    let internal = |error: safetensors::SafeTensorError| Error::Internal(error.to_string());
    let bytes = arrays.iter().map(|array| {
        let values = array.values.iter();
        match array.int8 {
            true => values.map(|&value| value as i8 as u8).collect(),
            false => values.flat_map(|value| value.to_le_bytes()).collect(),
        }
    });
    let bytes: Vec<Vec<u8>> = bytes.collect();
    let views = arrays.iter().zip(&bytes).map(|(array, bytes)| {
        let dtype = if array.int8 { Dtype::I8 } else { Dtype::F32 };
        let view = TensorView::new(dtype, array.shape.clone(), bytes);
        Ok((array.name.as_str(), view.map_err(internal)?))
    });
    let views: Vec<(&str, TensorView<'_>)> = views.collect::<Result<_>>()?;
    // Metadata that libraries for PyTorch write and expect.
    let format = [("format".to_owned(), "pt".to_owned())];
    let about = (layout == Layout::PyTorch).then(|| format.into_iter().collect());
    serialize(views, about).map_err(internal)
}

/// Reads the arrays of an untrusted file.
pub(super) fn read(path: &Path) -> Result<Vec<NamedArray>> {
    let bytes = files::read(path, "a file of weights", u64::MAX)?;
    let problem = |problem: String| Error::file(path, problem);
    let header = bytes.first_chunk::<8>().map(|b| u64::from_le_bytes(*b));
    if header.is_some_and(|size| size > MAX_HEADER) {
        return Err(problem(format!(
            "not a .safetensors file: its header would be larger than {MAX_HEADER} bytes"
        )));
    }
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|error| problem(format!("damaged .safetensors file: {error}")))?;
    let mut arrays = Vec::with_capacity(file.len());
    for (name, view) in file.iter() {
        if name.ends_with(".num_batches_tracked") {
            continue;
        }
        let values = floats(view.dtype(), view.data()).ok_or_else(|| {
            let found = view.dtype();
            problem(format!(
                "{name}: found type {found:?}, expected floats or I8"
            ))
        })?;
        arrays.push(NamedArray {
            name: name.to_owned(),
            shape: view.shape().to_vec(),
            int8: view.dtype() == Dtype::I8,
            values,
        });
    }
    Ok(arrays)
}

fn floats(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    fn each<const N: usize>(bytes: &[u8], number: fn([u8; N]) -> f32) -> Vec<f32> {
        let (numbers, _) = bytes.as_chunks::<N>();
        numbers.iter().map(|&bytes| number(bytes)).collect()
    }
    Some(match dtype {
        Dtype::F32 => each(bytes, f32::from_le_bytes),
        Dtype::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
        Dtype::I8 => each(bytes, |b| i8::from_le_bytes(b).into()),
        Dtype::F16 => each(bytes, |b| half(u16::from_le_bytes(b))),
        Dtype::BF16 => each(bytes, |[low, high]| f32::from_le_bytes([0, 0, low, high])),
        _ => return None,
    })
}
