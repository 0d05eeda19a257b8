//! Preprocessing inside the model: from a table's columns to one row of numbers, by Keras'
//! own layers.

use super::super::dtype::Dtype;
use super::super::functional::{Functional, Symbol};
use super::super::layers::{
    Activation, Cast, Concatenate, Embedding, Flatten, Isnan, NanToNum, Normalization, OutputMode,
    Rescaling, StringLookup,
};
use crate::data::{Feature, Look, Missing, Moments, NumberLook, Schema, Summary};
use crate::error::{Error, Result};
use crate::rules::activations;
use std::collections::HashMap;

/// Distinct texts from which a category is embedded; with fewer, it is one-hot.
const EMBEDDED_FROM: usize = 33;

/// The length of the vectors that so many texts are embedded in: fast.ai's rule of
/// thumb, at most 100.
fn embedding_width(texts: usize) -> usize {
    (1.6 * (texts as f64).powf(0.56)).round().min(100.0) as usize
}

/// Adds the preprocessing of all columns, with means, gaps and vocabularies of the
/// training rows:
///
/// - numbers, booleans and the parts of dates are standardized; a missing one is the
///   mean, which is 0 then; with a `limit`, z becomes `limit · tanh(z / limit)`, so that a
///   number far off says no more than that it is far off;
/// - those with gaps have, if `missing` says so, a 1 where they are missing;
/// - of a category, each text that is there twice or more has a place, all others
///   are one unknown text, and so what is unknown is trained, too.
pub(super) fn preprocess(
    g: &mut Functional,
    columns: &[Symbol],
    schema: &Schema,
    train: &Summary,
    missing: Missing,
    limit: Option<f64>,
) -> Result<Symbol> {
    let mut seen = Vec::new();
    for feature in &schema.features {
        seen.push(Seen::of(feature, train, missing)?);
    }
    let each = || seen.iter().zip(columns);
    let (mut numbers, mut gaps) = (Vec::new(), Vec::new());
    let (mut means, mut variances) = (Vec::new(), Vec::new());
    let mut parts = Vec::new();
    for (seen, &column) in each() {
        let Seen::Numbers(of) = seen else { continue };
        means.extend(&of.means);
        variances.extend(&of.variances);
        numbers.push(column);
        if of.indicator {
            gaps.push(column);
        }
    }
    if !numbers.is_empty() {
        let all = together(g, numbers)?;
        let scaled = g.layer(Normalization::new().given(means, variances), all)?;
        let filled = g.layer(NanToNum::new(), scaled)?;
        parts.push(match limit {
            None => filled,
            Some(limit) => {
                let small = g.layer(Rescaling::new(1.0 / limit), filled)?;
                let bent = g.layer(Activation::new(activations::Activation::Tanh), small)?;
                g.layer(Rescaling::new(limit), bent)?
            }
        });
    }
    if !gaps.is_empty() {
        let all = together(g, gaps)?;
        let is_missing = g.layer(Isnan::new(), all)?;
        parts.push(g.layer(Cast::new(Dtype::Float32), is_missing)?);
    }
    for (seen, &column) in each() {
        parts.push(match seen {
            Seen::Numbers(_) => continue,
            Seen::OneHot(texts) => {
                let lookup = StringLookup::new().vocabulary(texts.clone());
                g.layer(lookup.output_mode(OutputMode::OneHot), column)?
            }
            Seen::Embedded(texts, width) => {
                let lookup = StringLookup::new().vocabulary(texts.clone());
                let place = g.layer(lookup, column)?;
                let vector = g.layer(Embedding::new(texts.len() + 1, *width), place)?;
                g.layer(Flatten::new(), vector)?
            }
        });
    }
    if parts.is_empty() {
        let problem = "no columns that training rows tell something by";
        return Err(Error::invalid(train.name(), problem, "at least one"));
    }
    together(g, parts)
}

/// Preprocessing of a column.
enum Seen {
    Numbers(Standardized),
    /// One-hot over these texts and one for all others.
    OneHot(Vec<String>),
    /// An embedding of this width, with a vector for all other texts.
    Embedded(Vec<String>, usize),
}

/// Statistics of a column's numbers, by which they are standardized.
struct Standardized {
    means: Vec<f64>,
    variances: Vec<f64>,
    /// True if any is missing.
    gaps: bool,
    /// True if a 1 says where.
    indicator: bool,
}

impl Seen {
    fn of(feature: &Feature, train: &Summary, missing: Missing) -> Result<Self> {
        let texts = match train.look(feature)? {
            Look::Numbers(look) => return Ok(Seen::Numbers(statistics(look, train, missing))),
            Look::Texts(counts) => vocabulary(counts),
        };
        Ok(match texts.len() {
            known if known < EMBEDDED_FROM => Seen::OneHot(texts),
            known => Seen::Embedded(texts, embedding_width(known)),
        })
    }

    /// The numbers that it becomes.
    fn size(&self) -> usize {
        match self {
            Seen::Numbers(of) => of.means.len() * if of.indicator { 2 } else { 1 },
            Seen::OneHot(texts) => texts.len() + 1,
            Seen::Embedded(_, width) => *width,
        }
    }
}

impl Schema {
    /// The preprocessing of each feature if its training rows are like these, in
    /// words, and the numbers that it becomes: `("one-hot of 5 + unknown", 6)`.
    pub fn seen(&self, train: &Summary, missing: Missing) -> Result<Vec<(String, usize)>> {
        let each = self.features.iter();
        each.map(|feature| {
            let seen = Seen::of(feature, train, missing)?;
            let words = match &seen {
                Seen::Numbers(of) => {
                    let what = match of.means.len() {
                        1 => "standardized".to_owned(),
                        n => format!("{n} numbers"),
                    };
                    match (of.gaps, of.indicator) {
                        (_, true) => what + " + is missing",
                        (true, false) => what + ", gaps: mean",
                        (false, _) => what,
                    }
                }
                Seen::OneHot(texts) => format!("one-hot of {} + unknown", texts.len()),
                Seen::Embedded(_, width) => format!("vector of {width} numbers"),
            };
            Ok((words, seen.size()))
        })
        .collect()
    }
}

fn together(g: &mut Functional, parts: Vec<Symbol>) -> Result<Symbol> {
    match parts[..] {
        [one] => Ok(one),
        _ => g.layer(Concatenate::new(), parts),
    }
}

/// Means and variances of the values that are not missing; a variance of 0 becomes 1, so that a
/// constant becomes 0.
fn statistics(look: &NumberLook, train: &Summary, missing: Missing) -> Standardized {
    let variance = |moments: &Moments| match moments.variance {
        0.0 => 1.0,
        variance => variance,
    };
    let gaps = look.places.iter().any(|place| place.count < train.rows());
    Standardized {
        means: look.places.iter().map(|moments| moments.mean).collect(),
        variances: look.places.iter().map(variance).collect(),
        gaps,
        indicator: gaps && missing == Missing::Indicator,
    }
}

/// The texts that occur twice or more, the most frequent first.
fn vocabulary(counts: &HashMap<String, u64>) -> Vec<String> {
    let mut known: Vec<(&String, &u64)> = counts.iter().filter(|(_, count)| **count > 1).collect();
    known.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
    // The vocabulary's own word for unknown texts stays an unknown text.
    let known = known.into_iter().map(|(text, _)| text.clone());
    known.filter(|text| text != "[UNK]").collect()
}
