//! From a `[data]` table that names a table file to rows that are read from its binary
//! copy while a model is trained.

use crate::data::config::{Choice, DataConfig, HeldOut, ScaleName};
use crate::data::hold_out::{self, Chosen};
use crate::data::load_stream::{Parts, take};
use crate::data::load_table;
use crate::data::memory::Memory;
use crate::data::opened::{Asked, Streamed};
use crate::data::schema::{CopyKeys, LeftOut, Schema, Summary, TableOptions};
use crate::data::stream::{Data, Picked, Stream, TableRows};
use crate::data::table::{Cells, Copied, Listener, ReadTable, Table, Tabular, with_line};
use crate::error::{Error, Result};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is known of a table whose rows are read from its copy.
#[derive(Clone, Debug)]
pub struct StreamedTable {
    /// What its columns are to the model.
    pub schema: Schema,
    /// What its training rows are like.
    pub summary: Summary,
    /// Columns that were left out, since training rows tell nothing by them.
    pub left_out: Vec<LeftOut>,
    /// What a user should know of how the table's text was read.
    pub notes: Vec<String>,
    /// The binary copy that is read.
    pub copy: PathBuf,
}

/// A table's file, whose copy is made when it is asked for its columns.
struct Large<'a> {
    path: &'a Path,
    /// Columns whose different texts and numbers are asked for.
    targets: &'a [String],
    /// Columns that are looked at though they are excluded.
    looked_at: Vec<&'a str>,
    memory: u64,
    listener: Listener<'a>,
    copied: RefCell<Option<Arc<Copied>>>,
}

impl Large<'_> {
    fn copied(&self) -> Result<Arc<Copied>> {
        let copied = self.copied.borrow().clone();
        copied.ok_or_else(|| Error::Internal("a table that nobody has copied".into()))
    }
}

/// Without rows, but with the texts of the targets, and their first different numbers.
impl Tabular for Large<'_> {
    fn name(&self) -> String {
        self.path.name()
    }

    fn to_table(&self, options: &ReadTable) -> Result<Table> {
        let mut options = options.clone();
        options
            .ignored
            .retain(|name| !self.looked_at.contains(&name.as_str()));
        let copied = Copied::of(self.path, &options, self.memory, self.listener)?;
        let mut head = copied.head();
        for column in &mut head.columns {
            let wanted = self.targets.contains(&column.name);
            match &mut column.cells {
                Cells::Category { names, .. } if wanted => *names = copied.texts(&column.name)?,
                // Two different numbers are classes.
                cells @ Cells::Number(_) if wanted => {
                    *cells = copied.different(&column.name, 3)?;
                }
                _ => {}
            }
        }
        *self.copied.borrow_mut() = Some(Arc::new(copied));
        Ok(head)
    }
}

impl DataConfig {
    /// The rows of a table that is larger than memory.
    pub(super) fn stream_table(
        &self,
        table: &str,
        base: &Path,
        seed: u64,
        (memory, whole): (Memory, Memory),
        asked: Asked<'_>,
    ) -> Result<Streamed> {
        let options = &self.columns;
        let path = base.join(table);
        let held_out = [&self.validation, &self.test].into_iter().flatten();
        let looked_at = held_out.filter_map(|how| match how.choice()? {
            Choice::Stratify(column) => column.as_deref(),
            Choice::Group(column) => Some(column.as_str()),
            _ => None,
        });
        let source = Large {
            path: &path,
            // A model that knows its targets knows their classes.
            targets: match asked.known {
                Some(known) if !known.targets.is_empty() => &[],
                _ => &options.target,
            },
            looked_at: looked_at.collect(),
            memory: memory.bytes(),
            listener: asked.listener,
            copied: RefCell::default(),
        };
        let (head, mut schema) = load_table::read(self, &source, asked.known)?;
        let mut notes = load_table::notes(&head, &schema, self);
        let copied = source.copied()?;
        let rows = |copied, schema: &Schema| {
            let rows = TableRows::new(copied, schema.clone(), options.sample_weight.as_ref());
            match asked.ids {
                true => rows,
                false => rows.without_ids(),
            }
        };
        let all = rows(copied.clone(), &schema);
        let chosen = self.choose(&copied, &all, seed, memory);
        let chosen = chosen.map_err(|error| with_line(&path, error))?;
        let lists: u64 = chosen.iter().flatten().map(Picked::bytes).sum();
        let memory_of_rows = Memory::from(memory.bytes().saturating_sub(lists));
        // As the schema says.
        let streams = |schema: &Schema| {
            let all = rows(copied.clone(), schema);
            let part = |at: &str, how: &Option<HeldOut>, chosen: &Option<Picked>| match (
                how,
                chosen.clone(),
            ) {
                (None, _) => Ok(None),
                (Some(_), Some(picked)) => Stream::new(all.clone().picked(picked)).map(Some),
                (Some(HeldOut::Table { table }), None) => {
                    let path = base.join(table);
                    let own = own_copy(schema, options, &path, memory, asked.listener)?;
                    Stream::new(rows(own, schema)).map(Some)
                }
                (Some(other), None) => {
                    let expected = "a `table`, as the training rows are";
                    Err(Error::invalid(at, other, expected))
                }
            };
            let [train, validation, test] = &chosen;
            let validation = part("data.validation", &self.validation, validation)?;
            let test = part("data.test", &self.test, test)?;
            let picked = train.clone().unwrap_or(Picked::Range(0..copied.rows()));
            let train = all.clone().picked(picked);
            let targets = match schema.targets.is_empty() {
                true => None,
                false => Some(Stream::new(train.clone().of_targets())?),
            };
            let parts = Parts {
                train: Stream::new(train)?,
                validation,
                test,
                targets,
            };
            self.streamed(parts, ScaleName::None, memory_of_rows, whole)
        };
        let mut streamed = streams(&schema)?;
        let mut summary = Summary::of(&schema, &streamed.train)?;
        let left_out = match asked.known {
            None => {
                notes.extend(schema.set_offsets(&mut summary));
                if schema.has_offsets() {
                    streamed = streams(&schema)?;
                }
                schema.leave_out(&summary)?
            }
            Some(_) => Vec::new(),
        };
        streamed.memory = memory;
        streamed.table = Some(StreamedTable {
            schema: schema.clone(),
            summary,
            left_out,
            notes,
            copy: copied.path.clone(),
        });
        let inputs: Vec<&str> = schema.features.iter().map(|f| f.input.as_str()).collect();
        streamed.keep_inputs(&inputs)
    }

    /// The rows to train on, for validation and for the test; none of what has a table of
    /// its own.
    fn choose(
        &self,
        copied: &Copied,
        rows: &TableRows,
        seed: u64,
        memory: Memory,
    ) -> Result<[Option<Picked>; 3]> {
        let mut left = 0..copied.rows();
        let one_by_one = [
            ("data.test", &self.test),
            ("data.validation", &self.validation),
        ];
        let one_by_one = one_by_one.into_iter().find_map(|(at, how)| {
            let ends = |how: &&HeldOut| match how.choice() {
                Some(choice) => *choice != Choice::Last || matches!(how, HeldOut::Fold { .. }),
                None => false,
            };
            how.as_ref().filter(ends).map(|how| (at, how))
        });
        let Some((at, how)) = one_by_one else {
            let mut end = |at: &str, how: &Option<HeldOut>| match how {
                None | Some(HeldOut::Table { .. } | HeldOut::Files { .. }) => Ok(None),
                Some(HeldOut::Images { .. }) => Ok(None),
                Some(how) => {
                    let rows = take(how, &mut left).map_err(|error| error.under(at))?;
                    Ok(Some(Picked::Range(rows)))
                }
            };
            let test = end("data.test", &self.test)?;
            let validation = end("data.validation", &self.validation)?;
            return Ok([Some(Picked::Range(left)), validation, test]);
        };
        /// What choosing takes for each row: its key, its place on either side, and these
        /// once more while they are drawn.
        const BYTES: u64 = 48;
        let needed = Memory::at_least(copied.rows() as u64 * BYTES);
        if needed > memory {
            let expected = format!(
                "the first rows, the last `fraction` or a table of their own: to choose among {} \
                 rows one by one takes {needed}, and `data.memory` is {memory}",
                copied.rows()
            );
            return Err(Error::invalid(at, how, expected));
        }
        let keys = CopyKeys { copied, rows };
        let Chosen {
            train,
            validation,
            test,
        } = hold_out::choose(self, &keys, seed)?;
        Ok([
            Some(Picked::of(train)),
            validation.map(Picked::of),
            test.map(Picked::of),
        ])
    }
}

impl<'a> Large<'a> {
    /// Of a table whose columns are known.
    fn known(path: &'a Path, memory: Memory, listener: Listener<'a>) -> Self {
        Large {
            path,
            targets: &[],
            looked_at: Vec::new(),
            memory: memory.bytes(),
            listener,
            copied: RefCell::default(),
        }
    }
}

/// The copy of another table whose columns are those of the schema.
fn own_copy(
    schema: &Schema,
    options: &TableOptions,
    path: &Path,
    memory: Memory,
    listener: Listener<'_>,
) -> Result<Arc<Copied>> {
    let source = Large::known(path, memory, listener);
    schema.read_with(&source, true, load_table::weights_are_numbers(options))?;
    source.copied()
}

/// All rows of a table, for a model that knows its columns.
pub(super) fn rows_of(
    path: &Path,
    schema: &Schema,
    labelled: bool,
    memory: Memory,
    listener: Listener<'_>,
) -> Result<Data> {
    let source = Large::known(path, memory, listener);
    schema.read(&source, labelled)?;
    let mut schema = schema.clone();
    if !labelled {
        schema.targets.clear();
    }
    let rows = TableRows::new(source.copied()?, schema, None);
    let stream = Stream::new(rows)?;
    Ok(Data::Stream(stream.memory(memory.bytes())))
}
