//! A description of a schema, in a line or two.

use super::Schema;
use super::of::LeftOut;
use super::summary::{Look, Summary};
use crate::base::shown::{first, list};
use crate::data::table::Kind;

/// Limit of columns with missing values that are named.
const NAMED: usize = 4;

impl Schema {
    /// The features of the model, and the missing values of the training rows.
    pub fn describe(&self, train: &Summary, left: &[LeftOut]) -> String {
        let mut parts = Vec::new();
        for (kind, one, many) in [
            (Kind::Number, "number", "numbers"),
            (Kind::Boolean, "boolean", "booleans"),
            (Kind::Date, "date", "dates"),
            (Kind::DateTime, "date with time", "dates with times"),
            (Kind::Category, "category", "categories"),
        ] {
            let count = self.features.iter().filter(|f| f.kind == kind).count();
            if count > 0 {
                parts.push(format!("{count} {}", if count == 1 { one } else { many }));
            }
        }
        let mut text = format!("features: {}", parts.join(", "));
        let mut gaps = Vec::new();
        for feature in &self.features {
            let missing = train.look(feature).map_or(0, Look::missing);
            if missing > 0 {
                gaps.push(format!("{} ({missing})", feature.name));
            }
        }
        if !gaps.is_empty() {
            text += &format!("; gaps in {}", first(NAMED, gaps));
        }
        if !left.is_empty() {
            let left = list(left.iter().map(|l| format!("{} ({})", l.name, l.why)));
            text += &format!("\nleft out, since they tell nothing: {left}");
        }
        text
    }
}
