//! Texts that are numbers with a fixed word: `12 kg`, `USD 5`.

use super::number::look;

/// Length limit of the word.
const LONGEST: usize = 8;

/// Statistics of the word found in the first cell.
#[derive(Default)]
pub(super) struct Affix {
    word: String,
    example: String,
    cells: usize,
}

impl Affix {
    /// Counts cells of a text that is not a number.
    pub fn add(&mut self, cell: &str, cells: usize) {
        let Some(word) = word(cell) else {
            return;
        };
        if self.cells == 0 {
            self.word.push_str(word);
            self.example.push_str(cell);
        }
        if self.word == word {
            self.cells += cells;
        }
    }

    /// Adds the statistics of later rows.
    pub fn append(&mut self, below: Affix) {
        if self.cells == 0 {
            *self = below;
        } else if self.word == below.word {
            self.cells += below.cells;
        }
    }

    /// A note, if all `filled` cells are such texts.
    pub fn note(&self, filled: usize) -> Option<String> {
        let Affix {
            word,
            example,
            cells,
        } = self;
        (*cells == filled && filled > 1).then(|| {
            format!(
                "is a category, though `{example}` and all other cells are numbers with `{word}`: \
                 without it they are read as numbers"
            )
        })
    }
}

/// The word before or after a number.
fn word(cell: &str) -> Option<&str> {
    let is_word = |word: &str| {
        let is_letter = |c: char| c.is_alphabetic() || "°²³/".contains(c);
        !word.is_empty() && word.len() <= LONGEST && word.chars().all(is_letter)
    };
    let digit = |c: char| c.is_ascii_digit();
    let (first, last) = (cell.find(digit)?, cell.rfind(digit)?);
    let (number, behind) = cell.split_at(last + 1);
    if is_word(behind.trim()) && look(number).is_some() {
        return Some(behind.trim());
    }
    // `n0` is a name: a word before the number needs a space.
    let (before, number) = cell.split_at(first);
    let apart = before.trim_end();
    (apart.len() < before.len() && is_word(apart) && look(number).is_some()).then_some(apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_beside_a_word_is_told_from_a_name() {
        for (cell, expected) in [
            ("12 kg", Some("kg")),
            ("1,5 m²", Some("m²")),
            ("5min", Some("min")),
            ("USD 1,200.50", Some("USD")),
            ("n0", None),
            ("Bern", None),
            ("12-14", None),
            ("12", None),
            ("5 rooms or more", None),
        ] {
            assert_eq!(word(cell), expected, "{cell}");
        }
    }
}
