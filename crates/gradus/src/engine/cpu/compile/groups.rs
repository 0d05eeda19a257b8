//! Fusion: grouping of operations that one pass over memory runs together, and of groups that may
//! run concurrently.

use crate::plan::{Buffer, Op, Split};
use std::collections::HashSet;
use std::ops::Range;

/// A run of operations that is cut into chunks together: a worker does all of
/// them on its chunk while the elements are in its cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine::cpu) struct Group {
    /// Range of the operations in the plan.
    pub ops: Range<usize>,
    /// The axis along which the group is cut.
    pub split: Split,
}

impl Group {
    /// The buffers that its product reads as a whole, whatever columns a task does.
    pub fn factors<'a>(&self, ops: &'a [Op]) -> impl Iterator<Item = Buffer> + use<'a> {
        let products = ops[self.ops.clone()].iter().filter(|op| op.is_product());
        products.flat_map(Op::reads)
    }
}

/// Groups each operation with the ones before it where no chunk needs another
/// chunk's result.
pub(super) fn groups(ops: &[Op]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    // Buffers that the last group writes.
    let mut made: HashSet<Buffer> = HashSet::new();
    for (i, op) in ops.iter().enumerate() {
        match groups.last_mut() {
            Some(group) if joins(op, group.split, &made) => group.ops.end = i + 1,
            _ => {
                made.clear();
                groups.push(Group {
                    ops: i..i + 1,
                    split: op.split(),
                });
            }
        }
        made.extend(op.writes());
    }
    groups
}

/// True if an operation joins a group of this split that has made these buffers.
fn joins(op: &Op, split: Split, made: &HashSet<Buffer>) -> bool {
    if op.is_product() {
        return false;
    }
    match (split, op.split()) {
        (Split::Columns(a), Split::Columns(b)) => a == b,
        (Split::Rows(a), Split::Rows(b)) => a == b,
        (Split::Columns(view), Split::Elements(size)) => view.width == size && updates_by(op, made),
        // Only operations on the product's own gradient are cut this way without being a product.
        (Split::Weight(..), Split::Weight(..)) => true,
        (Split::Weight(rows, columns), Split::Elements(size)) => {
            rows * columns == size && updates_by(op, made)
        }
        _ => false,
    }
}

/// True of an update by one of these gradients.
fn updates_by(op: &Op, made: &HashSet<Buffer>) -> bool {
    matches!(op, Op::Update(update) if made.contains(&update.gradient))
}

/// Puts consecutive independent groups into one phase. `roots` names the buffer whose memory each
/// buffer shares.
pub(super) fn phases(ops: &[Op], groups: Vec<Group>, roots: &[Buffer]) -> Vec<Vec<Group>> {
    let mut phases: Vec<Vec<Group>> = Vec::new();
    let mut read = HashSet::new();
    let mut written = HashSet::new();
    for group in groups {
        let (mut reads, mut writes) = (HashSet::new(), HashSet::new());
        for op in &ops[group.ops.clone()] {
            reads.extend(op.reads().map(|b| roots[b.index()]));
            writes.extend(op.writes().map(|b| roots[b.index()]));
        }
        let apart = writes.is_disjoint(&read)
            && writes.is_disjoint(&written)
            && reads.is_disjoint(&written);
        match phases.last_mut() {
            Some(phase) if apart => phase.push(group),
            _ => {
                phases.push(vec![group]);
                read.clear();
                written.clear();
            }
        }
        read.extend(reads);
        written.extend(writes);
    }
    phases
}
