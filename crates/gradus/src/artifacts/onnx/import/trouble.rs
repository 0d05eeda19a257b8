//! The reasons why a node is not read.

/// Why a node is not read.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// Because of itself.
    Here(String),
    /// Because of another one, which is named.
    Elsewhere(String),
}

impl<T: Into<String>> From<T> for Trouble {
    fn from(why: T) -> Self {
        Trouble::Here(why.into())
    }
}
