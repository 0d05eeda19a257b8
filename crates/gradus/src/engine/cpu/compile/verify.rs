//! The compiled form is checked once, in release too: tasks rely on it where they share memory.

use super::Compiled;
use super::allocation::Allocation;
use super::packing;
use crate::plan::{Buffer, Op};

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
    let range = |b: Buffer| match compiled.allocations[b.index()] {
        Allocation::Arena(start) => {
            Some(start..start + compiled.plan.buffers[b.index()].size.of(compiled.plan.rows))
        }
        _ => None,
    };
    // The buffers whose values are there, latest last; a new write ends those that it covers.
    let mut alive: Vec<Buffer> = Vec::new();
    for phase in &compiled.phases {
        let mut inside = Vec::new();
        for group in phase {
            for i in group.ops.clone() {
                let mut fault = None;
                compiled.plan.ops[i].reads().for_each(|b| {
                    if range(b).is_some() && !alive.contains(&b) {
                        fault = Some(format!("op {i} reads {b:?}, which was written over"));
                    }
                });
                if let Some(fault) = fault {
                    return Err(fault);
                }
                compiled.plan.ops[i].writes().for_each(|b| {
                    if let Some(r) = range(b) {
                        if r.end > compiled.arena {
                            fault = Some(format!("{b:?} ends at {} of {}", r.end, compiled.arena));
                        }
                        let overlaps = |o: &Buffer| {
                            range(*o).is_some_and(|q| q.start < r.end && r.start < q.end)
                        };
                        for other in alive.iter().filter(|o| **o != b && overlaps(o)) {
                            if inside
                                .iter()
                                .any(|&(g, w)| g != group.ops.start && w == *other)
                            {
                                fault = Some(format!("{b:?} and {other:?} collide in a phase"));
                            }
                        }
                        alive.retain(|o| *o == b || !overlaps(o));
                        if !alive.contains(&b) {
                            alive.push(b);
                        }
                        inside.push((group.ops.start, b));
                    }
                });
                if let Some(fault) = fault {
                    return Err(fault);
                }
            }
        }
    }
    for buffer in compiled.plan.kept() {
        if range(buffer).is_some() && !alive.contains(&buffer) {
            return Err(format!("the result {buffer:?} is written over"));
        }
    }
    Ok(())
}
