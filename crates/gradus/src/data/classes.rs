//! The class of a row, by its target.

use super::stream::Data;
use super::tensor::Tensor;
use crate::base::written;
use crate::error::{Error, Result};

/// The class in a row's target: the value itself, or the index of the largest of several.
pub(crate) fn class_of(row: &[f32]) -> f64 {
    match row {
        [number] => f64::from(*number).round(),
        row => {
            let larger = |best: usize, i: usize| if row[i] > row[best] { i } else { best };
            (0..row.len()).reduce(larger).unwrap_or(0) as f64
        }
    }
}

/// Codes for the classes of rows, equal for rows of one class. The target has one whole number a
/// row (0 and up, or ±1), or is one-hot.
///
/// An error if it is neither.
pub(crate) fn codes(target: &Tensor) -> Result<Vec<u32>> {
    const EXPECTED: &str = "classes: whole numbers, or one-hot rows";
    let size = target.size();
    if target.shape().rank() > 1 {
        return Err(Error::shape(target.name(), target.shape(), EXPECTED));
    }
    let is_class = |row: &[f32]| match row {
        [number] => number.fract() == 0.0 && number.abs() < (1 << 24) as f32,
        row => {
            let ones = row.iter().filter(|&&x| x == 1.0).count();
            ones == 1 && row.iter().all(|&x| x == 0.0 || x == 1.0)
        }
    };
    let values = target.to_f32();
    let rows = values.chunks(size.max(1)).enumerate();
    rows.map(|(number, row)| match is_class(row) {
        true => Ok(class_of(row) as i64 as u32),
        false => Err(Error::Data {
            source_name: target.name().to_owned(),
            row: Some(target.source_row(number)),
            column: None,
            found: match row {
                [_] => written::double(target.to_f64()[number]),
                row => format!("{row:?}"),
            },
            expected: EXPECTED.into(),
        }),
    })
    .collect()
}

const KEY: &str = "class_weight";

impl super::Dataset {
    /// Codes for the classes of rows, equal for rows of one class, as
    /// [`split::stratified`](crate::data::split::stratified) takes them.
    ///
    /// An error if the data has no target, several, or one that is neither whole numbers nor
    /// one-hot.
    pub fn classes(&self) -> Result<Vec<u32>> {
        match self.targets() {
            [target] => codes(target),
            several => {
                let found = format!("{} targets", several.len());
                Err(Error::invalid("classes", found, "one target, of classes"))
            }
        }
    }

    /// The weight of each class that makes all classes count the same in the
    /// loss: rows over (classes times the class's rows), scikit-learn's
    /// `balanced`. For `Fit::class_weight`.
    ///
    /// An error if the data has no target, several, or one that is neither whole numbers from 0 on
    /// nor one-hot.
    pub fn balanced_class_weight(&self) -> Result<Vec<(usize, f64)>> {
        Data::from(self).balanced_class_weight()
    }
}

impl Data {
    /// Like [`Dataset::balanced_class_weight`](super::Dataset::balanced_class_weight), in one pass
    /// over the rows.
    pub fn balanced_class_weight(&self) -> Result<Vec<(usize, f64)>> {
        let mut counts = std::collections::BTreeMap::<u32, usize>::new();
        let mut rows = 0;
        self.each(&mut |data| {
            let [target] = data.targets() else {
                let found = format!("{} targets", data.targets().len());
                return Err(Error::invalid(KEY, found, "one target, of classes"));
            };
            for code in codes(target)? {
                *counts.entry(code).or_default() += 1;
            }
            rows += data.rows();
            Ok(())
        })?;
        // Negative classes have codes above any valid class.
        if let Some((&code, _)) = counts.last_key_value()
            && code > 1 << 24
        {
            let found = format!("a class of {}", code as i32);
            return Err(Error::invalid(KEY, found, "classes from 0 on"));
        }
        let classes = counts.len() as f64;
        let weight = |count: usize| rows as f64 / (classes * count as f64);
        Ok(counts
            .into_iter()
            .map(|(class, count)| (class as usize, weight(count)))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dataset, Tensor};

    fn weights(shape: impl Into<crate::Shape>, targets: Vec<f32>) -> Option<Vec<(usize, f64)>> {
        let y = Tensor::from_f32(shape, targets).unwrap();
        let x = Tensor::from_column(vec![0.0; y.rows()]).unwrap();
        Dataset::new(x, y).unwrap().balanced_class_weight().ok()
    }

    #[test]
    fn balanced_weights_are_scikit_learns() {
        // compute_class_weight("balanced", classes=[0, 1, 3], y=[0, 1, 1, 3, 3, 3, 3, 3])
        let found = weights([], vec![0.0, 1.0, 1.0, 3.0, 3.0, 3.0, 3.0, 3.0]).unwrap();
        let expected = [(0, 8.0 / 3.0), (1, 4.0 / 3.0), (3, 8.0 / 15.0)];
        for ((class, weight), (known, wanted)) in found.iter().zip(expected) {
            assert!(*class == known && (weight - wanted).abs() < 1e-15);
        }
        assert_eq!(found.len(), 3);
        let one_hot = vec![1.0, 0.0, 0.0, 1.0, 0.0, 1.0];
        assert_eq!(weights([2], one_hot).unwrap(), [(0, 1.5), (1, 0.75)]);
        assert_eq!(weights([], vec![0.5, 1.0]), None);
        assert_eq!(weights([], vec![-1.0, 1.0]), None);
        assert_eq!(weights([2], vec![1.0, 1.0]), None);
    }
}
