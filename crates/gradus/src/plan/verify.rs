//! The plan is checked before it is run, in debug builds and in tests.

use super::memory::Place;
use super::op::PIECES;
use super::{Buffer, Op, Plan, Role, Size, Split};

/// What is wrong with the plan, if anything is.
pub fn verify(plan: &Plan) -> Result<(), String> {
    order(plan)?;
    sizes(plan)?;
    groups(plan)?;
    places(plan)
}

/// Every temporary is written once, before it is read; nothing reads a variable
/// after its update, and none is updated twice.
fn order(plan: &Plan) -> Result<(), String> {
    let mut written = vec![false; plan.buffers.len()];
    let mut updated = vec![false; plan.buffers.len()];
    for (i, op) in plan.ops.iter().enumerate() {
        let mut fault = None;
        op.reads(&mut |b| {
            let temporary = plan.buffers[b.index()].role == Role::Temporary;
            if temporary && !written[b.index()] {
                fault = Some(format!("op {i} reads {b:?} before it is written"));
            }
            if updated[b.index()] && !matches!(op, Op::Constrain { .. }) {
                fault = Some(format!("op {i} reads {b:?} after its update"));
            }
        });
        op.writes(&mut |b| match plan.buffers[b.index()].role {
            Role::Temporary if written[b.index()] => {
                fault = Some(format!("op {i} writes {b:?} a second time"));
            }
            Role::Feed(_) => fault = Some(format!("op {i} writes the feed {b:?}")),
            _ => written[b.index()] = true,
        });
        if let Op::Update { w, .. } = op {
            updated[w.index()] = true;
        }
        if let Some(fault) = fault {
            return Err(fault);
        }
    }
    Ok(())
}

fn sizes(plan: &Plan) -> Result<(), String> {
    for (i, op) in plan.ops.iter().enumerate() {
        for (buffer, size) in expected(op) {
            let info = &plan.buffers[buffer.index()];
            if info.size != size {
                return Err(format!(
                    "op {i}: {buffer:?} ({}) holds {:?}, the op needs {size:?}",
                    info.name, info.size
                ));
            }
        }
    }
    Ok(())
}

/// The sizes that an operation's buffers must have.
fn expected(op: &Op) -> Vec<(Buffer, Size)> {
    use Size::{Fixed, PerRow};
    match op {
        Op::Product { x, w, y, of } => vec![
            (*x, PerRow(of.input_view().per_row())),
            (*w, Fixed(of.inputs * of.outputs)),
            (*y, PerRow(of.output_view().per_row())),
        ],
        Op::ProductInput { dy, w, dx, of } => vec![
            (*dx, PerRow(of.input_view().per_row())),
            (*w, Fixed(of.inputs * of.outputs)),
            (*dy, PerRow(of.output_view().per_row())),
        ],
        Op::ProductWeight { x, dy, dw, of } => vec![
            (*x, PerRow(of.input_view().per_row())),
            (*dw, Fixed(of.inputs * of.outputs)),
            (*dy, PerRow(of.output_view().per_row())),
        ],
        Op::NormalizedWeight {
            g,
            w,
            gamma,
            beta,
            sums,
            dw,
            parts,
            of,
        } => {
            let matrices = [g, w, dw].map(|b| (*b, Fixed(of.inputs * of.outputs)));
            let rows = gamma.iter().chain(beta).map(|b| (*b, Fixed(of.inputs)));
            let sums = [
                (*sums, Fixed(of.outputs)),
                (*parts, Fixed(2 * PIECES * of.inputs)),
            ];
            matrices.into_iter().chain(rows).chain(sums).collect()
        }
        Op::NormalizedScale {
            parts,
            dgamma,
            dbeta,
            of,
        } => dgamma
            .iter()
            .chain(dbeta)
            .map(|b| (*b, Fixed(of.inputs)))
            .chain([(*parts, Fixed(2 * PIECES * of.inputs))])
            .collect(),
        Op::Loss {
            x,
            target,
            losses,
            view,
            rule,
            ..
        } => {
            let targets = match rule.targets() {
                crate::rules::losses::Targets::ClassNumbers => view.positions,
                crate::rules::losses::Targets::LikeOutputs => view.per_row(),
            };
            vec![
                (*x, PerRow(view.per_row())),
                (*target, PerRow(targets)),
                (*losses, PerRow(view.positions)),
            ]
        }
        Op::SquaredNorm { gradients, norm } => gradients
            .iter()
            .map(|&(g, size)| (g, Fixed(size)))
            .chain([(*norm, Fixed(1))])
            .collect(),
        Op::Update {
            w,
            gradient,
            slots,
            accumulator,
            average,
            size,
            ..
        } => {
            let mut all = vec![(*w, Fixed(*size)), (*gradient, Fixed(*size))];
            let kept = slots.iter().chain(accumulator).chain(average);
            all.extend(kept.map(|&s| (s, Fixed(*size))));
            all
        }
        Op::Penalty {
            x, penalty, size, ..
        } => vec![(*x, *size), (*penalty, Fixed(1))],
        Op::PenaltyGradient { x, dx, size, .. } => vec![(*x, *size), (*dx, *size)],
        Op::Round { x, y, size, .. } => vec![(*x, *size), (*y, *size)],
        Op::Accumulate {
            gradient,
            accumulator,
            y,
            size,
        } => [gradient, accumulator, y]
            .into_iter()
            .map(|&b| (b, Fixed(*size)))
            .collect(),
        Op::Constrain { w, shape, size, .. } => {
            debug_assert_eq!(shape.iter().product::<usize>(), *size);
            vec![(*w, Fixed(*size))]
        }
        Op::SumGradients { a, b, y, size } => {
            [a, b, y].into_iter().map(|&b| (b, Fixed(*size))).collect()
        }
        Op::Spread {
            x, y, inputs, view, ..
        } => vec![(*x, PerRow(*inputs)), (*y, PerRow(view.per_row()))],
        Op::SpreadGradient {
            dy,
            dx,
            from,
            inputs,
            ..
        } => vec![(*dx, PerRow(*inputs)), (*dy, PerRow(from.len()))],
        Op::Concatenate { parts, y, view } => parts
            .iter()
            .map(|&(part, width)| (part, PerRow(view.positions * width)))
            .chain([(*y, PerRow(view.per_row()))])
            .collect(),
        Op::Slice {
            x, y, width, view, ..
        } => vec![
            (*x, PerRow(view.positions * width)),
            (*y, PerRow(view.per_row())),
        ],
        Op::BatchProduct { a, b, y, of } => vec![
            (*a, PerRow(of.rows * of.depth)),
            (*b, PerRow(of.depth * of.columns)),
            (*y, PerRow(of.rows * of.columns)),
        ],
        Op::Map { x, y, view, .. } => {
            vec![(*x, PerRow(view.per_row())), (*y, PerRow(view.per_row()))]
        }
        Op::FiniteGradient { x, dy, dx, view } => [x, dy, dx]
            .into_iter()
            .map(|&b| (b, PerRow(view.per_row())))
            .collect(),
        Op::Encode {
            x,
            y,
            indices,
            view,
            ..
        } => vec![
            (*x, PerRow(view.positions * indices)),
            (*y, PerRow(view.per_row())),
        ],
        Op::Embed {
            x,
            w,
            y,
            rows,
            view,
        } => vec![
            (*x, PerRow(view.positions)),
            (*w, Fixed(rows * view.width)),
            (*y, PerRow(view.per_row())),
        ],
        Op::EmbedGradient {
            x,
            dy,
            dw,
            rows,
            view,
        } => vec![
            (*x, PerRow(view.positions)),
            (*dw, Fixed(rows * view.width)),
            (*dy, PerRow(view.per_row())),
        ],
        Op::Permute { x, y, view, .. } => {
            vec![(*x, PerRow(view.per_row())), (*y, PerRow(view.per_row()))]
        }
        Op::Augment { image, x, y, .. } => {
            vec![(*x, PerRow(image.size())), (*y, PerRow(image.size()))]
        }
        Op::AugmentGradient {
            image, y, dy, dx, ..
        } => {
            let all = y.iter().chain([dy, dx]);
            all.map(|&b| (b, PerRow(image.size()))).collect()
        }
        Op::Resize {
            rule,
            x: from,
            y: to,
            ..
        }
        | Op::ResizeGradient {
            rule,
            dx: from,
            dy: to,
            ..
        } => vec![
            (*from, PerRow(rule.from.size())),
            (*to, PerRow(rule.to.size())),
        ],
        Op::Constant { y, values } => vec![(*y, Fixed(values.len()))],
        other => {
            let (Split::Columns(view) | Split::Rows(view)) = other.split() else {
                return vec![];
            };
            let mut all = match other {
                Op::Scale { by, .. } | Op::ScaleGradient { by, .. } => {
                    vec![(*by, Fixed(view.width))]
                }
                Op::Combine { b, .. } => vec![(*b, PerRow(view.per_row()))],
                Op::CombineGradient { a, b, .. } => {
                    vec![(*a, PerRow(view.per_row())), (*b, PerRow(view.per_row()))]
                }
                Op::StandardizeRows { inverse, .. }
                | Op::UnitRows { inverse, .. }
                | Op::UnitRowsGradient { inverse, .. }
                | Op::StandardizeRowsGradient { inverse, .. } => {
                    vec![(*inverse, PerRow(view.positions))]
                }
                _ => Vec::new(),
            };
            if let Some((x, y)) = other.in_place() {
                all.push((x, PerRow(view.per_row())));
                all.push((y, PerRow(view.per_row())));
            }
            all
        }
    }
}

/// The groups cover the operations in order.
fn groups(plan: &Plan) -> Result<(), String> {
    let mut next = 0;
    for group in plan.phases.iter().flatten() {
        if group.ops.start != next {
            return Err(format!("group {:?} should start at {next}", group.ops));
        }
        if matches!(plan.ops[next], Op::NormalizedWeight { .. }) {
            return Err(format!("op {next} is apart from its product"));
        }
        next = group.ops.end;
    }
    if next == plan.ops.len() {
        Ok(())
    } else {
        Err(format!("the groups end at {next} of {}", plan.ops.len()))
    }
}

/// No temporary is written over while a later operation still reads it: each
/// read is of the buffer that was last written to those numbers.
fn places(plan: &Plan) -> Result<(), String> {
    let range = |b: Buffer| match plan.places[b.index()] {
        Place::Arena(start) => Some(start..start + plan.buffers[b.index()].size.of(plan.rows)),
        _ => None,
    };
    // Who was written where, latest last; a new write ends what it covers.
    let mut alive: Vec<Buffer> = Vec::new();
    for phase in &plan.phases {
        let mut inside = Vec::new();
        for group in phase {
            for i in group.ops.clone() {
                let mut fault = None;
                plan.ops[i].reads(&mut |b| {
                    if range(b).is_some() && !alive.contains(&b) {
                        fault = Some(format!("op {i} reads {b:?}, which was written over"));
                    }
                });
                if let Some(fault) = fault {
                    return Err(fault);
                }
                plan.ops[i].writes(&mut |b| {
                    if let Some(r) = range(b) {
                        if r.end > plan.arena {
                            fault = Some(format!("{b:?} ends at {} of {}", r.end, plan.arena));
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
    for buffer in plan.kept() {
        if range(buffer).is_some() && !alive.contains(&buffer) {
            return Err(format!("the result {buffer:?} is written over"));
        }
    }
    Ok(())
}
