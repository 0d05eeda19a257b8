//! `Opened`: the rows of a run, in memory or read meanwhile.

use crate::data::config::{Choice, DataConfig};
use crate::data::images::Pictures;
use crate::data::load::Loaded;
use crate::data::load_stream_table::StreamedTable;
use crate::data::memory::Memory;
use crate::data::schema::{Schema, Summary};
use crate::data::stream::{Data, Stream};
use crate::data::table::{Kind, Listener};
use crate::error::Result;

/// The rows of a run, wherever they are.
#[derive(Clone, Debug)]
pub enum Opened {
    /// In memory.
    Memory(Box<Loaded>),
    /// In their files.
    Stream(Box<Streamed>),
}

/// The rows of a run that are read from their files when they are needed.
#[derive(Clone, Debug)]
pub struct Streamed {
    /// What it trains on.
    pub train: Stream,
    /// What is held out to watch it.
    pub validation: Option<Stream>,
    /// What is held out to the end.
    pub test: Option<Stream>,
    /// The targets of the training rows, in place of the inputs too: what counts them
    /// need not read the inputs. None without targets.
    pub targets: Option<Stream>,
    /// What the rows may take of the memory.
    pub memory: Memory,
    /// What all would take, about.
    pub whole: Memory,
    /// How pictures were read.
    pub pictures: Option<Pictures>,
    /// What is known of a table.
    pub table: Option<StreamedTable>,
}

/// What somebody asks of rows beside their configuration.
#[derive(Clone, Copy, Default)]
pub(super) struct Asked<'a> {
    /// A model that knows a table's columns.
    pub known: Option<&'a Schema>,
    /// Who is told how far the copy of a table is.
    pub listener: Listener<'a>,
    /// Whether a table's ids are wanted.
    pub ids: bool,
}

impl Streamed {
    /// The same rows with only the inputs of these names, of a table that has others.
    pub fn keep_inputs(mut self, names: &[&str]) -> Result<Self> {
        let Some(table) = &mut self.table else {
            return Ok(self);
        };
        table.schema.keep_inputs(names);
        let keep = |stream: Stream| stream.keep_inputs(names);
        Ok(Streamed {
            train: keep(self.train)?,
            validation: self.validation.map(keep).transpose()?,
            test: self.test.map(keep).transpose()?,
            ..self
        })
    }
}

impl Opened {
    /// What is trained on.
    pub fn train(&self) -> Data {
        match self {
            Opened::Memory(loaded) => (&loaded.train).into(),
            Opened::Stream(streamed) => (&streamed.train).into(),
        }
    }

    /// What is held out to watch the training.
    pub fn validation(&self) -> Option<Data> {
        match self {
            Opened::Memory(loaded) => loaded.validation.as_ref().map(Data::from),
            Opened::Stream(streamed) => streamed.validation.as_ref().map(Data::from),
        }
    }

    /// What is held out to the end.
    pub fn test(&self) -> Option<Data> {
        match self {
            Opened::Memory(loaded) => loaded.test.as_ref().map(Data::from),
            Opened::Stream(streamed) => streamed.test.as_ref().map(Data::from),
        }
    }

    /// Rows with the targets of all that is trained on, whatever their inputs are.
    pub fn targets(&self) -> Data {
        match self {
            Opened::Stream(streamed) => streamed.targets.as_ref().unwrap_or(&streamed.train).into(),
            Opened::Memory(_) => self.train(),
        }
    }

    /// How pictures were read, if they are not as a model is usually given them.
    pub fn pictures(&self) -> Option<&Pictures> {
        match self {
            Opened::Memory(loaded) => loaded.pictures.as_ref(),
            Opened::Stream(streamed) => streamed.pictures.as_ref(),
        }
    }

    /// What the columns of a table are to the model.
    pub fn schema(&self) -> Option<&Schema> {
        match self {
            Opened::Memory(loaded) => loaded.schema.as_ref(),
            Opened::Stream(streamed) => streamed.table.as_ref().map(|table| &table.schema),
        }
    }

    /// What the training rows of a table are like.
    pub fn summary(&self) -> Option<&Summary> {
        match self {
            Opened::Memory(loaded) => loaded.summary.as_ref(),
            Opened::Stream(streamed) => streamed.table.as_ref().map(|table| &table.summary),
        }
    }

    /// The same rows with only the inputs of these names, of a table that has others.
    pub fn keep_inputs(self, names: &[&str]) -> Result<Self> {
        Ok(match self {
            Opened::Memory(loaded) => Opened::Memory(Box::new(loaded.keep_inputs(names)?)),
            Opened::Stream(rows) => Opened::Stream(Box::new(rows.keep_inputs(names)?)),
        })
    }
}

impl DataConfig {
    /// The columns of a table by whose classes rows are held out, though they are numbers.
    fn stratified_by_numbers<'a>(&'a self, rows: &'a Opened) -> Vec<&'a str> {
        let Some(schema) = rows.schema() else {
            return Vec::new();
        };
        let held_out = [&self.validation, &self.test].into_iter().flatten();
        let columns = held_out.filter_map(|how| match (how.choice()?, &schema.targets[..]) {
            (Choice::Stratify(Some(column)), _) => Some(column.as_str()),
            (Choice::Stratify(None), [target]) => Some(target.name.as_str()),
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

    /// Which rows are for what, in a line.
    pub fn describe_parts(&self, rows: &Opened) -> String {
        let count = |data: &Data| data.rows().unwrap_or_default();
        let mut text = format!("rows: {} to train on", count(&rows.train()));
        for (part, what, how) in [
            (&rows.validation(), "validation", &self.validation),
            (&rows.test(), "test", &self.test),
        ] {
            if let Some(part) = part {
                text += &format!(", {} for {what}", count(part));
                text += &how
                    .as_ref()
                    .map_or(" (the set's own)".into(), |how| format!(" ({how})"));
            }
        }
        for name in self.stratified_by_numbers(rows) {
            text += &format!(
                "\nstratified by `{name}`, a number: each of its values counts as a class, and \
                 one that is there once is trained on"
            );
        }
        let add = |text: &mut String, line: &str| *text += &format!("\n{line}");
        match rows {
            Opened::Memory(loaded) => {
                if let (Some(schema), Some(train)) = (&loaded.schema, &loaded.summary) {
                    text += &format!("\n{}", schema.describe(train, &loaded.left_out));
                    loaded.notes.iter().for_each(|note| add(&mut text, note));
                }
            }
            Opened::Stream(streamed) => {
                let (memory, whole) = (streamed.memory, streamed.whole);
                text += &match &streamed.table {
                    None => {
                        format!("\nread meanwhile, within {memory}: they would take {whole}")
                    }
                    Some(table) => {
                        let StreamedTable {
                            schema,
                            summary,
                            left_out,
                            notes,
                            copy,
                        } = table;
                        let mut described = schema.describe(summary, left_out);
                        notes.iter().for_each(|note| add(&mut described, note));
                        format!(
                            "\n{described}\nread meanwhile, within {memory}, from {}",
                            copy.display()
                        )
                    }
                };
            }
        }
        text
    }
}
