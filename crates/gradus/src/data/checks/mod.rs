//! Checks for suspicious data before training.
//!
//! One file for each check, registered in `CHECKS`; `rows` is their common view of the data,
//! `finding` their result, `silenced` the ones that a user turned off. Data that a model cannot
//! take at all (NaN, labels beyond the output) is refused by [`check`](super::check) in every
//! training.
//!
//! A check is linear in the data, and cheap beside an epoch: columns are first examined in a sample
//! of the rows, and only suspicious ones in all.

mod categories;
mod constant;
mod duplicates;
mod finding;
mod id;
mod leak;
mod look;
mod one_class;
mod rounded;
mod rows;
mod shift;
mod silenced;
mod sum;
mod unseen_class;

pub(crate) use finding::named;
pub use finding::{Finding, Severity, Where};
pub use silenced::Silenced;

use rows::Rows;

/// A check of the rows of a run.
struct Check {
    name: &'static str,
    look: fn(&Rows<'_>) -> Vec<Finding>,
}

macro_rules! checks {
    ($($name:ident)*) => {
        const CHECKS: &[Check] = &[$(Check { name: stringify!($name), look: $name::look }),*];
    };
}

checks! { one_class unseen_class shift constant rounded leak id categories duplicates }

/// The names of all checks.
fn names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|check| check.name)
}
