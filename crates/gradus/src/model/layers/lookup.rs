//! Lookup in a vocabulary, for texts as for whole numbers.

use super::LayerTraits;
use super::encoding::{MOST_PLACES, OutputMode};
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::fmt::{Debug, Display};
use std::hash::Hash;

/// A vocabulary in a configuration: a list, or the path of a file with an entry in each line.
#[derive(schemars::JsonSchema)]
#[schemars(inline)]
#[serde(untagged)]
#[allow(dead_code)]
pub(super) enum Known<T> {
    List(Vec<T>),
    File(String),
}

/// A vocabulary and the special indices before it: first the mask's (only with `int`, and only if
/// there is a mask), then those of unknown tokens.
pub(super) struct Table<'a, T> {
    pub max_tokens: Option<usize>,
    pub num_oov_indices: usize,
    pub mask_token: Option<&'a T>,
    pub oov_token: Option<&'a T>,
    pub vocabulary: Option<&'a [T]>,
    pub output_mode: OutputMode,
    pub pad_to_max_tokens: bool,
}

impl<'a, T: Clone + Debug + Display + Ord + Hash> Table<'a, T> {
    /// First index of unknown tokens.
    pub fn oov_start(&self) -> usize {
        usize::from(self.mask_token.is_some() && self.output_mode == OutputMode::Int)
    }

    /// First index of known tokens.
    pub fn token_start(&self) -> usize {
        self.oov_start().saturating_add(self.num_oov_indices)
    }

    /// Place of a mask: none, where there are rows of zeros and ones.
    pub fn mask_place(&self) -> f32 {
        match self.output_mode {
            OutputMode::Int => 0.0,
            _ => -1.0,
        }
    }

    /// True if the things are those that stand in front of a vocabulary.
    fn is_front(&self, front: &[T]) -> bool {
        let (mask, oov) = front.split_at(self.oov_start().min(front.len()));
        mask.iter().all(|token| Some(token) == self.mask_token)
            && oov.iter().all(|token| Some(token) == self.oov_token)
    }

    /// The vocabulary without the special tokens for mask and unknown before it.
    pub fn tokens(&self) -> Option<&'a [T]> {
        let all = self.vocabulary?;
        match all.split_at_checked(self.token_start()) {
            Some((front, rest)) if self.is_front(front) => Some(rest),
            _ => Some(all),
        }
    }

    /// Number of places; none if the vocabulary is still to be learned.
    pub fn places(&self) -> Option<usize> {
        match (self.pad_to_max_tokens, self.max_tokens) {
            (true, Some(most)) => Some(most),
            _ => Some(self.token_start().saturating_add(self.tokens()?.len())),
        }
    }

    /// The index of each known token.
    pub fn place_of_each(&self) -> Result<HashMap<&'a T, usize>> {
        let tokens = self.tokens().ok_or_else(not_learned)?;
        Ok(tokens.iter().zip(self.token_start()..).collect())
    }

    /// The shape of the encoding, for tokens of this shape.
    pub fn shape(&self, input: &Shape) -> Result<Shape> {
        match self.output_mode {
            OutputMode::Int => Ok(input.clone()),
            mode => mode.shape(input, self.places().ok_or_else(not_learned)?),
        }
    }

    /// The layer traits for numbers; a NaN is an unknown token.
    pub fn traits(&self) -> LayerTraits {
        LayerTraits {
            ready: self.vocabulary.is_some(),
            vocabulary_size: self
                .tokens()
                .map(|tokens| self.token_start() + tokens.len()),
            stops_nan: true,
            gives_below: self
                .places()
                .filter(|_| self.output_mode == OutputMode::Int),
            ..LayerTraits::deterministic()
        }
    }

    pub fn check(&self) -> Result<()> {
        if let Some(most) = self.max_tokens.filter(|&most| most <= 1) {
            return Err(Error::invalid("max_tokens", most, "more than 1"));
        }
        if self.pad_to_max_tokens && self.max_tokens.is_none() {
            let expected = "a number, since pad_to_max_tokens is set";
            return Err(Error::invalid("max_tokens", "none", expected));
        }
        if self.num_oov_indices > MOST_PLACES {
            let expected = format!("at most {MOST_PLACES}");
            return Err(Error::invalid(
                "num_oov_indices",
                self.num_oov_indices,
                expected,
            ));
        }
        if let Some(places) = self.places().filter(|&places| places > MOST_PLACES) {
            let found = format!("{places} places");
            return Err(Error::invalid(
                "vocabulary",
                found,
                format!("at most {MOST_PLACES}"),
            ));
        }
        let Some(tokens) = self.tokens() else {
            return Ok(());
        };
        if tokens.is_empty() {
            return Err(Error::invalid(
                "vocabulary",
                "nothing",
                "at least one entry",
            ));
        }
        let mut seen = HashSet::new();
        for token in tokens {
            if !seen.insert(token) {
                return Err(Error::invalid(
                    "vocabulary",
                    format!("{token:?} twice"),
                    "each once",
                ));
            }
            if Some(token) == self.mask_token {
                let expected = "the mask_token at most in front of it";
                return Err(Error::invalid("vocabulary", format!("{token:?}"), expected));
            }
        }
        let places = self.token_start() + tokens.len();
        match self.max_tokens {
            Some(most) if places > most => {
                let expected = format!("at most max_tokens, {most}");
                Err(Error::invalid(
                    "vocabulary",
                    format!("{places} places"),
                    expected,
                ))
            }
            _ => Ok(()),
        }
    }

    /// The vocabulary from these counts: the most frequent first, among equals the last, as in
    /// Keras.
    pub fn learned(&self, mut counts: Vec<(T, u64)>) -> Result<Vec<T>> {
        counts.retain(|(token, count)| {
            *count > 0 && Some(token) != self.mask_token && Some(token) != self.oov_token
        });
        counts.sort_unstable_by(|a, b| (b.1, &b.0).cmp(&(a.1, &a.0)));
        if let Some(most) = self.max_tokens {
            counts.truncate(most.saturating_sub(self.token_start()));
        }
        if counts.is_empty() {
            let expected = "at least one thing that is not mask or unknown";
            return Err(Error::invalid("vocabulary", "nothing to learn", expected));
        }
        Ok(counts.into_iter().map(|(token, _)| token).collect())
    }

    /// The vocabulary as Keras' text: a line for each index, without a line end after the last.
    /// `None` if Keras would read another vocabulary from it.
    pub fn text(&self) -> Option<String> {
        let tokens = self.tokens().unwrap_or_default();
        let mask = std::iter::repeat_n(self.mask_token, self.oov_start());
        let oov = std::iter::repeat_n(self.oov_token, self.num_oov_indices);
        let front: Vec<String> = mask
            .chain(oov)
            .map(|t| Some(t?.to_string()))
            .collect::<Option<_>>()?;
        let lines = || front.iter().cloned().chain(tokens.iter().map(T::to_string));
        let mut last = String::new();
        for line in lines() {
            if line.contains(LINE_BREAKS) {
                return None;
            }
            last = line;
        }
        // Keras drops empty lines at the end.
        let text = lines().collect::<Vec<_>>().join("\n");
        (!last.is_empty()).then_some(text)
    }

    /// The vocabulary of such a text; `None` if it has only special tokens.
    pub fn read(&self, text: &str, parse: fn(&str) -> Option<T>) -> Result<Option<Vec<T>>> {
        let lines = || {
            let lines = text.split('\n').filter(|_| !text.is_empty());
            lines.map(|line| line.strip_suffix('\r').unwrap_or(line))
        };
        let start = self.token_start();
        let is_front = |(number, line): (usize, &str)| {
            let special = match number < self.oov_start() {
                true => self.mask_token,
                false => self.oov_token,
            };
            parse(line).as_ref() == special
        };
        let specials = lines()
            .enumerate()
            .take(start)
            .filter(|&line| is_front(line));
        let front = if specials.count() == start { start } else { 0 };
        let mut tokens = Vec::new();
        let mut seen = HashSet::new();
        for (number, line) in lines().enumerate().skip(front) {
            let at = || format!("line {} of its vocabulary.txt", number + 1);
            let Some(token) = parse(line) else {
                return Err(Error::invalid(&at(), format!("{line:?}"), "a whole number"));
            };
            // Before `check`, so that a file of empty lines takes no memory.
            if !seen.insert(line) {
                return Err(Error::invalid(
                    &at(),
                    format!("{line:?} again"),
                    "each once",
                ));
            }
            tokens.push(token);
        }
        Ok(Some(tokens).filter(|tokens| !tokens.is_empty()))
    }
}

/// Characters at which Python ends a line.
const LINE_BREAKS: [char; 10] = [
    '\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}',
];

/// Size in bytes above which a vocabulary is a separate text in files, not among the arguments.
const LONG: usize = 64 << 10;

/// True of a vocabulary of so many bytes that files keep it as a text of its own.
pub(super) fn is_long(bytes: usize) -> bool {
    bytes > LONG
}

/// Error of a layer whose vocabulary is wanted before it has one.
pub(super) fn not_learned() -> Error {
    Error::NotReady {
        problem: "the vocabulary is not known: give it, or call `fit` or `adapt` first".into(),
    }
}
