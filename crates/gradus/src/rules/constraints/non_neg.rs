use super::ConstraintFormula;
use crate::base::registry::Rule;
use serde::{Deserialize, Serialize};

/// Sets weights below 0 to 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct NonNeg {}

impl Rule for NonNeg {}

impl ConstraintFormula for NonNeg {
    const MAKES_ZEROS: bool = true;

    fn apply(&self, _: &[usize], values: &mut [f32], _: &mut [f64]) {
        for w in values {
            // NaN stays NaN.
            if *w < 0.0 {
                *w = 0.0;
            }
        }
    }
}
