//! The checkpoints that a resumed training continues from.
//!
//! A checkpoint is a `state-NUMBER.toml` and the model files that it names. The state has their
//! sizes and digests and a digest of itself, and is written last: whoever is killed on the way
//! leaves the checkpoints before it, and one that is damaged is noticed. Some are kept, so that
//! there is one to fall back to.

mod background;
mod entry;
mod read;
mod state;
mod write;

pub use background::Writer;
pub use read::{Checkpoint, numbers, read, read_state};
pub use state::{Pretraining, State};
pub use write::{Folder, Snapshot};
