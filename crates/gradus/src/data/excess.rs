//! Rows that do not fit into the memory that they may take.

use crate::base::memory::Memory;
use crate::error::Error;

/// Rows that would take more memory than they may.
#[derive(Clone, Copy, Debug)]
pub(super) struct Excess {
    /// The memory that they may take.
    pub memory: Memory,
    /// The memory that all of them would take, about.
    pub whole: Memory,
}

impl Excess {
    /// The error of a call that needs all rows in memory.
    pub fn error(self) -> Error {
        let Excess { memory, whole } = self;
        let expected = format!(
            "at most {memory} (`data.memory`, or half of the machine's): what is larger is not \
             read as a whole, but trained on, evaluated and predicted meanwhile"
        );
        Error::invalid("data", format!("rows of {whole}"), expected)
    }
}
