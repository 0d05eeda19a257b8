//! The plan is checked once, when it is lowered: the engines rely on what is checked here.

use super::{Op, Plan, Role};

/// Returns the first fault, if there is one.
pub fn verify(plan: &Plan) -> Result<(), String> {
    sizes(plan)?;
    order(plan)
}

/// Checks that every temporary is written once, before it is read; that nothing reads a variable
/// after its update but what is to see the change, and none is updated twice.
fn order(plan: &Plan) -> Result<(), String> {
    let mut written = vec![false; plan.buffers.len()];
    let mut updated = vec![false; plan.buffers.len()];
    for (i, op) in plan.ops.iter().enumerate() {
        let mut fault = None;
        op.reads().for_each(|b| {
            let temporary = plan.buffers[b.index()].role == Role::Temporary;
            if temporary && !written[b.index()] {
                fault = Some(format!("op {i} reads {b:?} before it is written"));
            }
            if updated[b.index()] && !matches!(op, Op::Constrain(_) | Op::Norm(_)) {
                fault = Some(format!("op {i} reads {b:?} after its update"));
            }
        });
        op.writes()
            .for_each(|b| match plan.buffers[b.index()].role {
                Role::Temporary if written[b.index()] && !matches!(op, Op::Gather(_)) => {
                    fault = Some(format!("op {i} writes {b:?} a second time"));
                }
                Role::Feed(_) => fault = Some(format!("op {i} writes the feed {b:?}")),
                _ => written[b.index()] = true,
            });
        if let Op::Update(update) = op {
            updated[update.w.index()] = true;
        }
        if let Some(fault) = fault {
            return Err(fault);
        }
    }
    Ok(())
}

/// Each operation's numbers fit each other, and its buffers are as large as its table says.
fn sizes(plan: &Plan) -> Result<(), String> {
    for (i, op) in plan.ops.iter().enumerate() {
        let at = |problem| format!("op {i}, {}: {problem}", op.name());
        op.check().map_err(at)?;
        let operands = op.operands();
        for operand in operands.iter() {
            let Some(info) = plan.buffers.get(operand.buffer.index()) else {
                return Err(at(format!("there is no {:?}", operand.buffer)));
            };
            if info.size != operand.size {
                return Err(at(format!(
                    "{:?} ({}) holds {:?}, the op needs {:?}",
                    operand.buffer, info.name, info.size, operand.size
                )));
            }
            let read = |b| operands.iter().any(|o| o.is_read() && o.buffer == b);
            if operand.over.is_some_and(|input| !read(input)) {
                return Err(at(format!("{:?} overwrites no input", operand.buffer)));
            }
        }
    }
    Ok(())
}
