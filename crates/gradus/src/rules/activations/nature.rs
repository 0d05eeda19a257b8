//! The nature of an activation, read off its values, so that nobody keeps lists of activations.

use super::{Activation, ActivationFormula, Form, Visit};

/// Kind of an activation: an initializer and a place in a network go with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// The numbers as they are, at most scaled.
    Linear,
    /// Unbounded above and flat or gentler below, as ReLU and ELU.
    Rectifier,
    /// As a rectifier, and it keeps mean 0 and deviation 1: SELU.
    SelfNormalizing,
    /// Bounded on both sides, as the sigmoid.
    Saturating,
    /// A share of a whole row, as softmax.
    Shares,
    /// None of these.
    Other,
}

/// Distance below which numbers count as equal.
const CLOSE: f64 = 1e-3;
/// Slope below which an activation counts as flat.
const FLAT: f64 = 0.05;
/// Slopes of a rectifier above 0.
const STEEP: std::ops::Range<f64> = 0.4..2.0;

/// Calls an activation with one number.
struct At(f32);

impl Visit for At {
    type Output = f32;

    fn visit<R: ActivationFormula>(self, rule: &R) -> f32 {
        rule.value(self.0)
    }
}

impl Activation {
    /// Its value at one number; an activation of whole rows has none.
    fn at(&self, x: f64) -> f64 {
        self.visit(At(x as f32)).into()
    }

    /// Its kind.
    pub fn nature(&self) -> Nature {
        if self.form() != Form::Element {
            return Nature::Shares;
        }
        let factors = [-30.0, -2.0, -0.5, 0.5, 2.0, 30.0].map(|x| self.at(x) / x);
        if factors == [self.at(1.0); 6] {
            return Nature::Linear;
        }
        let slope = |a: f64, b: f64| (self.at(b) - self.at(a)) / (b - a);
        // Not too far above, where ReLU6 is flat, too.
        let (below, above) = (slope(-60.0, -30.0).abs(), slope(3.0, 5.0));
        let (mean, square) = self.moments();
        if below < FLAT && above.abs() < FLAT {
            Nature::Saturating
        } else if !(STEEP.contains(&above) && below < 0.9 * above) {
            Nature::Other
        } else if mean.abs() < CLOSE && (square - 1.0).abs() < CLOSE {
            Nature::SelfNormalizing
        } else {
            Nature::Rectifier
        }
    }

    /// Its least and its greatest value, infinite without a bound.
    pub fn range(&self) -> (f64, f64) {
        match self.form() {
            Form::Softmax => return (0.0, 1.0),
            Form::LogSoftmax => return (f64::NEG_INFINITY, 0.0),
            Form::Element => {}
        }
        let all = (-600..=600).map(|tenth| self.at(f64::from(tenth) / 10.0));
        let (least, most) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), y| {
            (least.min(y), most.max(y))
        });
        let unbounded = |y: f64| y.abs() > 20.0;
        let rounded = |y: f64| (y * 100.0).round() / 100.0;
        (
            if unbounded(least) {
                f64::NEG_INFINITY
            } else {
                rounded(least)
            },
            if unbounded(most) {
                f64::INFINITY
            } else {
                rounded(most)
            },
        )
    }

    /// True if it is flat below, so that a unit whose inputs are all there never learns again.
    pub fn dies(&self) -> bool {
        let flat = || [-60.0, -30.0, -3.0, -1.0].map(|x| self.at(x)) == [0.0; 4];
        self.form() == Form::Element && flat() && self.at(3.0) > 1.0
    }

    /// The values, as middle and distance from it, between which its slope is at least 5% of its
    /// largest; `None` of an activation that is not flat at both ends.
    pub fn steep(&self) -> Option<(f32, f32)> {
        if self.nature() != Nature::Saturating {
            return None;
        }
        let places = || (-6000..=6000).map(|n| f64::from(n) / 100.0);
        let slope = |x: f64| (self.at(x + 0.005) - self.at(x - 0.005)).abs() / 0.01;
        let largest = places().map(slope).fold(0.0, f64::max);
        let values = places().filter(|&x| slope(x) >= FLAT * largest);
        let (least, most) = values
            .map(|x| self.at(x))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), y| {
                (least.min(y), most.max(y))
            });
        Some((((least + most) / 2.0) as f32, ((most - least) / 2.0) as f32))
    }

    /// Mean and mean square of its values at standard normal numbers.
    fn moments(&self) -> (f64, f64) {
        const STEPS: i32 = 1600;
        let (mut mean, mut square, mut sum) = (0.0, 0.0, 0.0);
        for step in -STEPS..=STEPS {
            let x = 8.0 * f64::from(step) / f64::from(STEPS);
            let (weight, y) = ((-0.5 * x * x).exp(), self.at(x));
            (mean, square, sum) = (mean + weight * y, square + weight * y * y, sum + weight);
        }
        (mean / sum, square / sum)
    }
}
