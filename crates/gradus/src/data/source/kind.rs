//! `SourceKind`: the facts and actions of one kind of data; `Request`: what is asked of it.

use crate::base::memory::Memory;
use crate::base::registry::{Value, field_names, read};
use crate::data::dataset::Split;
use crate::data::excess::Excess;
use crate::data::kept::Kept;
use crate::data::purpose::Purpose;
use crate::data::run_data::RunData;
use crate::data::scale_name::ScaleName;
use crate::data::schema::TableOptions;
use crate::data::split::{HoldOut, SplitBy};
use crate::data::stream::Data;
use crate::error::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::Map;
use std::path::Path;

/// A kind of data that a `[data]` table or a SPEC can name.
///
/// An implementation is a struct with the keys of `[data]` that say where the rows are; it
/// is serialized as these keys.
pub(in crate::data) trait SourceKind {
    /// The keys of `[data]` that belong to it; the first names it.
    fn keys() -> &'static [&'static str]
    where
        Self: Sized;

    /// Reads its keys among those of a `[data]` table, which stands at `at`; `None` where the
    /// table does not name this kind.
    fn read(at: &str, fields: &Map<String, Value>) -> Result<Option<Self>>
    where
        Self: Sized;

    /// The data that the words of SPEC name; `None` where they name another kind. The default
    /// is a kind that SPEC cannot name.
    fn recognise(_spec: &str) -> Result<Option<Self>>
    where
        Self: Sized,
    {
        Ok(None)
    }

    /// The same with each path changed. The default is a kind without paths.
    fn map_paths(&self, _change: &dyn Fn(&String) -> String) -> Self
    where
        Self: Clone,
    {
        self.clone()
    }

    /// Refuses settings that make no sense for it.
    fn check(&self, _scale: Option<ScaleName>, _memory: Option<Memory>) -> Result<()> {
        Ok(())
    }

    /// True if it takes `classes` and `rows`.
    fn keeps(&self) -> bool {
        false
    }

    /// Bytes that all rows would take in memory, the held-out ones of their own files
    /// included; `None` where they can only be read into memory, which is the default.
    fn bytes(&self, _request: &Request<'_>) -> Result<Option<u64>> {
        Ok(None)
    }

    /// Reads all rows into memory, split and scaled.
    fn load(&self, request: &Request<'_>) -> Result<RunData>;

    /// Opens rows that stay in their files, split and scaled. Not called where
    /// [`SourceKind::bytes`] gives `None`.
    fn stream(&self, _request: &Request<'_>, _excess: Excess) -> Result<RunData> {
        Err(Error::Internal("rows that do not stay in files".into()))
    }

    /// All rows that SPEC names, as a model takes them. Where SPEC names no split of a
    /// built-in set, `split` says which is meant; rows with `excess` stay in their files.
    fn rows(
        &self,
        spec: &str,
        split: Split,
        request: &Request<'_>,
        excess: Option<Excess>,
    ) -> Result<Data>;

    /// The table file, of a table.
    fn table(&self) -> Option<&str> {
        None
    }

    /// True for pictures, whose preparation a model has to know.
    fn is_pictures(&self) -> bool {
        false
    }

    /// SPEC of the rows that are never trained on, if it has some.
    fn test_spec(&self) -> Option<String> {
        None
    }
}

/// Settings of a `[data]` table that are the same for every kind of data, and the use that
/// the rows are for.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) struct Request<'a> {
    /// The uses of a table's columns.
    pub columns: &'a TableOptions,
    /// The rows that are kept of all.
    pub kept: &'a Kept,
    /// The rows that are held out to watch the training.
    pub validation: Option<&'a HoldOut>,
    /// The rows that are held out to the end.
    pub test: Option<&'a HoldOut>,
    /// The way inputs are scaled, if it is said.
    pub scale: Option<ScaleName>,
    /// The file, or the column, with a weight for each row's loss.
    pub sample_weight: Option<&'a String>,
    /// The memory that rows may take, if it is said.
    pub memory: Option<Memory>,
    /// The folder that paths are relative to.
    pub base: &'a Path,
    /// The seed of what is drawn at random.
    pub seed: u64,
    /// The use that the rows are for.
    pub purpose: Purpose<'a>,
}

impl<'a> Request<'a> {
    /// The rows that are held out, with the key that says so.
    pub fn held_out(&self) -> impl Iterator<Item = (&'static str, &'a HoldOut)> {
        let both = [
            ("data.validation", self.validation),
            ("data.test", self.test),
        ];
        both.into_iter().filter_map(|(at, how)| Some((at, how?)))
    }

    /// The parts that are held out at an end of the source, where nothing else is said.
    pub fn ends(&self) -> Vec<&'static str> {
        let at_end = |how: &HoldOut| match how {
            HoldOut::First { .. } => true,
            HoldOut::Fraction { by, .. } => *by == SplitBy::Last,
            _ => false,
        };
        let parts = [("validation", self.validation), ("test", self.test)];
        let parts = parts.into_iter().filter(|(_, how)| how.is_some_and(at_end));
        parts.map(|(part, _)| part).collect()
    }
}

/// Reads the keys that `T` has among those of a table.
pub(in crate::data) fn read_own<T: DeserializeOwned>(
    at: &str,
    fields: &Map<String, Value>,
) -> Result<T> {
    let known = field_names::<T>();
    let own = fields
        .iter()
        .filter(|(key, _)| known.contains(&key.as_str()));
    read(
        at,
        own.map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    )
}
