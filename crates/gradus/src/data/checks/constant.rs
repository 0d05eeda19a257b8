//! Columns and targets that are always the same.

use super::finding::{Finding, Severity, Where, named};
use super::rows::{Rows, What};
use crate::base::written;
use crate::data::tensor::{Tensor, Values};

const NAME: &str = "constant";
/// In rows of more elements, as of flattened pictures or one-hot vectors, constant columns are
/// normal.
const WIDE: usize = 64;

pub(super) fn look(rows: &Rows<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for left in rows.left_out {
        let place = Where {
            column: Some(left.name.clone()),
            ..Where::of(rows.train.name())
        };
        let found = format!("{}: it was left out", left.why);
        let advice = format!("{} says so for good", way_out(&left.name));
        findings.push(Finding::warning(NAME, place, found, advice).severity(Severity::Note));
    }
    for target in &rows.targets {
        if let What::Numbers(all) = &target.what
            && let [first, _, ..] = all[..]
            && all.iter().all(|&x| x == first)
        {
            let found = format!(
                "the target is {} in all {} training rows",
                written::single(first),
                all.len()
            );
            let advice = "there is nothing to learn: is it the right column, or file?";
            findings.push(Finding::warning(NAME, target.place.clone(), found, advice));
        }
    }
    for (n, tensor) in rows.train.inputs().iter().enumerate() {
        if tensor.rows() < 2 {
            continue;
        }
        let constant = constant_columns(tensor);
        let size = tensor.size();
        let name = match rows.schema.and_then(|schema| schema.features.get(n)) {
            Some(feature) => &feature.name,
            None => tensor.name(),
        };
        if rows.is_table() && constant.len() == size {
            let place = Where {
                column: Some(name.to_owned()),
                ..Where::of(rows.train.name())
            };
            let found = format!("it is the same in all {} training rows", tensor.rows());
            findings.push(Finding::warning(NAME, place, found, way_out(name)));
        } else if constant.len() == size {
            let found = format!("all {} training rows are the same", tensor.rows());
            let advice = "there is nothing to learn from: is it the right file?";
            findings.push(Finding::warning(NAME, Where::of(name), found, advice));
        } else if !constant.is_empty() && tensor.shape().rank() < 2 && !rows.is_table() {
            let severity = match size {
                WIDE.. => Severity::Note,
                _ => Severity::Warning,
            };
            let advice = "they tell nothing: leave them out of the array, or fill them";
            let place = Where::of(name);
            let found = of_array(&constant, size, tensor.rows());
            findings.push(Finding::warning(NAME, place, found, advice).severity(severity));
        }
    }
    findings
}

fn way_out(name: &str) -> String {
    format!("`exclude = [{name:?}]`")
}

fn of_array(constant: &[usize], size: usize, rows: usize) -> String {
    format!(
        "{} of {size} columns are the same in all {rows} training rows: {}",
        constant.len(),
        named(constant)
    )
}

/// The columns in which all rows agree; missing values equal each other.
fn constant_columns(tensor: &Tensor) -> Vec<usize> {
    fn agree<T: Copy>(all: &[T], size: usize, same: impl Fn(T, T) -> bool) -> Vec<usize> {
        let mut rows = all.chunks_exact(size);
        let Some(first) = rows.next() else {
            return Vec::new();
        };
        let mut alive: Vec<usize> = (0..size).collect();
        for row in rows {
            alive.retain(|&place| same(row[place], first[place]));
            if alive.is_empty() {
                break;
            }
        }
        alive
    }
    match tensor.values() {
        Values::U8(all) => agree(all, tensor.size(), |a, b| a == b),
        Values::F32(all) => agree(all, tensor.size(), |a, b| {
            a == b || a.is_nan() && b.is_nan()
        }),
        Values::F64(all) => agree(all, tensor.size(), |a, b| {
            a == b || a.is_nan() && b.is_nan()
        }),
        Values::Text { codes, .. } => agree(codes, tensor.size(), |a, b| a == b),
    }
}
