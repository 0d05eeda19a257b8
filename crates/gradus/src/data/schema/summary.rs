//! Statistics of training rows, from which the model of a table is built.

use super::different::Different;
use super::{Feature, Schema};
use crate::base::names::Named;
use crate::base::written;
use crate::data::table::Kind;
use crate::data::{Data, Outcome, Scale, Tensor, Values};
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::collections::HashMap;

/// Statistics of training rows, found in two passes over them: means and variances, missing values,
/// texts. A table's model is built from them, not from the rows, which may be larger than memory.
///
/// Rows in memory and streamed rows give the same statistics, to the bit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    name: String,
    rows: u64,
    features: Named<Look>,
    targets: Vec<Moments>,
    /// Distinct values of each target before and after rounding to float32.
    target_values: Vec<Different>,
    /// Value statistics of each target.
    outcomes: Vec<Outcome>,
}

/// Statistics of a feature.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Look {
    Numbers(NumberLook),
    Texts(HashMap<String, u64>),
}

/// Statistics of numeric rows, element by element.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NumberLook {
    /// Moments of the present values; a variance may be 0.
    pub places: Vec<Moments>,
    /// Number of missing rows.
    pub missing: u64,
    /// The first row that is not missing.
    first: Option<Vec<f64>>,
    /// True if every later row equals `first`, and none before it is missing.
    same: bool,
    /// Distinct values before and after rounding to 32 bits, for features of one value.
    pub(super) different: Different,
    /// True if the values are whole and strictly ascending.
    rises: bool,
    last: Option<f64>,
}

/// Mean and population variance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Moments {
    pub mean: f64,
    pub variance: f64,
    pub count: u64,
}

impl Moments {
    /// Adds a value to the mean, or, once that is known, to the variance.
    fn add(&mut self, x: f64, second: bool) {
        match second {
            false => {
                self.mean += x;
                self.count += 1;
            }
            true => self.variance += (x - self.mean).powi(2),
        }
    }

    fn divide(&mut self, second: bool) {
        let count = self.count.max(1) as f64;
        match second {
            false => self.mean /= count,
            true => self.variance /= count,
        }
    }
}

impl Summary {
    /// The statistics of these training rows, whose features are the schema's.
    pub fn of(schema: &Schema, train: impl Into<Data>) -> Result<Self> {
        let train = train.into();
        let mut summary = Summary {
            name: train.sample().name().to_owned(),
            rows: train.rows().unwrap_or_default() as u64,
            features: schema.features.iter().map(empty).collect(),
            targets: vec![Moments::default(); train.sample().targets().len()],
            target_values: vec![Different::default(); train.sample().targets().len()],
            outcomes: vec![Outcome::default(); train.sample().targets().len()],
        };
        for second in [false, true] {
            train.each(&mut |rows| {
                for (look, tensor) in summary.features.things_mut().zip(rows.inputs()) {
                    look.add(tensor, second)?;
                }
                let values = summary.targets.iter_mut().zip(&mut summary.target_values);
                let values = values.zip(&mut summary.outcomes);
                for (((moments, different), outcome), tensor) in values.zip(rows.targets()) {
                    let all = numbers(tensor);
                    all.iter().for_each(|&x| moments.add(x, second));
                    if !second {
                        for &x in all.iter() {
                            different.add(x);
                            outcome.add(x);
                        }
                    }
                }
                Ok(())
            })?;
            let looks = summary.features.things_mut();
            let places = looks.filter_map(|look| match look {
                Look::Numbers(numbers) => Some(numbers.places.iter_mut()),
                Look::Texts(_) => None,
            });
            let all = places.flatten().chain(&mut summary.targets);
            all.for_each(|moments| moments.divide(second));
        }
        Ok(summary)
    }

    /// The rows' name in messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The total number.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Statistics of a feature.
    pub(crate) fn look(&self, feature: &Feature) -> Result<&Look> {
        let found = self.features.get(&feature.name);
        found.ok_or_else(|| {
            let known = self.features.names();
            Error::unknown(&self.name, "column", &feature.name, known)
        })
    }

    /// The features of one value, with their moments and distinct values before and after rounding
    /// to 32 bits.
    pub(super) fn features(&self) -> impl Iterator<Item = (&str, &Moments, &Different)> {
        self.features.iter().filter_map(|(name, look)| match look {
            Look::Numbers(of) => match &of.places[..] {
                [one] => Some((name, one, &of.different)),
                _ => None,
            },
            Look::Texts(_) => None,
        })
    }

    /// The same of the targets, in their order.
    pub(super) fn target_values(&self) -> impl Iterator<Item = (&Moments, &Different)> {
        self.targets.iter().zip(&self.target_values)
    }

    /// Shifts the mean of a feature from which `offset` will be subtracted.
    pub(super) fn subtract(&mut self, name: &str, offset: f64) {
        if let Some(Look::Numbers(NumberLook { places, .. })) = self.features.get_mut(name)
            && let [one] = &mut places[..]
        {
            one.mean -= offset;
        }
    }

    /// Value statistics of the targets, in their order.
    pub(crate) fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Moments of the targets, in their order.
    pub(crate) fn targets(&self) -> &[Moments] {
        &self.targets
    }
}

fn empty(feature: &Feature) -> (String, Look) {
    let look = match feature.kind {
        Kind::Category => Look::Texts(HashMap::new()),
        _ => Look::Numbers(NumberLook {
            same: true,
            rises: true,
            ..NumberLook::default()
        }),
    };
    (feature.name.clone(), look)
}

/// All values of a tensor, unscaled if it has no scale.
fn numbers(tensor: &Tensor) -> Cow<'_, [f64]> {
    match (tensor.values(), tensor.scale()) {
        (Values::F64(all), Scale::None) => all.into(),
        (_, Scale::None) => tensor.to_f64().into(),
        _ => tensor.to_f32().into_iter().map(f64::from).collect(),
    }
}

impl Look {
    fn add(&mut self, tensor: &Tensor, second: bool) -> Result<()> {
        match (self, tensor.values()) {
            (Look::Numbers(_), Values::Text { .. }) => {
                Err(Error::invalid(tensor.name(), "texts", "numbers"))
            }
            (Look::Numbers(of), _) => {
                let size = tensor.size().max(1);
                of.places.resize(size, Moments::default());
                for row in numbers(tensor).chunks(size) {
                    of.add(row, second);
                    if let ([x], false) = (row, second) {
                        of.different.add(*x);
                    }
                }
                Ok(())
            }
            (Look::Texts(counts), Values::Text { names, codes }) => {
                if second {
                    return Ok(());
                }
                let mut here = vec![0_u64; names.len()];
                codes.iter().for_each(|&code| here[code as usize] += 1);
                // A shared dictionary may have texts that do not occur here.
                for (name, count) in names.iter().zip(here).filter(|(_, count)| *count > 0) {
                    match counts.get_mut(name) {
                        Some(sum) => *sum += count,
                        None => drop(counts.insert(name.clone(), count)),
                    }
                }
                Ok(())
            }
            (Look::Texts(_), _) => Err(Error::invalid(tensor.name(), "numbers", "texts")),
        }
    }

    /// The reason, if the feature carries no information.
    pub(super) fn tells_nothing(&self, kind: Kind) -> Option<String> {
        let is_date = matches!(kind, Kind::Date | Kind::DateTime);
        match self {
            Look::Texts(counts) => {
                if let (Some((only, _)), 1) = (counts.iter().next(), counts.len()) {
                    return Some(format!("always `{only}`"));
                }
                let most = counts.values().max().copied().unwrap_or(0);
                (most < 2).then(|| "no text is there twice".into())
            }
            Look::Numbers(NumberLook { first: None, .. }) if !is_date => {
                Some("always missing".into())
            }
            Look::Numbers(NumberLook { same: false, .. }) => None,
            Look::Numbers(_) if is_date => Some("always the same date".into()),
            Look::Numbers(NumberLook { first, .. }) => {
                let first = first.as_ref()?.first()?;
                Some(format!("always {}", written::double(*first)))
            }
        }
    }

    /// True if the values are whole and strictly ascending from row to row.
    pub(super) fn counts_rows(&self) -> bool {
        matches!(self, Look::Numbers(numbers) if numbers.rises && !numbers.same)
    }

    /// Number of missing rows.
    pub(super) fn missing(&self) -> u64 {
        match self {
            Look::Texts(counts) => counts.get("").copied().unwrap_or(0),
            Look::Numbers(numbers) => numbers.missing,
        }
    }
}

impl NumberLook {
    fn add(&mut self, row: &[f64], second: bool) {
        for (moments, &x) in self.places.iter_mut().zip(row) {
            if !x.is_nan() {
                moments.add(x, second);
            }
        }
        if second {
            return;
        }
        let is_missing = row[0].is_nan();
        self.rises &= row[0].fract() == 0.0 && self.last.is_none_or(|last| last < row[0]);
        self.last = Some(row[0]);
        self.missing += u64::from(is_missing);
        match &self.first {
            None if is_missing => {}
            // Missing rows before the first value make the rows differ.
            None => {
                self.first = Some(row.to_vec());
                self.same &= self.missing == 0;
            }
            Some(first) => self.same &= first == row,
        }
    }
}
