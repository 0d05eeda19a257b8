//! Derivation of a table's targets: classes or a number.

use super::{TableOptions, Target, Treat};
use crate::base::shown::first;
use crate::base::written;
use crate::data::table::{Cells, Column, Kind, Table, truth};
use crate::error::{Error, Result};

/// The classes of a target: texts; two distinct numbers, unless the options make them numbers; none
/// for other numbers.
pub(super) fn target(table: &Table, column: &Column, options: &TableOptions) -> Result<Target> {
    let name = &column.name;
    let is_number = options.columns.get(name) == Some(&Treat::As(Kind::Number))
        || options.number_targets.contains(name);
    let mut classes = match &column.cells {
        Cells::Number(_) if is_number => Vec::new(),
        Cells::Number(all) => two(all).unwrap_or_default(),
        Cells::Boolean(_) => vec!["false".to_owned(), "true".to_owned()],
        Cells::Category { names, .. } => names.clone(),
        Cells::Date(_) | Cells::DateTime(_) => {
            let expected = "numbers or classes: leave it out, or turn it into a number";
            return Err(Error::invalid(name, "dates as a target", expected));
        }
    };
    // Numeric class names are sorted by value.
    let numbers: Option<Vec<f64>> = classes.iter().map(|name| name.parse().ok()).collect();
    match numbers {
        Some(_) => classes.sort_by(|a, b| {
            let number = |text: &String| text.parse::<f64>().unwrap_or(f64::NAN);
            number(a).total_cmp(&number(b)).then_with(|| a.cmp(b))
        }),
        None => classes.sort(),
    }
    if let Some(words) = yes_and_no(&classes) {
        classes = words;
    }
    let target = Target {
        name: name.clone(),
        kind: column.cells.kind(),
        classes,
        format: column.reading.format,
    };
    if target.kind == Kind::Category && target.classes.len() < 2 {
        let found = format!("one class, `{}`, in all rows", target.classes.concat());
        let at = format!("{}, column `{}`", table.name, target.name);
        return Err(Error::invalid(&at, found, "two or more to tell apart"));
    }
    Ok(target)
}

/// The names of two classes, if there are exactly two distinct values.
fn two(all: &[f64]) -> Option<Vec<String>> {
    let mut different: Vec<f64> = Vec::new();
    for &x in all.iter().filter(|x| !x.is_nan()) {
        if !different.contains(&x) {
            match different.len() {
                2 => return None,
                _ => different.push(x),
            }
        }
    }
    // Negative zero counts as zero.
    let names = different
        .iter()
        .map(|&x| written::double(x + 0.0))
        .collect();
    (different.len() == 2).then_some(names)
}

/// The words for no and yes, if all class names are such words: `Yes` and `yes` are one class.
fn yes_and_no(classes: &[String]) -> Option<Vec<String>> {
    let truths: Vec<f32> = classes.iter().map(|c| truth(c)).collect::<Option<_>>()?;
    let first = |wanted: f32| {
        let place = truths.iter().position(|&truth| truth == wanted);
        place.map(|place| classes[place].clone())
    };
    Some(vec![first(0.0)?, first(1.0)?])
}

/// The value of a numeric class name.
fn number(name: &str) -> Option<f64> {
    name.parse().ok()
}

impl Target {
    /// The label of the class with this text: by its letters, else by its value as a number or
    /// boolean, which another program may have written differently.
    pub(super) fn class_of_text(&self, text: &str) -> Option<usize> {
        let place = |is: &dyn Fn(&String) -> bool| self.classes.iter().position(is);
        place(&|class| class == text)
            .or_else(|| {
                let wanted = number(text)?;
                place(&|class| number(class) == Some(wanted))
            })
            .or_else(|| {
                let wanted = truth(text)?;
                place(&|class| truth(class) == Some(wanted))
            })
    }

    /// The label of the class with this numeric name.
    pub(super) fn class_of_number(&self, x: f64) -> Option<usize> {
        let place = |is: &dyn Fn(f64) -> bool| {
            let mut classes = self.classes.iter();
            classes.position(|class| number(class).is_some_and(is))
        };
        place(&|class| class == x).or_else(|| place(&|class| class as f32 == x as f32))
    }

    /// The first few class names, for a message.
    pub(super) fn class_list(&self) -> String {
        const NAMED: usize = 20;
        first(NAMED, &self.classes)
    }
}
