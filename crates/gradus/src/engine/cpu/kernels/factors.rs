//! The factors of a product, as they lie in memory.

use crate::engine::cpu::simd::Simd;

/// A panel-packed matrix: the first lane's columns row after row,
/// then the next columns; the last lane may be narrower.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Lanes {
    pub from: *const f32,
    pub rows: usize,
    pub columns: usize,
}

impl Lanes {
    /// The columns of the n-th lane.
    #[inline(always)]
    pub(super) fn width<L: Simd>(self, n: usize) -> usize {
        (self.columns - n * L::WIDTH).min(L::WIDTH)
    }

    /// A row of the n-th lane.
    ///
    /// # Safety
    /// The matrix must have that row.
    #[inline(always)]
    pub(super) unsafe fn at<L: Simd>(self, n: usize, row: usize) -> *const f32 {
        // SAFETY: inside the matrix, by the caller's promise.
        unsafe {
            self.from
                .add(n * L::WIDTH * self.rows + row * self.width::<L>(n))
        }
    }
}

/// The first factor of a product.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) enum Left {
    /// A matrix row after row: where it starts, and how far it is from a row to the next.
    Plain(*const f32, usize),
    /// A panel-packed matrix.
    PanelPacked(Lanes),
    /// The columns, from that one on, of a panel-packed matrix, as rows.
    Columns(Lanes, usize),
}

impl Left {
    /// Where numbers from the `k`-th on of `ROWS` rows are, how far it is from one to the
    /// next, and how many lie so.
    ///
    /// # Safety
    /// The matrix must have the rows and `depth` numbers from the `k`-th on, and `k`
    /// start a lane.
    #[inline(always)]
    pub(super) unsafe fn numbers<L: Simd, const ROWS: usize>(
        self,
        row: usize,
        k: usize,
        depth: usize,
    ) -> ([*const f32; ROWS], usize, usize) {
        let mut at = [std::ptr::null(); ROWS];
        // SAFETY: inside the matrix, by the caller's promise.
        unsafe {
            match self {
                Left::Plain(from, stride) => {
                    for (i, at) in at.iter_mut().enumerate() {
                        *at = from.add((row + i) * stride + k);
                    }
                    (at, 1, depth)
                }
                Left::PanelPacked(lanes) => {
                    let lane = k / L::WIDTH;
                    for (i, at) in at.iter_mut().enumerate() {
                        *at = lanes.at::<L>(lane, row + i);
                    }
                    (at, 1, lanes.width::<L>(lane).min(depth))
                }
                Left::Columns(lanes, first) => {
                    let mut step = 0;
                    for (i, at) in at.iter_mut().enumerate() {
                        let column = first + row + i;
                        let lane = column / L::WIDTH;
                        step = lanes.width::<L>(lane);
                        *at = lanes.at::<L>(lane, k).add(column % L::WIDTH);
                    }
                    (at, step, depth)
                }
            }
        }
    }

    /// How many of the first `rows` rows have their numbers equally far apart.
    #[inline(always)]
    pub(super) fn alike<L: Simd>(self, rows: usize) -> usize {
        match self {
            Left::Columns(lanes, first) => {
                let whole = lanes.columns / L::WIDTH * L::WIDTH;
                whole.saturating_sub(first).min(rows)
            }
            _ => rows,
        }
    }
}

/// The second factor of a product.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) enum Right {
    /// The matrix itself.
    Plain(Lanes),
    /// Its rows as columns.
    Transposed(Lanes),
}

/// Some lanes of columns of a product, as they lie in memory.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Target {
    pub to: *mut f32,
    /// From a lane to the next.
    pub lane: usize,
    /// From a row to the next.
    pub row: usize,
    /// The last lane, which may be narrower, and so have its rows closer together.
    pub last: *mut f32,
    pub last_row: usize,
    pub last_width: usize,
}

impl Target {
    /// The n-th of so many lanes.
    ///
    /// # Safety
    /// There must be so many.
    #[inline(always)]
    pub unsafe fn lane(&self, n: usize, lanes: usize) -> *mut f32 {
        match n + 1 == lanes {
            true => self.last,
            // SAFETY: the caller's promise.
            false => unsafe { self.to.add(n * self.lane) },
        }
    }
}
