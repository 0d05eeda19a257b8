//! From the `[data]` table to rows that are read while a model is trained: those
//! that are larger than the memory they may take. Pictures: `load_stream_images`; tables:
//! `load_stream_table`.

use crate::data::config::{Choice, DataConfig, Files, HeldOut, ScaleName};
use crate::data::load::same_shapes;
use crate::data::memory::Memory;
use crate::data::npy::split_key;
use crate::data::opened::{Asked, Opened, Streamed};
use crate::data::scale::Scale;
use crate::data::schema::Schema;
use crate::data::spec;
use crate::data::split;
use crate::data::stream::{NpyRows, Stream};
use crate::data::table::{Listener, about_bytes};
use crate::error::{Error, Result, join};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Rows by what they are for, as they are in their files.
pub(super) struct Parts {
    pub train: Stream,
    pub validation: Option<Stream>,
    pub test: Option<Stream>,
    pub targets: Option<Stream>,
}

impl DataConfig {
    /// As [`DataConfig::load_for`], but what would take more memory than `memory` says
    /// (without it, than half of the machine's) is read while a model is trained: arrays
    /// from their files, pictures from what they were decoded to, a table from a binary
    /// copy of it; these are made once and lie in the user's cache folder.
    pub fn open(&self, base: &Path, seed: u64, known: Option<&Schema>) -> Result<Opened> {
        self.open_telling(base, seed, known, Listener::default())
    }

    /// As [`DataConfig::open`], telling somebody how far the copy of a table is.
    pub fn open_telling(
        &self,
        base: &Path,
        seed: u64,
        known: Option<&Schema>,
        listener: Listener<'_>,
    ) -> Result<Opened> {
        let asked = Asked {
            known,
            listener,
            ids: false,
        };
        self.open_asked(base, seed, asked)
    }

    pub(super) fn open_asked(&self, base: &Path, seed: u64, asked: Asked<'_>) -> Result<Opened> {
        self.check().map_err(|error| error.under("data"))?;
        let Some((memory, whole)) = self.larger_than_memory(base)? else {
            let loaded = self.load_here(base, seed, asked.known)?;
            return Ok(Opened::Memory(Box::new(loaded)));
        };
        let sizes = (memory, whole);
        let streamed = match (&self.table, &self.images) {
            (Some(table), _) => self.stream_table(table, base, seed, sizes, asked)?,
            (None, Some(images)) => self.stream_pictures(images, base, seed, sizes)?,
            (None, None) => self.stream(base, memory, whole)?,
        };
        Ok(Opened::Stream(Box::new(streamed)))
    }

    /// What the rows may take and what they would, if that is more.
    pub(super) fn larger_than_memory(&self, base: &Path) -> Result<Option<(Memory, Memory)>> {
        let half = || Memory::of_machine().map(|memory| Memory::from(memory.bytes() / 2));
        let Some(memory) = self.memory.or_else(half) else {
            return Ok(None);
        };
        let whole = match (&self.table, &self.x, &self.images) {
            (Some(table), ..) => Some(self.bytes_of_tables(table, base)?),
            (None, Some(x), _) => self.bytes_of_arrays(x, base)?,
            (None, None, Some(images)) => Some(self.bytes_of_pictures(images, base)?),
            (None, None, None) => None,
        };
        let whole = whole.map(Memory::from).filter(|whole| *whole > memory);
        Ok(whole.map(|whole| (memory, whole)))
    }

    /// What all rows of a table would take, and of those that are held out.
    fn bytes_of_tables(&self, table: &str, base: &Path) -> Result<u64> {
        let own = [&self.validation, &self.test].into_iter().flatten();
        let own = own.filter_map(|how| match how {
            HeldOut::Table { table } => Some(table.as_str()),
            _ => None,
        });
        let mut whole = 0_u64;
        for table in own.chain([table]) {
            whole = whole.saturating_add(about_bytes(&base.join(table))?);
        }
        Ok(whole)
    }

    /// What all rows of arrays would take; none where they come in an archive.
    fn bytes_of_arrays(&self, x: &Files, base: &Path) -> Result<Option<u64>> {
        let mut paths = vec![("data.x", x.paths())];
        paths.extend(self.y.as_ref().map(|y| ("data.y", y.paths())));
        let weight = self.sample_weight.as_ref();
        paths.extend(weight.map(|path| ("data.sample_weight", vec![path.as_str()])));
        for (at, how) in [
            ("data.validation", &self.validation),
            ("data.test", &self.test),
        ] {
            if let Some(HeldOut::Files {
                x,
                y,
                sample_weight,
            }) = how
            {
                paths.extend([(at, x.paths()), (at, y.paths())]);
                paths.extend(sample_weight.as_ref().map(|path| (at, vec![path.as_str()])));
            }
        }
        let mut whole = 0_u64;
        for (at, path) in paths
            .into_iter()
            .flat_map(|(at, all)| all.into_iter().map(move |p| (at, p)))
        {
            let path = base.join(spec::array(at, path)?);
            match split_key(&path) {
                // Its arrays come packed, one after the other.
                Some(_) if self.memory.is_some() => {
                    let found = format!("`{}` beside `memory`", path.display());
                    let expected = "a .npy file: an archive is read as a whole, into memory";
                    return Err(Error::invalid(at, found, expected));
                }
                Some(_) => return Ok(None),
                None => whole = whole.saturating_add(NpyRows::memory_of(&path)?),
            }
        }
        Ok(Some(whole))
    }

    fn stream(&self, base: &Path, memory: Memory, whole: Memory) -> Result<Streamed> {
        let Some(x) = &self.x else {
            return Err(Error::Internal("arrays without a file".into()));
        };
        let (y, weight) = (self.y.as_ref(), self.sample_weight.as_ref());
        let all = Stream::new(open("data", x, y, weight, base)?)?;
        let mut left = 0..all.rows();
        let mut held_out = |at: &str, how: &Option<HeldOut>| match how {
            None => Ok(None),
            Some(HeldOut::Files {
                x,
                y,
                sample_weight,
            }) => {
                let own = Stream::new(open(at, x, Some(y), sample_weight.as_ref(), base)?)?;
                let (train, held_out) = (all.sample(), own.sample());
                same_shapes(at, train.inputs(), held_out.inputs())?;
                same_shapes(at, train.targets(), held_out.targets())?;
                Ok(Some(own))
            }
            Some(how) => {
                let rows = take(how, &mut left).map_err(|error| error.under(at))?;
                all.slice(rows).map(Some)
            }
        };
        let test = held_out("data.test", &self.test)?;
        let validation = held_out("data.validation", &self.validation)?;
        let targets = match &self.y {
            None => None,
            Some(y) => {
                let targets = Stream::new(open("data", y, Some(y), None, base)?)?;
                Some(targets.slice(left.clone())?)
            }
        };
        let parts = Parts {
            train: all.slice(left)?,
            validation,
            test,
            targets,
        };
        self.streamed(parts, ScaleName::None, memory, whole)
    }

    /// The rows within their memory, and scaled: by the training rows, or as is `usual`.
    pub(super) fn streamed(
        &self,
        parts: Parts,
        usual: ScaleName,
        memory: Memory,
        whole: Memory,
    ) -> Result<Streamed> {
        // Training and validation take turns, but both keep their rows.
        let share = match parts.validation {
            Some(_) => memory.bytes() / 8,
            None => 0,
        };
        let train = parts.train.memory(memory.bytes() - share);
        let scales = match self.scale.unwrap_or(usual) {
            ScaleName::None => None,
            ScaleName::Unit => Some(vec![Scale::Divide(255.0); train.sample().inputs().len()]),
            ScaleName::Standard => Some(train.standard_scales()?),
        };
        let scaled = |stream: Stream, bytes: u64| match &scales {
            None => Ok(stream.memory(bytes)),
            Some(scales) => stream.memory(bytes).scaled(scales.clone()),
        };
        let validation = parts.validation.map(|part| scaled(part, share));
        // Comes when the training is over.
        let test = parts.test.map(|part| scaled(part, memory.bytes()));
        Ok(Streamed {
            train: scaled(train, memory.bytes() - share)?,
            validation: validation.transpose()?,
            test: test.transpose()?,
            targets: parts.targets.map(|targets| targets.memory(memory.bytes())),
            memory,
            whole,
            table: None,
            pictures: None,
        })
    }
}

/// Inputs, targets and weights in their files; `at` is where these stand.
fn open(
    at: &str,
    x: &Files,
    y: Option<&Files>,
    weight: Option<&String>,
    base: &Path,
) -> Result<NpyRows> {
    let path = |key: &str, path: &str| Ok(base.join(spec::array(&join(at, key), path)?));
    let paths = |key: &str, files: &Files| -> Result<Vec<PathBuf>> {
        files
            .paths()
            .into_iter()
            .map(|file| path(key, file))
            .collect()
    };
    let inputs = paths("x", x)?;
    let targets = match y {
        Some(y) => paths("y", y)?,
        None => Vec::new(),
    };
    let names = y.map(Files::names).unwrap_or_default();
    let rows = NpyRows::from_parts(&inputs, &targets)?.with_names(&x.names(), &names);
    match weight {
        None => Ok(rows),
        Some(weight) => rows.with_sample_weight(path("sample_weight", weight)?),
    }
}

/// Takes what is held out of the rows that are left, from one of their ends.
pub(super) fn take(how: &HeldOut, left: &mut Range<usize>) -> Result<Range<usize>> {
    match how {
        HeldOut::First { first } => {
            let end = left.start + split::first_rows(left.len(), *first)?;
            let held_out = left.start..end;
            left.start = end;
            Ok(held_out)
        }
        HeldOut::Fraction {
            fraction,
            choice: Choice::Last,
        } => {
            let start = left.end - split::share(left.len(), *fraction)?;
            let held_out = start..left.end;
            left.end = start;
            Ok(held_out)
        }
        HeldOut::Files { .. } => Err(Error::Internal("rows of their own files".into())),
        HeldOut::Table { .. } | HeldOut::Images { .. } => {
            let expected = "array files (`x` and `y`), as the training rows are";
            Err(Error::invalid("", how, expected))
        }
        HeldOut::Fraction { .. } | HeldOut::Fold { .. } => {
            let expected = "the first rows, the last `fraction` or files of their own: the data is \
                            larger than `data.memory`, and stays in its files";
            Err(Error::invalid("", how, expected))
        }
    }
}

/// The error of what takes rows in memory alone.
pub(super) fn too_large((memory, whole): (Memory, Memory)) -> Error {
    let expected = format!(
        "at most {memory} (`data.memory`, or half of the machine's): what is larger is not read \
         as a whole, but trained on, evaluated and predicted meanwhile"
    );
    Error::invalid("data", format!("rows of {whole}"), expected)
}
