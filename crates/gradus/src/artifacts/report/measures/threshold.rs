//! Figures of two classes at every threshold: the ROC and the precision-recall curve.

/// Both curves, from the highest threshold to the lowest.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    /// The score from which on rows count as positive at each point; infinite at the first.
    pub thresholds: Vec<f64>,
    /// The share of negative rows above.
    pub false_positives: Vec<f64>,
    /// The share of positive rows above: the recall.
    pub true_positives: Vec<f64>,
    /// The share of the rows above that are positive; 1 at the first point.
    pub precision: Vec<f64>,
    /// Area under the ROC curve.
    pub roc_auc: f64,
    /// Mean of the precision, weighted by the gain in recall.
    pub average_precision: f64,
}

impl Thresholds {
    /// Those of scores, higher for the positive class. `None` unless there are rows of both
    /// classes, or if a score is NaN.
    pub fn of(scores: &[f64], positive: &[bool]) -> Option<Self> {
        let mut order: Vec<usize> = (0..scores.len().min(positive.len())).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let all = order.iter().filter(|&&row| positive[row]).count();
        let others = order.len() - all;
        if all == 0 || others == 0 || scores.iter().any(|score| score.is_nan()) {
            return None;
        }
        let mut curve = Thresholds {
            thresholds: vec![f64::INFINITY],
            false_positives: vec![0.0],
            true_positives: vec![0.0],
            precision: vec![1.0],
            roc_auc: 0.0,
            average_precision: 0.0,
        };
        let (mut right, mut wrong) = (0, 0);
        for (place, &row) in order.iter().enumerate() {
            match positive[row] {
                true => right += 1,
                false => wrong += 1,
            }
            let next = order.get(place + 1);
            if next.is_some_and(|&next| scores[next] == scores[row]) {
                continue;
            }
            let (x, y) = (wrong as f64 / others as f64, right as f64 / all as f64);
            let precision = right as f64 / (right + wrong) as f64;
            let last = curve.thresholds.len() - 1;
            let (before_x, before_y) = (curve.false_positives[last], curve.true_positives[last]);
            curve.roc_auc += (x - before_x) * (y + before_y) / 2.0;
            curve.average_precision += (y - before_y) * precision;
            curve.thresholds.push(scores[row]);
            curve.false_positives.push(x);
            curve.true_positives.push(y);
            curve.precision.push(precision);
        }
        Some(curve)
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    /// Expected: `roc_curve`, `roc_auc_score`, `precision_recall_curve` and
    /// `average_precision_score` of scikit-learn.
    #[test]
    fn curves_are_those_of_scikit_learn() {
        let golden = golden::read();
        let of = |name: &str| golden::numbers(&golden["two_classes"][name]);
        let positive: Vec<bool> = of("positive").iter().map(|&y| y == 1.0).collect();
        let found = Thresholds::of(&of("scores"), &positive).unwrap();
        golden::assert_close(&found.false_positives, &of("false_positives"));
        golden::assert_close(&found.true_positives, &of("true_positives"));
        golden::assert_close(&found.precision, &of("precision"));
        golden::assert_close(&[found.roc_auc], &of("roc_auc"));
        golden::assert_close(&[found.average_precision], &of("average_precision"));
    }

    #[test]
    fn one_class_has_no_curve() {
        assert_eq!(Thresholds::of(&[0.1, 0.2], &[true, true]), None);
        assert_eq!(Thresholds::of(&[f64::NAN, 0.2], &[true, false]), None);
        assert_eq!(Thresholds::of(&[], &[]), None);
    }
}
