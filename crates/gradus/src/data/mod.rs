//! Rows, from their sources to a batch: reading, splits, scaling, shuffling.
//!
//! Readers (`builtin`, `npy`, `table`, `images`) make [`Tensor`]s, which keep the
//! numbers as they were stored. `config` and `spec` read a user's words; `source` has a file for
//! each kind of data that they can name, and `load` has it open the rows of a run, [`RunData`]:
//! in memory or streamed ([`Data`]), held out as `split` says. `check` compares them with a model
//! before training, `checks` says what is suspicious about them; [`Batches`] orders the rows and
//! [`Tensor::gather`] makes `f32` of them.

mod batches;
pub mod check;
pub(crate) mod classes;
mod dataset;
#[cfg(feature = "ndarray")]
mod ndarray;
pub(crate) mod npy;
pub(crate) mod numbers;
mod outcome;
mod pick;
mod pictures;
mod scale;
mod scale_name;
mod schema;
pub mod split;
mod standardize;
mod store;
mod stream;
mod table;
mod tensor;
mod write;

// Sources of rows, and what is known of a run's: for training alone.
#[cfg(feature = "train")]
mod builtin;
#[cfg(feature = "train")]
pub mod checks;
#[cfg(feature = "train")]
mod config;
#[cfg(feature = "train")]
mod conflict;
#[cfg(feature = "train")]
mod describe;
#[cfg(feature = "train")]
mod describe_run;
#[cfg(feature = "train")]
mod excess;
#[cfg(feature = "train")]
mod files;
#[cfg(feature = "train")]
mod fingerprint;
#[cfg(feature = "train")]
mod folders;
#[cfg(feature = "train")]
mod images;
#[cfg(feature = "train")]
mod kept;
#[cfg(feature = "train")]
mod load;
#[cfg(feature = "train")]
mod purpose;
#[cfg(feature = "train")]
mod run_data;
#[cfg(feature = "train")]
mod source;
#[cfg(feature = "train")]
mod spec;

#[cfg(feature = "ndarray")]
pub use self::ndarray::Element;
pub use crate::base::memory::Memory;
pub use batches::Batches;
pub(crate) use classes::class_of;
pub use dataset::{Dataset, Split};
pub use npy::{npz_keys, read_npy, read_npy_bytes};
pub(crate) use outcome::{Outcome, short};
pub use pictures::{Pictures, Resize};
pub use scale::Scale;
pub use scale_name::ScaleName;
pub(crate) use schema::{DATE_PARTS, DATETIME_PARTS, Look, Moments, NumberLook};
pub use schema::{
    DateFormats, Feature, LeftOut, Missing, Schema, Summary, TableOptions, Target, TargetScale,
    Treat, Unfamiliar,
};
pub use stream::{Data, Generator, NpyRows, Rows, Stream};
pub(crate) use stream::{Drawn, Prepare, Windows};
pub(crate) use table::date_parts;
pub use table::{
    Cells, Column, ColumnLook, DateFormat, DatePattern, Kind, LookValues, NumberFormat, RawCell,
    RawTable, ReadTable, Reading, Separator, Table, Tabular, TextOptions,
};
pub use tensor::{Tensor, Values};
pub use write::{write_csv, write_npy, write_npy_header, write_npy_rows};

#[cfg(feature = "train")]
pub(crate) use self::{
    builtin::HOUSING, fingerprint::Fingerprint, images::pictures_of, source::keys_by_kind,
    spec::config_text,
};
#[cfg(feature = "train")]
pub use self::{
    builtin::{BuiltIn, digits, housing, list, read_idx},
    config::DataConfig,
    describe::describe,
    files::Files,
    purpose::Purpose,
    run_data::{Facts, RunData, Streamed},
    spec::{is_table, load, open, table_of},
    split::{HoldOut, SplitBy},
    table::{CopyProgress, OnCopy},
};

/// The files of built-in sets: where they can be fetched, and the folders where they are
/// looked for.
#[cfg(feature = "train")]
pub mod remote {
    pub use super::builtin::{REMOTE, Remote, RemoteFile};
    pub use super::folders::data_folders;
}
