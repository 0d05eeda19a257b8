//! Held-out rows at an end of a file whose targets differ from those of the training rows: the file
//! is probably sorted.
//!
//! If the rows were in random order, the mean of n of them would differ from that of the other m by
//! a standard error of s √(1/n + 1/m), s being the standard deviation of all (the permutation test,
//! for any distribution). A class counts as a number, 1 in its rows and 0 in others.

use super::finding::{Finding, Where};
use super::one_class::class_name;
use super::rows::{Rows, What};
use crate::data::classes;
use crate::data::dataset::Dataset;
use std::collections::BTreeMap;

const NAME: &str = "shift";
/// Standard errors beyond which a difference is no chance.
const ERRORS: f64 = 5.0;
/// Standard deviations from which a difference matters: with many rows, tiny ones are significant.
const DEVIATIONS: f64 = 0.25;
/// Expected rows of a class below which the errors are not normal.
const FEWEST: f64 = 10.0;

pub(super) fn look(rows: &Rows<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let at_end = rows.held_out.iter();
    for (part, held_out) in at_end.filter(|(part, _)| rows.ends.contains(part)) {
        for (n, target) in rows.targets.iter().enumerate() {
            let Some(others) = held_out.targets().get(n) else {
                continue;
            };
            let found = match &target.what {
                What::Classes { of_rows, .. } => {
                    let codes = classes::codes(others).unwrap_or_default();
                    of_classes(rows, part, of_rows, &codes)
                }
                What::Numbers(trained) => of_numbers(part, trained, &others.to_f32()),
                What::Other => None,
            };
            if let Some(found) = found {
                findings.push(finding(rows, part, held_out, &target.place, found));
            }
        }
    }
    findings
}

fn finding(
    rows: &Rows<'_>,
    part: &str,
    held_out: &Dataset,
    target: &Where,
    found: String,
) -> Finding {
    let place = Where {
        column: target.column.clone(),
        ..rows.row(held_out, 0)
    };
    let time = match rows.is_table() {
        true => "; if it is by time, `time = \"column\"` says that it is meant",
        false => "",
    };
    let advice = format!(
        "is the file sorted? `{part} = {{ fraction = 0.1, shuffle = true }}` takes rows at random, \
         `stratify = true` of each class alike{time}"
    );
    Finding::warning(NAME, place, found, advice)
}

/// The distance of two means.
struct Apart {
    errors: f64,
    deviations: f64,
}

/// The distance of the means of n and m rows with the pooled `variance`.
fn apart(means: [f64; 2], counts: [f64; 2], variance: f64) -> Apart {
    let deviations = (means[0] - means[1]).abs() / variance.sqrt();
    Apart {
        deviations,
        errors: deviations / (1.0 / counts[0] + 1.0 / counts[1]).sqrt(),
    }
}

fn of_numbers(part: &str, trained: &[f32], held_out: &[f32]) -> Option<String> {
    let mean = |numbers: &[f32]| {
        let sum: f64 = numbers.iter().map(|&x| f64::from(x)).sum();
        sum / numbers.len() as f64
    };
    let means = [trained, held_out].map(mean);
    let counts = [trained, held_out].map(|part| part.len() as f64);
    let all = counts[0] + counts[1];
    let mean = (means[0] * counts[0] + means[1] * counts[1]) / all;
    let squares = trained.iter().chain(held_out);
    let variance = squares.map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / all;
    let Apart { errors, deviations } = apart(means, counts, variance);
    // False for NaN, the distance of constant values.
    (errors > ERRORS && deviations > DEVIATIONS).then(|| {
        format!(
            "its mean is {} in the {} {part} rows, which are at an end of the file, and {} in \
             those that are trained on: {errors:.0} standard errors, {deviations:.1} standard \
             deviations apart",
            short(means[1]),
            held_out.len(),
            short(means[0])
        )
    })
}

fn of_classes(rows: &Rows<'_>, part: &str, trained: &[u32], held_out: &[u32]) -> Option<String> {
    let mut counts: BTreeMap<u32, [f64; 2]> = BTreeMap::new();
    for (side, codes) in [trained, held_out].into_iter().enumerate() {
        for &code in codes {
            counts.entry(code).or_default()[side] += 1.0;
        }
    }
    // Reported by `unseen_class`.
    if counts.values().any(|[trained, _]| *trained == 0.0) {
        return None;
    }
    let sizes = [trained, held_out].map(|part| part.len() as f64);
    let all = sizes[0] + sizes[1];
    let mut worst: Option<(f64, u32, [f64; 2])> = None;
    for (&code, count) in &counts {
        let share = (count[0] + count[1]) / all;
        let shares = [count[0] / sizes[0], count[1] / sizes[1]];
        let Apart { errors, deviations } = apart(shares, sizes, share * (1.0 - share));
        let enough = share * sizes[1] >= FEWEST;
        let much = deviations > DEVIATIONS || count[1] == 0.0;
        if enough && much && errors > ERRORS && worst.is_none_or(|(most, ..)| errors > most) {
            worst = Some((errors, code, shares));
        }
    }
    let (errors, code, shares) = worst?;
    Some(format!(
        "class {} is {:.1}% of the {} {part} rows, which are at an end of the file, and {:.1}% of \
         those that are trained on: {errors:.0} standard errors apart",
        class_name(rows, code),
        shares[1] * 100.0,
        held_out.len(),
        shares[0] * 100.0
    ))
}

/// A number with four digits.
fn short(x: f64) -> String {
    let places = 3 - x.abs().log10().floor().clamp(-300.0, 300.0) as i32;
    match x == 0.0 || !x.is_finite() {
        true => x.to_string(),
        false => format!("{x:.*}", places.max(0) as usize),
    }
}
