//! `Tensor`: many rows of one shape, `u8`, `f32`, `f64` or text in memory, `f32` in a batch.

use crate::base::shape::Shape;
use crate::data::scale::Scale;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Rows of one shape: an input, a target or a column of sample weights.
///
/// The values stay as they were loaded (`u8` for images, `f64` if `f32` would round one) and become
/// scaled `f32` when rows are gathered into a batch: they are rounded after scaling. Clones and
/// slices share them. Texts are a dictionary and a code for each cell; they never become numbers by
/// themselves, but through a layer such as [`StringLookup`](crate::layers::StringLookup).
///
/// ```
/// use gradus::Tensor;
/// let x = Tensor::from_rows(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])?;
/// let mut batch = [0.0; 4];
/// x.gather(&[2, 0], &mut batch)?;
/// assert_eq!(batch, [5.0, 6.0, 1.0, 2.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tensor {
    name: Arc<str>,
    shape: Shape,
    size: usize,
    first_row: usize,
    rows: usize,
    /// The source rows that were taken; `None` if all were.
    taken: Option<Arc<Vec<u32>>>,
    values: Stored,
    scale: Scale,
}

/// The values of the whole source; a tensor is a range of its rows.
#[derive(Clone, Debug)]
enum Stored {
    U8(Arc<Vec<u8>>),
    F32(Arc<Vec<f32>>),
    F64(Arc<Vec<f64>>),
    Text {
        names: Arc<Vec<String>>,
        codes: Arc<Vec<u32>>,
    },
}

/// A tensor's values as they are stored, row after row, before any scaling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values<'a> {
    /// Bytes: pixels, labels, booleans.
    U8(&'a [u8]),
    /// Buffer of 32 bits.
    F32(&'a [f32]),
    /// Buffer of 64 bits.
    F64(&'a [f64]),
    /// Texts: each code is an index into `names`.
    Text {
        /// The dictionary of the whole source.
        names: &'a [String],
        /// One code for each cell.
        codes: &'a [u32],
    },
}

/// The values of a tensor, taken back when no other tensor shares them.
pub(super) enum Buffer {
    U8(Vec<u8>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Tensor {
    /// Rows of `shape` (without the batch) from their values, row after row.
    ///
    /// An error if the values do not fill whole rows or a dimension is 0.
    pub fn from_f32(shape: impl Into<Shape>, values: Vec<f32>) -> Result<Self> {
        let length = values.len();
        Self::new(shape.into(), length, Stored::F32(Arc::new(values)))
    }

    /// Rows of `shape` (without the batch) from their values, row after row. They stay `f64` in
    /// memory if `f32` would round one of them.
    pub fn from_f64(shape: impl Into<Shape>, values: Vec<f64>) -> Result<Self> {
        match values.iter().all(|&x| is_single(x)) {
            true => Self::from_f32(shape, values.into_iter().map(|x| x as f32).collect()),
            false => Self::from_wide(shape, values),
        }
    }

    /// The same, always kept as `f64`.
    pub(super) fn from_wide(shape: impl Into<Shape>, values: Vec<f64>) -> Result<Self> {
        let length = values.len();
        Self::new(shape.into(), length, Stored::F64(Arc::new(values)))
    }

    /// Rows of `shape` (without the batch) from bytes, row after row. They
    /// stay bytes in memory.
    pub fn from_u8(shape: impl Into<Shape>, values: Vec<u8>) -> Result<Self> {
        let length = values.len();
        Self::new(shape.into(), length, Stored::U8(Arc::new(values)))
    }

    /// One row from each slice, all of the same length: `&[[f32; N]]`,
    /// `&[Vec<f32>]`, `&[&[f32]]`.
    pub fn from_rows<R: AsRef<[f32]>>(rows: &[R]) -> Result<Self> {
        let width = rows.first().map_or(1, |row| row.as_ref().len());
        let mut values = Vec::with_capacity(width.saturating_mul(rows.len()));
        for (number, row) in rows.iter().enumerate() {
            let row = row.as_ref();
            if row.len() != width {
                return Err(Error::Data {
                    source_name: UNNAMED.into(),
                    row: Some(number),
                    column: None,
                    found: format!("{} numbers", row.len()),
                    expected: format!("{width} as in row 0"),
                });
            }
            values.extend_from_slice(row);
        }
        Self::from_f32([width], values)
    }

    /// One value per row, of shape (None): targets of a regression, class labels, sample weights. A
    /// layer takes rows with an axis: one column of inputs is `Tensor::from_f32([1], values)`.
    pub fn from_column(values: Vec<f32>) -> Result<Self> {
        Self::from_f32([], values)
    }

    /// One text per row. A missing text is empty.
    ///
    /// ```
    /// use gradus::{Tensor, data::Values};
    /// let towns = Tensor::from_texts(&["Graz", "Bern", "Graz", ""])?;
    /// let Values::Text { names, codes } = towns.values() else { unreachable!() };
    /// assert_eq!((names.len(), codes), (3, &[0, 1, 0, 2][..]));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn from_texts<T: AsRef<str>>(texts: &[T]) -> Result<Self> {
        let mut places = HashMap::new();
        let mut names = Vec::new();
        let mut codes = Vec::with_capacity(texts.len());
        for text in texts {
            let text = text.as_ref();
            codes.push(*places.entry(text).or_insert_with(|| {
                names.push(text.to_owned());
                names.len() as u32 - 1
            }));
        }
        Self::from_dictionary([], Arc::new(names), codes)
    }

    /// Rows of `shape` (without the batch) of texts, row after row: each code is an index into
    /// `names`.
    ///
    /// An error if a code is out of range, or the codes do not fill whole rows.
    pub fn from_dictionary(
        shape: impl Into<Shape>,
        names: Arc<Vec<String>>,
        codes: Vec<u32>,
    ) -> Result<Self> {
        if let Some(&code) = codes.iter().find(|&&code| code as usize >= names.len()) {
            let expected = format!("a code below {}", names.len());
            return Err(Error::invalid(UNNAMED, format!("code {code}"), expected));
        }
        let codes = Arc::new(codes);
        Self::new(shape.into(), codes.len(), Stored::Text { names, codes })
    }

    fn new(shape: Shape, length: usize, values: Stored) -> Result<Self> {
        let size = shape
            .dims()
            .iter()
            .try_fold(1_usize, |size, &dim| size.checked_mul(dim))
            .filter(|&size| size > 0)
            .ok_or_else(|| Error::shape(UNNAMED, &shape, "dimensions above 0"))?;
        if !length.is_multiple_of(size) {
            return Err(Error::invalid(
                UNNAMED,
                format!("{length} numbers"),
                format!("a multiple of {size}, for rows of shape {shape}"),
            ));
        }
        let rows = length / size;
        if u32::try_from(rows).is_err() {
            return Err(Error::invalid(
                UNNAMED,
                format!("{rows} rows"),
                format!("at most {}", u32::MAX),
            ));
        }
        Ok(Tensor {
            name: UNNAMED.into(),
            shape,
            size,
            first_row: 0,
            rows,
            taken: None,
            values,
            scale: Scale::None,
        })
    }

    /// The same tensor with a name for messages, usually its file's. The default is `array`.
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// The same values, to be scaled by `scale` when they are gathered. It replaces the tensor's
    /// previous scale.
    pub fn scaled(mut self, scale: Scale) -> Result<Self> {
        if scale != Scale::None {
            self.numbers()?;
        }
        scale.check(self.size)?;
        self.scale = scale;
        Ok(self)
    }

    /// The same values in rows of another shape of the same size.
    pub fn reshaped(mut self, shape: impl Into<Shape>) -> Result<Self> {
        let shape = shape.into();
        let size = shape
            .dims()
            .iter()
            .try_fold(1_usize, |a, &b| a.checked_mul(b));
        if size != Some(self.size) {
            return Err(Error::shape(
                &self.name,
                &shape,
                format!("{} numbers a row, as {} has", self.size, self.shape),
            ));
        }
        self.shape = shape;
        Ok(self)
    }

    /// The name used in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The shape of one row, without the batch.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Number of elements in one row.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The scale applied when the values are gathered.
    pub fn scale(&self) -> &Scale {
        &self.scale
    }

    /// The number of a row in the source that this tensor was cut from, for messages about single
    /// rows.
    pub fn source_row(&self, row: usize) -> usize {
        let row = self.first_row + row;
        let taken = self.taken.as_ref().and_then(|rows| rows.get(row));
        taken.map_or(row, |&row| row as usize)
    }

    /// The values as they are stored, before any scaling.
    pub fn values(&self) -> Values<'_> {
        let start = self.first_row * self.size;
        let range = start..start + self.rows * self.size;
        match &self.values {
            Stored::U8(values) => Values::U8(&values[range]),
            Stored::F32(values) => Values::F32(&values[range]),
            Stored::F64(values) => Values::F64(&values[range]),
            Stored::Text { names, codes } => Values::Text {
                names,
                codes: &codes[range],
            },
        }
    }

    /// Takes the values' memory, if no other tensor shares it.
    pub(super) fn into_numbers(self) -> Option<Buffer> {
        match self.values {
            Stored::U8(values) => Arc::into_inner(values).map(Buffer::U8),
            Stored::F32(values) => Arc::into_inner(values).map(Buffer::F32),
            Stored::F64(values) => Arc::into_inner(values).map(Buffer::F64),
            Stored::Text { .. } => None,
        }
    }

    /// Bytes per row in memory, without the texts of a dictionary.
    pub(super) fn row_bytes(&self) -> usize {
        let each = match self.values {
            Stored::U8(_) => 1,
            Stored::F32(_) | Stored::Text { .. } => 4,
            Stored::F64(_) => 8,
        };
        self.size.saturating_mul(each)
    }

    /// True if it holds texts.
    pub fn is_text(&self) -> bool {
        matches!(self.values, Stored::Text { .. })
    }

    /// An error if the tensor holds texts.
    pub(crate) fn numbers(&self) -> Result<()> {
        match self.is_text() {
            false => Ok(()),
            true => Err(Error::invalid(
                &self.name,
                "text",
                "numbers: a StringLookup or Hashing layer behind an input of text makes such",
            )),
        }
    }

    /// The rows of a range, sharing memory with this tensor.
    pub fn slice(&self, range: Range<usize>) -> Result<Self> {
        if range.start > range.end || range.end > self.rows {
            return Err(Error::invalid(
                &self.name,
                format!("rows {}..{}", range.start, range.end),
                format!("a range within its {} rows", self.rows),
            ));
        }
        let mut part = self.clone();
        part.first_row += range.start;
        part.rows = range.len();
        Ok(part)
    }

    /// The given rows in the given order, copied.
    pub fn take(&self, rows: &[usize]) -> Result<Self> {
        fn copy<T: Copy>(all: &[T], size: usize, rows: &[usize]) -> Arc<Vec<T>> {
            let mut taken = Vec::with_capacity(rows.len() * size);
            for &row in rows {
                taken.extend_from_slice(&all[row * size..][..size]);
            }
            Arc::new(taken)
        }
        if let Some(&row) = rows.iter().find(|&&row| row >= self.rows) {
            return Err(self.no_such_row(row));
        }
        let values = match self.values() {
            Values::U8(all) => Stored::U8(copy(all, self.size, rows)),
            Values::F32(all) => Stored::F32(copy(all, self.size, rows)),
            Values::F64(all) => Stored::F64(copy(all, self.size, rows)),
            Values::Text { codes, .. } => {
                let Stored::Text { names, .. } = &self.values else {
                    return Err(Error::Internal("texts without a dictionary".into()));
                };
                Stored::Text {
                    names: names.clone(),
                    codes: copy(codes, self.size, rows),
                }
            }
        };
        let mut taken = Self::new(self.shape.clone(), rows.len() * self.size, values)?;
        taken.name = self.name.clone();
        taken.scale = self.scale.clone();
        Ok(taken)
    }

    /// The given rows, ascending, which keep their source row numbers in messages: shared if
    /// contiguous, else copied.
    pub(crate) fn select(&self, rows: &[usize]) -> Result<Self> {
        if let [first, .., last] = rows
            && rows.is_sorted_by(|a, b| a < b)
            && last - first + 1 == rows.len()
        {
            return self.slice(*first..last + 1);
        }
        let mut selected = self.take(rows)?;
        let sources = rows.iter().map(|&row| self.source_row(row) as u32);
        selected.taken = Some(Arc::new(sources.collect()));
        Ok(selected)
    }

    /// Writes the given rows, scaled, one after another into `out`, whose length must be exactly
    /// theirs. It allocates nothing. An error if the tensor holds texts.
    pub fn gather(&self, rows: &[u32], out: &mut [f32]) -> Result<()> {
        self.numbers()?;
        if rows.len().checked_mul(self.size) != Some(out.len()) {
            return Err(Error::invalid(
                &self.name,
                format!("room for {} numbers", out.len()),
                format!("{} rows of {}", rows.len(), self.size),
            ));
        }
        self.check_rows(rows)?;
        self.copy_rows(rows, out);
        Ok(())
    }

    /// Refuses rows that are not there.
    pub(crate) fn check_rows(&self, rows: &[u32]) -> Result<()> {
        match rows.iter().max() {
            Some(&last) if last as usize >= self.rows => Err(self.no_such_row(last as usize)),
            _ => Ok(()),
        }
    }

    /// [`Tensor::gather`] without the bounds check. A text becomes NaN.
    pub(crate) fn copy_rows(&self, rows: &[u32], out: &mut [f32]) {
        match self.values() {
            Values::U8(all) => runs(all, self.size, rows, out, |from, to| {
                self.scale.apply_u8(from, to)
            }),
            Values::F32(all) => runs(all, self.size, rows, out, |from, to| {
                self.scale.apply_f32(from, to)
            }),
            Values::F64(all) => runs(all, self.size, rows, out, |from, to| {
                self.scale.apply_f64(from, to)
            }),
            Values::Text { .. } => out.fill(f32::NAN),
        }
    }

    /// Like [`Tensor::gather`], for contiguous rows, without the bounds check.
    pub(crate) fn copy_range(&self, rows: Range<usize>, out: &mut [f32]) {
        let range = rows.start * self.size..rows.end * self.size;
        match self.values() {
            Values::U8(all) => self.scale.apply_u8(&all[range], out),
            Values::F32(all) => self.scale.apply_f32(&all[range], out),
            Values::F64(all) => self.scale.apply_f64(&all[range], out),
            Values::Text { .. } => out.fill(f32::NAN),
        }
    }

    /// All values, scaled, row after row; NaN for each text.
    pub fn to_f32(&self) -> Vec<f32> {
        let mut out = vec![0.0; self.rows * self.size];
        match self.values() {
            Values::U8(all) => self.scale.apply_u8(all, &mut out),
            Values::F32(all) => self.scale.apply_f32(all, &mut out),
            Values::F64(all) => self.scale.apply_f64(all, &mut out),
            Values::Text { .. } => out.fill(f32::NAN),
        }
        out
    }

    /// All values as they were read, row after row, before any scaling; NaN for each text.
    pub fn to_f64(&self) -> Vec<f64> {
        match self.values() {
            Values::U8(all) => all.iter().map(|&x| x.into()).collect(),
            Values::F32(all) => all.iter().map(|&x| x.into()).collect(),
            Values::F64(all) => all.to_vec(),
            Values::Text { codes, .. } => vec![f64::NAN; codes.len()],
        }
    }

    fn no_such_row(&self, row: usize) -> Error {
        Error::invalid(
            &self.name,
            format!("row {row}"),
            format!("a row below {}", self.rows),
        )
    }
}

const UNNAMED: &str = "array";

/// True if `f32` holds the value exactly.
pub(in crate::data) fn is_single(x: f64) -> bool {
    f64::from(x as f32) == x || x.is_nan()
}

impl PartialEq for Tensor {
    /// True if shape, stored values or texts, and scale agree; names are ignored.
    fn eq(&self, other: &Self) -> bool {
        let same = match (self.values(), other.values()) {
            (
                Values::Text { names, codes },
                Values::Text {
                    names: others,
                    codes: other_codes,
                },
            ) => {
                let texts = codes.iter().map(|&code| &names[code as usize]);
                texts.eq(other_codes.iter().map(|&code| &others[code as usize]))
            }
            // Equal values are equal, whatever width they are stored in.
            (Values::F32(a), Values::F64(b)) | (Values::F64(b), Values::F32(a)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| f64::from(a) == b)
            }
            (values, others) => values == others,
        };
        self.shape == other.shape && same && self.scale == other.scale
    }
}

/// Calls `copy` once for every run of contiguous rows: unshuffled data is then one long run instead
/// of many short rows.
#[inline(always)]
fn runs<T: Copy>(
    all: &[T],
    size: usize,
    rows: &[u32],
    out: &mut [f32],
    copy: impl Fn(&[T], &mut [f32]),
) {
    touch(all, size, rows);
    let (mut done, mut out) = (0, out);
    while done < rows.len() {
        let first = rows[done] as usize;
        let mut length = 1;
        while done + length < rows.len() && rows[done + length] as usize == first + length {
            length += 1;
        }
        let (now, rest) = out.split_at_mut(length * size);
        copy(&all[first * size..][..length * size], now);
        (done, out) = (done + length, rest);
    }
}

/// Reads an element of each cache line of the rows, so that scattered rows are fetched from memory
/// in parallel instead of one after the other.
#[inline(always)]
fn touch<T: Copy>(all: &[T], size: usize, rows: &[u32]) {
    const LINE: usize = 64;
    for &row in rows {
        let row = &all[row as usize * size..][..size];
        for number in row.iter().step_by(LINE / size_of::<T>()) {
            std::hint::black_box(*number);
        }
    }
}
