//! The choice of the matrices that are panel-packed, from the layouts in the operand tables:
//! weights, with what goes beside them element by element, and matrices of a training step
//! that only products and columnwise operations touch. A thread's columns then share no cache
//! line with another's, and the gradient of a weight reads both its factors where they lie.

use crate::engine::cpu::kernels::int8::Int8Packed;
use crate::engine::cpu::packed::PanelPacked;
use crate::error::{Error, Result};
use crate::plan::operands::{Layout, Operand};
use crate::plan::{Buffer, Op, Plan, Program, Role, Size, View};

/// The buffers of each plan that are packed as weights are. Variables are alike in all.
pub(in crate::engine::cpu) fn weights(program: &Program) -> Vec<Vec<Option<PanelPacked>>> {
    let plans = program.plans.iter();
    let mut all: Vec<Vec<Option<PanelPacked>>> = plans
        .clone()
        .map(|plan| vec![None; plan.buffers.len()])
        .collect();
    let alike: Vec<Vec<Alike>> = plans
        .map(|plan| plan.ops.iter().flat_map(Alike::of).collect())
        .collect();
    loop {
        let mut changed = false;
        for (n, plan) in program.plans.iter().enumerate() {
            for Alike { packed, buffers } in &alike[n] {
                let found = buffers.iter().find_map(|b| all[n][b.index()]);
                let Some(known) = packed.or(found) else {
                    continue;
                };
                for buffer in buffers {
                    let variable = plan.buffers[buffer.index()].role == Role::Variable;
                    let plans = if variable { 0..all.len() } else { n..n + 1 };
                    for packed in &mut all[plans] {
                        changed |= packed[buffer.index()].is_none();
                        packed[buffer.index()] = Some(known);
                    }
                }
            }
        }
        if !changed {
            return all;
        }
    }
}

/// The variables that are packed as int8. An error if an operation would take one for floats.
pub(in crate::engine::cpu) fn int8(program: &Program) -> Result<Vec<Option<Int8Packed>>> {
    let operands = || {
        let ops = program.plans.iter().flat_map(|plan| &plan.ops);
        ops.flat_map(Op::operands)
    };
    let mut all = vec![None; program.variables.len()];
    for operand in operands() {
        if let (Layout::Int8(dims), Some(packed)) =
            (operand.layout, all.get_mut(operand.buffer.index()))
        {
            *packed = Some(Int8Packed::new(dims));
        }
    }
    let packed = |operand: &Operand| all.get(operand.buffer.index()).copied().flatten();
    let knows = |operand: &Operand| match operand.layout {
        Layout::Int8(dims) => packed(operand) == Some(Int8Packed::new(dims)),
        _ => packed(operand).is_none(),
    };
    match operands().find(|operand| !knows(operand)) {
        None => Ok(all),
        Some(Operand { buffer, .. }) => Err(Error::Internal(format!(
            "{buffer:?} is packed as int8, and not everything that touches it knows"
        ))),
    }
}

/// Buffers of an operation that are packed alike, or not at all.
struct Alike {
    /// As this, if the operation says so.
    packed: Option<PanelPacked>,
    buffers: Vec<Buffer>,
}

impl Alike {
    /// The buffers of an operation, all of them together; those that are only passed on, each by itself.
    fn of(op: &Op) -> Vec<Self> {
        let operands = op.operands();
        let alike = |o: &&Operand| matches!(o.layout, Layout::Weights(_) | Layout::Elements);
        let alike: Vec<&Operand> = operands.iter().filter(alike).collect();
        let together = |operands: &[&Operand]| Alike {
            packed: operands.iter().find_map(|o| match o.layout {
                Layout::Weights(dims) => Some(PanelPacked::new(dims)),
                _ => None,
            }),
            buffers: operands.iter().map(|o| o.buffer).collect(),
        };
        match op {
            _ if alike.is_empty() => Vec::new(),
            Op::Gather(_) => alike.iter().map(|o| together(&[o])).collect(),
            _ => vec![together(&alike)],
        }
    }
}

/// True of each of the batch's matrices that is panel-packed. None of a plan that trains
/// nothing is: single rows are then cheapest row-major.
pub(super) fn matrices(plan: &Plan) -> Vec<bool> {
    let trains = |op: &Op| matches!(op, Op::MatMulWeight(_));
    if !plan.ops.iter().any(trains) {
        return vec![false; plan.buffers.len()];
    }
    let buffers = plan.buffers.iter();
    let mut packed: Vec<bool> = buffers
        .map(|info| info.role == Role::Temporary && matches!(info.size, Size::PerRow(_)))
        .collect();
    for kept in plan.kept() {
        packed[kept.index()] = false;
    }
    let uses: Vec<Uses> = plan.ops.iter().map(|op| Uses::of(plan, op)).collect();
    let mut views: Vec<Option<View>> = vec![None; packed.len()];
    for uses in &uses {
        for b in &uses.row_major {
            packed[b.index()] = false;
        }
        for &(b, view) in uses.together.iter().chain(&uses.alone) {
            let known = *views[b.index()].get_or_insert(view);
            packed[b.index()] &= known == view;
        }
    }
    // Matrices that one operation goes over together are packed alike: from one that is not, on to
    // all that it stands beside.
    let mut beside: Vec<Vec<usize>> = vec![Vec::new(); packed.len()];
    for (n, uses) in uses.iter().enumerate() {
        for (b, _) in &uses.together {
            beside[b.index()].push(n);
        }
    }
    let mut open: Vec<usize> = (0..packed.len()).filter(|&b| !packed[b]).collect();
    while let Some(b) = open.pop() {
        for n in std::mem::take(&mut beside[b]) {
            for (other, _) in &uses[n].together {
                if std::mem::take(&mut packed[other.index()]) {
                    open.push(other.index());
                }
            }
        }
    }
    packed
}

/// An operation's buffers by what it needs of their layout.
#[derive(Default)]
struct Uses {
    /// Matrices that are gone over together, element by element.
    together: Vec<(Buffer, View)>,
    /// Matrices that may be packed or not, whatever the others are.
    alone: Vec<(Buffer, View)>,
    /// Buffers that are not packed, or not as a matrix of the batch.
    row_major: Vec<Buffer>,
}

impl Uses {
    fn of(plan: &Plan, op: &Op) -> Self {
        let mut uses = Uses::default();
        for Operand { buffer, layout, .. } in op.operands() {
            match layout {
                Layout::Columns(view) => uses.together.push((buffer, view)),
                Layout::ColumnsOrFeed(view) => {
                    match plan.buffers[buffer.index()].role == Role::Temporary {
                        true => uses.together.push((buffer, view)),
                        false => uses.row_major.push(buffer),
                    }
                }
                Layout::Product(view) => uses.alone.push((buffer, view)),
                Layout::Unordered => {}
                Layout::RowMajor
                | Layout::Images(_)
                | Layout::Factors(_)
                | Layout::Weights(_)
                | Layout::Int8(_)
                | Layout::Elements
                | Layout::Any => {
                    uses.row_major.push(buffer);
                }
            }
        }
        uses
    }
}

/// True of each operation whose columnwise operands are packed: of products, their results.
/// All of them are alike.
pub(super) fn operations(plan: &Plan, matrices: &[bool]) -> Vec<bool> {
    let packed = |op: &Op| {
        let product = op.is_product();
        let mut operands = op.operands().into_iter();
        operands.any(|o| matrices[o.buffer.index()] && (o.is_written() || !product))
    };
    plan.ops.iter().map(packed).collect()
}

/// Finds an operation that touches a packed matrix without knowing of it.
pub(super) fn verify(plan: &Plan, weights: &[Option<PanelPacked>]) -> Result<(), String> {
    for op in &plan.ops {
        for Operand { buffer, layout, .. } in op.operands() {
            let knows = matches!(
                layout,
                Layout::Weights(_) | Layout::Elements | Layout::Any | Layout::Unordered
            );
            if !knows && weights[buffer.index()].is_some() {
                return Err(format!(
                    "{} cannot read {buffer:?}, which is packed",
                    op.name()
                ));
            }
        }
    }
    Ok(())
}
