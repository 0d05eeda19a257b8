//! The gradient of a weight matrix, block by block, and the update by each block as soon
//! as it is there.

use super::kernels::factors::{Lanes, Left, Target};
use super::kernels::normalized::NormalizedWeight;
use super::kernels::pack::PackLanes;
use super::kernels::product::{PairBlock, WeightBlock};
use super::kernels::sparse::LANES;
use super::layout::Laned;
use super::session::Context;
use super::simd::{Isa, PANEL, WIDEST, parts};
use super::weights::update;
use super::{pairs, pieces, sparse};
use crate::plan::op::{Factors, PIECES};
use crate::plan::{Buffer, Op};

/// Numbers of dy that are packed at a time: 512 KiB, half of the second cache.
const PACKED: usize = 131_072;

/// Numbers of x that are turned at a time: 128 KiB, an eighth of it.
const TURNED: usize = 32_768;

/// The most rows of the gradient that are made before they are used: those of a panel, with
/// their weights and slots, half of the first cache. Whole tiles.
const MADE: usize = 120;

/// Rows of the batch at a time: with more, all of x would be turned again for each few columns
/// that fit the second cache.
const BATCH: usize = 512;

/// How a group works through its part: columns and rows of dw at a time.
fn extent(batch: usize, of: &Factors) -> (usize, usize) {
    let batch = batch.clamp(1, BATCH);
    let columns = (PACKED / batch / PANEL).max(1) * PANEL;
    // Each part of x starts a lane.
    let rows = (TURNED / batch / PANEL).max(1) * PANEL;
    (columns.min(of.outputs), rows.min(of.inputs))
}

/// The numbers of scratch for packed dy, turned x, the rows made, a panel of dy, lists, and all
/// of the gradient, if it is made of parts of the batch.
fn sizes(batch: usize, of: &Factors) -> [usize; 6] {
    let (columns, rows) = extent(batch, of);
    let part = batch.min(BATCH);
    [
        // Products read whole lanes, also behind a narrow last one.
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
    let [packed, turned, made, panel, lists, _] = sizes(most, of);
    let x = context.left(*x, batch, of.inputs);
    // What is normalized is seldom zero, and its sums must be made in one way.
    let skips = pieces::of(followers, isa.width()).is_none()
        && sparse::pays(isa, x, batch.min(BATCH), of.inputs, to - from);
    let joins = !skips && pairs::pays(context, of.inputs, to - from);
    // SAFETY: `room` has counted all parts of the scratch.
    let (turned, made, panel, lists, all) = unsafe {
        let turned_at = context.scratch.add(packed);
        let made_at = turned_at.add(turned);
        let panel_at = made_at.add(made);
        let lists_at = panel_at.add(panel);
        (turned_at, made_at, panel_at, lists_at, lists_at.add(lists))
    };
    let kept = context.at(*dw);
    let pieces = pieces::within(followers, of.outputs, isa.width(), (from, to));
    let starts = pieces.flat_map(|(piece, from, to)| {
        let starts = (from..to).step_by(columns);
        starts.map(move |start| (piece, from, start, to))
    });
    for (piece, from, start, to) in starts {
        for begin in (0..batch).step_by(BATCH) {
            let part = Part {
                context,
                followers,
                matrix: Laned::new(of),
                gradient: if kept.is_null() && most > BATCH {
                    all
                } else {
                    kept
                },
                made,
                piece,
                fresh: from,
                start,
                dy: Lanes {
                    from: context.scratch,
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
                let part = part.signal(*dy, batch, begin);
                let batch_rows = (begin, BATCH.min(batch - begin));
                for first in (0..of.inputs).step_by(rows) {
                    let end = (first + rows).min(of.inputs);
                    let laned = match x {
                        _ if joins => {
                            let x = pairs::join(isa, x, batch_rows, (first, end), turned);
                            Some((x, first))
                        }
                        Left::Laned(x) if !skips && batch <= BATCH => Some((x, 0)),
                        _ => None,
                    };
                    if laned.is_none() {
                        sparse::turn(isa, x, batch_rows, (first, end), turned);
                    }
                    if skips {
                        let x = sparse::list(isa, turned, end - first, part.dy.rows, lists);
                        part.listed(&x, (first, end), panel);
                        continue;
                    }
                    part.dense((first, end), |row| match laned {
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

/// Some columns of the gradient, from `start` on.
struct Part<'a> {
    context: &'a Context<'a>,
    followers: &'a [Op],
    matrix: Laned,
    /// Where it is kept, or null.
    gradient: *mut f32,
    /// Where some rows are made if it is not.
    made: *mut f32,
    /// The number of the piece, and its first column.
    piece: usize,
    fresh: usize,
    start: usize,
    /// These columns of dy, and some rows, or pairs of them.
    dy: Lanes,
    /// Whether rows are joined to pairs.
    joins: bool,
    /// Whether there were rows before them.
    add: bool,
    /// Whether there are none behind them.
    last: bool,
}

impl Part<'_> {
    /// With the columns and rows of dy, from that row of `batch` on, lane by lane, as a product
    /// reads them: joined if it multiplies pairs, and with a lane's room behind the last.
    ///
    /// # Safety
    /// dy must have them, and the scratch room for them.
    unsafe fn signal(mut self, dy: Buffer, batch: usize, begin: usize) -> Self {
        let isa = self.context.isa;
        let Lanes { rows, columns, .. } = self.dy;
        let (packed, dy_at) = (self.context.scratch, self.context.at(dy));
        if self.joins {
            let all = self.context.left(dy, batch, self.matrix.columns);
            let columns = (self.start, self.start + columns);
            // SAFETY: the caller's promise.
            self.dy = unsafe { pairs::join(isa, all, (begin, rows), columns, packed) };
            return self;
        }
        // SAFETY: the caller's promise; lane by lane, the columns lie together.
        self.dy.from = unsafe {
            if !self.context.lies_laned(dy) {
                isa.run(PackLanes {
                    rows,
                    dy: dy_at.add(begin * self.matrix.columns + self.start),
                    dy_stride: self.matrix.columns,
                    width: columns,
                    to: packed,
                });
                packed
            } else if rows == batch && columns.is_multiple_of(isa.width()) {
                dy_at.add(self.start * batch)
            } else {
                for column in (0..columns).step_by(isa.width()) {
                    let width = isa.width().min(self.matrix.columns - self.start - column);
                    let from = dy_at.add((self.start + column) * batch + begin * width);
                    std::ptr::copy_nonoverlapping(from, packed.add(column * rows), rows * width);
                }
                packed
            }
        };
        self
    }

    /// Rows `first..end`, with x as it lies from a row of them on.
    ///
    /// # Safety
    /// x must have them, the scratch and the group's matrices too.
    unsafe fn dense(&self, (first, end): (usize, usize), x: impl Fn(usize) -> Left) {
        let isa = self.context.isa;
        let all = self.dy.columns;
        for (lane, lanes) in isa.panels(all.div_ceil(isa.width())) {
            let column = lane * isa.width();
            let columns = (lanes * isa.width()).min(all - column);
            for row in (first..end).step_by(MADE) {
                let rows = MADE.min(end - row);
                let dw = self.target((row, rows), (column, columns));
                let block = WeightBlock {
                    batch: self.dy.rows,
                    x: x(row),
                    rows,
                    dy: self.dy,
                    lane,
                    lanes,
                    dw,
                    add: self.add,
                };
                match self.joins {
                    true => isa.run_pairs(PairBlock(block)),
                    false => isa.run(block),
                }
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
                    x.product(isa, (row - first, rows), (panel, lanes), dw, self.add);
                    self.follow((row, rows), (column, columns), dw);
                }
            }
        }
    }

    /// Where rows and columns of the gradient are made.
    fn target(&self, (row, rows): (usize, usize), (column, columns): (usize, usize)) -> Target {
        if !self.gradient.is_null() {
            return self.inside(self.gradient, row, (column, columns));
        }
        let panel = Laned { rows, columns };
        // SAFETY: there is room for them.
        unsafe { target(self.context.isa, self.made, panel, 0, (0, columns)) }
    }

    /// Rows from `row` on, and columns of those that are made, of a matrix like the gradient.
    fn inside(&self, from: *mut f32, row: usize, (column, columns): (usize, usize)) -> Target {
        let columns = (self.start + column, columns);
        // SAFETY: the matrix has them.
        unsafe { target(self.context.isa, from, self.matrix, row, columns) }
    }

    /// What follows on rows and columns that are made.
    fn follow(&self, (row, rows): (usize, usize), (column, columns): (usize, usize), dw: Target) {
        if !self.last {
            return;
        }
        let isa = self.context.isa;
        let lanes = columns.div_ceil(isa.width());
        for op in self.followers {
            if let Op::NormalizedWeight { .. } = op {
                self.normalized(op, (row, rows), (column, columns), dw);
                continue;
            }
            for lane in 0..lanes {
                let first = self.start + column + lane * isa.width();
                let (at, width) = self.matrix.at(isa, row, first);
                // SAFETY: it has the lane.
                let dw = unsafe { dw.lane(lane, lanes) };
                update(self.context, op, at, rows * width, dw);
            }
        }
    }

    /// What is made becomes the gradient behind a batch that is normalized.
    fn normalized(
        &self,
        op: &Op,
        (row, rows): (usize, usize),
        (column, columns): (usize, usize),
        g: Target,
    ) {
        let Op::NormalizedWeight {
            w,
            gamma,
            beta,
            sums,
            parts,
            of,
            ..
        } = op
        else {
            unreachable!("{op:?} is no such gradient");
        };
        let context = self.context;
        let at_row = |b: &Buffer| context.at(*b).wrapping_add(row).cast_const();
        let piece = context
            .at(*parts)
            .wrapping_add(self.piece * of.inputs + row);
        context.isa.run(NormalizedWeight {
            rows,
            lanes: columns.div_ceil(context.isa.width()),
            g,
            w: self.inside(context.at(*w), row, (column, columns)),
            sums: context.at(*sums).wrapping_add(self.start + column),
            gamma: gamma.as_ref().map_or(std::ptr::null(), at_row),
            beta: beta.as_ref().map_or(std::ptr::null(), at_row),
            scales: piece,
            shifts: piece.wrapping_add(PIECES * of.inputs),
            add: self.start + column > self.fresh,
        });
    }
}

/// Where rows from `row` on, and columns, of a matrix lie.
///
/// # Safety
/// It must have them.
unsafe fn target(
    isa: Isa,
    from: *mut f32,
    matrix: Laned,
    row: usize,
    (column, columns): (usize, usize),
) -> Target {
    let width = isa.width();
    let before = (columns - 1) / width * width;
    // SAFETY: the caller's promise.
    let at = |column: usize| unsafe { from.add(matrix.at(isa, row, column).0) };
    Target {
        to: at(column),
        lane: matrix.rows * width,
        row: width,
        last: at(column + before),
        last_row: columns - before,
        last_width: columns - before,
    }
}
