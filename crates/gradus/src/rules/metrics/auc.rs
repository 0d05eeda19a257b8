use super::{Batch, Better, MetricFormula, over};
use crate::base::json_schema::also;
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The curve whose area is taken.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum Curve {
    /// True positive rate over false positive rate.
    #[default]
    #[serde(alias = "roc")]
    #[schemars(transform = also("roc"))]
    ROC,
    /// Precision over recall.
    #[serde(alias = "pr")]
    #[schemars(transform = also("pr"))]
    PR,
    /// Precision gain over recall gain (Flach & Kull 2015).
    #[serde(alias = "prgain")]
    #[schemars(transform = also("prgain"))]
    PRGAIN,
}

/// The summation of the area between thresholds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Summation {
    /// Trapezoidal; for precision over recall, interpolated as in Davis & Goadrich 2006.
    #[default]
    #[serde(alias = "Interpolation")]
    #[schemars(transform = also("Interpolation"))]
    Interpolation,
    /// By the lower of two neighbours.
    #[serde(alias = "Minoring")]
    #[schemars(transform = also("Minoring"))]
    Minoring,
    /// By the higher of two neighbours.
    #[serde(alias = "Majoring")]
    #[schemars(transform = also("Majoring"))]
    Majoring,
}

/// The area under a curve of yes/no outputs by their threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct AUC {
    /// Number of thresholds, evenly spaced from 0 to 1. Default 200.
    pub num_thresholds: u64,
    /// Curve. Default ROC.
    pub curve: Curve,
    /// Summation. Default by interpolation.
    pub summation_method: Summation,
    /// Own thresholds between 0 and 1 instead. Default none.
    #[schemars(extend("examples" = [[0.25, 0.5, 0.75]]))]
    pub thresholds: Option<Vec<f64>>,
    /// True to average a separate area for each output. Default no: all outputs are pooled.
    pub multi_label: bool,
    /// Number of outputs, with `multi_label`. Default the actual one.
    #[schemars(extend("examples" = [3]))]
    pub num_labels: Option<u64>,
    /// Weight of each output. Default equal weights.
    #[schemars(extend("examples" = [[1.0, 2.0]]))]
    pub label_weights: Option<Vec<f64>>,
    /// True if outputs are logits rather than probabilities. Default no.
    pub from_logits: bool,
}

impl AUC {
    pub(super) const DEFAULT: Self = AUC {
        num_thresholds: 200,
        curve: Curve::ROC,
        summation_method: Summation::Interpolation,
        thresholds: None,
        multi_label: false,
        num_labels: None,
        label_weights: None,
        from_logits: false,
    };

    /// The thresholds between the first, below 0, and the last, above 1; `None` if they are evenly
    /// spaced.
    fn uneven(&self) -> Option<Vec<f64>> {
        let mut thresholds = self.thresholds.clone()?;
        thresholds.sort_by(f64::total_cmp);
        let last = (thresholds.len() + 1) as f64;
        let even = (1..).zip(&thresholds).all(|(i, t)| {
            let even = f64::from(i) / last;
            (t - even).abs() <= 1e-7 + 1e-5 * even
        });
        (!even || thresholds.is_empty()).then_some(thresholds)
    }

    /// Number of thresholds, with the first and the last.
    fn count(&self) -> usize {
        let own = self.thresholds.as_ref().map(|t| t.len() + 2);
        own.unwrap_or(self.num_thresholds as usize)
    }

    fn weight(&self, label: usize) -> f64 {
        let weights = self.label_weights.as_ref();
        weights.map_or(1.0, |w| w.get(label).copied().unwrap_or(0.0))
    }
}

impl Default for AUC {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Rule for AUC {
    fn check(&self) -> Result<()> {
        if !(2..=1_000_000).contains(&self.num_thresholds) {
            let expected = "a whole number from 2 to 1000000";
            return Err(Error::invalid(
                "num_thresholds",
                self.num_thresholds,
                expected,
            ));
        }
        if let Some(thresholds) = &self.thresholds
            && let Some(bad) = thresholds.iter().find(|t| !(0.0..=1.0).contains(*t))
        {
            return Err(Error::invalid("thresholds", bad, "numbers from 0 to 1"));
        }
        if let Some(labels) = self.num_labels
            && !self.multi_label
        {
            let expected = "nothing, unless `multi_label` is true";
            return Err(Error::invalid("num_labels", labels, expected));
        }
        Ok(())
    }
}

impl MetricFormula for AUC {
    const BETTER: Option<Better> = Some(Better::Larger);

    /// For each label, the counts of true and false ones by the number of thresholds below them,
    /// from none to all.
    fn gathers(&self, width: usize) -> usize {
        let labels = if self.multi_label { width } else { 1 };
        labels * 2 * (self.count() + 1)
    }

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        let count = self.count();
        let uneven = self.uneven();
        batch.each_like_outputs(|target, output, weight| {
            for (i, (&t, &y)) in target.iter().zip(output).enumerate() {
                let y = match self.from_logits {
                    true => 1.0 / (1.0 + (-y).exp()),
                    false => y,
                };
                let above = match &uneven {
                    None => {
                        let place = (y.clamp(0.0, 1.0) * (count - 1) as f32).ceil();
                        (place as usize).clamp(1, count)
                    }
                    Some(_) if f64::from(y) <= -1e-7 => 0,
                    Some(_) if f64::from(y) > 1.0 + 1e-7 => count,
                    Some(between) => 1 + between.iter().filter(|&&t| y > t as f32).count(),
                };
                let label = if self.multi_label { i } else { 0 };
                let place = (2 * label + usize::from(t == 0.0)) * (count + 1) + above;
                gathered[place] += match self.multi_label {
                    true => weight,
                    false => weight * self.weight(i),
                };
            }
        });
    }

    fn result(&self, gathered: &[f64]) -> f64 {
        let count = self.count();
        let areas = gathered.chunks_exact(2 * (count + 1)).map(|label| {
            let (yes, no) = label.split_at(count + 1);
            self.area(yes, no)
        });
        if !self.multi_label {
            return areas.sum();
        }
        let (mut sum, mut weights) = (0.0, 0.0);
        for (label, area) in areas.enumerate() {
            sum += area * self.weight(label);
            weights += self.weight(label);
        }
        over(sum, weights)
    }
}

impl AUC {
    /// The area, from the counts of true and false ones by the number of thresholds below them.
    fn area(&self, yes: &[f64], no: &[f64]) -> f64 {
        // Those above threshold j are those above more than j thresholds.
        let above = |numbers: &[f64]| {
            let mut sums = vec![0.0; numbers.len() - 1];
            let mut sum = 0.0;
            for j in (0..sums.len()).rev() {
                sum += numbers[j + 1];
                sums[j] = sum;
            }
            sums
        };
        let (tp, fp) = (above(yes), above(no));
        let positives: f64 = yes.iter().sum();
        let negatives: f64 = no.iter().sum();
        if self.curve == Curve::PR && self.summation_method == Summation::Interpolation {
            return interpolated(&tp, &fp, positives);
        }
        let point = |j: usize| {
            let recall = over(tp[j], positives);
            match self.curve {
                Curve::ROC => (over(fp[j], negatives), recall),
                Curve::PR => (recall, over(tp[j], tp[j] + fp[j])),
                Curve::PRGAIN if tp[j] == 0.0 => (0.0, 1.0),
                Curve::PRGAIN => {
                    let scale = over(positives, negatives);
                    let recall = 1.0 - scale * (positives - tp[j]) / tp[j];
                    (recall.max(0.0), 1.0 - scale * fp[j] / tp[j])
                }
            }
        };
        let points: Vec<_> = (0..tp.len()).map(point).collect();
        let strips = points.windows(2).map(|pair| {
            let [(x, y), (next_x, next_y)] = [pair[0], pair[1]];
            let height = match self.summation_method {
                Summation::Interpolation => (y + next_y) / 2.0,
                Summation::Minoring => y.min(next_y),
                Summation::Majoring => y.max(next_y),
            };
            (x - next_x) * height
        });
        strips.sum()
    }
}

/// Precision over recall, true positives being linear in all positives between two thresholds: with
/// slope s = ΔTP / ΔP and TP = i + s P, the area is Σ s (ΔTP + i ln(P / P')) / positives.
fn interpolated(tp: &[f64], fp: &[f64], positives: f64) -> f64 {
    let strips = (1..tp.len()).map(|j| {
        let (said, said_next) = (tp[j - 1] + fp[j - 1], tp[j] + fp[j]);
        let found = tp[j - 1] - tp[j];
        let slope = over(found, (said - said_next).max(0.0));
        let intercept = tp[j] - slope * said_next;
        let ratio = match said > 0.0 && said_next > 0.0 {
            true => said / said_next,
            false => 1.0,
        };
        over(slope * (found + intercept * ratio.ln()), positives)
    });
    strips.sum()
}
