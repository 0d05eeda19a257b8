//! Matrix products. The second factor lies lane by lane of columns, so that the
//! innermost loop reads it from front to back; what does not lie so is packed.

use crate::engine::cpu::simd::{Kernel, Simd};

/// Rows of the second factor that are multiplied at a time: with two AVX2
/// lanes, 16 KiB, which stay in the first cache while every row passes over them.
pub(super) const DEPTH: usize = 400;

/// The most lanes of columns that a tile has on any processor.
const MOST_LANES: usize = 3;

/// The most numbers that a lane has on any processor.
const WIDEST: usize = 16;

/// How many numbers of room a product needs for packing.
pub(in crate::engine::cpu) const PACK_SIZE: usize = DEPTH * MOST_LANES * WIDEST;

/// A matrix that lies lane by lane of columns: the first columns row after row,
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

/// The second factor of a product.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) enum Right {
    /// The matrix itself.
    Plain(Lanes),
    /// Its rows as columns.
    Transposed(Lanes),
}

/// c = a · b for the columns `from..to` of c; `from` starts a lane.
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
    /// Room for `PACK_SIZE` numbers.
    pub pack: *mut f32,
}

impl Kernel for Product {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let first = self.from / L::WIDTH;
        let count = (self.to - self.from).div_ceil(L::WIDTH);
        let step = even(self.depth, DEPTH);
        for (lane, lanes) in parts(count, L::TILE_LANES) {
            let lane = first + lane;
            for k in (0..self.depth).step_by(step) {
                let depth = step.min(self.depth - k);
                let mut tiles = Tiles {
                    rows: self.rows,
                    depth,
                    // SAFETY: the depth is inside a.
                    a: unsafe { self.a.add(k) },
                    a_stride: self.a_stride,
                    b: [Stream::NONE; MOST_LANES],
                    c: [Target::NONE; MOST_LANES],
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
                        tiles.c[i] = Target {
                            to: self.c.add(column),
                            stride: self.c_stride,
                            width: L::WIDTH.min(self.to - column),
                        };
                    }
                }
                // SAFETY: as above; a and c have the rows.
                unsafe { tiles.run::<L>(lanes) };
            }
        }
    }
}

/// Cuts `n` into parts of at most `most`, as equal as can be, since a thin one
/// would not fill the pipeline: where each starts, and how long it is.
#[inline(always)]
pub(super) fn parts(n: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = n.div_ceil(most);
    let (each, longer) = (n / count.max(1), n % count.max(1));
    let mut start = 0;
    (0..count).map(move |i| {
        let length = each + usize::from(i < longer);
        start += length;
        (start - length, length)
    })
}

/// The step that cuts `n` into equal parts of at most `most`, a multiple of the
/// widest lane as `most` is.
#[inline(always)]
pub(super) fn even(n: usize, most: usize) -> usize {
    n.div_ceil(n.div_ceil(most).max(1)).next_multiple_of(WIDEST)
}

/// Copies a lane of columns from `column` on, and of rows `row..row + depth`, of
/// the matrix `b` transposed. `row` starts one of b's lanes. Behind the last
/// column come zeros.
///
/// # Safety
/// b must have a row `column` and columns `row..row + depth`, and `to` be
/// writable for `depth` lanes.
#[inline(always)]
unsafe fn pack_transposed<L: Simd>(
    b: Lanes,
    column: usize,
    row: usize,
    depth: usize,
    to: *mut f32,
) {
    let there = L::WIDTH.min(b.rows - column);
    for start in (0..depth).step_by(L::WIDTH) {
        let lane = (row + start) / L::WIDTH;
        let width = b.width::<L>(lane);
        // SAFETY: `there` rows of this lane are inside b, and `to` has room.
        unsafe {
            let (from, to) = (b.at::<L>(lane, column), to.add(start * L::WIDTH));
            if there == L::WIDTH && width == L::WIDTH {
                L::transpose(from, L::WIDTH, to, L::WIDTH);
                continue;
            }
            for n in 0..width {
                for k in 0..L::WIDTH {
                    *to.add(n * L::WIDTH + k) = if k < there {
                        *from.add(k * width + n)
                    } else {
                        0.0
                    };
                }
            }
        }
    }
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
struct Target {
    to: *mut f32,
    stride: usize,
    width: usize,
}

impl Target {
    const NONE: Self = Target {
        to: std::ptr::null_mut(),
        stride: 0,
        width: 0,
    };
}

/// All tiles of one panel.
#[derive(Clone, Copy)]
struct Tiles {
    rows: usize,
    depth: usize,
    a: *const f32,
    /// From a row of a to the next.
    a_stride: usize,
    b: [Stream; MOST_LANES],
    c: [Target; MOST_LANES],
    /// Whether to add to what is there.
    add: bool,
}

impl Tiles {
    /// # Safety
    /// a and c must be readable and writable for the rows, depth and width; of
    /// the b in use whole lanes must be readable, also where it is narrower.
    #[inline(always)]
    unsafe fn run<L: Simd>(self, lanes: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match lanes {
                1 => self.rows_of::<L, 1>(),
                2 => self.rows_of::<L, 2>(),
                _ if L::TILE_LANES == 3 => self.rows_of::<L, 3>(),
                _ => unreachable!("a tile has at most TILE_LANES lanes"),
            }
        }
    }

    #[inline(always)]
    unsafe fn rows_of<L: Simd, const LANES: usize>(self) {
        for (row, rows) in parts(self.rows, L::TILE_ROWS) {
            // SAFETY: the tiles cover the rows, by the caller's promise.
            unsafe {
                match rows {
                    1 => self.tile::<L, 1, LANES>(row),
                    2 => self.tile::<L, 2, LANES>(row),
                    3 => self.tile::<L, 3, LANES>(row),
                    4 => self.tile::<L, 4, LANES>(row),
                    5 if L::TILE_ROWS >= 5 => self.tile::<L, 5, LANES>(row),
                    6 if L::TILE_ROWS >= 6 => self.tile::<L, 6, LANES>(row),
                    7 if L::TILE_ROWS >= 7 => self.tile::<L, 7, LANES>(row),
                    8 if L::TILE_ROWS >= 8 => self.tile::<L, 8, LANES>(row),
                    _ => unreachable!("a tile has at most TILE_ROWS rows"),
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<L: Simd, const ROWS: usize, const LANES: usize>(self, row: usize) {
        let mut sums = [[L::zero(); LANES]; ROWS];
        // SAFETY: rows `row..row + ROWS` of a and c, `depth` rows of b and the
        // columns of c are there, by the caller's promise.
        unsafe {
            // A pointer for each row: adding strides up would take longer than
            // the products.
            let mut a = [self.a; ROWS];
            for (i, a) in a.iter_mut().enumerate() {
                *a = a.add((row + i) * self.a_stride);
            }
            let mut b = [std::ptr::null(); LANES];
            for (b, stream) in b.iter_mut().zip(&self.b) {
                *b = stream.from;
            }
            for k in 0..self.depth {
                let mut right = [L::zero(); LANES];
                for (j, lane) in right.iter_mut().enumerate() {
                    *lane = L::load(b[j]);
                    b[j] = b[j].add(self.b[j].step);
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    let left = L::splat(*a[i].add(k));
                    for (sum, right) in sums.iter_mut().zip(right) {
                        *sum = left.mul_add(right, *sum);
                    }
                }
            }
            let whole = self.c[..LANES].iter().all(|c| c.width == L::WIDTH);
            if whole && !self.add {
                for (i, sums) in sums.into_iter().enumerate() {
                    for (sum, c) in sums.into_iter().zip(&self.c) {
                        sum.store(c.to.add((row + i) * c.stride));
                    }
                }
            } else if whole {
                for (i, sums) in sums.into_iter().enumerate() {
                    for (sum, c) in sums.into_iter().zip(&self.c) {
                        let c = c.to.add((row + i) * c.stride);
                        (sum + L::load(c)).store(c);
                    }
                }
            } else {
                self.store_narrow(row, sums);
            }
        }
    }

    /// Stores or adds the sums of a tile whose last lane is narrower.
    ///
    /// # Safety
    /// c must be writable for the rows.
    #[inline(always)]
    unsafe fn store_narrow<L: Simd, const ROWS: usize, const LANES: usize>(
        self,
        row: usize,
        sums: [[L; LANES]; ROWS],
    ) {
        for (i, sums) in sums.iter().enumerate() {
            for (sum, c) in sums.iter().zip(&self.c) {
                // SAFETY: the caller's promise.
                unsafe {
                    let to = c.to.add((row + i) * c.stride);
                    let old = if self.add {
                        L::load_n(to, c.width)
                    } else {
                        L::zero()
                    };
                    (*sum + old).store_n(to, c.width);
                }
            }
        }
    }
}

/// Some rows of dw = xᵀ · dy for some lanes of columns: one panel.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct WeightBlock {
    /// Rows of x and dy.
    pub batch: usize,
    /// Columns of x, one for each row of dw, as [`Transpose`] left them.
    pub x: *const f32,
    pub rows: usize,
    /// Columns of dy, as [`PackLanes`] left them.
    pub dy: Lanes,
    /// The lanes of dy to multiply with: at most `TILE_LANES`.
    pub lane: usize,
    pub lanes: usize,
    /// Where the first lane goes, row after row.
    pub dw: *mut f32,
    /// From a whole lane of dw to the next.
    pub dw_stride: usize,
}

impl Kernel for WeightBlock {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let mut tiles = Tiles {
            rows: self.rows,
            depth: self.batch,
            a: self.x,
            a_stride: self.batch,
            b: [Stream::NONE; MOST_LANES],
            c: [Target::NONE; MOST_LANES],
            add: false,
        };
        for i in 0..self.lanes {
            // SAFETY: dy and dw have the lane.
            unsafe {
                tiles.b[i] = Stream {
                    from: self.dy.at::<L>(self.lane + i, 0),
                    step: self.dy.width::<L>(self.lane + i),
                };
                let width = self.dy.width::<L>(self.lane + i);
                tiles.c[i] = Target {
                    to: self.dw.add(i * self.dw_stride),
                    stride: width,
                    width,
                };
            }
        }
        // SAFETY: x, dy and dw have the rows.
        unsafe { tiles.run::<L>(self.lanes) };
    }
}

/// Packs `width` columns of dy for [`WeightBlock`], into [`Lanes`].
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct PackLanes {
    pub rows: usize,
    pub dy: *const f32,
    pub dy_stride: usize,
    pub width: usize,
    /// Room for `rows` · `width` numbers, and a lane more to read.
    pub to: *mut f32,
}

impl Kernel for PackLanes {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let mut to = self.to;
        for column in (0..self.width).step_by(L::WIDTH) {
            let width = L::WIDTH.min(self.width - column);
            for row in 0..self.rows {
                // SAFETY: dy has the row and columns, and `to` the room.
                unsafe {
                    let from = self.dy.add(row * self.dy_stride + column);
                    L::load_n(from, width).store_n(to, width);
                    to = to.add(width);
                }
            }
        }
    }
}

/// Copies columns `from..to` of x so that each lies as a row.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Transpose {
    pub rows: usize,
    pub x: *const f32,
    pub x_stride: usize,
    pub from: usize,
    pub to: usize,
    /// Room for `rows` · (`to` - `from`) numbers.
    pub y: *mut f32,
}

impl Kernel for Transpose {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let columns = self.to - self.from;
        for row in (0..self.rows).step_by(L::WIDTH) {
            for column in (0..columns).step_by(L::WIDTH) {
                let rows = L::WIDTH.min(self.rows - row);
                let width = L::WIDTH.min(columns - column);
                // SAFETY: the square is inside x, and its mirror inside y.
                unsafe {
                    let from = self.x.add(row * self.x_stride + self.from + column);
                    let to = self.y.add(column * self.rows + row);
                    if rows == L::WIDTH && width == L::WIDTH {
                        L::transpose(from, self.x_stride, to, self.rows);
                        continue;
                    }
                    for i in 0..rows {
                        for j in 0..width {
                            *to.add(j * self.rows + i) = *from.add(i * self.x_stride + j);
                        }
                    }
                }
            }
        }
    }
}
