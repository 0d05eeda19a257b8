//! The gradient of a weight matrix, block by block, and the update by each block as soon as it is
//! ready.

mod columns;

use super::context::Context;
use super::kernels::factors::{Lanes, Left};
use super::kernels::sparse::LANES;
use super::packed::PanelPacked;
use super::simd::{PANEL, WIDEST};
use super::{chunks, pairs, sparse};
use crate::plan::Op;
use crate::plan::ops::{MatMulDims, MatMulWeight};
pub(super) use columns::Panel;
use columns::{Columns, MADE};

/// Elements of dy packed at a time: 512 KiB, half of the second-level cache.
const PACKED: usize = 131_072;

/// Elements of x transposed at a time: 128 KiB, an eighth of it.
const TURNED: usize = 32_768;

/// Rows of the batch at a time: with more, all of x would be transposed again for each few columns
/// that fit into the second-level cache.
const BATCH: usize = 512;

/// The columns and rows of dw that a group works through at a time.
fn extent(batch: usize, of: MatMulDims) -> (usize, usize) {
    let batch = batch.clamp(1, BATCH);
    let columns = (PACKED / batch / PANEL).max(1) * PANEL;
    // Every part of x starts a lane.
    let rows = (TURNED / batch / PANEL).max(1) * PANEL;
    (columns.min(of.outputs), rows.min(of.inputs))
}

/// Floats of scratch memory for packed dy, transposed x, the computed rows, a panel of dy, lists,
/// and the whole gradient, if it is summed over parts of the batch.
fn sizes(batch: usize, of: MatMulDims) -> [usize; 6] {
    let (columns, rows) = extent(batch, of);
    let part = batch.min(BATCH);
    [
        // Products read whole lanes, also after a narrow last one.
        (part * columns + PANEL).next_multiple_of(WIDEST),
        (rows * part).next_multiple_of(WIDEST),
        MADE * LANES * WIDEST,
        sparse::panel_room(part),
        sparse::turned_room(rows, part),
        if batch > part {
            of.inputs * of.outputs
        } else {
            0
        },
    ]
}

/// Floats of scratch memory that a group needs for a batch of this size.
pub(super) fn room(batch: usize, of: MatMulDims) -> usize {
    sizes(batch, of).iter().sum()
}

/// Columns `from..to` of a weight's gradient. `follow` does the group's `followers` on each
/// panel while it is in the first cache.
pub(super) fn run(
    context: &Context<'_>,
    op: &MatMulWeight,
    followers: &[Op],
    follow: &impl Fn(&Panel),
    (from, to): (usize, usize),
) {
    let &MatMulWeight {
        x,
        dy,
        dw,
        dims: of,
    } = op;
    let isa = context.isa;
    let batch = context.rows * of.positions;
    // By the plan's rows, not the batch's: a short batch must not need more memory.
    let most = context.plan().rows * of.positions;
    let (columns, rows) = extent(most, of);
    let [packed, turned, made, panel, lists, _] = sizes(most, of);
    let scratch = context.scratch(room(most, of));
    let x = context.left(x, batch, of.inputs);
    // Normalized values are seldom zero, and their sums must be computed in one way.
    let skips = chunks::of(followers, isa.width()).is_none()
        && sparse::pays(isa, x, batch.min(BATCH), of.inputs, to - from);
    let joins = !skips && pairs::pays(context, of.inputs, to - from);
    // SAFETY: `room` has counted all parts of the scratch.
    let (turned, made, panel, lists, all) = unsafe {
        let turned_at = scratch.add(packed);
        let made_at = turned_at.add(turned);
        let panel_at = made_at.add(made);
        let lists_at = panel_at.add(panel);
        (turned_at, made_at, panel_at, lists_at, lists_at.add(lists))
    };
    let kept = context.at(dw);
    let chunks = chunks::within(followers, of.outputs, isa.width(), (from, to));
    let starts = chunks.flat_map(|(chunk, from, to)| {
        let starts = (from..to).step_by(columns);
        starts.map(move |start| (chunk, from, start, to))
    });
    for (chunk, from, start, to) in starts {
        for begin in (0..batch).step_by(BATCH) {
            let part = Columns {
                context,
                follow,
                matrix: PanelPacked::new(of),
                gradient: if kept.is_null() && most > BATCH {
                    all
                } else {
                    kept
                },
                made,
                chunk,
                chunk_start: from,
                start,
                dy: Lanes {
                    from: scratch,
                    rows: BATCH.min(batch - begin),
                    columns: columns.min(to - start),
                },
                joins,
                add: begin > 0,
                last: batch - begin <= BATCH,
            };
            // SAFETY: the rows and columns are inside the matrices, and columns `from..to` are
            // this task's.
            unsafe {
                let part = part.packed_gradient(dy, batch, begin);
                let batch_rows = (begin, BATCH.min(batch - begin));
                for first in (0..of.inputs).step_by(rows) {
                    let end = (first + rows).min(of.inputs);
                    let packed = match x {
                        _ if joins => {
                            let x = pairs::join(isa, x, batch_rows, (first, end), turned);
                            Some((x, first))
                        }
                        Left::PanelPacked(x) if !skips && batch <= BATCH => Some((x, 0)),
                        _ => None,
                    };
                    if packed.is_none() {
                        sparse::turn(isa, x, batch_rows, (first, end), turned);
                    }
                    if skips {
                        let x = sparse::list(isa, turned, end - first, part.dy.rows, lists);
                        part.listed(&x, (first, end), panel);
                        continue;
                    }
                    part.dense((first, end), |row| match packed {
                        Some((x, before)) => Left::Columns(x, row - before),
                        None => {
                            let batch = part.dy.rows;
                            Left::Plain(turned.add((row - first) * batch), batch)
                        }
                    });
                }
            }
        }
    }
}
