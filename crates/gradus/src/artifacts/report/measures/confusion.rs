//! The confusion matrix: the number of times that each class was taken for each.

use std::collections::BTreeMap;

/// The counts of true and predicted classes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Confusion {
    /// The number of classes.
    pub classes: usize,
    /// The rows of a true and a predicted class, where there are some.
    pub counts: BTreeMap<(usize, usize), u64>,
}

/// The figures of one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OfClass {
    /// The rows of the class.
    pub rows: u64,
    /// The share of the rows predicted as the class that are of it; `None` if there are none.
    pub precision: Option<f64>,
    /// The share of its rows that were predicted as it; `None` if it has none.
    pub recall: Option<f64>,
    /// The harmonic mean of both, 0 if they are 0; `None` if neither is known.
    pub f1: Option<f64>,
}

impl Confusion {
    /// The counts of pairs of true and predicted class.
    pub fn of(classes: usize, pairs: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut counts = BTreeMap::new();
        for pair in pairs {
            *counts.entry(pair).or_insert(0) += 1;
        }
        Confusion { classes, counts }
    }

    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The share of rows whose class was predicted; `None` without rows.
    pub fn accuracy(&self) -> Option<f64> {
        let right = self.counts.iter().filter(|((t, p), _)| t == p);
        share(right.map(|(_, n)| n).sum(), self.rows())
    }

    /// The pairs that were mistaken most often: true class, predicted class, rows.
    pub fn worst(&self, most: usize) -> Vec<(usize, usize, u64)> {
        let wrong = self.counts.iter().filter(|((t, p), _)| t != p);
        let mut wrong: Vec<_> = wrong.map(|(&(t, p), &n)| (t, p, n)).collect();
        wrong.sort_by_key(|&(t, p, n)| (std::cmp::Reverse(n), t, p));
        wrong.truncate(most);
        wrong
    }

    /// The figures of each class.
    pub fn of_classes(&self) -> Vec<OfClass> {
        let (mut is, mut said, mut right) = (
            vec![0; self.classes],
            vec![0; self.classes],
            vec![0; self.classes],
        );
        for (&(truth, predicted), &n) in &self.counts {
            is[truth] += n;
            said[predicted] += n;
            if truth == predicted {
                right[truth] += n;
            }
        }
        let class = |c: usize| OfClass {
            rows: is[c],
            precision: share(right[c], said[c]),
            recall: share(right[c], is[c]),
            f1: share(2 * right[c], is[c] + said[c]),
        };
        (0..self.classes).map(class).collect()
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_shares_are_those_counted_by_hand() {
        let truth = [0, 0, 0, 1, 1, 2, 2, 2, 2, 0];
        let said = [0, 1, 0, 1, 1, 0, 0, 2, 2, 0];
        let confusion = Confusion::of(4, truth.into_iter().zip(said));
        assert_eq!(confusion.rows(), 10);
        assert_eq!(confusion.accuracy(), Some(0.7));
        assert_eq!(confusion.worst(1), [(2, 0, 2)]);
        assert_eq!(confusion.worst(9), [(2, 0, 2), (0, 1, 1)]);
        let classes = confusion.of_classes();
        let first = OfClass {
            rows: 4,
            precision: Some(0.6),
            recall: Some(0.75),
            f1: Some(6.0 / 9.0),
        };
        assert_eq!(classes[0], first);
        assert_eq!(classes[1].precision, Some(2.0 / 3.0));
        assert_eq!(classes[3].recall, None);
        assert_eq!(classes[3].f1, None);
        assert_eq!(Confusion::of(2, std::iter::empty()).accuracy(), None);
    }
}
