//! Some columns of a weight's gradient, made panel by panel.

use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::factors::{Lanes, Left, Target};
use crate::engine::cpu::kernels::pack::PackLanes;
use crate::engine::cpu::kernels::product::{PairBlock, WeightBlock};
use crate::engine::cpu::kernels::sparse::LANES;
use crate::engine::cpu::packed::PanelPacked;
use crate::engine::cpu::simd::parts;
use crate::engine::cpu::{pairs, sparse};
use crate::plan::Buffer;

/// Limit of gradient rows computed before they are used: a panel's rows with their weights and
/// slots take half of the first-level cache. Whole tiles.
pub(super) const MADE: usize = 120;

/// Some columns of the gradient, from `start` on.
pub(super) struct Columns<'a, F> {
    pub context: &'a Context<'a>,
    /// Does the operations that follow on a panel.
    pub follow: &'a F,
    pub matrix: PanelPacked,
    /// The memory where it is kept, or null.
    pub gradient: *mut f32,
    /// The memory where some rows are made if it is not kept.
    pub made: *mut f32,
    /// The number of the chunk, and its first column.
    pub chunk: usize,
    pub chunk_start: usize,
    pub start: usize,
    /// These columns of dy, and some rows, or pairs of them.
    pub dy: Lanes,
    /// True if rows are joined to pairs.
    pub joins: bool,
    /// True if there were rows before them.
    pub add: bool,
    /// True if there are none behind them.
    pub last: bool,
}

/// Rows and lanes of a weight's gradient that are made together.
#[derive(Clone, Copy)]
pub(in crate::engine::cpu) struct Panel {
    pub row: usize,
    pub rows: usize,
    /// The first lane, of the columns of dy that are gone over together.
    lane: usize,
    pub lanes: usize,
    /// First column of the whole matrix.
    pub column: usize,
    /// Their memory.
    pub dw: Target,
    /// The layout of the variable.
    pub matrix: PanelPacked,
    /// The number of the chunk, and its first column.
    pub chunk: usize,
    pub chunk_start: usize,
}

impl<F: Fn(&Panel)> Columns<'_, F> {
    /// With the columns and rows of dy, from that row of `batch` on, panel-packed, as a product
    /// reads them: joined if it multiplies pairs, and with a lane's room behind the last.
    ///
    /// # Safety
    /// dy must have them, and the scratch room for them.
    pub unsafe fn packed_gradient(mut self, dy: Buffer, batch: usize, begin: usize) -> Self {
        let isa = self.context.isa;
        let Lanes { rows, columns, .. } = self.dy;
        let (packed, dy_at) = (self.dy.from.cast_mut(), self.context.at(dy));
        if self.joins {
            let all = self.context.left(dy, batch, self.matrix.columns);
            let columns = (self.start, self.start + columns);
            // SAFETY: the caller's promise.
            self.dy = unsafe { pairs::join(isa, all, (begin, rows), columns, packed) };
            return self;
        }
        // SAFETY: the caller's promise; panel-packed, the columns lie together.
        self.dy.from = unsafe {
            if !self.context.is_packed(dy) {
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

    /// Computes rows `first..end`, with x in place from the first of them on.
    ///
    /// # Safety
    /// x must have them, the scratch memory and the group's matrices too.
    pub unsafe fn dense(&self, rows: (usize, usize), x: impl Fn(usize) -> Left) {
        let isa = self.context.isa;
        let panels = isa.panels(self.dy.columns.div_ceil(isa.width()));
        self.each(panels, rows, |made| {
            let block = WeightBlock {
                batch: self.dy.rows,
                x: x(made.row),
                rows: made.rows,
                dy: self.dy,
                lane: made.lane,
                lanes: made.lanes,
                dw: made.dw,
                add: self.add,
            };
            match self.joins {
                true => isa.run_pairs(PairBlock(block)),
                false => isa.run(block),
            }
        });
    }

    /// Computes rows `first..end`, from the listed rows of x.
    ///
    /// # Safety
    /// As for `dense`; there must be room for a panel.
    pub unsafe fn listed(&self, x: &sparse::Listed, rows: (usize, usize), panel: *mut f32) {
        let isa = self.context.isa;
        let panels = parts(self.dy.columns.div_ceil(isa.width()), LANES);
        // SAFETY: the caller's promise.
        self.each(panels, rows, |made| unsafe {
            let row = made.row - rows.0;
            if row == 0 {
                sparse::panel(isa, self.dy, made.lane, made.lanes, panel);
            }
            let panel = (panel.cast_const(), made.lanes);
            x.product(isa, (row, made.rows), panel, made.dw, self.add);
        });
    }

    /// Computes rows `first..end`, panel by panel, some rows at a time, by `make`; the operations
    /// after it run while they are in the first-level cache.
    fn each(
        &self,
        panels: impl Iterator<Item = (usize, usize)>,
        (first, end): (usize, usize),
        make: impl Fn(Panel),
    ) {
        let width = self.context.isa.width();
        for (lane, lanes) in panels {
            let before = lane * width;
            let columns = (lanes * width).min(self.dy.columns - before);
            for row in (first..end).step_by(MADE) {
                let rows = MADE.min(end - row);
                let column = self.start + before;
                let made = Panel {
                    row,
                    rows,
                    lane,
                    lanes,
                    column,
                    dw: self.target((row, rows), (column, columns)),
                    matrix: self.matrix,
                    chunk: self.chunk,
                    chunk_start: self.chunk_start,
                };
                make(made);
                if self.last {
                    (self.follow)(&made);
                }
            }
        }
    }

    /// The memory where rows and columns of the gradient are made.
    fn target(&self, (row, rows): (usize, usize), (column, columns): (usize, usize)) -> Target {
        let isa = self.context.isa;
        let panel = PanelPacked { rows, columns };
        // SAFETY: the gradient has them, and there is room for what is made.
        unsafe {
            match self.gradient.is_null() {
                true => panel.target(isa, self.made, 0, (0, columns)),
                false => self
                    .matrix
                    .target(isa, self.gradient, row, (column, columns)),
            }
        }
    }
}
