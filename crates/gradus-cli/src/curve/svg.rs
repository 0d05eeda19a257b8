//! The curve as an SVG picture. Two lines, an axis and three marks: less code
//! than the calls of a plotting crate, and no crate.

use super::frame::Frame;
use crate::output::number;
use gradus::experiment::SuggestedRates;
use gradus::train::{LearningRateCurve, RatePoint};
use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 60.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#444}\
    .grid{stroke:#e4e4e4}.axis{stroke:#888}.raw{fill:none;stroke:#c9d6ea}\
    .smooth{fill:none;stroke:#1f5fbf;stroke-width:2.2;stroke-linejoin:round}\
    .mark{stroke-dasharray:5 4;stroke-width:1.4}";

/// The loss of each step and the smoothed loss over the rate, with the
/// suggestions marked.
pub fn svg(curve: &LearningRateCurve, found: Option<SuggestedRates>) -> String {
    let frame = Frame::around(curve);
    let x = |place: f64| LEFT + place * (WIDTH - LEFT - RIGHT);
    let y = |place: f64| HEIGHT - BOTTOM - place * (HEIGHT - TOP - BOTTOM);
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"Loss over learning rate\">\n<style>{STYLE}</style>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
    );
    // Writing to a string cannot fail.
    for i in 0..=4 {
        let place = f64::from(i) / 4.0;
        let loss = frame.losses.0 + place * (frame.losses.1 - frame.losses.0);
        let (at, label) = (y(place), number(loss));
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 8.0,
            at + 4.0
        );
    }
    for (power, place) in frame.ticks() {
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">1e{power}</text>",
            bottom + 18.0,
            at = x(place)
        );
    }
    for (class, loss) in [
        ("raw", points(curve, &frame, |p| p.loss)),
        ("smooth", points(curve, &frame, |p| p.smoothed)),
    ] {
        let mut path = String::new();
        for (at, height) in loss {
            let command = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{command}{:.1} {:.1}", x(at), y(height));
        }
        let _ = writeln!(svg, "<path class=\"{class}\" d=\"{path}\"/>");
    }
    let marks = found.map(|found| {
        [
            (found.rate, "#2a8a3e", "rate", 0.0),
            (found.max_rate, "#b8860b", "1cycle maximum", 15.0),
            (found.turning_point, "#c0392b", "climbs", 30.0),
        ]
    });
    for (rate, color, name, below) in marks.into_iter().flatten() {
        let place = frame.x(rate);
        // Beside the line, if there is room.
        let (anchor, beside) = if place > 0.3 {
            ("end", -5.0)
        } else {
            ("start", 5.0)
        };
        let _ = writeln!(
            svg,
            "<path class=\"mark\" stroke=\"{color}\" d=\"M{at:.1} {TOP}V{bottom}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" \
             style=\"fill:{color}\">{name} {rate}</text>",
            x(place) + beside,
            TOP + 13.0 + below,
            at = x(place)
        );
    }
    let _ = writeln!(
        svg,
        "<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}H{right}\" fill=\"none\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">learning rate</text>\
         <text x=\"{LEFT}\" y=\"18\" text-anchor=\"middle\">loss</text>\n</svg>",
        (LEFT + right) / 2.0,
        HEIGHT - 16.0
    );
    svg
}

/// The points of a series; those beyond the frame are moved to its edge.
fn points(
    curve: &LearningRateCurve,
    frame: &Frame,
    loss: impl Fn(&RatePoint) -> f64,
) -> Vec<(f64, f64)> {
    let points = curve.points.iter();
    let place = |point: &RatePoint| (frame.x(point.rate), frame.y(loss(point)).clamp(0.0, 1.0));
    points.map(place).collect()
}
