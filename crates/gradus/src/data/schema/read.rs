//! Reading of another table by an existing schema.

use super::Schema;
use crate::base::shown::list;
use crate::data::Dataset;
use crate::data::table::{Kind, ReadTable, Table, Tabular, with_line};
use crate::error::{Error, Result, nearest};
use std::collections::HashSet;

impl Schema {
    /// Reads a table whose columns are those of this schema, in any order.
    ///
    /// All features must be there, and the targets if `labelled`; other targets, ids, dropped and
    /// further columns may be. An error if a column is missing, or a cell does not have its
    /// column's type.
    pub fn read(&self, source: impl Tabular, labelled: bool) -> Result<Table> {
        let without = "`gradus predict` does without";
        let options = ReadTable {
            others_ignored: true,
            ..ReadTable::default()
        };
        self.read_for(&source, labelled, options, without)
    }

    /// The rows of such a table, as of [`Schema::dataset`].
    pub fn rows(&self, source: impl Tabular, labelled: bool) -> Result<Dataset> {
        let rows = self.dataset(&self.read(&source, labelled)?, labelled);
        rows.map_err(|error| with_line(source.name(), error))
    }

    /// Like [`Schema::read`], for training or held-out rows; `more` are the types of dropped
    /// columns that are needed.
    pub(in crate::data) fn read_with(
        &self,
        source: &dyn Tabular,
        labelled: bool,
        more: ReadTable,
    ) -> Result<Table> {
        let without = "rows to train on, and to validate and test with, need it; without it hold \
                       out rows of the training table, such as `validation = { fraction = 0.1, \
                       shuffle = true }`";
        self.read_for(source, labelled, more, without)
    }

    /// `without` is the advice for a table without a target.
    fn read_for(
        &self,
        source: &dyn Tabular,
        labelled: bool,
        more: ReadTable,
        without: &str,
    ) -> Result<Table> {
        let mut options = more;
        if options.text.missing_values.is_none() {
            options.text.missing_values.clone_from(&self.missing_values);
        }
        // The user's text options for this table win over the stored formats.
        let hold = |options: &mut ReadTable, name: &str, kind: Kind, format| {
            options.kinds.insert(name.to_owned(), kind);
            if kind == Kind::Number && !options.text.says(name) {
                options.formats.insert(name.to_owned(), format);
            }
        };
        for feature in &self.features {
            hold(&mut options, &feature.name, feature.kind, feature.format);
            if matches!(feature.kind, Kind::Date | Kind::DateTime) {
                options.dates.insert(feature.name.clone(), feature.dates);
            }
        }
        for target in &self.targets {
            if labelled {
                hold(&mut options, &target.name, target.kind, target.format);
            } else {
                options.ignore(&target.name);
            }
        }
        for name in &self.dropped {
            if !options.kinds.contains_key(name) {
                options.ignore(name);
            }
        }
        for name in &self.ids {
            options.kinds.insert(name.clone(), Kind::Category);
        }
        let name = source.name();
        let table = match source.to_table(&options) {
            // A column is missing.
            Err(Error::UnknownName {
                family: "column",
                known,
                ..
            }) => {
                self.check_columns(&name, &known, labelled, without, options.others_ignored)?;
                let known: HashSet<String> = known.into_iter().collect();
                options.kinds.retain(|name, _| known.contains(name));
                options.dates.retain(|name, _| known.contains(name));
                options.formats.retain(|name, _| known.contains(name));
                source.to_table(&options)?
            }
            read => read?,
        };
        let names: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        self.check_columns(&name, &names, labelled, without, options.others_ignored)?;
        Ok(table)
    }

    /// Refuses a table without the required columns, and, unless extra columns are ignored, one
    /// with unknown columns.
    fn check_columns(
        &self,
        path: &str,
        there: &[String],
        labelled: bool,
        without: &str,
        others_ignored: bool,
    ) -> Result<()> {
        let features = self.features.iter().map(|f| &f.name);
        let targets = self.targets.iter().map(|t| &t.name);
        let wanted = features.chain(targets.filter(|_| labelled));
        let of_table: HashSet<&String> = there.iter().collect();
        let missing: Vec<&String> = wanted.filter(|name| !of_table.contains(name)).collect();
        let of_model: HashSet<&str> = self.columns().collect();
        let is_known = |name: &&String| of_model.contains(name.as_str());
        let strangers: Vec<&String> = there.iter().filter(|name| !is_known(name)).collect();
        let quoted = |names: &[&String]| list(names.iter().map(|name| format!("`{name}`")));
        let s = |names: &[&String]| if names.len() == 1 { "" } else { "s" };
        // The usual names of nameless columns.
        let is_numbered = |name: &String| {
            let place = name.strip_prefix("column_");
            place.is_some_and(|place| place.parse::<usize>().is_ok())
        };
        if let Some(first) = missing.first() {
            let meant = nearest(first, strangers.iter().map(|name| name.as_str()));
            let hint = match meant {
                Some(name) => format!("; is it `{name}`?"),
                None if there.iter().all(is_numbered) => {
                    "; its first line was taken as a row, since it has none of the names that \
                     the model knows"
                        .to_owned()
                }
                None => format!(
                    "; the table has {}",
                    quoted(&there.iter().collect::<Vec<_>>())
                ),
            };
            let of_target = self.targets.iter().any(|target| target.name == **first);
            let what_for = match of_target {
                true => format!("what the model predicts: {without}"),
                false => "which the model takes".to_owned(),
            };
            let problem = format!(
                "has no column{} {}, {what_for}{hint}",
                s(&missing),
                quoted(&missing)
            );
            return Err(Error::file(path, problem));
        }
        if let (Some(first), false) = (strangers.first(), others_ignored) {
            let meant = nearest(first, self.columns());
            let hint = meant.map_or(String::new(), |name| format!("; `{name}` is like it"));
            let problem = format!(
                "has the column{} {}, of which the model knows nothing{hint}: remove {}",
                s(&strangers),
                quoted(&strangers),
                if strangers.len() == 1 { "it" } else { "them" }
            );
            return Err(Error::file(path, problem));
        }
        Ok(())
    }
}
