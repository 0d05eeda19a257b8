//! The texts that mean a missing cell.

/// Words for a missing value that are never categories.
const WORDS: [&str; 8] = ["na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "?"];
/// A category among texts (`none` of something), a missing value among numbers, as Python writes
/// it.
const NONE: &str = "none";
/// Length of the longest of them.
const LONGEST: usize = 4;

/// The meaning of a text as a missing value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Missing in any column: empty, or such a word.
    Always,
    /// Missing in a column of numbers or dates; a category among texts.
    InNumbers,
    /// Never missing.
    Never,
}

/// The words for missing values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Gaps {
    /// The user's own words, in place of the usual ones.
    own: Option<Vec<String>>,
    /// True if one of them could be a number: `-999`.
    pub numbers: bool,
}

impl Gaps {
    /// With these words in place of the usual ones.
    pub fn new(own: Option<&Vec<String>>) -> Self {
        let is_number = |word: &String| word.contains(|c: char| c.is_ascii_digit());
        Gaps {
            own: own.cloned(),
            numbers: own.is_some_and(|own| own.iter().any(is_number)),
        }
    }

    /// The meaning of a text as a missing value.
    #[inline]
    pub fn of(&self, text: &str) -> Gap {
        match (text.is_empty(), &self.own) {
            (true, _) => Gap::Always,
            (_, None) if text.len() > LONGEST => Gap::Never,
            (_, None) => usual(text),
            (_, Some(own)) => match own.iter().any(|word| is(word, text)) {
                true => Gap::Always,
                false if usual(text) == Gap::Never => Gap::Never,
                false => Gap::InNumbers,
            },
        }
    }
}

fn is(word: &str, text: &str) -> bool {
    text.eq_ignore_ascii_case(word)
}

fn usual(text: &str) -> Gap {
    match text.len() <= LONGEST {
        true if WORDS.iter().any(|word| is(word, text)) => Gap::Always,
        true if is(NONE, text) => Gap::InNumbers,
        _ => Gap::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_ones_own_replace_the_usual_ones_among_texts() {
        let usual = Gaps::default();
        for word in ["", "NA", "n/a", "#N/A", "<NA>", "NaN", "-nan", "NULL", "?"] {
            assert_eq!(usual.of(word), Gap::Always, "{word}");
        }
        assert_eq!(usual.of("None"), Gap::InNumbers);
        assert_eq!(usual.of("-"), Gap::Never);
        let own = Gaps::new(Some(&vec!["None".into(), "unknown".into()]));
        assert_eq!(own.of("NONE"), Gap::Always);
        assert_eq!(own.of("unknown"), Gap::Always);
        assert_eq!(own.of(""), Gap::Always);
        assert_eq!(own.of("NA"), Gap::InNumbers);
        assert_eq!(own.of("nothing"), Gap::Never);
    }
}
