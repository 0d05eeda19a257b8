//! Matrix products. The second factor lies lane by lane of columns, so that the
//! innermost loop reads it from front to back; what does not lie so is packed.

use super::columns::Block;
use super::factors::{Lanes, Left, Right, Target};
use super::pack::pack_transposed;
use crate::engine::cpu::simd::{Kernel, Simd, WIDEST, panels, parts};

/// Rows of the second factor that are multiplied at a time: with two AVX2
/// lanes, 25 KiB, which stay in the first cache while every row passes over them.
const DEPTH: usize = 400;

/// The most lanes of columns that a tile has on any processor.
const MOST_LANES: usize = 3;

/// How many numbers of room a product needs for packing.
pub(in crate::engine::cpu) const PACK_SIZE: usize = DEPTH * MOST_LANES * WIDEST;

/// c = a · b for some rows of c and the block's columns.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Product {
    /// Columns of a, rows of b.
    pub depth: usize,
    pub a: Left,
    pub b: Right,
    pub c: *mut f32,
    pub block: Block,
    /// Where the rows start, and how many there are.
    pub rows: (usize, usize),
    /// Room for `PACK_SIZE` numbers.
    pub pack: *mut f32,
}

impl Kernel for Product {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let Block { from, to, .. } = self.block;
        let (row, rows) = self.rows;
        let first = from / L::WIDTH;
        let count = (to - from).div_ceil(L::WIDTH);
        let step = even(self.depth, DEPTH);
        for (lane, lanes) in panels(count, L::TILE_LANES, L::WIDE_TILE_ROWS > 0) {
            let lane = first + lane;
            for k in (0..self.depth).step_by(step) {
                let depth = step.min(self.depth - k);
                let mut tiles = Tiles {
                    depth,
                    a: self.a,
                    first: k,
                    b: [Stream::NONE; MOST_LANES],
                    c: [Sums::NONE; MOST_LANES],
                    add: k > 0,
                };
                for i in 0..lanes {
                    let column = (lane + i) * L::WIDTH;
                    // SAFETY: the columns are inside b and c, the depth inside
                    // b, and `pack` has room for `DEPTH` rows of each lane.
                    unsafe {
                        tiles.b[i] = match self.b {
                            Right::Plain(b) => Stream {
                                from: b.at::<L>(lane + i, k),
                                step: b.width::<L>(lane + i),
                            },
                            Right::Transposed(b) => {
                                let to = self.pack.add(i * depth * L::WIDTH);
                                pack_transposed::<L>(b, column, k, depth, to);
                                Stream {
                                    from: to,
                                    step: L::WIDTH,
                                }
                            }
                        };
                        let width = L::WIDTH.min(to - column);
                        let (start, stride) = self.block.lane(column, width);
                        tiles.c[i] = Sums {
                            to: self.c.add(start),
                            stride,
                            width,
                        };
                    }
                }
                // SAFETY: as above; a and c have the rows.
                unsafe { tiles.run::<L>(lanes, row, rows) };
            }
        }
    }
}

/// The step that cuts `n` into equal parts of at most `most`, a multiple of the
/// widest lane as `most` is.
#[inline(always)]
fn even(n: usize, most: usize) -> usize {
    n.div_ceil(n.div_ceil(most).max(1)).next_multiple_of(WIDEST)
}

/// A lane of the second factor: `step` numbers from a row to the next.
#[derive(Clone, Copy)]
struct Stream {
    from: *const f32,
    step: usize,
}

impl Stream {
    const NONE: Self = Stream {
        from: std::ptr::null(),
        step: 0,
    };
}

/// A lane of the result: `width` columns, `stride` numbers from a row to the next.
#[derive(Clone, Copy)]
struct Sums {
    to: *mut f32,
    stride: usize,
    width: usize,
}

impl Sums {
    const NONE: Self = Sums {
        to: std::ptr::null_mut(),
        stride: 0,
        width: 0,
    };
}

/// All tiles of one panel.
#[derive(Clone, Copy)]
struct Tiles {
    depth: usize,
    a: Left,
    /// The first of a row's numbers to multiply.
    first: usize,
    b: [Stream; MOST_LANES],
    c: [Sums; MOST_LANES],
    /// Whether to go on with the sums that are there.
    add: bool,
}

impl Tiles {
    /// Some rows from `start` on.
    ///
    /// # Safety
    /// a and c must be readable and writable for the rows, depth and width; of
    /// the b in use whole lanes must be readable, also where it is narrower.
    #[inline(always)]
    unsafe fn run<L: Simd>(self, lanes: usize, start: usize, rows: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match lanes {
                1 => self.rows_of::<L, 1>(start, rows),
                2 => self.rows_of::<L, 2>(start, rows),
                _ if L::TILE_LANES == 3 => self.rows_of::<L, 3>(start, rows),
                _ if L::WIDE_TILE_ROWS > 0 => self.rows_of::<L, 3>(start, rows),
                _ => unreachable!("no tile has so many lanes"),
            }
        }
    }

    #[inline(always)]
    unsafe fn rows_of<L: Simd, const LANES: usize>(self, start: usize, rows: usize) {
        let most = if LANES > L::TILE_LANES {
            L::WIDE_TILE_ROWS
        } else {
            L::TILE_ROWS
        };
        for (row, rows) in parts(rows, most) {
            let row = start + row;
            // SAFETY: the tiles cover the rows, by the caller's promise.
            unsafe {
                match rows {
                    1 => self.tile::<L, 1, LANES>(row),
                    2 => self.tile::<L, 2, LANES>(row),
                    3 => self.tile::<L, 3, LANES>(row),
                    4 => self.tile::<L, 4, LANES>(row),
                    5 if most >= 5 => self.tile::<L, 5, LANES>(row),
                    6 if most >= 6 => self.tile::<L, 6, LANES>(row),
                    7 if most >= 7 => self.tile::<L, 7, LANES>(row),
                    8 if most >= 8 => self.tile::<L, 8, LANES>(row),
                    _ => unreachable!("a tile has at most TILE_ROWS rows"),
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<L: Simd, const ROWS: usize, const LANES: usize>(self, row: usize) {
        // SAFETY: rows `row..row + ROWS` of a and c, `depth` rows of b and the
        // columns of c are there, by the caller's promise.
        unsafe {
            let whole = self.c[..LANES].iter().all(|c| c.width == L::WIDTH);
            let mut sums = [[L::zero(); LANES]; ROWS];
            if self.add && whole {
                for (i, sums) in sums.iter_mut().enumerate() {
                    for (sum, c) in sums.iter_mut().zip(&self.c) {
                        *sum = L::load(c.to.add((row + i) * c.stride));
                    }
                }
            } else if self.add {
                self.load_narrow(row, &mut sums);
            }
            let mut b = [std::ptr::null(); LANES];
            for (b, stream) in b.iter_mut().zip(&self.b) {
                *b = stream.from;
            }
            let mut done = 0;
            while done < self.depth {
                // A pointer for each row: adding strides up would take longer than
                // the products.
                let (a, step, length) =
                    self.a
                        .numbers::<L, ROWS>(row, self.first + done, self.depth - done);
                done += length;
                for k in 0..length {
                    let mut right = [L::zero(); LANES];
                    for (j, lane) in right.iter_mut().enumerate() {
                        *lane = L::load(b[j]);
                        b[j] = b[j].add(self.b[j].step);
                    }
                    for (i, sums) in sums.iter_mut().enumerate() {
                        let left = L::splat(*a[i].add(k * step));
                        for (sum, right) in sums.iter_mut().zip(right) {
                            *sum = left.mul_add(right, *sum);
                        }
                    }
                }
            }
            if whole {
                for (i, sums) in sums.into_iter().enumerate() {
                    for (sum, c) in sums.into_iter().zip(&self.c) {
                        sum.store(c.to.add((row + i) * c.stride));
                    }
                }
            } else {
                self.store_narrow(row, sums);
            }
        }
    }

    /// Loads the sums of a tile whose last lane is narrower.
    ///
    /// # Safety
    /// c must be readable for the rows.
    #[inline(always)]
    unsafe fn load_narrow<L: Simd, const ROWS: usize, const LANES: usize>(
        self,
        row: usize,
        sums: &mut [[L; LANES]; ROWS],
    ) {
        for (i, sums) in sums.iter_mut().enumerate() {
            for (sum, c) in sums.iter_mut().zip(&self.c) {
                // SAFETY: the caller's promise.
                *sum = unsafe { L::load_n(c.to.add((row + i) * c.stride), c.width) };
            }
        }
    }

    /// Stores the sums of a tile whose last lane is narrower.
    ///
    /// # Safety
    /// c must be writable for the rows.
    #[inline(always)]
    unsafe fn store_narrow<L: Simd, const ROWS: usize, const LANES: usize>(
        self,
        row: usize,
        sums: [[L; LANES]; ROWS],
    ) {
        for (i, sums) in sums.into_iter().enumerate() {
            for (sum, c) in sums.into_iter().zip(&self.c) {
                // SAFETY: the caller's promise.
                unsafe { sum.store_n(c.to.add((row + i) * c.stride), c.width) };
            }
        }
    }
}

/// Some rows of dw = xᵀ · dy for some lanes of columns: one panel.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct WeightBlock {
    /// Rows of x and dy.
    pub batch: usize,
    /// Columns of x, one for each row of dw.
    pub x: Left,
    pub rows: usize,
    /// Columns of dy.
    pub dy: Lanes,
    /// The lanes of dy to multiply with: those of one tile.
    pub lane: usize,
    pub lanes: usize,
    pub dw: Target,
    /// Whether to go on with the sums that are there.
    pub add: bool,
}

impl Kernel for WeightBlock {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let mut tiles = Tiles {
            depth: self.batch,
            a: self.x,
            first: 0,
            b: [Stream::NONE; MOST_LANES],
            c: [Sums::NONE; MOST_LANES],
            add: self.add,
        };
        for i in 0..self.lanes {
            // SAFETY: dy and dw have the lane.
            unsafe {
                tiles.b[i] = Stream {
                    from: self.dy.at::<L>(self.lane + i, 0),
                    step: self.dy.width::<L>(self.lane + i),
                };
                let is_last = i + 1 == self.lanes;
                tiles.c[i] = Sums {
                    to: self.dw.lane(i, self.lanes),
                    stride: if is_last {
                        self.dw.last_row
                    } else {
                        self.dw.row
                    },
                    width: if is_last {
                        self.dw.last_width
                    } else {
                        L::WIDTH
                    },
                };
            }
        }
        let alike = self.x.alike::<L>(self.rows);
        for (start, rows) in [(0, alike), (alike, self.rows - alike)] {
            // SAFETY: x, dy and dw have the rows.
            unsafe { tiles.run::<L>(self.lanes, start, rows) };
        }
    }
}
