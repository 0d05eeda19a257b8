//! Which of a training step's matrices, those with rows for the batch's, lie lane by lane
//! of columns as the weights do: those that only products, and what goes column by column,
//! touch. A thread's columns then share no cache line with another's, and the gradient of
//! a weight reads both its factors where they lie.

use crate::plan::{Buffer, Op, Plan, Role, Size, View};

/// Of each buffer of a plan, whether it lies so. None of a plan that trains nothing does:
/// single rows are then cheapest row after row.
pub(super) fn laned(plan: &Plan) -> Vec<bool> {
    let trains = |op: &Op| matches!(op, Op::ProductWeight { .. });
    if !plan.ops.iter().any(trains) {
        return vec![false; plan.buffers.len()];
    }
    let buffers = plan.buffers.iter();
    let mut laned: Vec<bool> = buffers
        .map(|info| info.role == Role::Temporary && matches!(info.size, Size::PerRow(_)))
        .collect();
    for kept in plan.kept() {
        laned[kept.index()] = false;
    }
    let mut views: Vec<Option<View>> = vec![None; laned.len()];
    for op in &plan.ops {
        let uses = uses(plan, op);
        let mut plain = |b: Buffer| {
            laned[b.index()] &= uses.iter().any(|(_, used)| used.contains(&b));
        };
        op.reads(&mut plain);
        op.writes(&mut plain);
        for (view, used) in uses {
            for b in used {
                let known = *views[b.index()].get_or_insert(view);
                laned[b.index()] &= known == view;
            }
        }
    }
    // What one operation goes over together lies alike.
    loop {
        let mut changed = false;
        for (_, used) in plan.ops.iter().flat_map(|op| uses(plan, op)) {
            if used.iter().any(|b| !laned[b.index()]) {
                for b in used {
                    changed |= std::mem::take(&mut laned[b.index()]);
                }
            }
        }
        if !changed {
            return laned;
        }
    }
}

/// The matrices that an operation goes over column by column, as what: those in one list
/// together, number by number.
fn uses(plan: &Plan, op: &Op) -> Vec<(View, Vec<Buffer>)> {
    match op {
        // A batch as it was given is read where it lies.
        Op::Normalize { x, y, view, .. } if plan.buffers[x.index()].role != Role::Temporary => {
            vec![(*view, vec![*y])]
        }
        Op::Product { x, y, of, .. } => {
            vec![(of.input_view(), vec![*x]), (of.output_view(), vec![*y])]
        }
        Op::ProductInput { dy, dx, of, .. } => {
            vec![(of.output_view(), vec![*dy]), (of.input_view(), vec![*dx])]
        }
        Op::ProductWeight { x, dy, of, .. } => {
            vec![(of.input_view(), vec![*x]), (of.output_view(), vec![*dy])]
        }
        Op::BiasGradient { dy, view, .. } => vec![(*view, vec![*dy])],
        Op::Round {
            x,
            y,
            size: Size::PerRow(_),
            view,
        } => vec![(*view, vec![*x, *y])],
        Op::Bias { x, y, view, .. }
        | Op::Activate { x, y, view, .. }
        | Op::Dropout { x, y, view, .. }
        | Op::Noise { x, y, view, .. }
        | Op::Scale { x, y, view, .. }
        | Op::Normalize { x, y, view, .. }
        | Op::Standardize { x, y, view, .. } => vec![(*view, vec![*x, *y])],
        Op::ActivateGradient {
            x, y, dy, dx, view, ..
        } => {
            let all = x.iter().chain([y, dy, dx]);
            vec![(*view, all.copied().collect())]
        }
        Op::NoiseGradient {
            y, dy, dx, view, ..
        } => vec![(*view, vec![*y, *dy, *dx])],
        Op::ScaleGradient {
            x, dy, dx, view, ..
        }
        | Op::NormalizeGradient {
            x, dy, dx, view, ..
        } => vec![(*view, vec![*x, *dy, *dx])],
        Op::StandardizeGradient { dy, dx, view, .. } => vec![(*view, vec![*dy, *dx])],
        Op::Sum { a, b, y, view } | Op::Combine { a, b, y, view, .. } => {
            vec![(*view, vec![*a, *b, *y])]
        }
        Op::CombineGradient {
            a, b, dy, dx, view, ..
        } => vec![(*view, vec![*a, *b, *dy, *dx])],
        _ => Vec::new(),
    }
}
