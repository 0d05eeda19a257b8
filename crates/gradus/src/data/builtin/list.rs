//! `gradus data list`.

use super::{BUILT_IN, HOUSING, housing};
use crate::base::shape::Shape;
use std::fmt::Write;

/// The sets as a table for `gradus data list`: name, rows, shape, classes, location on this machine
/// or the way to get it, and origin.
pub fn list() -> String {
    let mut text = String::new();
    let mut line = |name: &str, rows: &str, shape: &str, classes: &str, what: &str, place: &str| {
        let _ = writeln!(
            text,
            "{name:<16}{rows:>14}  {shape:<17}{classes:>7}  {what:<26}{place}"
        );
    };
    let get = |name: &str| format!("not here: gradus data fetch {name}");
    line("name", "rows + test", "shape", "classes", "what", "where");
    for set in BUILT_IN {
        line(
            set.name,
            &format!("{} + {}", set.rows[0], set.rows[1]),
            &Shape::new(set.shape).to_string(),
            &set.classes.len().to_string(),
            set.description,
            &set.found().unwrap_or_else(|| get(set.files())),
        );
    }
    let place = housing().map(|file| file.display().to_string());
    line(
        HOUSING,
        "20640",
        "10 columns",
        "",
        "a table of districts",
        &place.unwrap_or_else(|_| get(HOUSING)),
    );
    text.push('\n');
    for set in BUILT_IN {
        let _ = writeln!(text, "{}: {}", set.name, set.source);
    }
    let _ = writeln!(
        text,
        "{HOUSING}: R. Pace, R. Barry: Sparse Spatial Autoregressions (1997), as A. Géron's book has it"
    );
    text
}
