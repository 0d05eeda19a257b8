//! A table that is larger than memory: rows that are read from its binary copy meanwhile.

use super::super::kind::Request;
use super::super::streams::Streams;
use super::keys::CopyKeys;
use super::read::{notes, read, weights_are_numbers};
use super::rows::{Picked, TableRows};
use crate::base::memory::Memory;
use crate::base::url::join;
use crate::data::excess::Excess;
use crate::data::run_data::RunData;
use crate::data::scale_name::ScaleName;
use crate::data::schema::{Schema, Summary};
use crate::data::split::{Chosen, HoldOut, SplitBy, choose, take_end};
use crate::data::stream::{Data, Stream};
use crate::data::table::{Cells, Copied, OnCopy, ReadTable, Table, Tabular, with_line};
use crate::error::{Error, Result};
use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

/// A table file, copied when its columns are first asked for.
struct Large<'a> {
    path: &'a Path,
    /// Columns whose distinct texts and values are needed.
    targets: &'a [String],
    /// Columns examined though they are excluded.
    looked_at: Vec<&'a str>,
    memory: u64,
    on_copy: OnCopy<'a>,
    copied: RefCell<Option<Arc<Copied>>>,
}

impl Large<'_> {
    fn copied(&self) -> Result<Arc<Copied>> {
        let copied = self.copied.borrow().clone();
        copied.ok_or_else(|| Error::Internal("a table that nobody has copied".into()))
    }
}

/// A table without rows, but with the texts of the targets, and their first distinct values.
impl Tabular for Large<'_> {
    fn name(&self) -> String {
        self.path.name()
    }

    fn to_table(&self, options: &ReadTable) -> Result<Table> {
        let mut options = options.clone();
        options
            .ignored
            .retain(|name| !self.looked_at.contains(&name.as_str()));
        let copied = Copied::of(self.path, &options, self.memory, self.on_copy)?;
        let mut head = copied.head();
        for column in &mut head.columns {
            let wanted = self.targets.contains(&column.name);
            match &mut column.cells {
                Cells::Category { names, .. } if wanted => *names = copied.texts(&column.name)?,
                // Two distinct values are classes.
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

/// The rows of a run, by their use. A copy that turns out to be damaged is made anew.
pub(super) fn open(path: &Path, request: &Request<'_>, excess: Excess) -> Result<RunData> {
    match opened(path, request, excess) {
        Err(error) if Copied::is_gone(&error) => {
            let mut run = opened(path, request, excess)?;
            let note = format!(
                "{}: its binary copy was damaged, and is made anew",
                path.display()
            );
            run.facts.notes.push(note);
            Ok(run)
        }
        other => other,
    }
}

fn opened(path: &Path, request: &Request<'_>, excess: Excess) -> Result<RunData> {
    let Excess { memory, .. } = excess;
    let (options, known) = (request.columns, request.purpose.schema);
    let looked_at = request
        .held_out()
        .filter_map(|(_, how)| match how.split_by()? {
            SplitBy::Stratify(column) => column.as_deref(),
            SplitBy::Group(column) => Some(column.as_str()),
            _ => None,
        });
    let source = Large {
        path,
        // A model's schema already has the classes of its targets.
        targets: match known {
            Some(known) if !known.targets.is_empty() => &[],
            _ => &options.target,
        },
        looked_at: looked_at.collect(),
        memory: memory.bytes(),
        on_copy: request.purpose.on_copy,
        copied: RefCell::default(),
    };
    let (head, mut schema) = read(request, &source)?;
    let mut notes = notes(&head, &schema, options);
    let copied = source.copied()?;
    let all = rows(&copied, &schema, request);
    let parts = Uses::choose(&copied, &all, request, memory);
    let parts = parts.map_err(|error| with_line(path, error))?;
    // Lists of rows take some of the memory that the rows may take.
    let of_rows = Excess {
        memory: Memory::from(memory.bytes().saturating_sub(parts.bytes())),
        ..excess
    };
    let streams = |schema: &Schema| {
        let streams = parts.streams(&copied, schema, request, memory)?;
        streams.share(ScaleName::None, request, of_rows)
    };
    let mut run = streams(&schema)?;
    let mut summary = Summary::of(&schema, &run.train)?;
    let left_out = match known {
        None => {
            notes.extend(schema.set_offsets(&mut summary));
            if schema.has_offsets() {
                run = streams(&schema)?;
            }
            schema.leave_out(&summary)?
        }
        Some(_) => Vec::new(),
    };
    let inputs: Vec<String> = schema.features.iter().map(|f| f.input.clone()).collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    run.facts.schema = Some(schema);
    run.facts.summary = Some(summary);
    run.facts.left_out = left_out;
    run.facts.notes = notes;
    if let Some(streamed) = &mut run.facts.streamed {
        streamed.memory = memory;
        streamed.copy = Some(copied.path.clone());
    }
    run.keep_inputs(&inputs)
}

/// All rows of a copy, as the schema says; with ids for predictions alone.
fn rows(copied: &Arc<Copied>, schema: &Schema, request: &Request<'_>) -> TableRows {
    let weight = request.columns.sample_weight.as_ref();
    let rows = TableRows::new(copied.clone(), schema.clone(), weight);
    match request.purpose.unlabelled {
        true => rows,
        false => rows.without_ids(),
    }
}

/// The rows of a table by their use; `None` where they have a table of their own, or there
/// are none.
struct Uses {
    train: Picked,
    validation: Option<Picked>,
    test: Option<Picked>,
}

impl Uses {
    fn choose(
        copied: &Copied,
        rows: &TableRows,
        request: &Request<'_>,
        memory: Memory,
    ) -> Result<Uses> {
        let is_listed = |how: &HoldOut| match how.split_by() {
            Some(by) => *by != SplitBy::Last || matches!(how, HoldOut::Fold { .. }),
            None => false,
        };
        let [validation, test] = [
            ("data.validation", request.validation),
            ("data.test", request.test),
        ];
        let mut in_order = [test, validation].into_iter();
        let listed = in_order.find_map(|(at, how)| Some((at, how.filter(|how| is_listed(how))?)));
        let Some((at, how)) = listed else {
            let mut left = 0..copied.rows();
            let mut end = |(at, how): (&str, Option<&HoldOut>)| match how {
                Some(how) if !how.is_own() => {
                    let rows = take_end(how, &mut left).map_err(|error| error.under(at))?;
                    Ok(Some(Picked::Range(rows)))
                }
                _ => Ok(None),
            };
            let (test, validation) = (end(test)?, end(validation)?);
            return Ok(Uses {
                train: Picked::Range(left),
                validation,
                test,
            });
        };
        /// Memory that choosing takes for each row: its key, its place on either side, and
        /// these once more while they are drawn.
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
        } = choose(request.validation, request.test, &keys, request.seed)?;
        Ok(Uses {
            train: Picked::of(train),
            validation: validation.map(Picked::of),
            test: test.map(Picked::of),
        })
    }

    /// Bytes that lists of rows take.
    fn bytes(&self) -> u64 {
        let parts = [
            Some(&self.train),
            self.validation.as_ref(),
            self.test.as_ref(),
        ];
        parts.into_iter().flatten().map(Picked::bytes).sum()
    }

    /// The rows as the schema says; those that have a table of their own are copied.
    fn streams(
        &self,
        copied: &Arc<Copied>,
        schema: &Schema,
        request: &Request<'_>,
        memory: Memory,
    ) -> Result<Streams> {
        let all = rows(copied, schema, request);
        let part = |at: &str, how: Option<&HoldOut>, picked: &Option<Picked>| match (how, picked) {
            (None, _) => Ok(None),
            (Some(_), Some(picked)) => Stream::new(all.clone().picked(picked.clone())).map(Some),
            (Some(HoldOut::Table { table }), None) => {
                let path = join(request.base, table);
                let own = own_copy(schema, request, &path, memory)?;
                Stream::new(rows(&own, schema, request)).map(Some)
            }
            (Some(other), None) => {
                let expected = "a `table`, as the training rows are";
                Err(Error::invalid(at, other, expected))
            }
        };
        let validation = part("data.validation", request.validation, &self.validation)?;
        let test = part("data.test", request.test, &self.test)?;
        let train = all.picked(self.train.clone());
        let targets = match schema.targets.is_empty() {
            true => None,
            false => Some(Stream::new(train.clone().of_targets())?),
        };
        Ok(Streams {
            train: Stream::new(train)?,
            validation,
            test,
            targets,
        })
    }
}

impl<'a> Large<'a> {
    /// Opens a table whose columns are known.
    fn known(path: &'a Path, memory: Memory, on_copy: OnCopy<'a>) -> Self {
        Large {
            path,
            targets: &[],
            looked_at: Vec::new(),
            memory: memory.bytes(),
            on_copy,
            copied: RefCell::default(),
        }
    }
}

/// The copy of another table with the schema's columns.
fn own_copy(
    schema: &Schema,
    request: &Request<'_>,
    path: &Path,
    memory: Memory,
) -> Result<Arc<Copied>> {
    let source = Large::known(path, memory, request.purpose.on_copy);
    schema.read_with(&source, true, weights_are_numbers(request.columns))?;
    source.copied()
}

/// All rows of a table, for a model that has its schema.
pub(super) fn rows_of(
    path: &Path,
    schema: &Schema,
    labelled: bool,
    memory: Memory,
    on_copy: OnCopy<'_>,
) -> Result<Data> {
    let source = Large::known(path, memory, on_copy);
    schema.read(&source, labelled)?;
    let mut schema = schema.clone();
    if !labelled {
        schema.targets.clear();
    }
    let rows = TableRows::new(source.copied()?, schema, None);
    let stream = Stream::new(rows)?;
    Ok(Data::Stream(stream.memory(memory.bytes())))
}
