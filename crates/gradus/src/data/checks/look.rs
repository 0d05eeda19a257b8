//! All checks of the rows of a run.

use super::CHECKS;
use super::finding::Finding;
use super::rows::Rows;
use super::silenced::Silenced;
use crate::data::run_data::RunData;

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
