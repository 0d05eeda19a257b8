//! Matrix products: panels of a few lanes of columns, packed so that a panel
//! stays in the first cache while every row passes over it.

use crate::engine::cpu::simd::{Kernel, PANEL, Simd};

/// Rows of a packed panel: with two AVX2 lanes, 16 KiB.
const DEPTH: usize = 256;

/// The second factor of a product.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) enum Right {
    /// Number (k, n) is at k · stride + n.
    Rows { from: *const f32, stride: usize },
    /// Number (k, n) is at n · stride + k.
    Columns { from: *const f32, stride: usize },
}

/// c = a · b for the columns `from..to` of c.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Product {
    /// Rows of a and c.
    pub rows: usize,
    /// Columns of a, rows of b.
    pub depth: usize,
    pub a: *const f32,
    /// From a row of a to the next.
    pub a_stride: usize,
    pub b: Right,
    pub c: *mut f32,
    /// From a row of c to the next.
    pub c_stride: usize,
    pub from: usize,
    pub to: usize,
    /// Room for `pack_size` numbers.
    pub pack: *mut f32,
}

/// The most numbers that a lane has on any processor.
const WIDEST: usize = 16;

/// How many numbers of room a product needs for packing.
pub(in crate::engine::cpu) const PACK_SIZE: usize = DEPTH * PANEL;

impl Kernel for Product {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let total = (self.to - self.from).div_ceil(L::WIDTH);
        let panels = total.div_ceil(L::TILE_LANES);
        let mut column = self.from;
        for panel in 0..panels {
            // Panels as equal as can be: a thin one would not fill the pipeline.
            let lanes = total * (panel + 1) / panels - total * panel / panels;
            let width = (lanes * L::WIDTH).min(self.to - column);
            for k in (0..self.depth).step_by(DEPTH) {
                let depth = DEPTH.min(self.depth - k);
                // SAFETY: the columns are inside c and b, the depth inside a and
                // b, and `pack` has room for DEPTH rows of TILE_LANES lanes.
                unsafe {
                    match self.b {
                        Right::Rows { from, stride } => {
                            let from = from.add(k * stride + column);
                            pack_rows::<L>(from, stride, depth, width, self.pack, lanes * L::WIDTH);
                        }
                        Right::Columns { from, stride } => {
                            let from = from.add(column * stride + k);
                            pack_columns::<L>(
                                from,
                                stride,
                                depth,
                                width,
                                self.pack,
                                lanes * L::WIDTH,
                            );
                        }
                    }
                    let tiles = Tiles {
                        rows: self.rows,
                        depth,
                        a: self.a.add(k),
                        a_stride: self.a_stride,
                        b: self.pack,
                        c: self.c.add(column),
                        c_stride: self.c_stride,
                        width,
                        add: k > 0,
                    };
                    tiles.run::<L, false>(lanes);
                }
            }
            column += width;
        }
    }
}

/// Copies `width` ≤ `lanes_width` columns of `depth` rows, zeros behind them.
///
/// # Safety
/// `from` must be readable and `to` writable for that.
#[inline(always)]
pub(super) unsafe fn pack_rows<L: Simd>(
    from: *const f32,
    stride: usize,
    depth: usize,
    width: usize,
    to: *mut f32,
    lanes_width: usize,
) {
    for k in 0..depth {
        let mut i = 0;
        while i < lanes_width {
            let there = width.saturating_sub(i).min(L::WIDTH);
            // SAFETY: `there` numbers are readable, a lane is writable.
            unsafe {
                L::load_n(from.add(k * stride + i), there).store(to.add(k * lanes_width + i))
            };
            i += L::WIDTH;
        }
    }
}

/// As `pack_rows`, from columns that lie as rows.
///
/// # Safety
/// `from` must be readable and `to` writable for that.
#[inline(always)]
unsafe fn pack_columns<L: Simd>(
    from: *const f32,
    stride: usize,
    depth: usize,
    width: usize,
    to: *mut f32,
    lanes_width: usize,
) {
    // SAFETY: every place read is below `width` rows of `depth` numbers, every
    // place written below `depth` rows of `lanes_width`.
    unsafe {
        let mut column = 0;
        while column < lanes_width {
            let there = width.saturating_sub(column).min(L::WIDTH);
            let mut k = 0;
            if there == L::WIDTH {
                while k + L::WIDTH <= depth {
                    let square = from.add(column * stride + k);
                    L::transpose(
                        square,
                        stride,
                        to.add(k * lanes_width + column),
                        lanes_width,
                    );
                    k += L::WIDTH;
                }
            }
            while k < depth {
                for i in 0..L::WIDTH {
                    let x = if i < there {
                        *from.add((column + i) * stride + k)
                    } else {
                        0.0
                    };
                    *to.add(k * lanes_width + column + i) = x;
                }
                k += 1;
            }
            column += L::WIDTH;
        }
    }
}

/// All tiles of one panel.
#[derive(Clone, Copy)]
pub(super) struct Tiles {
    pub rows: usize,
    pub depth: usize,
    pub a: *const f32,
    /// From a row of a to the next; 0 if the tile's numbers of one step lie
    /// together, as [`WeightBlock`] packs them.
    pub a_stride: usize,
    pub b: *const f32,
    pub c: *mut f32,
    pub c_stride: usize,
    pub width: usize,
    pub add: bool,
}

impl Tiles {
    /// # Safety
    /// a, b and c must be readable and writable for the rows, depth and width.
    #[inline(always)]
    pub unsafe fn run<L: Simd, const PACKED: bool>(self, lanes: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match lanes {
                1 => self.rows_of::<L, 1, PACKED>(),
                2 => self.rows_of::<L, 2, PACKED>(),
                _ if L::TILE_LANES == 3 => self.rows_of::<L, 3, PACKED>(),
                _ => unreachable!("a tile has at most TILE_LANES lanes"),
            }
        }
    }

    #[inline(always)]
    unsafe fn rows_of<L: Simd, const LANES: usize, const PACKED: bool>(self) {
        // Tiles as equal as can be: a flat one would not fill the pipeline.
        let tiles = self.rows.div_ceil(L::TILE_ROWS);
        for tile in 0..tiles {
            let row = self.rows * tile / tiles;
            // SAFETY: the tiles cover the rows, by the caller's promise.
            unsafe {
                match self.rows * (tile + 1) / tiles - row {
                    1 => self.tile::<L, 1, LANES, PACKED>(row),
                    2 => self.tile::<L, 2, LANES, PACKED>(row),
                    3 => self.tile::<L, 3, LANES, PACKED>(row),
                    4 => self.tile::<L, 4, LANES, PACKED>(row),
                    5 if L::TILE_ROWS >= 5 => self.tile::<L, 5, LANES, PACKED>(row),
                    6 if L::TILE_ROWS >= 6 => self.tile::<L, 6, LANES, PACKED>(row),
                    7 if L::TILE_ROWS >= 7 => self.tile::<L, 7, LANES, PACKED>(row),
                    8 if L::TILE_ROWS >= 8 => self.tile::<L, 8, LANES, PACKED>(row),
                    _ => unreachable!("a tile has at most TILE_ROWS rows"),
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<L: Simd, const ROWS: usize, const LANES: usize, const PACKED: bool>(
        self,
        row: usize,
    ) {
        let mut sums = [[L::zero(); LANES]; ROWS];
        // SAFETY: rows `row..row + ROWS` of a and c, `depth` rows of the packed
        // b and `width` columns of c are there, by the caller's promise.
        unsafe {
            // A pointer for each row: adding strides up would take longer than
            // the products.
            let mut a = [self.a; ROWS];
            for (i, a) in a.iter_mut().enumerate() {
                *a = a.add(if PACKED { i } else { (row + i) * self.a_stride });
            }
            let step = if PACKED { ROWS } else { 1 };
            let mut b = self.b;
            for k in 0..self.depth {
                let mut right = [L::zero(); LANES];
                for (j, lane) in right.iter_mut().enumerate() {
                    *lane = L::load(b.add(j * L::WIDTH));
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    let left = L::splat(*a[i].add(k * step));
                    for (sum, right) in sums.iter_mut().zip(right) {
                        *sum = left.mul_add(right, *sum);
                    }
                }
                b = b.add(LANES * L::WIDTH);
            }
            for (i, sums) in sums.iter().enumerate() {
                let c = self.c.add((row + i) * self.c_stride);
                for (j, sum) in sums.iter().enumerate() {
                    let count = self.width.saturating_sub(j * L::WIDTH).min(L::WIDTH);
                    let c = c.add(j * L::WIDTH);
                    let old = if self.add {
                        L::load_n(c, count)
                    } else {
                        L::zero()
                    };
                    (*sum + old).store_n(c, count);
                }
            }
        }
    }
}

/// Rows `from..to` of dw = xᵀ · dy, for `width` columns of dy.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct WeightBlock {
    /// Rows of x and dy.
    pub rows: usize,
    pub x: *const f32,
    pub x_stride: usize,
    /// Panels of dy, as [`PackRight`] left them.
    pub packed: *const f32,
    pub from: usize,
    pub to: usize,
    pub width: usize,
    /// Where row `from` goes.
    pub dw: *mut f32,
    pub dw_stride: usize,
    /// Room for `rows` · (`to` - `from`) numbers.
    pub pack: *mut f32,
}

impl Kernel for WeightBlock {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        // x's columns as tiles of rows: a tile's numbers of one row lie together.
        for row in (self.from..self.to).step_by(L::TILE_ROWS) {
            let tile = L::TILE_ROWS.min(self.to - row);
            // SAFETY: x has the columns `row..row + tile`, and `pack` has room
            // for `rows` numbers of each row before and in this tile.
            unsafe {
                let to = self.pack.add((row - self.from) * self.rows);
                for m in 0..self.rows {
                    let x = self.x.add(m * self.x_stride + row);
                    for i in 0..tile {
                        *to.add(m * tile + i) = *x.add(i);
                    }
                }
            }
        }
        let total = self.width.div_ceil(L::WIDTH);
        let panels = total.div_ceil(L::TILE_LANES);
        let (mut column, mut packed) = (0, self.packed);
        for panel in 0..panels {
            let lanes = total * (panel + 1) / panels - total * panel / panels;
            let width = (lanes * L::WIDTH).min(self.width - column);
            for row in (self.from..self.to).step_by(L::TILE_ROWS) {
                let tile = L::TILE_ROWS.min(self.to - row);
                // SAFETY: the tile was packed above; dw has the row and column.
                unsafe {
                    let tiles = Tiles {
                        rows: tile,
                        depth: self.rows,
                        a: self.pack.add((row - self.from) * self.rows),
                        a_stride: 0,
                        b: packed,
                        c: self.dw.add((row - self.from) * self.dw_stride + column),
                        c_stride: self.dw_stride,
                        width,
                        add: false,
                    };
                    tiles.run::<L, true>(lanes);
                }
            }
            // SAFETY: `packed` has room for all panels.
            packed = unsafe { packed.add(self.rows * lanes * L::WIDTH) };
            column += width;
        }
    }
}

/// Packs `width` columns of dy into panels for [`WeightBlock`].
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct PackRight {
    pub rows: usize,
    pub dy: *const f32,
    pub dy_stride: usize,
    pub width: usize,
    /// Room for `rows` · (`width` + WIDEST) numbers.
    pub to: *mut f32,
}

impl PackRight {
    /// How many numbers of room it needs.
    pub fn size(rows: usize, width: usize) -> usize {
        rows * width.next_multiple_of(WIDEST)
    }
}

impl Kernel for PackRight {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let total = self.width.div_ceil(L::WIDTH);
        let panels = total.div_ceil(L::TILE_LANES);
        let (mut column, mut to) = (0, self.to);
        for panel in 0..panels {
            let lanes = total * (panel + 1) / panels - total * panel / panels;
            let width = (lanes * L::WIDTH).min(self.width - column);
            // SAFETY: the columns are inside dy, and `to` has room for all panels.
            unsafe {
                let from = self.dy.add(column);
                pack_rows::<L>(from, self.dy_stride, self.rows, width, to, lanes * L::WIDTH);
                to = to.add(self.rows * lanes * L::WIDTH);
            }
            column += width;
        }
    }
}
