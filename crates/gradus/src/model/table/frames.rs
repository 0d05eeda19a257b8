//! Scored rows as record batches and polars' frames.

use super::{Scored, ScoredCells};
use crate::error::{Error, Result};

fn wrong(why: impl std::fmt::Display) -> Error {
    Error::invalid("the scored columns", why, "columns of different names")
}

#[cfg(feature = "arrow")]
impl Scored {
    /// The columns as a record batch: numbers as Float32, texts as Utf8. An error if two have one
    /// name.
    pub fn to_record_batch(&self) -> Result<arrow_array::RecordBatch> {
        use arrow_array::{ArrayRef, Float32Array, StringArray};
        use std::collections::HashSet;
        use std::sync::Arc;
        let mut seen = HashSet::new();
        if let Some(twice) = self.columns.iter().find(|c| !seen.insert(&c.name)) {
            return Err(wrong(format!("`{}` twice", twice.name)));
        }
        let columns = self.columns.iter().map(|column| {
            let array: ArrayRef = match &column.cells {
                ScoredCells::Numbers(all) => Arc::new(Float32Array::from(all.clone())),
                ScoredCells::Texts(names, codes) => {
                    let texts = codes.iter().map(|&code| &names[code as usize]);
                    Arc::new(StringArray::from_iter_values(texts))
                }
            };
            (&column.name, array)
        });
        arrow_array::RecordBatch::try_from_iter(columns).map_err(wrong)
    }
}

#[cfg(feature = "polars")]
impl Scored {
    /// The columns as a frame: numbers as Float32, texts as String. An error if two have one name.
    pub fn to_frame(&self) -> Result<polars_core::frame::DataFrame> {
        use polars_core::prelude::{Column, DataFrame, NamedFrom, Series};
        let columns = self.columns.iter().map(|column| {
            let name = column.name.as_str().into();
            Column::from(match &column.cells {
                ScoredCells::Numbers(all) => Series::new(name, all.as_slice()),
                ScoredCells::Texts(names, codes) => {
                    let texts = codes.iter().map(|&code| names[code as usize].as_str());
                    Series::new(name, texts.collect::<Vec<&str>>().as_slice())
                }
            })
        });
        DataFrame::new_infer_height(columns.collect()).map_err(wrong)
    }
}
