//! What is suspicious about data, before a network is trained on it.
//!
//! One file for each check, registered in `CHECKS`; `rows` is what all of them
//! look at, `finding` what they say, `silenced` which of them a user does without.
//! What a model cannot take at all (NaN, labels beyond the output) is refused by
//! [`check`](super::check), whoever trains.
//!
//! A check is linear in the data, and cheap beside an epoch: columns are first looked
//! at in a sample of the rows, and only what is suspicious there in all of them.

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
