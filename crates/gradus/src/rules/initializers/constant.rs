use super::InitializerFormula;
use crate::base::random::Sequence;
use crate::base::registry::Rule;
use serde::{Deserialize, Serialize};

/// All 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Zeros {}

impl Zeros {
    pub(super) const DEFAULT: Self = Zeros {};
}

/// All 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Ones {}

impl Ones {
    pub(super) const DEFAULT: Self = Ones {};
}

/// All the same number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Constant {
    /// The number. Default 0.
    pub value: f64,
}

impl Rule for Zeros {}
impl Rule for Ones {}
impl Rule for Constant {}

impl InitializerFormula for Zeros {
    fn deviation(&self) -> Option<f64> {
        Some(0.0)
    }

    fn fill(&self, _: &[usize], _: &mut Sequence, values: &mut [f32]) {
        values.fill(0.0);
    }
}

impl InitializerFormula for Ones {
    fn deviation(&self) -> Option<f64> {
        Some(0.0)
    }

    fn fill(&self, _: &[usize], _: &mut Sequence, values: &mut [f32]) {
        values.fill(1.0);
    }
}

impl InitializerFormula for Constant {
    fn deviation(&self) -> Option<f64> {
        Some(0.0)
    }

    fn fill(&self, _: &[usize], _: &mut Sequence, values: &mut [f32]) {
        values.fill(self.value as f32);
    }
}
