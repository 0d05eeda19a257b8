//! The keys of arrays' rows: their target, and files beside them with one number a row.

use crate::data::classes;
use crate::data::dataset::Dataset;
use crate::data::npy::{is_array, read_npy};
use crate::data::split::Keys;
use crate::data::tensor::Tensor;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::path::Path;

/// The keys of arrays' rows.
pub(in crate::data::source) struct ArrayKeys<'a> {
    pub data: &'a Dataset,
    /// The folder that files are relative to.
    pub base: &'a Path,
}

impl ArrayKeys<'_> {
    fn column(&self, file: &str) -> Result<Tensor> {
        if !is_array(file) {
            let expected = "an array file with one number a row (`groups.npy`): arrays have no \
                            columns with names";
            return Err(Error::invalid("", format!("`{file}`"), expected));
        }
        let column = read_npy(&self.base.join(file))?;
        if column.size() != 1 {
            let (name, shape) = (column.name(), column.shape());
            return Err(Error::shape(name, shape, "one number a row"));
        }
        if column.rows() != self.data.rows() {
            let found = format!("{} rows", column.rows());
            let expected = format!("{} as in {}", self.data.rows(), self.data.name());
            return Err(Error::invalid(column.name(), found, expected));
        }
        Ok(column)
    }
}

impl Keys for ArrayKeys<'_> {
    fn name(&self) -> &str {
        self.data.name()
    }

    fn rows(&self) -> usize {
        self.data.rows()
    }

    fn classes(&self) -> Result<Vec<u32>> {
        match self.data.targets() {
            [target] => classes::codes(target),
            several => {
                let found = format!("{} targets", several.len());
                let expected = "one, or a file with one number a row (`classes.npy`)";
                Err(Error::invalid("", found, expected))
            }
        }
    }

    fn codes(&self, file: &str) -> Result<Vec<Option<u32>>> {
        let mut known = HashMap::new();
        let column = self.column(file)?.to_f32();
        let code = |x: f32| {
            let next = known.len() as u32;
            // -0 and 0 are one group.
            (!x.is_nan()).then(|| *known.entry((x + 0.0).to_bits()).or_insert(next))
        };
        Ok(column.into_iter().map(code).collect())
    }

    fn times(&self, file: &str) -> Result<Vec<f64>> {
        let column = self.column(file)?.to_f32();
        Ok(column.into_iter().map(f64::from).collect())
    }
}
