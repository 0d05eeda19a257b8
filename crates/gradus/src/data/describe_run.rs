//! The rows of a run in words: the use of each part, and of a table's columns.

use crate::data::config::DataConfig;
use crate::data::run_data::RunData;
use crate::data::split::SplitBy;
use crate::data::stream::Data;
use crate::data::table::Kind;

impl RunData {
    /// The use of each part in a line; then a table's columns, and the files of rows that stay
    /// there. `config` is the table that the rows were opened by.
    pub fn describe(&self, config: &DataConfig) -> String {
        let count = |data: &Data| data.rows().unwrap_or_default();
        let mut text = format!("rows: {} to train on", self.train_rows());
        for (part, what, how) in [
            (&self.validation, "validation", &config.validation),
            (&self.test, "test", &config.test),
        ] {
            if let Some(part) = part {
                text += &format!(", {} for {what}", count(part));
                text += &how
                    .as_ref()
                    .map_or(" (the set's own)".into(), |how| format!(" ({how})"));
            }
        }
        if let Some(kept) = config.kept.describe() {
            text += &format!(", {kept}");
        }
        for name in self.stratified_by_numbers(config) {
            text += &format!(
                "\nstratified by `{name}`, a number: each of its values counts as a class, and \
                 one that is there once is trained on"
            );
        }
        let facts = &self.facts;
        if let (Some(schema), Some(train)) = (&facts.schema, &facts.summary) {
            text += &format!("\n{}", schema.describe(train, &facts.left_out));
            facts
                .notes
                .iter()
                .for_each(|note| text += &format!("\n{note}"));
        }
        if let Some(streamed) = &facts.streamed {
            let memory = streamed.memory;
            text += &match &streamed.copy {
                None => {
                    let whole = streamed.whole;
                    format!("\nread meanwhile, within {memory}: they would take {whole}")
                }
                Some(copy) => {
                    let copy = copy.display();
                    format!("\nread meanwhile, within {memory}, from {copy}")
                }
            };
        }
        text
    }

    /// Numeric columns of the table that stratify a split, so that each value counts as a class.
    fn stratified_by_numbers<'a>(&'a self, config: &'a DataConfig) -> Vec<&'a str> {
        let Some(schema) = self.schema() else {
            return Vec::new();
        };
        let held_out = [&config.validation, &config.test].into_iter().flatten();
        let columns = held_out.filter_map(|how| match (how.split_by()?, &schema.targets[..]) {
            (SplitBy::Stratify(Some(column)), _) => Some(column.as_str()),
            (SplitBy::Stratify(None), [target]) => Some(target.name.as_str()),
            _ => None,
        });
        let is_number = |name: &&str| {
            let mut features = schema.features.iter();
            let mut targets = schema.targets.iter();
            features.any(|f| f.name == *name && f.kind == Kind::Number)
                || targets.any(|t| t.name == *name && t.classes.is_empty())
        };
        let mut columns: Vec<&str> = columns.filter(is_number).collect();
        columns.dedup();
        columns
    }
}
