//! The gradient of a weight matrix, block by block, and the update by each block as soon
//! as it is there.

use super::kernels::factors::{Lanes, Left, Target};
use super::kernels::pack::PackLanes;
use super::kernels::product::{WeightBlock, parts};
use super::kernels::sparse::{LANES, WIDEST};
use super::layout::Laned;
use super::session::Context;
use super::simd::PANEL;
use super::sparse;
use super::weights::update;
use crate::plan::op::Factors;
use crate::plan::{Buffer, Op};

/// Numbers of dy that are packed at a time: 512 KiB, half of the second cache.
const PACKED: usize = 131_072;

/// Numbers of x that are turned at a time: 128 KiB, an eighth of it.
const TURNED: usize = 32_768;

/// The most rows of the gradient that are made before they are used: those of a panel, with
/// their weights and slots, half of the first cache. Whole tiles.
const MADE: usize = 120;

/// How a group works through its part: columns and rows of dw at a time.
fn extent(batch: usize, of: &Factors) -> (usize, usize) {
    let columns = (PACKED / batch.max(1) / PANEL).max(1) * PANEL;
    let rows = (TURNED / batch.max(1) / 24).max(1) * 24;
    (columns.min(of.outputs), rows.min(of.inputs))
}

/// The numbers of scratch for packed dy, turned x, the rows made, a panel of dy, and lists.
fn sizes(batch: usize, of: &Factors) -> [usize; 5] {
    let (columns, rows) = extent(batch, of);
    [
        // Products read whole lanes, also behind a narrow last one.
        (batch * columns + PANEL).next_multiple_of(WIDEST),
        (rows * batch).next_multiple_of(WIDEST),
        MADE * LANES * WIDEST,
        sparse::panel_room(batch),
        sparse::turned_room(rows, batch),
    ]
}

/// The numbers of scratch that a group needs for a batch of so many rows.
pub(super) fn room(batch: usize, of: &Factors) -> usize {
    sizes(batch, of).iter().sum()
}

/// Columns `from..to` of a weight matrix: its gradient, and if the group has one
/// its update.
pub(super) fn run(context: &Context<'_>, ops: &[Op], from: usize, to: usize) {
    let Some((Op::ProductWeight { x, dy, dw, of }, followers)) = ops.split_first() else {
        unreachable!("the group starts with its product");
    };
    let isa = context.isa;
    let batch = context.rows * of.positions;
    // By the plan's rows, not the batch's: a short batch must not need more room.
    let most = context.plan.rows * of.positions;
    let (columns, rows) = extent(most, of);
    let [packed, turned, made, panel, _] = sizes(most, of);
    let x = match context.lanes(*x, batch, of.inputs) {
        None => Left::Plain(context.at(*x), of.inputs),
        Some(lanes) => Left::Laned(lanes),
    };
    let skips = sparse::pays(isa, x, batch, of.inputs, to - from);
    for start in (from..to).step_by(columns) {
        let width = columns.min(to - start);
        // SAFETY: `room` has counted all parts of the scratch; the rows and columns are
        // inside the matrices, and columns `from..to` are this task's.
        unsafe {
            let turned_at = context.scratch.add(packed);
            let part = Part {
                context,
                followers,
                matrix: Laned {
                    rows: of.inputs,
                    columns: of.outputs,
                },
                gradient: context.at(*dw),
                made: turned_at.add(turned),
                start,
                dy: signal(context, *dy, of, batch, start, width),
            };
            for first in (0..of.inputs).step_by(rows) {
                let end = (first + rows).min(of.inputs);
                if skips || matches!(x, Left::Plain(..)) {
                    sparse::turn(isa, x, batch, (first, end), turned_at);
                }
                if skips {
                    let panel_at = part.made.add(made);
                    let lists = panel_at.add(panel);
                    let x = sparse::list(isa, turned_at, end - first, batch, lists);
                    part.listed(&x, (first, end), panel_at);
                    continue;
                }
                part.dense((first, end), |row| match x {
                    Left::Laned(lanes) => Left::Columns(lanes, row),
                    _ => Left::Plain(turned_at.add((row - first) * batch), batch),
                });
            }
        }
    }
}

/// Some columns of the gradient, from `start` on.
struct Part<'a> {
    context: &'a Context<'a>,
    followers: &'a [Op],
    matrix: Laned,
    /// Where it is kept, or null.
    gradient: *mut f32,
    /// Where some rows are made if it is not.
    made: *mut f32,
    start: usize,
    /// These columns of dy.
    dy: Lanes,
}

impl Part<'_> {
    /// Rows `first..end`, with x as it lies from a row of them on.
    ///
    /// # Safety
    /// x must have them, the scratch and the group's matrices too.
    unsafe fn dense(&self, (first, end): (usize, usize), x: impl Fn(usize) -> Left) {
        let isa = self.context.isa;
        for column in (0..self.dy.columns).step_by(isa.panel()) {
            for row in (first..end).step_by(MADE) {
                let rows = MADE.min(end - row);
                let columns = isa.panel().min(self.dy.columns - column);
                let dw = self.target((row, rows), (column, columns));
                isa.run(WeightBlock {
                    batch: self.dy.rows,
                    x: x(row),
                    rows,
                    dy: self.dy,
                    lane: column / isa.width(),
                    lanes: columns.div_ceil(isa.width()),
                    dw,
                });
                self.follow((row, rows), (column, columns), dw);
            }
        }
    }

    /// Rows `first..end`, from the listed rows of x.
    ///
    /// # Safety
    /// As for `dense`; there must be room for a panel.
    unsafe fn listed(&self, x: &sparse::Listed, (first, end): (usize, usize), panel: *mut f32) {
        let isa = self.context.isa;
        let all = self.dy.columns;
        for (lane, lanes) in parts(all.div_ceil(isa.width()), LANES) {
            let column = lane * isa.width();
            let columns = (lanes * isa.width()).min(all - column);
            // SAFETY: the caller's promise.
            unsafe {
                sparse::panel(isa, self.dy, lane, lanes, panel);
                for row in (first..end).step_by(MADE) {
                    let rows = MADE.min(end - row);
                    let dw = self.target((row, rows), (column, columns));
                    x.product(isa, (row - first, rows), (panel, lanes), dw);
                    self.follow((row, rows), (column, columns), dw);
                }
            }
        }
    }

    /// Where rows and columns of the gradient are made.
    fn target(&self, (row, rows): (usize, usize), (column, columns): (usize, usize)) -> Target {
        let width = self.context.isa.width();
        let before = (columns - 1) / width * width;
        let at = |column: usize| {
            let (at, _) = self.matrix.at(self.context.isa, row, self.start + column);
            // SAFETY: inside the gradient.
            unsafe { self.gradient.add(at) }
        };
        let (to, last, rows) = match self.gradient.is_null() {
            // SAFETY: inside what is made.
            true => (self.made, unsafe { self.made.add(before * rows) }, rows),
            false => (at(column), at(column + before), self.matrix.rows),
        };
        Target {
            to,
            lane: rows * width,
            row: width,
            last,
            last_row: columns - before,
            last_width: columns - before,
        }
    }

    /// What follows on rows and columns that are made.
    fn follow(&self, (row, rows): (usize, usize), (column, columns): (usize, usize), dw: Target) {
        let isa = self.context.isa;
        let lanes = columns.div_ceil(isa.width());
        for op in self.followers {
            for lane in 0..lanes {
                let first = self.start + column + lane * isa.width();
                let (at, width) = self.matrix.at(isa, row, first);
                // SAFETY: it has the lane.
                let dw = unsafe { dw.lane(lane, lanes) };
                update(self.context, op, at, rows * width, dw);
            }
        }
    }
}

/// Columns of dy, lane by lane, as a product reads them: with a lane's room behind the
/// last.
///
/// # Safety
/// dy must have the columns, and the scratch room for them.
unsafe fn signal(
    context: &Context<'_>,
    dy: Buffer,
    of: &Factors,
    batch: usize,
    start: usize,
    width: usize,
) -> Lanes {
    let packed = context.scratch;
    // SAFETY: the caller's promise; lane by lane, the columns lie together.
    let from = unsafe {
        let dy_at = context.at(dy);
        if !context.lies_laned(dy) {
            context.isa.run(PackLanes {
                rows: batch,
                dy: dy_at.add(start),
                dy_stride: of.outputs,
                width,
                to: packed,
            });
            packed
        } else if width.is_multiple_of(context.isa.width()) {
            dy_at.add(start * batch)
        } else {
            let columns = dy_at.add(start * batch);
            std::ptr::copy_nonoverlapping(columns, packed, width * batch);
            packed
        }
    };
    Lanes {
        from,
        rows: batch,
        columns: width,
    }
}
