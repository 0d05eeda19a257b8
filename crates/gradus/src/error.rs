//! The one error type of the library.

pub use crate::base::shown::{visible, visible_lines};

use crate::base::old_words::renamed;
use crate::base::shown::{first, sentence, value};
use std::path::{Path, PathBuf};
use std::{fmt, io};

/// The result of every fallible function of gradus.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error: the cause, the place, and what would have been right.
///
/// Everything but [`Error::BlowUp`], [`Error::Interrupted`], [`Error::NotWritten`], [`Error::Rank`],
/// [`Error::Other`], [`Error::Internal`] and most of [`Error::Io`] is a mistake that the user can mend: see [`Error::is_users_mistake`].
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that nothing in its family answers to.
    #[error("{}unknown {family} `{}`{}", place(.at), value(.found), hint(.suggestion, .known))]
    UnknownName {
        /// Path of keys of the name (`model.layers[2].activation`).
        at: String,
        /// Kind of thing that the name should have named.
        family: &'static str,
        /// The name that was found.
        found: String,
        /// The nearest valid name, if one is near.
        suggestion: Option<String>,
        /// Every valid name.
        known: Vec<String>,
    },

    /// A word of another version or library, which has a successor here.
    #[error("{}unknown {family} `{}`; {}", place(.at), value(.found), value(.advice))]
    OldName {
        /// Path of keys of the name.
        at: String,
        /// Kind of thing that the name should have named.
        family: &'static str,
        /// The name that was found.
        found: String,
        /// Advice for what to write instead, in a sentence.
        advice: String,
    },

    /// A value that its key, argument or field does not accept.
    #[error("{}found {}, expected {}", place(.at), value(.found), sentence(.expected))]
    Invalid {
        /// Path of keys of the value, or the argument's name.
        at: String,
        /// The value, as the user wrote it.
        found: String,
        /// Expected value, form or range.
        expected: String,
    },

    /// A part of a configuration that could not be read.
    #[error("{}{}", place(.at), sentence(.problem))]
    Config {
        /// Path of keys of the part.
        at: String,
        /// The fault, in a sentence.
        problem: String,
    },

    /// Shapes that do not fit each other.
    #[error("{}found shape {}, expected {}", place(.at), sentence(.found), sentence(.expected))]
    Shape {
        /// The layer, array or argument.
        at: String,
        /// The shape that was found.
        found: Extent,
        /// The shape that would have fitted.
        expected: Extent,
    },

    /// A value in the data that cannot be trained on.
    #[error("{}{}: found {}, expected {}", value(.source_name), cell(.row, .column), value(.found), sentence(.expected))]
    Data {
        /// The file or data set.
        source_name: String,
        /// The row, counted from 0.
        row: Option<usize>,
        /// The column, counted from 0.
        column: Option<usize>,
        /// The value that was found.
        found: String,
        /// Expected value, form or range.
        expected: String,
    },

    /// A file with invalid contents.
    #[error("{}: {}", shown(.path), sentence(.problem))]
    File {
        /// The file.
        path: PathBuf,
        /// The fault, in a sentence.
        problem: String,
    },

    /// Something that has to happen first has not happened.
    #[error("{}", sentence(.problem))]
    NotReady {
        /// The missing step, and the call that supplies it.
        problem: String,
    },

    /// A training whose loss became NaN or infinite, or whose weights did. The model has
    /// the last finite state.
    #[error("{}", sentence(.problem))]
    BlowUp {
        /// The epoch, from 0.
        epoch: usize,
        /// The step of the epoch, from 0.
        step: usize,
        /// Place of origin, and a likely remedy.
        problem: String,
    },

    /// Results that could not be written to all their files.
    #[error("the training has ended, but its files are not complete:\n{problem}")]
    NotWritten {
        /// The system's refusals, one a line.
        problem: String,
    },

    /// A training that an event's callback has ended, with this error: its run can be resumed. No
    /// function of gradus finds it by itself.
    #[error("interrupted")]
    Interrupted,

    /// A file operation that the system refused.
    #[error("cannot {action} {}: {}", shown(.path), sentence(.cause))]
    Io {
        /// Attempted action: `read`, `write`, `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },

    /// An error of a program's own, from its callback: see [`Error::other`].
    #[error("{0}")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// A fault of one of several ranks that train together.
    #[error("rank {rank}: {}", sentence(.problem))]
    Rank {
        /// The number of the rank.
        rank: usize,
        /// The fault, in a sentence.
        problem: String,
    },

    /// A fault of gradus itself, not of its user.
    #[error("internal error, please report it: {}", visible_lines(.0))]
    Internal(String),
}

/// One side of [`Error::Shape`]: dimensions where they are known, and words for the message.
#[derive(Clone, Debug, PartialEq)]
pub struct Extent {
    /// The dimensions, without the batch if it is a row's shape; `None` if it is no single shape
    /// (`images of 3 axes`).
    pub dims: Option<Vec<usize>>,
    text: String,
}

impl Extent {
    pub(crate) fn new(dims: &[usize], text: impl ToString) -> Self {
        Extent {
            dims: Some(dims.to_vec()),
            text: text.to_string(),
        }
    }

    /// The shape of a whole array, as a weight's: `[3, 4]`.
    pub(crate) fn array(dims: &[usize]) -> Self {
        Self::new(dims, format!("{dims:?}"))
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<String> for Extent {
    fn from(text: String) -> Self {
        Extent { dims: None, text }
    }
}

impl From<&str> for Extent {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// The message, so that a `main` that returns an error shows it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// True if the user can mend the error (arguments, configuration, data, files); false if the
    /// system or gradus is at fault.
    pub fn is_users_mistake(&self) -> bool {
        match self {
            Error::Io { cause, .. } => is_of_path(cause),
            Error::BlowUp { .. }
            | Error::Interrupted
            | Error::NotWritten { .. }
            | Error::Rank { .. }
            | Error::Other(_)
            | Error::Internal(_) => false,
            _ => true,
        }
    }

    /// An error of a program's own, or a text, for a callback to end a training with:
    /// `std::fs::write("epoch", text).map_err(Error::other)?`.
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::Other(error.into())
    }

    /// Prefixes the error's path of keys with `prefix`: under `model`, `units` becomes
    /// `model.units`.
    pub fn under(mut self, prefix: &str) -> Self {
        match &mut self {
            Error::UnknownName { at, .. }
            | Error::OldName { at, .. }
            | Error::Invalid { at, .. }
            | Error::Config { at, .. }
            | Error::Shape { at, .. } => *at = join(prefix, at),
            _ => {}
        }
        self
    }

    /// The error for a name that is none of `known`, with the nearest of them.
    pub fn unknown<'a>(
        at: &str,
        family: &'static str,
        found: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<String> = known.into_iter().map(str::to_owned).collect();
        let renamed = renamed(family, found).map(str::to_owned);
        Error::UnknownName {
            at: at.to_owned(),
            family,
            found: found.to_owned(),
            suggestion: renamed.or_else(|| nearest(found, known.iter().map(String::as_str))),
            known,
        }
    }

    /// The same with more names that would have been valid beside the unknown one.
    pub(crate) fn or_known(self, more: &[&str]) -> Self {
        match self {
            Error::UnknownName {
                at,
                family,
                found,
                known,
                ..
            } => {
                let known = known.iter().map(String::as_str);
                let known = known.chain(more.iter().copied());
                Self::unknown(&at, family, &found, known)
            }
            other => other,
        }
    }

    /// The error for a value that `at` does not accept.
    pub fn invalid(at: &str, found: impl ToString, expected: impl ToString) -> Self {
        Error::Invalid {
            at: at.to_owned(),
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }

    pub(crate) fn shape(at: &str, found: impl Into<Extent>, expected: impl Into<Extent>) -> Self {
        Error::Shape {
            at: at.to_owned(),
            found: found.into(),
            expected: expected.into(),
        }
    }

    /// The error about the contents of a file.
    pub fn file(path: impl AsRef<Path>, problem: impl ToString) -> Self {
        Error::File {
            path: path.as_ref().to_owned(),
            problem: problem.to_string(),
        }
    }

    /// The error of the system during `action` on a file.
    pub fn io(action: &'static str, path: impl AsRef<Path>, cause: io::Error) -> Self {
        Error::Io {
            action,
            path: path.as_ref().to_owned(),
            cause,
        }
    }
}

/// Joins two paths of keys: `model` and `layers[0]` become `model.layers[0]`.
pub(crate) fn join(prefix: &str, at: &str) -> String {
    match (prefix.is_empty(), at.is_empty()) {
        (true, _) => at.to_owned(),
        (_, true) => prefix.to_owned(),
        _ if at.starts_with('[') => format!("{prefix}{at}"),
        _ => format!("{prefix}.{at}"),
    }
}

/// The name in `known` nearest to `found`, if it is near enough to be meant.
pub fn nearest<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let bare = |name: &str| name.to_lowercase().replace(['_', '-', ' '], "");
    let wanted = bare(found);
    known
        .map(|name| (strsim::damerau_levenshtein(&wanted, &bare(name)), name))
        .filter(|&(distance, name)| distance <= 1 + name.len().min(wanted.len()) / 3)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name.to_owned())
}

/// True if a path is at fault: it leads nowhere, to something else, or is not allowed; false if the
/// system is, as a full disk or a damaged one.
fn is_of_path(cause: &io::Error) -> bool {
    use io::ErrorKind::*;
    const LOOP: i32 = if cfg!(target_os = "linux") { 40 } else { 62 };
    let is_loop = cfg!(unix) && cause.raw_os_error() == Some(LOOP);
    let kinds = [
        NotFound,
        AlreadyExists,
        PermissionDenied,
        IsADirectory,
        NotADirectory,
        ReadOnlyFilesystem,
        InvalidFilename,
        InvalidInput,
    ];
    is_loop || kinds.contains(&cause.kind())
}

fn place(at: &str) -> String {
    if at.is_empty() {
        String::new()
    } else {
        format!("{}: ", value(at))
    }
}

fn shown(path: &Path) -> String {
    value(&path.to_string_lossy())
}

fn hint(suggestion: &Option<String>, known: &[String]) -> String {
    match suggestion {
        Some(name) => format!("; did you mean `{}`?", value(name)),
        None if known.is_empty() => String::new(),
        None => format!("; known: {}", names(known)),
    }
}

/// All of a family's names, but of many only the first.
fn names(known: &[String]) -> String {
    const ALL: usize = 64;
    let named = if known.len() > ALL { 10 } else { ALL };
    first(named, known)
}

fn cell(row: &Option<usize>, column: &Option<usize>) -> String {
    match (row, column) {
        (Some(row), Some(column)) => format!(", row {row}, column {column}"),
        (Some(row), None) => format!(", row {row}"),
        (None, Some(column)) => format!(", column {column}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        let known = ["relu", "elu", "selu", "softmax"];
        assert_eq!(
            nearest("sofmax", known.into_iter()).as_deref(),
            Some("softmax")
        );
        assert_eq!(nearest("zzzzzz", known.into_iter()), None);
    }

    #[test]
    fn places_join_to_paths() {
        let error = Error::invalid("units", "-3", "a whole number above 0");
        let text = error
            .under("[2]")
            .under("layers")
            .under("model")
            .to_string();
        assert_eq!(
            text,
            "model.layers[2].units: found -3, expected a whole number above 0"
        );
    }
}
