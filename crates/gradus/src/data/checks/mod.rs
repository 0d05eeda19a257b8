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

use super::run_data::RunData;
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

impl RunData {
    /// The findings of all checks about these rows, none about rows that stay in their
    /// files. `of_classes` says of each target whether
    /// it names classes, as [`Model::targets_of_classes`](crate::Model::targets_of_classes)
    /// knows; where it is too short, the target is a number.
    ///
    /// | name | finds |
    /// | --- | --- |
    /// | `one_class` | training rows of a single class: an error |
    /// | `unseen_class` | a class that only held-out rows have |
    /// | `shift` | held-out first or last rows with another target: a mean, or a class' share, more than 5 standard errors and a quarter of a standard deviation from that of the training rows, or a class that none of them has |
    /// | `constant` | a column, or a target, that is always the same |
    /// | `rounded` | a column of an array whose numbers float32 does not tell apart |
    /// | `leak` | a column that gives the target away: correlation or rank correlation above 0.999; a value that determines the class; a range of values for each class. Columns that the target is a sum of, each times a number |
    /// | `id` | a text that nearly every row has another of; a number that counts the rows; a whole number that each row has another of, if they are nearly without gaps or the column is called an id, a key, an index |
    /// | `categories` | more texts, or classes, than rows could tell something of |
    /// | `duplicates` | rows that were trained on among those held out |
    pub fn findings(&self, silenced: &Silenced, of_classes: &[bool]) -> Vec<Finding> {
        let Some(rows) = Rows::of(self, of_classes) else {
            return Vec::new();
        };
        let checks = CHECKS.iter().filter(|check| !silenced.has(check.name));
        let mut found: Vec<Finding> = checks.flat_map(|check| (check.look)(&rows)).collect();
        found.sort_by_key(|finding| finding.severity);
        found
    }
}

/// The names of all checks.
fn names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|check| check.name)
}
