//! From a table's columns to one row of numbers, by Keras' own layers.

use super::super::dtype::Dtype;
use super::super::functional::{Functional, Symbol};
use super::super::layers::{
    Cast, Concatenate, Embedding, Flatten, Isnan, NanToNum, Normalization, OutputMode, StringLookup,
};
use crate::data::{Dataset, Kind, Missing, Schema, Tensor, Values};
use crate::error::{Error, Result};

/// From so many different texts on, a category is embedded; with fewer, it is a row
/// of zeros with a 1.
pub const EMBEDDED_FROM: usize = 33;

/// How long the vectors are that so many texts are embedded in: fast.ai's rule of
/// thumb, at most 100.
pub fn embedding_width(texts: usize) -> usize {
    (1.6 * (texts as f64).powf(0.56)).round().min(100.0) as usize
}

/// What all columns become together, with means, gaps and vocabularies of the
/// training rows:
///
/// - numbers, booleans and the parts of dates are standardized; a missing one is the
///   mean, which is 0 then;
/// - those with gaps have, if `missing` says so, a 1 where they are missing;
/// - of a category, each text that is there twice or more has a place, all others
///   are one unknown text, and so what is unknown is trained, too.
pub(super) fn front(
    g: &mut Functional,
    columns: &[Symbol],
    schema: &Schema,
    train: &Dataset,
    missing: Missing,
) -> Result<Symbol> {
    let (mut numbers, mut gaps) = (Vec::new(), Vec::new());
    let (mut means, mut variances) = (Vec::new(), Vec::new());
    let mut parts = Vec::new();
    let each = || schema.features.iter().zip(columns).zip(train.inputs());
    for ((feature, &column), tensor) in each() {
        if feature.kind == Kind::Category {
            continue;
        }
        let (mean, variance, has_gaps) = statistics(tensor);
        means.extend(mean);
        variances.extend(variance);
        numbers.push(column);
        if has_gaps && missing == Missing::Indicator {
            gaps.push(column);
        }
    }
    if !numbers.is_empty() {
        let all = together(g, numbers)?;
        let scaled = g.layer(Normalization::new().given(means, variances), all)?;
        parts.push(g.layer(NanToNum::new(), scaled)?);
    }
    if !gaps.is_empty() {
        let all = together(g, gaps)?;
        let is_missing = g.layer(Isnan::new(), all)?;
        parts.push(g.layer(Cast::new(Dtype::Float32), is_missing)?);
    }
    for ((feature, &column), tensor) in each() {
        if feature.kind != Kind::Category {
            continue;
        }
        let texts = vocabulary(tensor)?;
        let known = texts.len();
        let lookup = StringLookup::new().vocabulary(texts);
        parts.push(if known < EMBEDDED_FROM {
            g.layer(lookup.output_mode(OutputMode::OneHot), column)?
        } else {
            let place = g.layer(lookup, column)?;
            let width = embedding_width(known);
            let vector = g.layer(Embedding::new(known + 1, width), place)?;
            g.layer(Flatten::new(), vector)?
        });
    }
    if parts.is_empty() {
        let problem = "no columns that training rows tell something by";
        return Err(Error::invalid(train.name(), problem, "at least one"));
    }
    together(g, parts)
}

fn together(g: &mut Functional, parts: Vec<Symbol>) -> Result<Symbol> {
    match parts[..] {
        [one] => Ok(one),
        _ => g.layer(Concatenate::new(), parts),
    }
}

/// Mean and population variance of each number of a row, of the rows where it is not
/// missing; a variance of 0 is 1, so that a constant stays 0. And whether any is
/// missing.
fn statistics(tensor: &Tensor) -> (Vec<f64>, Vec<f64>, bool) {
    let (rows, size) = (tensor.to_f32(), tensor.size());
    let mut gaps = false;
    let sums = |about: &[f64], power: i32| -> Vec<f64> {
        let (mut sums, mut counts) = (vec![0.0; size], vec![0_usize; size]);
        for row in rows.chunks(size.max(1)) {
            for (place, &x) in row.iter().enumerate().filter(|(_, x)| !x.is_nan()) {
                sums[place] += (f64::from(x) - about[place]).powi(power);
                counts[place] += 1;
            }
        }
        let mean = |(sum, count): (f64, usize)| sum / count.max(1) as f64;
        sums.into_iter().zip(counts).map(mean).collect()
    };
    let mean = sums(&vec![0.0; size], 1);
    let mut variance = sums(&mean, 2);
    for v in variance.iter_mut().filter(|v| **v == 0.0) {
        *v = 1.0;
    }
    gaps |= rows.iter().any(|x| x.is_nan());
    (mean, variance, gaps)
}

/// The texts that are there twice or more, the most frequent first.
fn vocabulary(tensor: &Tensor) -> Result<Vec<String>> {
    let Values::Text { names, codes } = tensor.values() else {
        return Err(Error::invalid(tensor.name(), "numbers", "texts"));
    };
    let mut counts = vec![0_usize; names.len()];
    codes.iter().for_each(|&code| counts[code as usize] += 1);
    let mut known: Vec<usize> = (0..names.len()).filter(|&n| counts[n] > 1).collect();
    known.sort_by(|&a, &b| (counts[b], &names[a]).cmp(&(counts[a], &names[b])));
    // A text that says that it is unknown stands for that.
    let known = known.into_iter().map(|n| names[n].clone());
    Ok(known.filter(|text| text != "[UNK]").collect())
}
