//! A summary of a data set, in words, statistics and a small picture.

use crate::base::shown::visible;
use crate::base::written;
use crate::data::dataset::Dataset;
use crate::data::tensor::{Tensor, Values};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A description of a data set for `gradus data show`: rows, shapes, types, ranges, the rows of
/// each class, and the first pictures if its rows are small pictures.
pub fn describe(data: &Dataset) -> String {
    let mut text = format!("{}: {} rows\n", visible(data.name()), data.rows());
    for (i, input) in data.inputs().iter().enumerate() {
        let name = data.input_names().get(i).map_or("input", String::as_str);
        line(&mut text, name, input);
    }
    for (i, target) in data.targets().iter().enumerate() {
        let name = data.target_names().get(i).map_or("target", String::as_str);
        line(&mut text, name, target);
        if let Some(counts) = class_counts(target) {
            classes(&mut text, &counts, data.class_names());
        }
    }
    if let Some(weight) = data.sample_weight() {
        line(&mut text, "sample_weight", weight);
    }
    if let Some(picture) = pictures(&data.inputs()[0]) {
        text.push('\n');
        text.push_str(&picture);
    }
    text
}

/// One tensor: shape, type, range and mean of the values as they are stored.
fn line(text: &mut String, what: &str, tensor: &Tensor) {
    let (kind, summary) = match tensor.values() {
        Values::U8(all) => ("uint8", summary(all)),
        Values::F32(all) => ("float32", summary(all)),
        Values::F64(all) => ("float64", summary(all)),
        Values::Text { .. } => ("text", None),
    };
    let _ = write!(
        text,
        "  {:<14}{:<18}{kind:<9}",
        visible(what),
        tensor.shape().to_string()
    );
    if let Some(Summary {
        min,
        max,
        mean,
        bad,
    }) = summary
    {
        let _ = write!(
            text,
            "from {} to {}, mean {mean:.5}",
            written::double(min),
            written::double(max)
        );
        if bad > 0 {
            let _ = write!(text, ", {bad} NaN or infinite");
        }
    }
    text.push('\n');
}

struct Summary {
    min: f64,
    max: f64,
    mean: f64,
    /// Number of NaN or infinite values, which the other fields leave out.
    bad: usize,
}

fn summary<T: Copy + Into<f64>>(all: &[T]) -> Option<Summary> {
    let (mut min, mut max, mut sum) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
    let finite = all
        .iter()
        .map(|&x| x.into())
        .filter(|x: &f64| x.is_finite());
    let mut count = 0_usize;
    for x in finite {
        (min, max) = (min.min(x), max.max(x));
        sum += x;
        count += 1;
    }
    (count > 0).then(|| Summary {
        min,
        max,
        mean: sum / count as f64,
        bad: all.len() - count,
    })
}

/// The number of rows per label; `None` if the values don't look like labels: whole, from 0 on, few
/// different ones.
fn class_counts(target: &Tensor) -> Option<BTreeMap<u32, usize>> {
    const MOST_CLASSES: usize = 100;
    if target.size() != 1 {
        return None;
    }
    let mut counts = BTreeMap::new();
    for x in target.to_f64() {
        if x < 0.0 || x.fract() != 0.0 || x >= 1e6 || x.is_nan() {
            return None;
        }
        *counts.entry(x as u32).or_insert(0) += 1;
        if counts.len() > MOST_CLASSES {
            return None;
        }
    }
    Some(counts)
}

fn classes(text: &mut String, counts: &BTreeMap<u32, usize>, names: &[String]) {
    let most = counts.values().copied().max().unwrap_or(1);
    let longest = names.iter().map(|name| name.chars().count()).max();
    let width = longest.unwrap_or(0).max(12);
    for (label, count) in counts {
        let name = names
            .get(*label as usize)
            .filter(|name| **name != label.to_string());
        let name = visible(name.map_or("", String::as_str));
        let bar = "█".repeat((count * 24).div_ceil(most));
        let _ = writeln!(text, "    {label:>3} {name:<width$} {count:>7} {bar}");
    }
}

/// The first pictures side by side in shades of ink, if rows are small pictures.
fn pictures(input: &Tensor) -> Option<String> {
    const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];
    let (height, width, channels) = match *input.shape().dims() {
        [height, width] => (height, width, 1),
        [height, width, channels @ (1 | 3)] => (height, width, channels),
        _ => return None,
    };
    if !(4..=40).contains(&height) || !(4..=40).contains(&width) || input.rows() == 0 {
        return None;
    }
    // A character is twice as high as wide: a small picture gets two characters for each pixel, a
    // large one one for one to two pixels above each other.
    let small = width <= 16;
    let (above, beside) = if small { (1, 2) } else { (2, 1) };
    let shown = input.rows().min(76 / (width * beside + 2));
    let pixels = input.slice(0..shown).ok()?.to_f32();
    // Colours are shown by their brightness.
    let gray = |pixel: &[f32]| match *pixel {
        [red, green, blue] => 0.299 * red + 0.587 * green + 0.114 * blue,
        _ => pixel[0],
    };
    let pixels: Vec<f32> = pixels.chunks_exact(channels).map(gray).collect();
    let max = pixels.iter().copied().fold(0.0, f32::max);
    let mut text = String::new();
    for top in (0..height).step_by(above) {
        let mut line = String::from("  ");
        for picture in pixels.chunks_exact(height * width) {
            for column in 0..width {
                let rows = top..(top + above).min(height);
                let count = rows.len() as f32;
                let ink = rows.map(|row| picture[row * width + column]).sum::<f32>() / count;
                let shade = (ink / max * SHADES.len() as f32) as usize;
                let shade = SHADES[shade.min(SHADES.len() - 1)];
                line.extend(std::iter::repeat_n(shade, beside));
            }
            line.push_str("  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    Some(text)
}
