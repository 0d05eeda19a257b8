use super::encoding::{MOST_PLACES, OutputMode};
use super::{Call, Formula, Nature};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::model::dtype::Dtype;
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// Finds each text's place in a vocabulary. It is applied to an input of text.
///
/// The first places are those of the mask (only as whole numbers, and only with a
/// `mask_token`), then of unknown texts; then come the vocabulary's. It is given,
/// or learned from data: by [`Model::adapt`](crate::Model::adapt), or from the
/// training rows as the first `fit` begins, the most frequent text first. A
/// vocabulary that a layer has stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StringLookup {
    /// The most places of a learned vocabulary, those of mask and unknown texts
    /// included. Default no limit.
    pub max_tokens: Option<usize>,
    /// How many places unknown texts share; with none they are an error. Default 1.
    pub num_oov_indices: usize,
    /// The text that stands for nothing: place 0 as a whole number, and no 1 in a
    /// row of zeros and ones. Default none.
    pub mask_token: Option<String>,
    /// What is never learned, since it stands for unknown texts. Default `[UNK]`.
    pub oov_token: Option<String>,
    /// The known texts, with those of mask and unknown ones in front or without.
    /// Default none: they are learned.
    pub vocabulary: Option<Vec<String>>,
    /// How places are given. Default as whole numbers.
    pub output_mode: OutputMode,
    /// Whether rows of zeros and ones are of length `max_tokens` however few texts
    /// are known. Default no.
    pub pad_to_max_tokens: bool,
    /// How Keras reads bytes; only `utf-8`.
    pub encoding: String,
}

impl Default for StringLookup {
    fn default() -> Self {
        StringLookup {
            max_tokens: None,
            num_oov_indices: 1,
            mask_token: None,
            oov_token: Some("[UNK]".into()),
            vocabulary: None,
            output_mode: OutputMode::Int,
            pad_to_max_tokens: false,
            encoding: "utf-8".into(),
        }
    }
}

impl StringLookup {
    /// To learn its vocabulary.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the known texts.
    pub fn vocabulary<T: Into<String>>(mut self, texts: impl IntoIterator<Item = T>) -> Self {
        self.vocabulary = Some(texts.into_iter().map(Into::into).collect());
        self
    }

    /// Sets how places are given.
    pub fn output_mode(mut self, mode: OutputMode) -> Self {
        self.output_mode = mode;
        self
    }

    /// Sets the most places of a learned vocabulary.
    pub fn max_tokens(mut self, most: usize) -> Self {
        self.max_tokens = Some(most);
        self
    }

    /// Sets how many places unknown texts share.
    pub fn num_oov_indices(mut self, places: usize) -> Self {
        self.num_oov_indices = places;
        self
    }

    /// Sets the text that stands for nothing.
    pub fn mask_token(mut self, text: impl Into<String>) -> Self {
        self.mask_token = Some(text.into());
        self
    }

    /// The first place of unknown texts.
    fn oov_start(&self) -> usize {
        usize::from(self.mask_token.is_some() && self.output_mode == OutputMode::Int)
    }

    /// The first place of known texts.
    fn token_start(&self) -> usize {
        self.oov_start() + self.num_oov_indices
    }

    /// The vocabulary without the texts in front that stand for mask and unknown.
    fn tokens(&self) -> Option<&[String]> {
        let all = self.vocabulary.as_deref()?;
        let front = all.get(..self.token_start());
        let special = front.is_some_and(|front| {
            let (mask, oov) = front.split_at(self.oov_start());
            mask.iter().all(|text| Some(text) == self.mask_token.as_ref())
                && oov.iter().all(|text| Some(text) == self.oov_token.as_ref())
        });
        Some(if special { &all[self.token_start()..] } else { all })
    }

    /// How many places there are; none if the vocabulary is still to be learned.
    fn places(&self) -> Option<usize> {
        match (self.pad_to_max_tokens, self.max_tokens) {
            (true, Some(most)) => Some(most),
            _ => Some(self.token_start() + self.tokens()?.len()),
        }
    }

    /// The place of each text; none where it is unknown and there is no place for
    /// such, -1 where it counts for nothing.
    pub(crate) fn look_up(&self, texts: &[String]) -> Result<Vec<Option<f32>>> {
        let tokens = self.tokens().ok_or_else(not_learned)?;
        let start = self.token_start();
        let places: HashMap<&str, usize> = (start..)
            .zip(tokens)
            .map(|(place, token)| (token.as_str(), place))
            .collect();
        let place = |text: &String| {
            if Some(text) == self.mask_token.as_ref() {
                return match self.output_mode {
                    OutputMode::Int => Some(0.0),
                    _ => Some(-1.0),
                };
            }
            match places.get(text.as_str()) {
                Some(&place) => Some(place as f32),
                None if self.num_oov_indices == 0 => None,
                None => Some(self.oov_start() as f32),
            }
        };
        Ok(texts.iter().map(place).collect())
    }

    /// Learns the vocabulary from how often each text was there: the most frequent
    /// first, of equals the last in the alphabet, as Keras does.
    pub(crate) fn learn(&mut self, counts: &[(&str, u64)]) -> Result<()> {
        let is = |text: &str, token: &Option<String>| Some(text) == token.as_deref();
        let mut counts: Vec<&(&str, u64)> = counts
            .iter()
            .filter(|(text, count)| {
                *count > 0 && !is(text, &self.mask_token) && !is(text, &self.oov_token)
            })
            .collect();
        counts.sort_unstable_by(|a, b| (b.1, b.0).cmp(&(a.1, a.0)));
        if let Some(most) = self.max_tokens {
            counts.truncate(most.saturating_sub(self.token_start()));
        }
        if counts.is_empty() {
            let expected = "at least one text that is not mask or unknown";
            return Err(Error::invalid("vocabulary", "no texts to learn", expected));
        }
        self.vocabulary = Some(counts.iter().map(|(text, _)| (*text).to_owned()).collect());
        self.check()
    }
}

/// What is said of a layer whose vocabulary is wanted before it has one.
fn not_learned() -> Error {
    Error::NotReady {
        problem: "the vocabulary is not known: give it, or call `fit` or `adapt` first".into(),
    }
}

impl Rule for StringLookup {
    fn check(&self) -> Result<()> {
        if self.max_tokens.is_some_and(|most| most <= 1) {
            return Err(Error::invalid("max_tokens", self.max_tokens.unwrap_or(0), "more than 1"));
        }
        if self.pad_to_max_tokens && self.max_tokens.is_none() {
            let expected = "a number, since pad_to_max_tokens is set";
            return Err(Error::invalid("max_tokens", "none", expected));
        }
        if self.num_oov_indices > 1 {
            return Err(Error::invalid("num_oov_indices", self.num_oov_indices, "0 or 1"));
        }
        if !["utf-8", "utf8"].contains(&self.encoding.to_lowercase().as_str()) {
            return Err(Error::invalid("encoding", &self.encoding, "utf-8"));
        }
        if self.places().is_some_and(|places| places > MOST_PLACES) {
            let found = format!("{} places", self.places().unwrap_or(0));
            return Err(Error::invalid("vocabulary", found, format!("at most {MOST_PLACES}")));
        }
        let Some(tokens) = self.tokens() else {
            return Ok(());
        };
        if tokens.is_empty() {
            return Err(Error::invalid("vocabulary", "no texts", "at least one"));
        }
        let mut seen = HashSet::new();
        for token in tokens {
            if !seen.insert(token) {
                return Err(Error::invalid("vocabulary", format!("{token:?} twice"), "each once"));
            }
            if Some(token) == self.mask_token.as_ref() {
                let expected = "the mask_token at most in front of it";
                return Err(Error::invalid("vocabulary", format!("{token:?}"), expected));
            }
        }
        let places = self.token_start() + tokens.len();
        match self.max_tokens {
            Some(most) if places > most => {
                let expected = format!("at most max_tokens, {most}");
                Err(Error::invalid("vocabulary", format!("{places} places"), expected))
            }
            _ => Ok(()),
        }
    }
}

impl Formula for StringLookup {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        match self.output_mode {
            OutputMode::Int => Ok(inputs[0].clone()),
            mode => mode.shape(&inputs[0], self.places().ok_or_else(not_learned)?),
        }
    }

    fn nature(&self) -> Nature {
        Nature {
            takes_text: true,
            takes_numbers: false,
            ready: self.vocabulary.is_some(),
            gives_below: self.places().filter(|_| self.output_mode == OutputMode::Int),
            ..Nature::default()
        }
    }

    fn dtype(&self, _: &[Dtype]) -> Dtype {
        self.output_mode.dtype(Dtype::Int64)
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let places = self.places().unwrap_or_default();
        self.output_mode.lower(plan, &call.inputs[0], places)
    }
}
