//! Where rows come from, and how they reach a batch: sources, splits, scaling,
//! shuffling.
//!
//! A source (`digits`, `idx`, `cifar`, `npy`, `images`) makes [`Tensor`]s, which keep the numbers
//! as they were stored; `spec` and `config` turn a user's words into
//! [`Dataset`]s; `check` compares them with a model before training, `checks` says what is
//! suspicious about them;
//! [`Batches`] orders the rows and [`Tensor::gather`] makes `f32` of them.

mod array_keys;
#[cfg(feature = "ndarray")]
mod arrays;
mod batches;
mod builtin;
pub mod check;
pub mod checks;
mod cifar;
pub(crate) mod classes;
mod config;
mod dataset;
mod describe;
mod digits;
mod folders;
mod hold_out;
mod idx;
mod images;
mod load;
mod load_stream;
mod load_stream_images;
mod load_stream_table;
mod load_table;
mod memory;
pub(crate) mod npy;
pub(crate) mod numbers;
mod opened;
mod outcome;
mod pick;
mod remote;
mod scale;
mod schema;
mod spec;
pub mod split;
mod stream;
mod table;
mod tar;
mod tensor;
mod write;

#[cfg(feature = "ndarray")]
pub use arrays::Element;
pub use batches::Batches;
pub use builtin::{BUILT_IN, BuiltIn, housing, list};
pub(crate) use classes::class_of;
pub use config::{Choice, DataConfig, Files, HeldOut, ScaleName};
pub use dataset::{Dataset, Split};
pub use describe::describe;
pub use digits::digits;
pub use folders::data_folders;
pub use idx::read_idx;
pub use images::{ColorMode, Images, Pictures, Resize};
pub use load::Loaded;
pub use load_stream_table::StreamedTable;
pub use memory::Memory;
pub use npy::{npz_keys, read_npy};
pub use opened::{Opened, Streamed};
pub(crate) use outcome::{Outcome, short};
pub use remote::{REMOTE, Remote, RemoteFile};
pub use scale::Scale;
pub use schema::{
    DATE_PARTS, DATETIME_PARTS, DateFormats, Feature, KnownTexts, LeftOut, Missing, Schema,
    Summary, TableOptions, Target, TargetScale, Treat, Unfamiliar,
};
pub(crate) use schema::{Look, Moments, Numbers as NumbersLook};
pub use spec::{Source, Takes, is_table, load, load_for, open_for, source, table_of};
pub use stream::{Data, Generator, NpyRows, Rows, Stream};
pub(crate) use stream::{Drawn, Prepare, Windows};
pub use table::{
    Cells, Column, ColumnLook, DateFormat, DatePattern, Kind, Listener, LookValues, NumberFormat,
    ReadTable, Reading, Separator, Table, Tabular, TextOptions, Told,
};
pub use tensor::{Tensor, Values};
pub use write::{write_csv, write_npy, write_npy_header, write_npy_rows};
