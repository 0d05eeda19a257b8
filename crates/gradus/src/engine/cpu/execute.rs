//! A task: the operations of a group, on its chunk.

use super::chunks;
use super::compile::tasks::Task;
use super::context::Context;
use super::kernels::columns::Block;
use super::ops::{Part, run, run_ahead};
use super::simd::PANEL;
use crate::plan::{Split, View};
use std::ops::Range;

/// Elements of a matrix that the operations of a group go over before the next
/// columns: 32 KiB, the first cache.
const CACHED: usize = 8192;

/// Elements of rows that the operations of a group go over before the next rows: 256 KiB, which
/// stay in the second cache.
const KEPT: usize = 65_536;

/// Rows that are at least gone over together: a convolution turns its kernel for each such part.
const LEAST_ROWS: usize = 512;

/// Does a task's operations.
pub(super) fn task(context: &Context<'_>, task: &Task) {
    let all = &context.plan().ops;
    let ops = task.group.ops.clone();
    match task.group.split {
        Split::Columns(view) => columns(context, ops, view, task.lanes(view.width)),
        Split::Weight(_, width) => {
            let (from, to) = task.lanes(width);
            if from == to {
                // Of more ranks than lanes, some have none.
                return;
            }
            let followers = &all[ops.start + 1..ops.end];
            let part = Part::Weights {
                from,
                to,
                followers,
            };
            run(&all[ops.start], context, part);
        }
        Split::Units(units) => {
            let (from, to) = task.share(units);
            run(&all[ops.start], context, Part::Rows(from, to));
        }
        Split::Elements(size) => {
            let (from, to) = task.lanes(size);
            for op in &all[ops] {
                run(op, context, Part::Elements(from, to));
            }
        }
        Split::Rows(view) => {
            rows(
                context,
                ops,
                view,
                task.share(context.rows * view.positions),
            );
        }
        Split::Whole => {
            for op in &all[ops] {
                run(op, context, Part::Whole);
            }
        }
    }
}

/// Does operations on columns `from..to`, a few columns at a time.
fn columns(context: &Context<'_>, mut ops: Range<usize>, view: View, (from, to): (usize, usize)) {
    let all = &context.plan().ops;
    let rows = context.rows * view.positions;
    let width = (CACHED / rows.max(1) / PANEL).max(1) * PANEL;
    let block = |op: usize, from, to| Block {
        first: 0,
        rows,
        stride: view.width,
        from,
        to,
        packed: context.compiled.packed_ops[op],
    };
    if run_ahead(&all[ops.start], context, block(ops.start, from, to)) {
        ops.start += 1;
    }
    let mut start = from;
    while start < to {
        let end = (start + width).min(to);
        for op in ops.clone() {
            run(&all[op], context, Part::Columns(block(op, start, end)));
        }
        start = end;
    }
}

/// Does operations on rows `from..to`, some rows at a time if there are several.
fn rows(context: &Context<'_>, ops: Range<usize>, view: View, (from, to): (usize, usize)) {
    let all = &context.plan().ops;
    let together = match ops.len() {
        1 => (to - from).max(1),
        _ => {
            let widths = all[ops.clone()].iter().filter_map(|op| match op.split() {
                Split::Rows(view) | Split::Columns(view) => Some(view.width),
                _ => None,
            });
            (KEPT / widths.max().unwrap_or(1).max(1)).max(LEAST_ROWS)
        }
    };
    // Rows that are summed by themselves begin anew, whatever the number of threads.
    let units = context.rows * view.positions;
    let chunks = chunks::within(&all[ops.clone()], units, 1, (from, to));
    let parts = chunks.flat_map(|(_, from, to)| {
        let starts = (from..to).step_by(together);
        starts.map(move |start| (start, to.min(start + together)))
    });
    for (start, end) in parts {
        for op in &all[ops.clone()] {
            let part = match op.split() {
                Split::Columns(view) => Part::Columns(Block {
                    first: start,
                    rows: end - start,
                    stride: view.width,
                    from: 0,
                    to: view.width,
                    packed: false,
                }),
                _ => Part::Rows(start, end),
            };
            run(op, context, part);
        }
    }
}
