//! Coordinates of rates and losses in a picture.

use gradus::train::LearningRateCurve;

/// The visible part of the plane: rates by their logarithm, and losses up to a little above the
/// first, since a loss that blows up would hide everything else.
pub struct Frame {
    /// Powers of ten that enclose the rates.
    pub decades: (f64, f64),
    /// Losses at the bottom and at the top.
    pub losses: (f64, f64),
}

impl Frame {
    /// The frame of a curve.
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

    /// The position of a rate between the left edge, 0, and the right, 1.
    pub fn x(&self, rate: f64) -> f64 {
        (rate.log10() - self.decades.0) / (self.decades.1 - self.decades.0)
    }

    /// The position of a loss between the bottom, 0, and the top, 1; outside if it is not visible.
    pub fn y(&self, loss: f64) -> f64 {
        (loss - self.losses.0) / (self.losses.1 - self.losses.0)
    }

    /// The powers of ten within, with their positions.
    pub fn ticks(&self) -> impl Iterator<Item = (i32, f64)> {
        let (first, last) = (self.decades.0 - 1e-9, self.decades.1 + 1e-9);
        let powers = first.ceil() as i32..=last.floor() as i32;
        powers.map(|power| (power, self.x(10f64.powi(power))))
    }
}
