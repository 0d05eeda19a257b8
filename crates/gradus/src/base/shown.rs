//! Text of others in messages: harmless on a terminal, and short.

use std::borrow::Cow;
use std::fmt::Display;

/// The number of names in a list before the others are only counted.
const NAMED: usize = 10;

/// Characters of a value, and of a sentence, before the rest is only counted.
const VALUE: usize = 300;
const SENTENCE: usize = 4000;

/// Escapes what a name or a value may do to a terminal: control characters, line ends among them,
/// and marks that turn the direction of writing, become `\u{1b}` or `\n`.
///
/// ```
/// use gradus::error::{visible, visible_lines};
///
/// assert_eq!(visible("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\nb");
/// assert_eq!(visible_lines("a\u{1b}[31m\nb"), "a\\u{1b}[31m\nb");
/// ```
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c.is_control() || turns(c))
}

/// As [`visible`], of a text of several lines: line ends and tabs stay.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| {
        (c.is_control() && c != '\n' && c != '\t') || turns(c)
    })
}

/// True for a character that changes the direction of writing, or ends a line unseen.
fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, is_harmful: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_harmful) {
        return text.into();
    }
    let mut all = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_harmful(c) {
            true => all.extend(c.escape_default()),
            false => all.push(c),
        }
    }
    all.into()
}

/// A name or a value in an error: escaped, and cut if it is long.
pub(crate) fn value(text: &str) -> String {
    cut(&visible(text), VALUE)
}

/// A sentence in an error, or several lines: escaped, and cut if it is very long.
pub(crate) fn sentence(text: impl Display) -> String {
    cut(&visible_lines(&text.to_string()), SENTENCE)
}

/// The first characters of a text, and the number of the others.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => {
            let more = text[end..].chars().count();
            format!("{}… ({more} characters more)", &text[..end])
        }
        None => text.to_owned(),
    }
}

/// Names with commas between them, escaped; of many the first ones and the number of the others.
pub(crate) fn list<T: Display>(names: impl IntoIterator<Item = T>) -> String {
    first(NAMED, names)
}

/// As [`list`], with the number of names.
pub(crate) fn first<T: Display>(named: usize, names: impl IntoIterator<Item = T>) -> String {
    let mut names = names.into_iter();
    let first = names
        .by_ref()
        .take(named)
        .map(|name| value(&name.to_string()));
    let first = first.collect::<Vec<_>>().join(", ");
    match names.count() {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_and_lists_are_cut() {
        assert_eq!(value("Größe"), "Größe");
        let long = value(&"ä".repeat(1000));
        assert_eq!(long, format!("{}… (700 characters more)", "ä".repeat(300)));
        assert_eq!(list(["a", "b"]), "a, b");
        assert_eq!(list(0..100), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 90 more");
    }
}
