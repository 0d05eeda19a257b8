//! Fusion: grouping of operations that one pass over memory runs together, and of groups that may
//! run concurrently.

use crate::plan::share::Place;
use crate::plan::{Buffer, Op, Split, View};
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
    /// The part that a rank does.
    pub place: Place,
}

impl Group {
    /// The buffers that are read as a whole, whatever columns or rows a task does.
    pub fn factors<'a>(&self, ops: &'a [Op]) -> impl Iterator<Item = Buffer> + use<'a> {
        let around = ops[self.ops.clone()].iter().filter(|op| op.reads_around());
        around.flat_map(Op::reads)
    }
}

/// Groups each operation with the ones before it where no chunk needs another
/// chunk's result. `packed` is true of those whose columns are panel-packed; `places` has the part of
/// each that a rank does, if there are several.
pub(super) fn groups(ops: &[Op], packed: &[bool], places: &[Place]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    // Buffers that the last group writes.
    let mut made: HashSet<Buffer> = HashSet::new();
    for (i, op) in ops.iter().enumerate() {
        let place = places.get(i).copied().unwrap_or(Place::Whole);
        match groups.last_mut() {
            Some(group) if group.place == place && joins(op, group.split, packed[i], &made) => {
                group.ops.end = i + 1;
            }
            _ => {
                made.clear();
                groups.push(Group {
                    ops: i..i + 1,
                    split: first_split(op, packed[i]),
                    place,
                });
            }
        }
        made.extend(op.writes());
    }
    groups
}

/// The axis along which an operation is cut that begins a group: what is done element by element to images by
/// rows, where the matrices are row-major.
fn first_split(op: &Op, packed: bool) -> Split {
    match op.split() {
        Split::Columns(view) if !packed && op.is_by_element() && view.has_many_positions() => {
            Split::Rows(view)
        }
        split => split,
    }
}

/// True if an operation, panel-packed or not, joins a group of this split that has made these
/// buffers.
fn joins(op: &Op, split: Split, packed: bool, made: &HashSet<Buffer>) -> bool {
    if op.reads_around() {
        return false;
    }
    match (split, op.split()) {
        (Split::Columns(a), Split::Columns(b)) => a == b,
        (Split::Rows(a), Split::Rows(b)) => same_rows(a, b),
        (Split::Rows(a), Split::Columns(b)) => same_rows(a, b) && op.is_by_element() && !packed,
        (Split::Columns(view), Split::Elements(size)) => view.width == size && updates_by(op, made),
        // Only operations on the product's own gradient are cut this way without being a product.
        (Split::Weight(..), Split::Weight(..)) => true,
        (Split::Weight(rows, columns), Split::Elements(size)) => {
            rows * columns == size && updates_by(op, made)
        }
        _ => false,
    }
}

/// True if two matrices have the same rows, which are worth going over together.
fn same_rows(a: View, b: View) -> bool {
    a == b || a.positions == b.positions && a.has_many_positions()
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
    // All ranks must pass on the same at a time.
    let gathers = |group: &Group| matches!(ops[group.ops.start], Op::Gather(_));
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
            Some(phase) if apart && !(gathers(&group) && phase.iter().any(gathers)) => {
                phase.push(group);
            }
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
