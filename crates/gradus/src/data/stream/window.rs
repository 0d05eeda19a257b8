//! Assembly of a window from blocks of rows.

use super::pool::Pool;
use crate::data::{Dataset, Tensor, Values};
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// The blocks read so far.
#[derive(Debug, Default)]
pub(super) struct Window {
    pool: Pool,
    /// A sample of the blocks without rows, taken from the first.
    like: Option<Dataset>,
    parts: Vec<TensorRows>,
}

/// The rows of one tensor.
#[derive(Debug)]
enum TensorRows {
    U8(Vec<u8>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    Text {
        places: HashMap<String, u32>,
        codes: Vec<u32>,
    },
}

/// Refuses a block whose number of rows is not the requested one.
pub(super) fn as_many(data: &Dataset, rows: &Range<usize>) -> Result<()> {
    if data.rows() == rows.len() {
        return Ok(());
    }
    Err(unlike(
        data.name(),
        Some(rows.start),
        format!("{} rows", data.rows()),
        format!("{}, which were asked for", rows.len()),
    ))
}

impl Window {
    /// Recycles the memory of a used window.
    pub fn reuse(&mut self, data: Dataset) {
        for tensor in data.into_tensors() {
            self.pool.give(tensor);
        }
    }

    /// Adds a block, whose first row is `row` in the source, to a window of `rows` rows.
    pub fn add(&mut self, data: Dataset, row: usize, rows: usize) -> Result<()> {
        let data = data.with_ids(Vec::new())?;
        match &self.like {
            Some(like) => alike(like, &data, Some(row))?,
            None => {
                self.parts.clear();
                for tensor in data.tensors() {
                    let room = rows * tensor.size();
                    self.parts.push(match tensor.values() {
                        Values::U8(_) => TensorRows::U8(self.pool.bytes(room)?),
                        Values::F32(_) => TensorRows::F32(self.pool.floats(room)?),
                        Values::F64(_) => TensorRows::F64(self.pool.doubles(room)?),
                        Values::Text { .. } => TensorRows::Text {
                            places: HashMap::new(),
                            codes: Vec::with_capacity(room),
                        },
                    });
                }
                self.like = Some(data.clone());
            }
        }
        for (part, tensor) in self.parts.iter_mut().zip(data.tensors()) {
            let room = rows * tensor.size();
            if let (TensorRows::F32(all), Values::F64(_)) = (&*part, tensor.values()) {
                // All earlier blocks were exact in float32.
                let mut wide = self.pool.doubles(room)?;
                wide.extend(all.iter().map(|&x| f64::from(x)));
                *part = TensorRows::F64(wide);
            }
            part.add(tensor.values());
        }
        Ok(())
    }

    /// The assembled rows, in the order of the blocks.
    pub fn finish(&mut self) -> Result<Dataset> {
        self.pool.clear();
        let Some(like) = self.like.take() else {
            return Err(Error::Internal("a window without rows".into()));
        };
        let mut parts = std::mem::take(&mut self.parts).into_iter();
        like.map(|tensor| match parts.next() {
            Some(part) => part.finish(tensor),
            None => Err(Error::Internal("a tensor without rows".into())),
        })
    }
}

impl TensorRows {
    fn add(&mut self, values: Values<'_>) {
        match (self, values) {
            (TensorRows::U8(all), Values::U8(more)) => all.extend_from_slice(more),
            (TensorRows::F32(all), Values::F32(more)) => all.extend_from_slice(more),
            (TensorRows::F64(all), Values::F64(more)) => all.extend_from_slice(more),
            (TensorRows::F64(all), Values::F32(more)) => {
                all.extend(more.iter().map(|&x| f64::from(x)));
            }
            (TensorRows::Text { places, codes }, Values::Text { names, codes: more }) => {
                let place = |name: &String| {
                    let next = places.len() as u32;
                    match places.get(name) {
                        Some(&place) => place,
                        None => *places.entry(name.clone()).or_insert(next),
                    }
                };
                let known: Vec<u32> = names.iter().map(place).collect();
                codes.extend(more.iter().map(|&code| known[code as usize]));
            }
            // Types were compared when the blocks came.
            _ => {}
        }
    }

    fn finish(self, like: &Tensor) -> Result<Tensor> {
        let shape = like.shape().clone();
        let tensor = match self {
            TensorRows::U8(values) => Tensor::from_u8(shape, values)?,
            TensorRows::F32(values) => Tensor::from_f32(shape, values)?,
            TensorRows::F64(values) => Tensor::from_wide(shape, values)?,
            TensorRows::Text { places, codes } => {
                let mut names = vec![String::new(); places.len()];
                for (name, place) in places {
                    names[place as usize] = name;
                }
                Tensor::from_dictionary(shape, Arc::new(names), codes)?
            }
        };
        tensor.named(like.name()).scaled(like.scale().clone())
    }
}

/// Refuses rows unlike the previous ones; the error names the source's row number.
pub(super) fn alike(before: &Dataset, now: &Dataset, row: Option<usize>) -> Result<()> {
    let counts = |data: &Dataset| {
        let weights = usize::from(data.sample_weight().is_some());
        let (inputs, targets) = (data.inputs().len(), data.targets().len());
        (inputs, targets, weights)
    };
    if counts(before) != counts(now) {
        let said = |(inputs, targets, weights)| {
            format!("{inputs} inputs, {targets} targets, {weights} weights")
        };
        let (found, expected) = (said(counts(now)), said(counts(before)));
        let expected = format!("{expected}, as in the rows before");
        return Err(unlike(now.name(), row, found, expected));
    }
    for (before, now) in before.tensors().zip(now.tensors()) {
        let said = |tensor: &Tensor| {
            let kind = match tensor.values() {
                Values::U8(_) => "bytes",
                Values::F32(_) | Values::F64(_) => "numbers",
                Values::Text { .. } => "texts",
            };
            format!("{kind} of shape {}", tensor.shape())
        };
        let (found, expected) = (said(now), said(before));
        if found != expected {
            let expected = format!("{expected}, as in the rows before");
            return Err(unlike(now.name(), row, found, expected));
        }
        if before.scale() != now.scale() {
            let expected = "the scale of the rows before".to_owned();
            return Err(unlike(now.name(), row, "another scale".into(), expected));
        }
    }
    Ok(())
}

fn unlike(name: &str, row: Option<usize>, found: String, expected: String) -> Error {
    Error::Data {
        source_name: name.to_owned(),
        row,
        column: None,
        found,
        expected,
    }
}
