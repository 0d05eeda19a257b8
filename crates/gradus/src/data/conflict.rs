//! Errors of keys that contradict each other.

use crate::error::Error;

/// The error of two keys of which one may be given.
pub(super) fn excluded(a: &str, b: &str) -> Error {
    conflict(&format!(
        "`{a}` and `{b}` exclude each other: give one of them"
    ))
}

/// The error of keys that make no sense together, wherever they stand.
pub(super) fn conflict(problem: &str) -> Error {
    Error::Config {
        at: String::new(),
        problem: problem.to_owned(),
    }
}
