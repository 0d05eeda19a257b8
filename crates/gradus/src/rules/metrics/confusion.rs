use super::{Batch, Better, MetricFormula};
use crate::base::registry::Rule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Precision, the share of right ones among the outputs that say yes: tp / (tp + fp), 0 if none
/// says yes. An output says yes above the threshold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Precision {
    /// Threshold, from 0 to 1. Default 0.5, or none with `top_k`.
    #[schemars(extend("examples" = [0.7]))]
    pub thresholds: Option<f64>,
    /// Limits yes to a row's k largest outputs. Default all.
    #[schemars(extend("examples" = [3]))]
    pub top_k: Option<u64>,
    /// Output to count, the others being ignored. Default all.
    #[schemars(extend("examples" = [1]))]
    pub class_id: Option<u64>,
}

/// Recall, the share of found ones among the targets that are yes: tp / (tp + fn), 0 if none is
/// yes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Recall {
    /// Threshold, from 0 to 1. Default 0.5, or none with `top_k`.
    #[schemars(extend("examples" = [0.7]))]
    pub thresholds: Option<f64>,
    /// Limits yes to a row's k largest outputs. Default all.
    #[schemars(extend("examples" = [3]))]
    pub top_k: Option<u64>,
    /// Output to count, the others being ignored. Default all.
    #[schemars(extend("examples" = [1]))]
    pub class_id: Option<u64>,
}

fn check(thresholds: Option<f64>, top_k: Option<u64>) -> Result<()> {
    if let Some(threshold) = thresholds
        && !(0.0..=1.0).contains(&threshold)
    {
        let expected = "a number from 0 to 1";
        return Err(Error::invalid("thresholds", threshold, expected));
    }
    match top_k {
        Some(0) => Err(Error::invalid("top_k", 0, "a whole number of 1 or more")),
        _ => Ok(()),
    }
}

impl Rule for Precision {
    fn check(&self) -> Result<()> {
        check(self.thresholds, self.top_k)
    }
}

impl Rule for Recall {
    fn check(&self) -> Result<()> {
        check(self.thresholds, self.top_k)
    }
}

/// Calls `f` with each element's target and output as yes or no, and its weight.
fn answers(
    batch: Batch<'_>,
    thresholds: Option<f64>,
    top_k: Option<u64>,
    class_id: Option<u64>,
    mut f: impl FnMut(bool, bool, f64),
) {
    let none = if top_k.is_some() { -1e10 } else { 0.5 };
    let threshold = thresholds.unwrap_or(none) as f32;
    batch.each_like_outputs(|target, output, weight| {
        for (i, (&t, &y)) in target.iter().zip(output).enumerate() {
            if class_id.is_some_and(|class| class != i as u64) {
                continue;
            }
            let chosen = top_k.is_none_or(|k| {
                // Of ties, the earlier ones.
                let before = |&(j, &other): &(usize, &f32)| other > y || (other == y && j < i);
                (output.iter().enumerate().filter(before).count() as u64) < k
            });
            f(t != 0.0, chosen && y > threshold, weight);
        }
    });
}

fn share(gathered: &[f64]) -> f64 {
    match gathered[0] + gathered[1] {
        0.0 => 0.0,
        sum => gathered[0] / sum,
    }
}

impl MetricFormula for Precision {
    const BETTER: Option<Better> = Some(Better::Larger);

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        answers(
            batch,
            self.thresholds,
            self.top_k,
            self.class_id,
            |t, y, w| {
                gathered[0] += w * f64::from(t && y);
                gathered[1] += w * f64::from(!t && y);
            },
        );
    }

    fn result(&self, gathered: &[f64]) -> f64 {
        share(gathered)
    }
}

impl MetricFormula for Recall {
    const BETTER: Option<Better> = Some(Better::Larger);

    fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
        answers(
            batch,
            self.thresholds,
            self.top_k,
            self.class_id,
            |t, y, w| {
                gathered[0] += w * f64::from(t && y);
                gathered[1] += w * f64::from(t && !y);
            },
        );
    }

    fn result(&self, gathered: &[f64]) -> f64 {
        share(gathered)
    }
}

/// A count of one field of the confusion matrix.
macro_rules! count {
    ($(#[$doc:meta])* $name:ident, $target:literal, $output:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(default)]
        pub struct $name {
            /// The threshold above which an output says yes, from 0 to 1. Default 0.5.
            #[schemars(extend("examples" = [0.7]))]
            pub thresholds: Option<f64>,
        }

        impl Rule for $name {
            fn check(&self) -> Result<()> {
                check(self.thresholds, None)
            }
        }

        impl MetricFormula for $name {
            const BETTER: Option<Better> = None;

            fn gathers(&self, _width: usize) -> usize {
                1
            }

            fn add(&self, batch: Batch<'_>, gathered: &mut [f64]) {
                answers(batch, self.thresholds, None, None, |t, y, w| {
                    gathered[0] += w * f64::from(t == $target && y == $output);
                });
            }

            fn result(&self, gathered: &[f64]) -> f64 {
                gathered[0]
            }
        }
    };
}

count!(
    /// The number of targets that are yes, with outputs that say yes.
    TruePositives, true, true
);
count!(
    /// The number of targets that are no, with outputs that say no.
    TrueNegatives, false, false
);
count!(
    /// The number of targets that are no, with outputs that say yes.
    FalsePositives, false, true
);
count!(
    /// The number of targets that are yes, with outputs that say no.
    FalseNegatives, true, false
);
