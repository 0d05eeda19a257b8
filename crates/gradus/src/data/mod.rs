//! Rows, from their sources to a batch: reading, splits, scaling, shuffling.
//!
//! Readers (`builtin`, `npy`, `table`, `images`) make [`Tensor`]s, which keep the
//! numbers as they were stored. `config` and `spec` read a user's words; `source` has a file for
//! each kind of data that they can name, and `load` has it open the rows of a run, [`RunData`]:
//! in memory or streamed ([`Data`]), held out as `split` says. `check` compares them with a model
//! before training, `checks` says what is suspicious about them; [`Batches`] orders the rows and
//! [`Tensor::gather`] makes `f32` of them.

mod batches;
mod builtin;
pub mod check;
pub mod checks;
pub(crate) mod classes;
mod config;
mod conflict;
mod dataset;
mod describe;
mod describe_run;
mod excess;
mod files;
mod fingerprint;
mod folders;
mod images;
mod kept;
mod load;
#[cfg(feature = "ndarray")]
mod ndarray;
pub(crate) mod npy;
pub(crate) mod numbers;
mod outcome;
mod pick;
mod purpose;
mod run_data;
mod scale;
mod scale_name;
mod schema;
mod source;
mod spec;
pub mod split;
mod standardize;
mod stream;
mod table;
mod tensor;
mod write;

#[cfg(feature = "ndarray")]
pub use self::ndarray::Element;
pub use crate::base::memory::Memory;
pub use batches::Batches;
pub(crate) use builtin::HOUSING;
pub use builtin::{BuiltIn, digits, housing, list, read_idx};
pub(crate) use classes::class_of;
pub use config::DataConfig;
pub use dataset::{Dataset, Split};
pub use describe::describe;
pub use files::Files;
pub(crate) use fingerprint::Fingerprint;
pub(crate) use images::pictures_of;
pub use images::{Pictures, Resize};
pub use npy::{npz_keys, read_npy, read_npy_bytes};
pub(crate) use outcome::{Outcome, short};
pub use purpose::Purpose;
pub use run_data::{Facts, RunData, Streamed};
pub use scale::Scale;
pub use scale_name::ScaleName;
pub(crate) use schema::{DATE_PARTS, DATETIME_PARTS, Look, Moments, NumberLook};
pub use schema::{
    DateFormats, Feature, LeftOut, Missing, Schema, Summary, TableOptions, Target, TargetScale,
    Treat, Unfamiliar,
};
pub(crate) use source::keys_by_kind;
pub(crate) use spec::config_text;
pub use spec::{is_table, load, open, table_of};
pub use split::{HoldOut, SplitBy};
pub use stream::{Data, Generator, NpyRows, Rows, Stream};
pub(crate) use stream::{Drawn, Prepare, Windows};
pub(crate) use table::date_parts;
pub use table::{
    Cells, Column, ColumnLook, CopyProgress, DateFormat, DatePattern, Kind, LookValues,
    NumberFormat, OnCopy, RawCell, RawTable, ReadTable, Reading, Separator, Table, Tabular,
    TextOptions,
};
pub use tensor::{Tensor, Values};
pub use write::{write_csv, write_npy, write_npy_header, write_npy_rows};

/// The files of built-in sets: where they can be fetched, and the folders where they are
/// looked for.
pub mod remote {
    pub use super::builtin::{REMOTE, Remote, RemoteFile};
    pub use super::folders::data_folders;
}
