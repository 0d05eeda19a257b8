//! The texts of features in a model's dictionaries.

use crate::data::Dataset;
use crate::data::tensor::Values;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The texts in the dictionary of each feature that has one. Never saved: the dictionaries
/// themselves are the model's.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KnownTexts(BTreeMap<String, Arc<Dictionary>>);

#[derive(Debug, Default, PartialEq)]
pub(super) struct Dictionary {
    texts: HashSet<String>,
    /// Numeric texts, by the same number without trailing zeros.
    numbers: HashMap<String, String>,
}

impl KnownTexts {
    /// Adds the dictionary of a feature.
    pub(crate) fn add<'a>(&mut self, feature: &str, texts: impl IntoIterator<Item = &'a String>) {
        let mut dictionary = Dictionary::default();
        for text in texts {
            if let Some(number) = number(text) {
                let known = dictionary.numbers.entry(number.to_owned());
                known.or_insert_with(|| text.clone());
            }
            dictionary.texts.insert(text.clone());
        }
        self.0.insert(feature.to_owned(), Arc::new(dictionary));
    }

    /// The dictionaries of these rows, whose inputs have the features' names.
    pub(in crate::data) fn of(features: &[super::Feature], rows: &Dataset) -> Self {
        let mut known = KnownTexts::default();
        for (feature, tensor) in features.iter().zip(rows.inputs()) {
            if let Values::Text { names, .. } = tensor.values() {
                known.add(&feature.name, names);
            }
        }
        known
    }

    pub(super) fn get(&self, feature: &str) -> Option<&Arc<Dictionary>> {
        self.0.get(feature)
    }
}

impl Dictionary {
    pub fn has(&self, text: &str) -> bool {
        self.texts.contains(text)
    }

    /// The known text of the same number: `2` for `2.0`, as programs with float columns write it.
    pub fn same(&self, text: &str) -> Option<&String> {
        match self.has(text) {
            true => None,
            false => self.numbers.get(number(text)?),
        }
    }
}

/// Digits, with an optional sign and point, without trailing zeros after the point.
fn number(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let all = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all(whole) || !all(rest) {
        return None;
    }
    Some(match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_known_text_that_has_no_zeros_behind_the_point() {
        let texts = ["1", "2.0", "02134", "2.50", "x1", "-3"].map(String::from);
        let mut known = KnownTexts::default();
        known.add("a", &texts);
        let dictionary = known.get("a").unwrap();
        let same = |text: &str| dictionary.same(text).map(String::as_str);
        let pairs = [("1.0", "1"), ("2", "2.0"), ("2.5", "2.50"), ("-3.00", "-3")];
        for (text, wanted) in pairs {
            assert_eq!(same(text), Some(wanted), "{text}");
        }
        // A known text maps to itself; leading zeros are part of a code.
        for text in ["1", "2134", "2134.0", "x1.0", "1.0.0", ".", "", "1e0", "10"] {
            assert_eq!(same(text), None, "{text}");
        }
    }
}
