//! The learning-rate finder's curve: as text, CSV and SVG.

mod frame;
mod svg;
mod text;

pub use svg::svg;
pub use text::text;

use gradus::train::LearningRateCurve;

/// One line a step, in full precision.
pub fn csv(curve: &LearningRateCurve) -> String {
    let mut csv = String::from("learning_rate,loss,smoothed_loss\n");
    for point in &curve.points {
        csv += &format!("{},{},{}\n", point.rate, point.loss, point.smoothed);
    }
    csv
}
