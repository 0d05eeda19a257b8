//! `table`: a table file.
//!
//! `read` finds what its columns are; `memory` has its rows in memory, `stream` reads them
//! from a binary copy (`rows`); `keys` is what a split may ask of either.

pub(super) mod file;
mod keys;
mod memory;
mod read;
mod rows;
mod stream;

pub(in crate::data) use memory::load_table;

use super::kind::{Request, SourceKind, read_own};
use crate::base::memory::Memory;
use crate::base::registry::Value;
use crate::base::url::{Url, join};
use crate::data::builtin::{HOUSING, housing};
use crate::data::conflict::conflict;
use crate::data::dataset::Split;
use crate::data::excess::Excess;
use crate::data::run_data::RunData;
use crate::data::scale_name::ScaleName;
use crate::data::split::HoldOut;
use crate::data::stream::Data;
use crate::data::table::about_bytes;
use crate::error::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Map;
use std::path::Path;

/// A table file: `.csv`, `.tsv` or `.parquet`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct TableFile {
    /// A table: a `.csv`, `.tsv` or `.parquet` file, or the url of one (`s3://`, `gs://`, `az://`, `http://` or
    /// `https://`; the feature `object-store`). Every column that is not `target`, `exclude` or otherwise named is
    /// a feature. Default none.
    #[schemars(extend("examples" = ["houses.csv"]))]
    table: String,
}

#[derive(Deserialize)]
struct Keys {
    table: Option<String>,
    /// A built-in set may be a table.
    dataset: Option<String>,
}

impl TableFile {
    /// The table of this path, or what messages call one that is no file.
    pub fn new(table: String) -> Self {
        TableFile { table }
    }
}

impl SourceKind for TableFile {
    fn keys() -> &'static [&'static str] {
        &[
            "table",
            "target",
            "exclude",
            "columns",
            "date_format",
            "missing",
            "target_scale",
            "header",
            "decimal",
            "thousands",
            "missing_values",
        ]
    }

    fn read(at: &str, fields: &Map<String, Value>) -> Result<Option<Self>> {
        let keys: Keys = read_own(at, fields)?;
        if keys.table.is_none() && keys.dataset.as_deref() == Some(HOUSING) {
            let path = housing()?;
            let path = std::path::absolute(&path).map_err(|e| Error::io("find", path, e))?;
            return Ok(Some(TableFile::new(path.display().to_string())));
        }
        if let Some(table) = &keys.table {
            Url::check(Path::new(table))?;
        }
        Ok(keys.table.map(TableFile::new))
    }

    fn recognise(spec: &str) -> Result<Option<Self>> {
        if file::is_table(spec) {
            return Ok(Some(TableFile::new(spec.to_owned())));
        }
        match spec {
            HOUSING => Ok(Some(TableFile::new(housing()?.display().to_string()))),
            _ => Ok(None),
        }
    }

    fn map_paths(&self, change: &dyn Fn(&String) -> String) -> Self {
        TableFile::new(change(&self.table))
    }

    fn check(&self, scale: Option<ScaleName>, _memory: Option<Memory>) -> Result<()> {
        match scale {
            None | Some(ScaleName::None) => Ok(()),
            Some(_) => Err(conflict(
                "`scale` belongs to arrays: the model of a `table` standardizes its numbers itself",
            )),
        }
    }

    fn bytes(&self, request: &Request<'_>) -> Result<Option<u64>> {
        let own = request.held_out().filter_map(|(_, how)| match how {
            HoldOut::Table { table } => Some(table),
            _ => None,
        });
        let mut whole = 0_u64;
        for table in own.chain([&self.table]) {
            whole = whole.saturating_add(about_bytes(&join(request.base, table))?);
        }
        Ok(Some(whole))
    }

    fn load(&self, request: &Request<'_>) -> Result<RunData> {
        load_table(request, &join(request.base, &self.table))
    }

    fn stream(&self, request: &Request<'_>, excess: Excess) -> Result<RunData> {
        stream::open(&join(request.base, &self.table), request, excess)
    }

    fn rows(
        &self,
        spec: &str,
        _split: Split,
        request: &Request<'_>,
        excess: Option<Excess>,
    ) -> Result<Data> {
        let purpose = &request.purpose;
        let Some(schema) = purpose.schema else {
            let expected = "arrays (`x.npy`), which the model takes: its inputs are no columns";
            return Err(Error::invalid("data", format!("`{spec}`"), expected));
        };
        let (path, labelled) = (Path::new(&self.table), !purpose.unlabelled);
        match excess {
            None => schema.rows(path, labelled).map(Data::from),
            Some(excess) => stream::rows_of(path, schema, labelled, excess.memory, purpose.on_copy),
        }
    }

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }
}
