//! A plan's compiled form on this engine: operations in groups that go over memory together,
//! groups in phases that run at the same time, temporaries in one arena, matrices
//! panel-packed. [`tasks`] cuts it for a number of threads.

pub(super) mod allocation;
mod dump;
pub(super) mod groups;
mod occupied;
pub(super) mod packing;
pub(super) mod tasks;
mod verify;

#[cfg(test)]
mod tests;

use super::packed::PanelPacked;
use crate::error::{Error, Result};
use crate::plan::share::Sharing;
use crate::plan::{Buffer, Plan};
use allocation::Allocation;
use groups::Group;
use std::collections::HashSet;

/// A plan with its schedule and its memory.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    pub plan: Plan,
    /// Groups of operations; those of one inner list may run at the same time.
    pub phases: Vec<Vec<Group>>,
    /// The memory of each buffer.
    pub allocations: Vec<Allocation>,
    /// The number of elements that the temporaries need together.
    pub arena: usize,
    /// The layout of each variable, and of what goes beside it element by element, if it is
    /// panel-packed.
    pub weights: Vec<Option<PanelPacked>>,
    /// True of each of the batch's matrices that is panel-packed.
    pub matrices: Vec<bool>,
    /// True of each operation whose columnwise operands are panel-packed.
    pub packed_ops: Vec<bool>,
    /// The parts that a rank does, if there are several.
    pub sharing: Option<Sharing>,
}

impl Compiled {
    /// Compiles a plan whose variables have these layouts.
    pub fn new(
        plan: Plan,
        weights: Vec<Option<PanelPacked>>,
        sharing: Option<Sharing>,
    ) -> Result<Self> {
        let kept: HashSet<Buffer> = plan.kept().into_iter().collect();
        let matrices = match &sharing {
            // A rank's rows lie together.
            Some(_) => vec![false; plan.buffers.len()],
            None => packing::matrices(&plan),
        };
        let places = sharing.as_ref().map_or(&[][..], |sharing| &sharing.places);
        let packed_ops = packing::operations(&plan, &matrices);
        let groups = groups::groups(&plan.ops, &packed_ops, places);
        let roots = allocation::share(&plan, &groups, &kept);
        let phases = groups::phases(&plan.ops, groups, &roots);
        let (allocations, arena) = allocation::allocate(&plan, &phases, &roots, &kept);
        let compiled = Compiled {
            packed_ops,
            plan,
            phases,
            allocations,
            arena,
            weights,
            matrices,
            sharing,
        };
        match verify::verify(&compiled) {
            Ok(()) => Ok(compiled),
            Err(problem) => Err(Error::Internal(format!(
                "{problem}, in this schedule:\n{compiled}"
            ))),
        }
    }
}
