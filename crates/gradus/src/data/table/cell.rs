//! Parsing of a cell's text.

/// A finite number within the range of `f32`.
pub(super) fn number(text: &str) -> Option<f64> {
    let starts = text.as_bytes().first()?;
    // `inf` and `nan` are not numbers to train on.
    if !(starts.is_ascii_digit() || b"+-.".contains(starts)) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    (number as f32).is_finite().then_some(number)
}

/// `true`, `yes`, `false`, `no`, in any case.
pub(in crate::data) fn boolean(text: &str) -> Option<f32> {
    let is = |words: [&str; 2]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match (is(["true", "yes"]), is(["false", "no"])) {
        (true, _) => Some(1.0),
        (_, true) => Some(0.0),
        _ => None,
    }
}

/// Like [`boolean`], and also 1 and 0, for a column that the user declares boolean.
pub(super) fn said_boolean(text: &str) -> Option<f32> {
    boolean(text).or_else(|| match number(text) {
        Some(0.0) => Some(0.0),
        Some(1.0) => Some(1.0),
        _ => None,
    })
}
