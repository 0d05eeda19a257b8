//! Features: the outputs of a model's frozen beginning, computed once for each row.

use super::callbacks::Training;
use crate::base::memory::Memory;
use crate::data::{Data, Dataset, Tensor};
use crate::error::Result;
use crate::model::frozen;

/// The most memory that features may take.
const MOST: Memory = Memory::USUAL;

/// The fewest epochs for which features are computed.
const FEWEST: usize = 2;

/// The rows of a training that may be kept as features.
pub(super) struct Rows {
    train: Dataset,
    held_out: Option<Dataset>,
}

/// The features of the training and of the validation rows, in the order of the plan's feeds.
pub(super) struct Features {
    pub train: Vec<Tensor>,
    pub held_out: Option<Vec<Tensor>>,
}

impl Rows {
    /// The rows, if all are in memory.
    pub fn of(train: &Data, held_out: Option<&Data>) -> Option<Self> {
        let in_memory = |data: &Data| match data {
            Data::Memory(rows) => Some(rows.clone()),
            Data::Stream(_) | Data::Generator(_) => None,
        };
        Some(Rows {
            train: in_memory(train)?,
            held_out: match held_out {
                Some(rows) => Some(in_memory(rows)?),
                None => None,
            },
        })
    }

    /// The features behind the model's frozen layers, for so many epochs; none where they cost more
    /// than they spare, or more memory than they may take.
    pub fn features(&self, training: &Training<'_>, epochs: usize) -> Result<Option<Features>> {
        let model = &*training.model;
        let Some(cut) = frozen::cut(model).filter(|_| epochs >= FEWEST) else {
            return Ok(None);
        };
        let held_out = self.held_out.as_ref();
        let rows = self.train.rows() + held_out.map_or(0, Dataset::rows);
        let bytes = (cut.size(model)? as u64).saturating_mul(4 * rows as u64);
        if bytes > MOST.bytes() {
            return Ok(None);
        }
        let beginning = cut.beginning(model);
        let of = |rows: &Dataset| beginning.predict_all(rows);
        Ok(Some(Features {
            train: of(&self.train)?,
            held_out: held_out.map(of).transpose()?,
        }))
    }
}
