//! The curve as text, for a terminal.

use super::frame::Frame;
use crate::output::number;
use gradus::experiment::SuggestedRates;
use gradus::train::LearningRateCurve;

const WIDTH: usize = 61;
const HEIGHT: usize = 14;
/// The width of the losses on the left.
const LABELS: usize = 9;

/// The smoothed loss over the rate, with the suggestions marked.
pub fn text(curve: &LearningRateCurve, found: Option<SuggestedRates>) -> String {
    let frame = Frame::around(curve);
    let column = |x: f64| (x * (WIDTH - 1) as f64).round() as usize;
    let mut rows = vec![vec![' '; WIDTH]; HEIGHT];
    for point in &curve.points {
        let (x, y) = (frame.x(point.rate), frame.y(point.smoothed));
        if (0.0..=1.0).contains(&y) {
            let row = HEIGHT - 1 - (y * (HEIGHT - 1) as f64).round() as usize;
            rows[row][column(x)] = '*';
        }
    }
    let mut text = String::from("smoothed loss\n");
    for (i, row) in rows.iter().enumerate() {
        let share = 1.0 - i as f64 / (HEIGHT - 1) as f64;
        let label = match i % 4 {
            1 => number(frame.losses.0 + share * (frame.losses.1 - frame.losses.0)),
            _ => String::new(),
        };
        let row: String = row.iter().collect();
        text += &format!("{label:>LABELS$} |{}\n", row.trim_end());
    }
    let mut axis = vec!['-'; WIDTH];
    let mut powers = vec![' '; WIDTH + 4];
    for (power, x) in frame.ticks() {
        axis[column(x)] = '+';
        put(&mut powers, column(x), &format!("1e{power}"));
    }
    text += &line(&axis, '+');
    text += &line(&powers, ' ');
    if let Some(found) = found {
        let mut marks = vec![' '; WIDTH + 4];
        for (rate, mark) in [
            (found.turning_point, "^climbs"),
            (found.max_rate, "^"),
            (found.rate, "^rate"),
        ] {
            put(&mut marks, column(frame.x(rate).clamp(0.0, 1.0)), mark);
        }
        text += &line(&marks, ' ');
    }
    text + "\n"
}

/// Text from that column on, as far as there is room.
fn put(row: &mut [char], column: usize, letters: &str) {
    for (place, letter) in row.iter_mut().skip(column).zip(letters.chars()) {
        *place = letter;
    }
}

fn line(row: &[char], corner: char) -> String {
    let row: String = row.iter().collect();
    format!("{:LABELS$} {corner}{}\n", "", row.trim_end())
}
