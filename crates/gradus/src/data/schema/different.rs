//! Different numbers of a column, before and behind float32.

use crate::base::written;
use crate::data::tensor::is_single;
use foldhash::fast::RandomState;
use std::collections::HashSet;

/// Limit of distinct values examined per column.
const MOST: usize = 1 << 12;
/// The same, while all values of a column are exact in float32.
const FEW: usize = 256;
/// Fewer float32 steps than this in a standard deviation are a loss,
const STEPS: f64 = 1000.0;
/// and so is one value in this many that becomes equal to another.
const SHARE: usize = 20;

/// Distinct values of a column, before and after rounding to float32.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Different {
    double: HashSet<u64, RandomState>,
    single: HashSet<u32, RandomState>,
    /// True if float32 rounds one of them.
    is_rounded: bool,
    least: f64,
    most: f64,
}

impl Default for Different {
    fn default() -> Self {
        Different {
            double: HashSet::default(),
            single: HashSet::default(),
            is_rounded: false,
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
        }
    }
}

impl Different {
    pub fn add(&mut self, x: f64) {
        if x.is_nan() {
            return;
        }
        (self.least, self.most) = (self.least.min(x), self.most.max(x));
        self.is_rounded |= !is_single(x);
        let most = if self.is_rounded { MOST } else { FEW };
        // Both zeros are equal.
        if self.double.len() < most && self.double.insert((x + 0.0).to_bits()) {
            self.single.insert((x as f32 + 0.0).to_bits());
        }
    }

    /// The distance of neighbouring float32 values at the largest magnitude.
    fn step(&self) -> f64 {
        let most = self.least.abs().max(self.most.abs()) as f32;
        f64::from(most.next_up()) - f64::from(most)
    }

    /// True if float32 loses the differences, given this deviation.
    pub fn is_lost(&self, deviation: f64) -> bool {
        let lost = self.double.len() - self.single.len();
        lost > 0 && (lost * SHARE >= self.double.len() || self.step() * STEPS > deviation)
    }

    /// The numbers of distinct values before and after rounding, in words.
    pub fn lost(&self) -> String {
        let among = match self.double.len() {
            MOST => "the first ".to_owned(),
            _ => String::new(),
        };
        format!(
            "{among}{} different numbers are {} in float32 (steps of {} at {})",
            self.double.len(),
            self.single.len(),
            written::double(self.step()),
            written::double(self.most)
        )
    }

    /// A constant to subtract so that float32 tells all of these apart.
    pub(super) fn offset(&self, mean: f64) -> Option<f64> {
        let offset = mean.round();
        let behind: HashSet<u32> = self
            .double
            .iter()
            .map(|&bits| ((f64::from_bits(bits) - offset) as f32 + 0.0).to_bits())
            .collect();
        (behind.len() == self.double.len()).then_some(offset)
    }
}
