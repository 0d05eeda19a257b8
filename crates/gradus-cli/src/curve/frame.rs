//! Where on a picture a rate and a loss are.

use gradus::train::LearningRateCurve;

/// The part of the plane that is shown: rates by their logarithm, and losses up
/// to a little above the first, for what blows up would leave nothing to see.
pub struct Frame {
    /// The powers of ten that the rates lie between.
    pub decades: (f64, f64),
    /// The losses at the bottom and at the top.
    pub losses: (f64, f64),
}

impl Frame {
    /// Around a curve.
    pub fn around(curve: &LearningRateCurve) -> Self {
        let [first, .., last] = &curve.points[..] else {
            return Frame {
                decades: (-5.0, 1.0),
                losses: (0.0, 1.0),
            };
        };
        let smoothed = || curve.points.iter().map(|p| p.smoothed);
        let lowest = smoothed().fold(first.smoothed, f64::min);
        let highest = smoothed().fold(first.smoothed, f64::max);
        let fallen = (first.smoothed - lowest).max(lowest.abs());
        let margin = fallen.max(f64::MIN_POSITIVE) / 4.0;
        let bottom = lowest - margin / 2.0;
        Frame {
            decades: (first.rate.log10(), last.rate.log10()),
            losses: (
                if lowest < 0.0 {
                    bottom
                } else {
                    bottom.max(0.0)
                },
                (first.smoothed + margin).min(highest + margin),
            ),
        }
    }

    /// The place of a rate between the left edge, 0, and the right, 1.
    pub fn x(&self, rate: f64) -> f64 {
        (rate.log10() - self.decades.0) / (self.decades.1 - self.decades.0)
    }

    /// The place of a loss between the bottom, 0, and the top, 1; outside for
    /// what is not shown.
    pub fn y(&self, loss: f64) -> f64 {
        (loss - self.losses.0) / (self.losses.1 - self.losses.0)
    }

    /// The powers of ten within, with their places.
    pub fn ticks(&self) -> impl Iterator<Item = (i32, f64)> {
        let (first, last) = (self.decades.0 - 1e-9, self.decades.1 + 1e-9);
        let powers = first.ceil() as i32..=last.floor() as i32;
        powers.map(|power| (power, self.x(10f64.powi(power))))
    }
}
