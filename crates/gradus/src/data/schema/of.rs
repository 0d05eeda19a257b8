//! Making of a schema from a table and a user's options.

use super::target::target;
use super::{DateFormats, Feature, Schema, Summary, TableOptions, Treat};
use crate::data::table::{Kind, ReadTable, Table};
use crate::error::{Error, Result};
use std::collections::HashSet;

/// A feature left out because it carries no information, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The column.
    pub name: String,
    /// The reason, such as `always 3`.
    pub why: String,
}

impl TableOptions {
    /// The reading options of these roles: ignored columns may hold anything, except those in
    /// `looked_at`.
    pub fn read_table(&self, looked_at: &[&str]) -> ReadTable {
        let mut read = ReadTable {
            text: self.text.clone(),
            ..ReadTable::default()
        };
        let named = self.target.iter().chain(&self.sample_weight);
        read.named.extend(named.cloned());
        read.named
            .extend(looked_at.iter().map(|name| (*name).to_owned()));
        for (name, treat) in &self.columns {
            if matches!(treat, Treat::Drop) && looked_at.contains(&name.as_str()) {
                continue;
            }
            match treat {
                Treat::Drop => read.ignore(name),
                // An id may be anything.
                Treat::Id => {
                    read.kinds.insert(name.clone(), Kind::Category);
                }
                Treat::As(kind) => {
                    read.kinds.insert(name.clone(), *kind);
                }
            }
        }
        let looked_at = |name: &&String| looked_at.contains(&name.as_str());
        for name in self.exclude.iter().filter(|name| !looked_at(name)) {
            read.ignore(name);
        }
        match &self.date_format {
            Some(DateFormats::All(format)) => read.date_format = Some(*format),
            Some(DateFormats::Columns(formats)) => read.dates.clone_from(formats),
            None => {}
        }
        // Class names stay as the file has them.
        read.as_written.extend(self.target.iter().cloned());
        read
    }
}

impl Schema {
    /// Assigns roles: every column that `options` does not name is a feature. Predicted texts and
    /// booleans are classes, by their names in order, and so are two distinct numbers, unless
    /// `options` makes the column a number.
    ///
    /// An error if a name is not a column's, or is given twice.
    pub fn of(table: &Table, options: &TableOptions) -> Result<Schema> {
        let known = || table.columns.iter().map(|c| c.name.as_str());
        let columns = table.by_name();
        let find = |at: &str, name: &String| {
            let found = columns.get(name.as_str()).copied();
            found.ok_or_else(|| match &table.note {
                None => Error::unknown(at, "column", name, known()),
                Some(note) => Error::Config {
                    at: at.to_owned(),
                    problem: format!("{}; {note}", Error::unknown("", "column", name, known())),
                },
            })
        };
        for name in options.columns.keys() {
            find("columns", name)?;
        }
        for (at, names) in [("target", &options.target), ("exclude", &options.exclude)] {
            for name in names {
                find(at, name)?;
                let treat = options.columns.get(name);
                if matches!(treat, Some(Treat::Drop | Treat::Id))
                    || treat.is_some() && at == "exclude"
                {
                    return Err(twice(name, at, "columns"));
                }
            }
        }
        let targets: HashSet<&String> = options.target.iter().collect();
        let excluded: HashSet<&String> = options.exclude.iter().collect();
        if let Some(name) = options.target.iter().find(|name| excluded.contains(name)) {
            return Err(twice(name, "target", "exclude"));
        }
        if let Some(name) = &options.sample_weight {
            find("sample_weight", name)?;
            if targets.contains(name) {
                return Err(twice(name, "target", "sample_weight"));
            }
        }
        let mut schema = Schema {
            missing_values: options.text.missing_values.clone(),
            ..Schema::default()
        };
        for name in &options.target {
            schema
                .targets
                .push(target(table, find("target", name)?, options)?);
        }
        for column in &table.columns {
            let name = &column.name;
            let treat = options.columns.get(name);
            let weight = options.sample_weight.as_ref() == Some(name);
            if targets.contains(name) {
                continue;
            }
            if treat == Some(&Treat::Id) {
                schema.ids.push(name.clone());
            } else if treat == Some(&Treat::Drop) || excluded.contains(name) || weight {
                schema.dropped.push(name.clone());
            } else {
                schema.features.push(Feature {
                    name: name.clone(),
                    input: name.replace('/', "_"),
                    kind: column.cells.kind(),
                    format: column.reading.format,
                    dates: column.reading.dates,
                    offset: None,
                });
            }
        }
        schema.check().map_err(|error| error.under(&table.name))?;
        Ok(schema)
    }

    /// Drops the features that carry no information in the training rows: numbers that are constant
    /// or missing, texts that are all distinct or all the same, and the index that pandas writes
    /// before all columns.
    pub fn leave_out(&mut self, train: &Summary) -> Result<Vec<LeftOut>> {
        let mut left = Vec::new();
        for feature in &self.features {
            let look = train.look(feature)?;
            let counts = feature.kind == Kind::Number && look.counts_rows();
            let index = || {
                let why = "the index that pandas writes: it counts the rows";
                (counts && self.is_index(&feature.name)).then(|| why.to_owned())
            };
            if let Some(why) = look.tells_nothing(feature.kind).or_else(index) {
                let name = feature.name.clone();
                left.push(LeftOut { name, why });
            }
        }
        let names: HashSet<&String> = left.iter().map(|left| &left.name).collect();
        let inputs = self.features.iter().filter(|f| !names.contains(&f.name));
        let inputs: Vec<String> = inputs.map(|f| f.input.clone()).collect();
        self.keep_inputs(&inputs.iter().map(String::as_str).collect::<Vec<_>>());
        Ok(left)
    }
}

impl Schema {
    /// True if a column has the position and the name (or lack of one) of a pandas index.
    fn is_index(&self, name: &str) -> bool {
        let unnamed = |name: &str| name.starts_with("column_");
        match name {
            // Without a header all columns have such names.
            "column_0" => self.columns().any(|other| !unnamed(other)),
            "Unnamed: 0" | "__index_level_0__" => true,
            _ => false,
        }
    }
}

fn twice(name: &str, a: &str, b: &str) -> Error {
    Error::Config {
        at: a.to_owned(),
        problem: format!("`{name}` is named under `{b}` too: it is one or the other"),
    }
}
