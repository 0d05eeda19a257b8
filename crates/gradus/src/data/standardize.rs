//! The scale that standardizes columns, found in two passes over the rows.

use crate::data::dataset::Dataset;
use crate::data::scale::Scale;
use crate::data::tensor::{Tensor, Values, is_single};
use crate::error::Result;

impl Scale {
    /// The standardization that gives each column of these rows mean 0 and
    /// population variance 1; a constant column becomes 0.
    ///
    /// A column is one element of the row, whatever the row's shape. The tensor's own scale is
    /// ignored. Texts are not scaled.
    pub fn standard(rows: &Tensor) -> Scale {
        if rows.is_text() {
            return Scale::None;
        }
        let mut sums = Columns::new(rows.size());
        sums.add(rows, |_, x| x);
        let means = sums.means();
        let mut squares = Columns::new(rows.size());
        squares.add(rows, |column, x| (x - means[column]).powi(2));
        standard(means, &squares)
    }

    /// Like [`Scale::standard`], for each of several inputs; `each` visits their rows chunk by
    /// chunk, in two passes.
    pub(super) fn standard_of(
        inputs: &[Tensor],
        each: impl Fn(&mut dyn FnMut(&Dataset) -> Result<()>) -> Result<()>,
    ) -> Result<Vec<Scale>> {
        let none = || -> Vec<Columns> { inputs.iter().map(|x| Columns::new(x.size())).collect() };
        let (mut sums, mut squares) = (none(), none());
        each(&mut |data| {
            for (sums, rows) in sums.iter_mut().zip(data.inputs()) {
                sums.add(rows, |_, x| x);
            }
            Ok(())
        })?;
        let means: Vec<Vec<f64>> = sums.iter().map(Columns::means).collect();
        each(&mut |data| {
            for ((squares, means), rows) in squares.iter_mut().zip(&means).zip(data.inputs()) {
                squares.add(rows, |column, x| (x - means[column]).powi(2));
            }
            Ok(())
        })?;
        let scales = means.into_iter().zip(&squares).zip(inputs);
        let scale =
            |((means, squares), input): ((Vec<f64>, &Columns), &Tensor)| match input.is_text() {
                true => Scale::None,
                false => standard(means, squares),
            };
        Ok(scales.map(scale).collect())
    }
}

/// Sums of each column after a pass over the rows; all in f64.
struct Columns {
    /// The first row, which identifies a constant column: its computed variance may be a rounding
    /// error above 0.
    first: Vec<f64>,
    rows: usize,
    sums: Vec<f64>,
    varies: Vec<bool>,
    /// True if `f32` holds all of the column's values.
    single: Vec<bool>,
}

impl Columns {
    fn new(size: usize) -> Self {
        Columns {
            first: Vec::new(),
            rows: 0,
            sums: vec![0.0; size],
            varies: vec![false; size],
            single: vec![true; size],
        }
    }

    fn add(&mut self, rows: &Tensor, of: impl Fn(usize, f64) -> f64) {
        match rows.values() {
            Values::U8(all) => self.add_numbers(all, f64::from, of),
            Values::F32(all) => self.add_numbers(all, f64::from, of),
            Values::F64(all) => self.add_numbers(all, |x| x, of),
            Values::Text { .. } => {}
        }
    }

    /// Adds a function of each value and its column.
    fn add_numbers<T: Copy>(
        &mut self,
        all: &[T],
        number: impl Fn(T) -> f64,
        of: impl Fn(usize, f64) -> f64,
    ) {
        for row in all.chunks_exact(self.sums.len()) {
            if self.first.is_empty() {
                self.first = row.iter().map(|&x| number(x)).collect();
            }
            self.rows += 1;
            let columns = self.sums.iter_mut().zip(&mut self.varies);
            let columns = columns.zip(&mut self.single).zip(&self.first);
            for (column, ((((sum, varies), single), first), &x)) in columns.zip(row).enumerate() {
                let x = number(x);
                *sum += of(column, x);
                *varies |= x != *first;
                *single &= is_single(x);
            }
        }
    }

    fn means(&self) -> Vec<f64> {
        let count = self.rows.max(1) as f64;
        self.sums.iter().map(|sum| sum / count).collect()
    }
}

/// The deviations, from the means and a pass over the squared distances.
fn standard(mean: Vec<f64>, squares: &Columns) -> Scale {
    let inverse = |(variance, &varies): (f64, &bool)| {
        let inverse = (1.0 / variance.sqrt()) as f32;
        if varies && inverse.is_finite() {
            inverse
        } else {
            0.0
        }
    };
    let variances = squares.means().into_iter();
    let mean = mean.into_iter().zip(&squares.single);
    let rounded = |(mean, &single): (f64, &bool)| match single {
        true => f64::from(mean as f32),
        false => mean,
    };
    Scale::Standardize {
        mean: mean.map(rounded).collect(),
        inverse_deviation: variances.zip(&squares.varies).map(inverse).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_columns_have_mean_0_and_variance_1_and_constant_ones_are_0() -> Result<()> {
        // 0.1 is not a dyadic fraction: its mean over 7 rows is off by a rounding error.
        let rows: Vec<[f32; 3]> = (0..7).map(|i| [i as f32 * 1e4, 0.1, -(i as f32)]).collect();
        let tensor = Tensor::from_rows(&rows)?;
        let tensor = tensor.clone().scaled(Scale::standard(&tensor))?;
        let scaled = tensor.to_f32();
        for column in [0, 2] {
            let column: Vec<f32> = scaled.iter().skip(column).step_by(3).copied().collect();
            let mean = column.iter().sum::<f32>() / 7.0;
            let variance = column.iter().map(|x| x * x).sum::<f32>() / 7.0;
            assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-6);
        }
        assert!(scaled.iter().skip(1).step_by(3).all(|&x| x == 0.0));
        Ok(())
    }
}
