//! Matrix products. The second factor is panel-packed, so that the
//! innermost loop reads it from front to back; one that is not is packed first.

use super::columns::Block;
use super::factors::{Lanes, Left, Right, Target};
use super::pack::pack_transposed;
use super::pairs::join_rows;
use super::tiles::{MOST_LANES, Stream, Sums, Tiles};
use crate::engine::cpu::simd::{Kernel, Simd, WIDEST, panels};

/// Rows of the second operand multiplied at a time: with two AVX2 lanes, 25 KiB, which stay in the
/// first-level cache while every row passes over them.
const DEPTH: usize = 400;

/// Floats of scratch memory that a product needs for packing.
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
    /// First row, and number of rows.
    pub rows: (usize, usize),
    /// Scratch memory of `PACK_SIZE` floats.
    pub pack: *mut f32,
}

impl Kernel for Product {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        self.panels::<L, false>();
    }
}

/// A product of bfloat16 values. The first operand was joined to pairs, and has only the rows to
/// multiply.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct PairProduct(pub Product);

impl Kernel for PairProduct {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        self.0.panels::<L, true>();
    }
}

impl Product {
    #[inline(always)]
    fn panels<L: Simd, const PAIRS: bool>(self) {
        // A step is even, so that none starts inside a pair.
        let joined = |numbers: usize| match PAIRS {
            true => numbers.div_ceil(2),
            false => numbers,
        };
        let Block { from, to, .. } = self.block;
        let (row, rows) = self.rows;
        let first = from / L::WIDTH;
        let count = (to - from).div_ceil(L::WIDTH);
        let step = even(self.depth, DEPTH);
        for (lane, lanes) in panels(count, L::TILE_LANES, L::WIDE_TILE_ROWS > 0) {
            let lane = first + lane;
            for k in (0..self.depth).step_by(step) {
                let depth = step.min(self.depth - k);
                let mut tiles = Tiles::<PAIRS> {
                    depth: joined(depth),
                    a: self.a,
                    above: if PAIRS { row } else { 0 },
                    first: joined(k),
                    b: [Stream::NONE; MOST_LANES],
                    c: [Sums::NONE; MOST_LANES],
                    add: k > 0,
                };
                for i in 0..lanes {
                    let column = (lane + i) * L::WIDTH;
                    // SAFETY: the columns are inside b and c, the depth inside
                    // b, and `pack` has room for `DEPTH` rows of each lane.
                    unsafe {
                        let pack = self.pack.add(i * joined(depth) * L::WIDTH);
                        let mut b = match self.b {
                            Right::Plain(b) => Stream {
                                from: b.at::<L>(lane + i, k),
                                step: b.width::<L>(lane + i),
                            },
                            Right::Transposed(b) => {
                                pack_transposed::<L>(b, column, k, depth, pack);
                                Stream {
                                    from: pack,
                                    step: L::WIDTH,
                                }
                            }
                        };
                        if PAIRS {
                            join_rows::<L>(b.from, b.step, depth, b.step, pack);
                            b.from = pack;
                        }
                        tiles.b[i] = b;
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

/// The step that cuts `n` into equal parts of at most `most`, a multiple of the widest lane, as is
/// `most`.
#[inline(always)]
fn even(n: usize, most: usize) -> usize {
    n.div_ceil(n.div_ceil(most).max(1)).next_multiple_of(WIDEST)
}

/// Some rows of dw = xᵀ · dy for some lanes of columns: one panel.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct WeightBlock {
    /// Number of rows of x and dy.
    pub batch: usize,
    /// Columns of x, one for each row of dw.
    pub x: Left,
    pub rows: usize,
    /// Number of columns of dy.
    pub dy: Lanes,
    /// Lanes of dy to multiply with: those of one tile.
    pub lane: usize,
    pub lanes: usize,
    pub dw: Target,
    /// True to continue the existing sums.
    pub add: bool,
}

impl Kernel for WeightBlock {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        self.panel::<L, false>();
    }
}

/// The same for bfloat16 values: each element of x and dy is a pair, of a row of the batch and the
/// next.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct PairBlock(pub WeightBlock);

impl Kernel for PairBlock {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        self.0.panel::<L, true>();
    }
}

impl WeightBlock {
    #[inline(always)]
    fn panel<L: Simd, const PAIRS: bool>(self) {
        let mut tiles = Tiles::<PAIRS> {
            depth: self.batch,
            a: self.x,
            above: 0,
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
