//! Element-wise operations on some columns of a matrix.

use crate::base::math::bfloat16;
use crate::base::random::Key;
use crate::engine::cpu::simd::{Kernel, Simd, lanes};
use crate::rules::activations::ActivationFormula;
use crate::rules::regularizers::{L1L2, RegularizerFormula as _};

/// Columns `from..to` of `rows` rows of a matrix of `stride` columns; `from` starts a lane.
///
/// Row-major, whole rows lie one behind the other, so that they are one long row.
/// Panel-packed, all of the block does.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Block {
    /// The first row; 0 of one that is panel-packed.
    pub first: usize,
    pub rows: usize,
    pub stride: usize,
    pub from: usize,
    pub to: usize,
    /// True if the matrix is panel-packed, not row-major.
    pub packed: bool,
}

impl Block {
    /// Columns in the block.
    #[inline(always)]
    pub fn width(&self) -> usize {
        self.to - self.from
    }

    /// Number of contiguous runs, and their length.
    #[inline(always)]
    pub fn runs(&self) -> (usize, usize) {
        if self.packed || self.width() == self.stride {
            (1, self.rows * self.width())
        } else {
            (self.rows, self.width())
        }
    }

    /// The offset of a run.
    #[inline(always)]
    pub fn start(&self, run: usize) -> usize {
        match self.packed {
            true => self.from * self.rows,
            false => (self.first + run) * self.stride + self.from,
        }
    }

    /// The offset of the lane of `count` columns that begins with `column`, and the stride to its
    /// next row.
    #[inline(always)]
    pub fn lane(&self, column: usize, count: usize) -> (usize, usize) {
        match self.packed {
            true => (column * self.rows, count),
            false => (self.first * self.stride + column, self.stride),
        }
    }
}

/// Runs the body for every lane of a block: `at` is the lane's offset in the matrix, `count` its
/// number of values. A macro for the same reason as `lanes`.
macro_rules! each {
    ($lane:ty, $block:expr, |$at:ident, $count:ident| $body:block) => {{
        let block: $crate::engine::cpu::kernels::columns::Block = $block;
        let (runs, length) = block.runs();
        for run in 0..runs {
            let start = block.start(run);
            $crate::engine::cpu::simd::lanes!($lane, length, |i, $count| {
                let $at = start + i;
                $body
            });
        }
    }};
}

pub(super) use each;

/// Like `each`, with `number` as the first element's row-major index, in any layout, if so many rows are
/// above the matrix.
macro_rules! each_numbered {
    ($lane:ty, $block:expr, $above:expr, |$at:ident, $number:ident, $count:ident| $body:block) => {{
        let block: $crate::engine::cpu::kernels::columns::Block = $block;
        $crate::engine::cpu::simd::lanes!($lane, block.width(), |i, $count| {
            let column = block.from + i;
            let (start, step) = block.lane(column, $count);
            for row in 0..block.rows {
                let $at = start + row * step;
                let $number = (($above + block.first + row) * block.stride + column) as u32;
                $body
            }
        });
    }};
}

pub(super) use each_numbered;

// SAFETY, of every block in this file: whoever makes a kernel promises that its
// pointers lead to matrices (or, for biases, rows) of the block's extent, and
// that no other thread touches the block's columns meanwhile.

/// y = f(x).
pub(in crate::engine::cpu) struct Activate<'a, R> {
    pub rule: &'a R,
    pub x: *const f32,
    pub y: *mut f32,
    pub block: Block,
}

impl<R: ActivationFormula> Kernel for Activate<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        each!(L, self.block, |at, count| {
            // SAFETY: see above.
            unsafe {
                let x = L::load_n(self.x.add(at), count);
                self.rule.value(x).store_n(self.y.add(at), count);
            }
        });
    }
}

/// y = x, rounded to bfloat16.
pub(in crate::engine::cpu) struct Cast {
    pub x: *const f32,
    pub y: *mut f32,
    pub block: Block,
}

impl Kernel for Cast {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        each!(L, self.block, |at, count| {
            // SAFETY: see above.
            unsafe {
                let x = L::load_n(self.x.add(at), count);
                bfloat16(x).store_n(self.y.add(at), count);
            }
        });
    }
}

/// dx = the derivative of the penalty for x, times `scale`.
pub(in crate::engine::cpu) struct PenaltyGradient<'a> {
    pub rule: &'a L1L2,
    pub scale: f32,
    pub x: *const f32,
    pub dx: *mut f32,
    pub block: Block,
}

impl Kernel for PenaltyGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let scale = L::splat(self.scale);
        each!(L, self.block, |at, count| {
            // SAFETY: see above.
            unsafe {
                let x = L::load_n(self.x.add(at), count);
                let derivative = self.rule.derivative(x) * scale;
                derivative.store_n(self.dx.add(at), count);
            }
        });
    }
}

/// dx = dy · f'(x).
pub(in crate::engine::cpu) struct ActivateGradient<'a, R> {
    pub rule: &'a R,
    /// The input, or the output if the derivative needs no input.
    pub x: *const f32,
    pub y: *const f32,
    pub dy: *const f32,
    pub dx: *mut f32,
    pub block: Block,
}

impl<R: ActivationFormula> Kernel for ActivateGradient<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        each!(L, self.block, |at, count| {
            // SAFETY: see above.
            unsafe {
                let x = L::load_n(self.x.add(at), count);
                let y = L::load_n(self.y.add(at), count);
                let dy = L::load_n(self.dy.add(at), count);
                (dy * self.rule.derivative(x, y)).store_n(self.dx.add(at), count);
            }
        });
    }
}

/// y = x where the key's random number is at least `rate`, divided by 1 - `rate`.
pub(in crate::engine::cpu) struct Dropout {
    pub key: Key,
    /// Rows of the batch's matrix above x's first.
    pub above: usize,
    pub rate: f32,
    pub x: *const f32,
    pub y: *mut f32,
    pub block: Block,
}

impl Kernel for Dropout {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let rate = L::splat(self.rate);
        let scale = L::splat(1.0 / (1.0 - self.rate));
        each_numbered!(L, self.block, self.above, |at, number, count| {
            let random = self.key.uniform::<L>(number);
            // SAFETY: see above.
            unsafe {
                let x = L::load_n(self.x.add(at), count);
                let y = L::select(random.lt(rate), L::zero(), x * scale);
                y.store_n(self.y.add(at), count);
            }
        });
    }
}

/// y = a + b.
pub(in crate::engine::cpu) struct Sum {
    pub a: *const f32,
    pub b: *const f32,
    pub y: *mut f32,
    pub block: Block,
}

impl Kernel for Sum {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        each!(L, self.block, |at, count| {
            // SAFETY: see above.
            unsafe {
                let a = L::load_n(self.a.add(at), count);
                let b = L::load_n(self.b.add(at), count);
                (a + b).store_n(self.y.add(at), count);
            }
        });
    }
}

/// y = x + bias, for each row.
pub(in crate::engine::cpu) struct Bias {
    pub x: *const f32,
    pub bias: *const f32,
    pub y: *mut f32,
    pub block: Block,
}

impl Kernel for Bias {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let from = self.block.from;
        for (first, end) in self.block.by_rows() {
            lanes!(L, self.block.width(), |i, count| {
                let (start, step) = self.block.lane(from + i, count);
                // SAFETY: see above.
                unsafe {
                    let bias = L::load_n(self.bias.add(from + i), count);
                    for row in first..end {
                        let at = start + row * step;
                        (L::load_n(self.x.add(at), count) + bias).store_n(self.y.add(at), count);
                    }
                }
            });
        }
    }
}

/// db = the sum of dy over the rows.
pub(in crate::engine::cpu) struct BiasGradient {
    pub dy: *const f32,
    pub db: *mut f32,
    pub block: Block,
}

impl Kernel for BiasGradient {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        // SAFETY: see above.
        unsafe {
            column_sums!(
                L,
                self.block,
                |row, column, count| -> [1] {
                    let (start, step) = self.block.lane(column, count);
                    [L::load_n(self.dy.add(start + row * step), count)]
                },
                |sums| {
                    sums[0].store_n(self.db.add(column), count);
                }
            );
        }
    }
}

/// Rows of a row-major matrix that are gone over lane by lane before the next ones: their lines
/// are in the first cache. A multiple of four.
pub(super) const ROWS_TOGETHER: usize = 64;

impl Block {
    /// Parts of its rows that are gone over lane by lane: of a panel-packed one, all of them.
    #[inline(always)]
    pub(super) fn by_turns(&self) -> impl Iterator<Item = (usize, usize)> {
        self.by(ROWS_TOGETHER)
    }

    /// The same, a row at a time: what only passes over them reads and writes memory from front to back, which
    /// is up to twice as fast.
    #[inline(always)]
    pub(super) fn by_rows(&self) -> impl Iterator<Item = (usize, usize)> {
        self.by(1)
    }

    /// The same, so many rows at a time.
    #[inline(always)]
    pub(super) fn by(&self, together: usize) -> impl Iterator<Item = (usize, usize)> {
        let (rows, together) = match self.packed {
            true => (self.rows, self.rows.max(1)),
            false => (self.rows, together),
        };
        let starts = (0..rows).step_by(together);
        starts.map(move |start| (start, rows.min(start + together)))
    }
}

/// Lanes of columns that are summed together.
pub(super) const LANES_TOGETHER: usize = 16;

/// Sums the block's columns: for each lane of them, `then` gets the sums over rows of some
/// `numbers`, in four interleaved parts, so that additions don't wait for each other. A macro,
/// since a closure might not be compiled for the detected processor; it stands in an unsafe block,
/// since the caller's numbers do.
macro_rules! column_sums {
    ($lane:ty, $block:expr, |$row:ident, $column:ident, $count:ident| -> [$of:literal] $numbers:expr, |$sums:ident| $then:block) => {{
        use std::mem::MaybeUninit;
        use $crate::base::lane::Lane;
        use $crate::engine::cpu::kernels::columns::{LANES_TOGETHER, ROWS_TOGETHER};
        let block: $crate::engine::cpu::kernels::columns::Block = $block;
        let width = <$lane as $crate::engine::cpu::simd::Simd>::WIDTH;
        let together = match block.packed {
            true => block.rows.max(1),
            false => ROWS_TOGETHER,
        };
        for from in (block.from..block.to).step_by(LANES_TOGETHER * width) {
            let to = block.to.min(from + LANES_TOGETHER * width);
            let here = (to - from).div_ceil(width);
            // Zeros for all would take longer than the sums of a small batch.
            let mut parts = [const { MaybeUninit::uninit() }; LANES_TOGETHER];
            for start in (0..block.rows.max(1)).step_by(together) {
                let end = block.rows.min(start + together);
                for (n, kept) in parts.iter_mut().enumerate().take(here) {
                    let $column = from + n * width;
                    let $count = width.min(to - $column);
                    let mut sums = match start {
                        0 => [[<$lane as Lane>::zero(); $of]; 4],
                        // Written with the rows before these.
                        _ => kept.assume_init(),
                    };
                    for first in (start..end).step_by(4) {
                        for (i, part) in sums.iter_mut().enumerate() {
                            let $row = first + i;
                            if $row < end {
                                for (part, number) in part.iter_mut().zip($numbers) {
                                    *part = *part + number;
                                }
                            }
                        }
                    }
                    kept.write(sums);
                }
            }
            for (n, part) in parts.iter().enumerate().take(here) {
                let $column = from + n * width;
                let $count = width.min(to - $column);
                // Written with the first rows.
                let part = part.assume_init();
                let mut $sums = [<$lane as Lane>::zero(); $of];
                for (i, sum) in $sums.iter_mut().enumerate() {
                    *sum = (part[0][i] + part[1][i]) + (part[2][i] + part[3][i]);
                }
                $then
            }
        }
    }};
}

pub(super) use column_sums;

/// y = the sum of `count` vectors of `size` elements, one behind the other, for elements
/// `from..to`.
pub(in crate::engine::cpu) struct SumParts {
    pub parts: *const f32,
    pub count: usize,
    pub size: usize,
    pub y: *mut f32,
    pub from: usize,
    pub to: usize,
}

impl Kernel for SumParts {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        lanes!(L, self.to - self.from, |i, count| {
            let at = self.from + i;
            // SAFETY: see above.
            unsafe {
                let mut sum = L::load_n(self.parts.add(at), count);
                for n in 1..self.count {
                    sum = sum + L::load_n(self.parts.add(n * self.size + at), count);
                }
                sum.store_n(self.y.add(at), count);
            }
        });
    }
}
