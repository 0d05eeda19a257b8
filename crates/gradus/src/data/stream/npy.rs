//! `.npy` files whose rows are read by position.
//!
//! If another process truncates a memory-mapped file, this process is killed by a signal (SIGBUS);
//! reading gives an error instead.

use super::rows::Rows;
use crate::base::shape::Shape;
use crate::data::npy::{open_header, split_key};
use crate::data::numbers::{Header, read_array};
use crate::data::{Dataset, Tensor, check};
use crate::error::{Error, Result};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The rows of `.npy` files, one for each input, target and the weights, read as needed.
///
/// Elements are converted as by [`read_npy`](crate::data::read_npy).
#[derive(Debug)]
pub struct NpyRows {
    inputs: Vec<Array>,
    targets: Vec<Array>,
    weight: Option<Array>,
    names: (Vec<String>, Vec<String>),
}

/// One file.
#[derive(Debug)]
struct Array {
    path: PathBuf,
    file: File,
    header: Header,
    /// Offset of the elements.
    start: u64,
    row_bytes: u64,
}

impl NpyRows {
    /// Inputs `x` with targets `y`. It reads the headers; an error if a file's length contradicts
    /// its header, or the row counts differ.
    pub fn new(x: impl AsRef<Path>, y: impl AsRef<Path>) -> Result<Self> {
        Self::from_parts(&[x], &[y])
    }

    /// Like [`NpyRows::new`], for several inputs and targets, in their order.
    pub fn from_parts(inputs: &[impl AsRef<Path>], targets: &[impl AsRef<Path>]) -> Result<Self> {
        let inputs = inputs.iter().map(|path| Array::open(path.as_ref()));
        let targets = targets.iter().map(|path| Array::open(path.as_ref()));
        let rows = NpyRows {
            inputs: inputs.collect::<Result<_>>()?,
            targets: targets.collect::<Result<_>>()?,
            weight: None,
            names: Default::default(),
        };
        if rows.inputs.is_empty() {
            return Err(Error::invalid("data", "no input", "at least one"));
        }
        rows.arrays()
            .try_for_each(|array| rows.inputs[0].same_rows(array))?;
        Ok(rows)
    }

    /// The same with a weight for each row's loss: one number of 0 or more a row.
    pub fn with_sample_weight(mut self, weight: impl AsRef<Path>) -> Result<Self> {
        let weight = Array::open(weight.as_ref())?;
        self.inputs[0].same_rows(&weight)?;
        self.weight = Some(weight);
        Ok(self)
    }

    /// The same with names for inputs and targets, as in [`Dataset::with_names`].
    pub fn with_names(mut self, inputs: &[String], targets: &[String]) -> Self {
        self.names = (inputs.to_vec(), targets.to_vec());
        self
    }

    fn arrays(&self) -> impl Iterator<Item = &Array> {
        self.inputs.iter().chain(&self.targets).chain(&self.weight)
    }

    /// Approximate bytes of a file's rows in memory: `f64` elements stay as wide if `f32` would
    /// round one of the first rows'.
    pub(in crate::data) fn memory_of(path: &Path) -> Result<u64> {
        const FIRST: usize = 32;
        let mut array = Array::open(path)?;
        let first = array.read(0..array.rows().min(FIRST))?;
        Ok((first.row_bytes() as u64).saturating_mul(array.rows() as u64))
    }
}

impl Rows for NpyRows {
    fn rows(&self) -> usize {
        self.inputs[0].rows()
    }

    fn read(&mut self, rows: Range<usize>) -> Result<Dataset> {
        let read = |arrays: &mut [Array]| -> Result<Vec<Tensor>> {
            let tensors = arrays.iter_mut().map(|array| array.read(rows.clone()));
            tensors.collect()
        };
        let (inputs, targets) = (read(&mut self.inputs)?, read(&mut self.targets)?);
        let data = Dataset::from_parts(inputs, targets)?;
        let data = data.with_names(&self.names.0, &self.names.1)?;
        match &mut self.weight {
            None => Ok(data),
            Some(weight) => {
                let weights = weight.read(rows.clone())?;
                check::weights(&weights).map_err(|mut error| {
                    if let Error::Data { row: Some(row), .. } = &mut error {
                        *row += rows.start;
                    }
                    error
                })?;
                data.with_sample_weight(weights)
            }
        }
    }
}

impl Array {
    fn open(path: &Path) -> Result<Self> {
        let place = path.display().to_string();
        if split_key(path).is_some() {
            let expected = "a .npy file: an archive is read as a whole, into memory";
            return Err(Error::invalid("data", format!("`{place}`"), expected));
        }
        let (file, header, start, length) = open_header(path)?;
        let Some(dims) = header.dims.get(1..) else {
            let expected = "rows in the first dimension";
            return Err(Error::shape(&place, "() of a single number", expected));
        };
        if dims.contains(&0) {
            let problem = format!("its rows of shape {} hold no numbers", Shape::new(dims));
            return Err(Error::file(path, problem));
        }
        let sizes = dims.iter().copied().chain([header.kind.size()]);
        let row_bytes = sizes.map(|size| size as u64).try_fold(1, u64::checked_mul);
        let all = row_bytes.and_then(|bytes| bytes.checked_mul(header.dims[0] as u64));
        let promised = all.and_then(|bytes| bytes.checked_add(start));
        let (Some(row_bytes), Some(promised)) = (row_bytes, promised) else {
            let problem = format!(
                "its header promises an array of {:?}, more than there can be",
                header.dims
            );
            return Err(Error::file(path, problem));
        };
        let array = Array {
            path: path.to_owned(),
            file,
            header,
            start,
            row_bytes,
        };
        array.check_length(array.rows(), length)?;
        if length > promised {
            let problem = "it goes on after the numbers that its header promises";
            return Err(Error::file(path, problem));
        }
        Ok(array)
    }

    fn rows(&self) -> usize {
        self.header.dims[0]
    }

    /// Refuses a file that is too short for that row.
    fn check_length(&self, end: usize, length: u64) -> Result<()> {
        let whole = length.saturating_sub(self.start) / self.row_bytes;
        if whole >= end as u64 {
            return Ok(());
        }
        Err(Error::Data {
            source_name: self.path.display().to_string(),
            row: Some(whole as usize),
            column: None,
            found: format!("the end of the file, after {length} bytes"),
            expected: format!("{} rows, as its header says: it is cut short", self.rows()),
        })
    }

    fn same_rows(&self, other: &Array) -> Result<()> {
        if self.rows() == other.rows() {
            return Ok(());
        }
        let found = format!("{} rows", other.rows());
        let expected = format!("{} as in {}", self.rows(), self.path.display());
        Err(Error::invalid(
            &other.path.display().to_string(),
            found,
            expected,
        ))
    }

    fn read(&mut self, rows: Range<usize>) -> Result<Tensor> {
        let failed = |cause| Error::io("read", &self.path, cause);
        // It may have been truncated since it was opened.
        let length = self.file.metadata().map_err(failed)?.len();
        let in_columns = self.header.fortran_order && self.header.dims.len() > 1;
        // A column's end is behind all rows of the others.
        let end = if in_columns { self.rows() } else { rows.end };
        self.check_length(end, length)?;
        let bytes = rows.len() as u64 * self.row_bytes;
        let mut header = self.header.clone();
        header.dims[0] = rows.len();
        if in_columns {
            let columns = self.columns(rows, bytes)?;
            return read_array(&self.path, &header, &mut columns.as_slice(), bytes);
        }
        let from = self.start + rows.start as u64 * self.row_bytes;
        self.file.seek(SeekFrom::Start(from)).map_err(failed)?;
        read_array(&self.path, &header, &mut (&self.file).take(bytes), bytes)
    }

    /// The elements of these rows in Fortran order, in which each column is in one piece.
    fn columns(&mut self, rows: Range<usize>, bytes: u64) -> Result<Vec<u8>> {
        let failed = |cause| Error::io("read", &self.path, cause);
        let size = self.header.kind.size() as u64;
        let mut found = vec![0; bytes as usize];
        let mut from = self.start + rows.start as u64 * size;
        if !found.is_empty() {
            for column in found.chunks_exact_mut(rows.len() * size as usize) {
                self.file.seek(SeekFrom::Start(from)).map_err(failed)?;
                self.file.read_exact(column).map_err(failed)?;
                from += self.rows() as u64 * size;
            }
        }
        Ok(found)
    }
}
