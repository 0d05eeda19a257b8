//! The compiled form is checked once, in release too: tasks rely on it where they share memory.

use super::Compiled;
use super::allocation::Allocation;
use super::packing;
use crate::plan::{Buffer, Op};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

/// Returns the first fault, if there is one.
pub(super) fn verify(compiled: &Compiled) -> Result<(), String> {
    groups(compiled)?;
    allocations(compiled)?;
    packing::verify(&compiled.plan, &compiled.weights)
}

/// Checks that the groups cover the operations in order.
fn groups(compiled: &Compiled) -> Result<(), String> {
    let mut next = 0;
    for group in compiled.phases.iter().flatten() {
        if group.ops.start != next {
            return Err(format!("group {:?} should start at {next}", group.ops));
        }
        if matches!(compiled.plan.ops[next], Op::NormalizedWeight(_)) {
            return Err(format!("op {next} is apart from its product"));
        }
        next = group.ops.end;
    }
    if next == compiled.plan.ops.len() {
        Ok(())
    } else {
        Err(format!(
            "the groups end at {next} of {}",
            compiled.plan.ops.len()
        ))
    }
}

/// No temporary is written over while a later operation still reads it: each
/// read is of the buffer that was last written to its memory.
fn allocations(compiled: &Compiled) -> Result<(), String> {
    let Compiled { plan, arena, .. } = compiled;
    let range = |b: Buffer| match compiled.allocations[b.index()] {
        Allocation::Arena(start) => Some(start..start + plan.buffers[b.index()].size.of(plan.rows)),
        _ => None,
    };
    let mut alive = Alive::default();
    for phase in &compiled.phases {
        // Buffers that this phase has written, with the first operation of the group.
        let mut inside: HashMap<Buffer, usize> = HashMap::new();
        for group in phase {
            let factors: Vec<Range<usize>> = group.factors(&plan.ops).filter_map(range).collect();
            for i in group.ops.clone() {
                let stale = |b: &Buffer| range(*b).is_some() && !alive.buffers.contains(b);
                if let Some(b) = plan.ops[i].reads().find(stale) {
                    return Err(format!("op {i} reads {b:?}, which was written over"));
                }
                for b in plan.ops[i].writes() {
                    let Some(range) = range(b) else { continue };
                    if range.end > *arena {
                        return Err(format!("{b:?} ends at {} of {arena}", range.end));
                    }
                    let meets = |of: &&Range<usize>| range.start < of.end && of.start < range.end;
                    if let Some(factor) = factors.iter().find(meets) {
                        return Err(format!(
                            "op {i} writes {b:?} over a factor at {factor:?}, which its group reads"
                        ));
                    }
                    for other in alive.write(b, range) {
                        let by = inside.get(&other);
                        if by.is_some_and(|&by| by != group.ops.start) {
                            return Err(format!("{b:?} and {other:?} collide in a phase"));
                        }
                    }
                    inside.insert(b, group.ops.start);
                }
            }
        }
    }
    match plan
        .kept()
        .into_iter()
        .find(|b| range(*b).is_some() && !alive.buffers.contains(b))
    {
        Some(buffer) => Err(format!("the result {buffer:?} is written over")),
        None => Ok(()),
    }
}

/// The buffers whose values are in the arena. No two of them share memory.
#[derive(Default)]
struct Alive {
    buffers: HashSet<Buffer>,
    /// Start, buffer and end of each that has any memory.
    places: BTreeMap<(usize, Buffer), usize>,
}

impl Alive {
    /// Writes a buffer; returns those that end with it, as it covers a part of them.
    fn write(&mut self, buffer: Buffer, range: Range<usize>) -> Vec<Buffer> {
        let before = self.places.range(..(range.end, Buffer(0))).rev();
        let covered = before.take_while(|&(_, &end)| end > range.start);
        let covered: Vec<(usize, Buffer)> = covered.map(|(&place, _)| place).collect();
        for place in &covered {
            self.places.remove(place);
            self.buffers.remove(&place.1);
        }
        self.buffers.insert(buffer);
        if !range.is_empty() {
            self.places.insert((range.start, buffer), range.end);
        }
        let covered = covered.into_iter().map(|(_, other)| other);
        covered.filter(|&other| other != buffer).collect()
    }
}
