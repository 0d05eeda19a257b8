use super::{RegularizerFormula, check_positive};
use crate::base::lane::Lane;
use crate::base::registry::Rule;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// l1 · Σ |w|: makes weights exactly 0 (Tibshirani 1996).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct L1 {
    /// The factor, 0 or more. Default 0.01.
    pub l1: f64,
}

/// l2 · Σ w², without a half: makes weights small (Hoerl & Kennard 1970).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct L2 {
    /// The factor, 0 or more. Default 0.01.
    pub l2: f64,
}

/// l1 · Σ |w| + l2 · Σ w² (Zou & Hastie 2005).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct L1L2 {
    /// The factor of Σ |w|, 0 or more. Default 0, as in Keras.
    pub l1: f64,
    /// The factor of Σ w², 0 or more. Default 0, as in Keras.
    pub l2: f64,
}

impl L1 {
    /// With this factor.
    pub fn new(l1: f64) -> Self {
        L1 { l1 }
    }
}

impl L2 {
    /// With this factor.
    pub fn new(l2: f64) -> Self {
        L2 { l2 }
    }
}

impl L1L2 {
    /// With these factors.
    pub fn new(l1: f64, l2: f64) -> Self {
        L1L2 { l1, l2 }
    }
}

impl Default for L1 {
    fn default() -> Self {
        L1::new(0.01)
    }
}

impl Default for L2 {
    fn default() -> Self {
        L2::new(0.01)
    }
}

impl Rule for L1 {
    fn check(&self) -> Result<()> {
        check_positive("l1", self.l1)
    }
}

impl Rule for L2 {
    fn check(&self) -> Result<()> {
        check_positive("l2", self.l2)
    }
}

impl Rule for L1L2 {
    fn check(&self) -> Result<()> {
        check_positive("l1", self.l1)?;
        check_positive("l2", self.l2)
    }
}

impl RegularizerFormula for L1 {
    fn l1_l2(&self) -> Option<L1L2> {
        Some(L1L2::new(self.l1, 0.0))
    }

    #[inline(always)]
    fn penalty<L: Lane>(&self, w: L) -> L {
        w.abs() * L::splat(self.l1 as f32)
    }

    /// 0 at 0.
    #[inline(always)]
    fn derivative<L: Lane>(&self, w: L) -> L {
        w.sign() * L::splat(self.l1 as f32)
    }
}

impl RegularizerFormula for L2 {
    fn l1_l2(&self) -> Option<L1L2> {
        Some(L1L2::new(0.0, self.l2))
    }

    #[inline(always)]
    fn penalty<L: Lane>(&self, w: L) -> L {
        w * w * L::splat(self.l2 as f32)
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, w: L) -> L {
        w * L::splat(2.0 * self.l2 as f32)
    }
}

impl RegularizerFormula for L1L2 {
    fn l1_l2(&self) -> Option<L1L2> {
        Some(self.clone())
    }

    #[inline(always)]
    fn penalty<L: Lane>(&self, w: L) -> L {
        L1::new(self.l1).penalty(w) + L2::new(self.l2).penalty(w)
    }

    #[inline(always)]
    fn derivative<L: Lane>(&self, w: L) -> L {
        L1::new(self.l1).derivative(w) + L2::new(self.l2).derivative(w)
    }
}
