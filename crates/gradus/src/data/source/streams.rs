//! Rows that stay in their files: the memory of a run shared among them, and scaled by those
//! that are trained on.

use super::kind::Request;
use crate::data::excess::Excess;
use crate::data::run_data::{Facts, RunData, Streamed};
use crate::data::scale::Scale;
use crate::data::scale_name::ScaleName;
use crate::data::stream::{Data, Stream};
use crate::error::Result;

/// Rows by their use, as they are in their files.
pub(super) struct Streams {
    pub train: Stream,
    pub validation: Option<Stream>,
    pub test: Option<Stream>,
    /// The training rows with their targets in place of the inputs, too.
    pub targets: Option<Stream>,
}

impl Streams {
    /// The rows within their memory, and scaled: as the configuration says, else as is
    /// `usual`.
    pub fn share(self, usual: ScaleName, request: &Request<'_>, excess: Excess) -> Result<RunData> {
        let Excess { memory, whole } = excess;
        // Training and validation alternate, but both keep their rows.
        let share = match self.validation {
            Some(_) => memory.bytes() / 8,
            None => 0,
        };
        let train = self.train.memory(memory.bytes() - share);
        let scales = match request.scale.unwrap_or(usual) {
            ScaleName::None => None,
            ScaleName::Unit => Some(vec![Scale::Divide(255.0); train.sample().inputs().len()]),
            ScaleName::Standard => Some(train.standard_scales()?),
        };
        let scaled = |stream: Stream, bytes: u64| match &scales {
            None => Ok(Data::from(stream.memory(bytes))),
            Some(scales) => stream.memory(bytes).scaled(scales.clone()).map(Data::from),
        };
        let validation = self.validation.map(|part| scaled(part, share));
        // Read only after training.
        let test = self.test.map(|part| scaled(part, memory.bytes()));
        let targets = self.targets.map(|targets| targets.memory(memory.bytes()));
        Ok(RunData {
            train: scaled(train, memory.bytes() - share)?,
            validation: validation.transpose()?,
            test: test.transpose()?,
            facts: Facts {
                ends: request.ends(),
                streamed: Some(Streamed::new(memory, whole, targets)),
                ..Facts::default()
            },
        })
    }
}
