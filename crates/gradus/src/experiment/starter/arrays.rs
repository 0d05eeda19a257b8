//! Array files: inputs, and their targets beside them.

use super::text::{Rows, sizes};
use crate::data::{Purpose, Split, Values, open};
use crate::error::{Error, Result};
use crate::model::Task;
use std::path::{Path, PathBuf};

/// Words of a file's name that mean inputs, and those that mean their targets.
const PAIRS: [(&str, &str); 6] = [
    ("x", "y"),
    ("X", "y"),
    ("images", "labels"),
    ("inputs", "targets"),
    ("features", "targets"),
    ("features", "labels"),
];

/// Looks at `x.npy,y.npy`, or at `x.npy` with its targets in a file beside it.
pub fn look(data: &str) -> Result<Rows> {
    let (x, y, guessed) = match data.split_once(',') {
        Some((x, y)) => (x.trim().to_owned(), y.trim().to_owned(), false),
        None => (data.to_owned(), beside(data)?, true),
    };
    let all = open(&format!("{x},{y}"), Split::Train, Purpose::default())?;
    let sample = all.sample();
    let count = all.rows().unwrap_or(0);
    let input = &sample.inputs()[0];
    let mut rows = Rows::default();
    rows.seen
        .push(format!("{count} rows of {}", sizes(input.shape().dims())));
    rows.key("x", x.as_str());
    if guessed {
        rows.remark("The targets: a guess, the file beside it; change this if they are another's.");
    }
    rows.key("y", y.as_str());
    let predicted = match Task::of(&all, None)? {
        Task::Classes(classes) | Task::OneHot(classes) => format!("{classes} classes"),
        Task::Binary(1) | Task::Numbers(1) => "a number".into(),
        Task::Binary(numbers) | Task::Numbers(numbers) => format!("{numbers} numbers"),
    };
    rows.remark(&format!("What is predicted: {predicted}."));
    let is_pixels = matches!(input.values(), Values::U8(_)) && input.shape().rank() > 1;
    match is_pixels {
        true => {
            rows.remark("Bytes, taken for pixels: \"unit\" divides them by 255.");
            rows.key("scale", "unit");
        }
        false => {
            rows.remark("Each feature to mean 0 and deviation 1, by the rows to train on.");
            rows.key("scale", "standard");
        }
    }
    rows.hold_out(count, "shuffle", true);
    Ok(rows)
}

/// The file with the targets of the inputs in this one.
fn beside(x: &str) -> Result<String> {
    let path = Path::new(x);
    if !path.is_file() {
        // The reader says what is wrong with it.
        open(x, Split::Train, Purpose::default())?;
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.into_owned();
    let mut tried = Vec::new();
    for (inputs, targets) in PAIRS {
        let words: Vec<&str> = stem.split('_').collect();
        if !words.contains(&inputs) {
            continue;
        }
        let words = words
            .iter()
            .map(|word| if *word == inputs { targets } else { word });
        let name = words.collect::<Vec<_>>().join("_") + ".npy";
        let file: PathBuf = path.with_file_name(&name);
        if file.is_file() {
            return Ok(file.display().to_string());
        }
        tried.push(format!("`{}`", file.display()));
    }
    let looked = match tried.is_empty() {
        true => String::new(),
        false => format!(" (looked for {})", tried.join(", ")),
    };
    let expected = format!("the file of the targets, too: gradus init {x},FILE.npy");
    Err(Error::invalid(
        "init",
        format!("`{x}` without targets beside it{looked}"),
        expected,
    ))
}
