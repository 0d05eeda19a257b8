//! Products whose first operand is sparse, like pixels, one-hot columns, and the outputs of ReLU
//! and dropout: its nonzeros are listed, and only they are multiplied. The sums equal those of
//! [`super::product`], to the bit: they are computed in the same order, and adding a product with
//! zero changes none.

use super::factors::{Left, Right, Target};
use super::pack::pack_transposed;
use crate::engine::cpu::simd::{Kernel, Simd, WIDEST};

/// Columns of the first operand at a time: their rows of the second, 24 KiB with AVX2, stay in the
/// first-level cache while the rows of the first pass over them.
pub(in crate::engine::cpu) const DEPTH: usize = 64;

/// Limit of lanes of columns at a time: the sums of one row, which fill the registers together with
/// the value that they are multiplied by.
pub(in crate::engine::cpu) const LANES: usize = 12;

/// The test for sparsity, on a sample: true if listing a matrix's nonzeros pays.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct ManyZeros {
    pub a: Left,
    pub rows: usize,
    pub depth: usize,
}

impl ManyZeros {
    /// Rows in the sample, a lane of each.
    const LOOKS: usize = 64;
    /// Looks without a single zero after which the answer is no.
    const FIRST: usize = 8;
    /// Limit of nonzeros among ten elements.
    const OTHERS: usize = 7;
}

impl Kernel for ManyZeros {
    type Output = bool;

    #[inline(always)]
    fn run<L: Simd>(self) -> bool {
        let looks = self.rows.min(Self::LOOKS);
        let lanes = self.depth.div_ceil(L::WIDTH);
        let (mut seen, mut found) = (0, 0);
        let (mut values, mut places) = ([0.0; WIDEST], [0; WIDEST]);
        for look in 0..looks {
            if look == Self::FIRST && seen == found {
                return false;
            }
            let row = look * self.rows / looks;
            // Columns spread over the matrix, for any width.
            let first = look * 37 % lanes * L::WIDTH;
            let depth = L::WIDTH.min(self.depth - first);
            // SAFETY: the row and the columns are inside a, and a lane has no more numbers
            // than there is room for.
            unsafe {
                let ([at], _, _) = self.a.numbers::<L, 1>(row, first, depth);
                let numbers = L::load_n(at, depth);
                seen += depth;
                found += numbers.nonzeros(L::bits(0), values.as_mut_ptr(), places.as_mut_ptr());
            }
        }
        found * 10 < seen * Self::OTHERS
    }
}

/// The nonzeros of some rows, row after row.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Lists {
    pub values: *mut f32,
    /// Offset of the row of a [`Panel`] by which each is multiplied.
    pub places: *mut u32,
    /// End of each row.
    pub ends: *mut u32,
}

/// Lists `depth` ≤ [`DEPTH`] columns of some rows of a.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct List {
    pub a: Left,
    pub row: usize,
    pub rows: usize,
    /// First column, which starts a lane.
    pub first: usize,
    pub depth: usize,
    /// Destination, with room for all of them and a lane more, and for the rows' ends.
    pub to: Lists,
    /// Number of values in the lists already.
    pub start: usize,
}

impl Kernel for List {
    /// The number of values afterwards.
    type Output = usize;

    #[inline(always)]
    fn run<L: Simd>(self) -> usize {
        let Lists {
            values,
            places,
            ends,
        } = self.to;
        let mut n = self.start;
        let step = L::bits((LANES * L::WIDTH * L::WIDTH) as u32);
        for row in 0..self.rows {
            let mut place = L::bits_mul(L::counting(0), L::bits((LANES * L::WIDTH) as u32));
            let mut done = 0;
            while done < self.depth {
                // SAFETY: the row and the columns are inside a, and the lists have the room.
                unsafe {
                    let left = self.depth - done;
                    let ([at], _, there) =
                        self.a
                            .numbers::<L, 1>(self.row + row, self.first + done, left);
                    for i in (0..there).step_by(L::WIDTH) {
                        let numbers = L::load_n(at.add(i), L::WIDTH.min(there - i));
                        n += numbers.nonzeros(place, values.add(n), places.add(n));
                        place = L::bits_add(place, step);
                    }
                    done += there;
                }
            }
            // SAFETY: as above.
            unsafe { *ends.add(row) = n as u32 };
        }
        n
    }
}

/// Copies `depth` rows of some lanes of b, so that a row's lanes are contiguous, with a stride of
/// [`LANES`] lanes.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Panel {
    pub b: Right,
    pub lane: usize,
    /// At most [`LANES`].
    pub lanes: usize,
    pub first: usize,
    pub depth: usize,
    pub to: *mut f32,
    /// Scratch memory for a transposed lane.
    pub turned: *mut f32,
}

impl Kernel for Panel {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        for i in 0..self.lanes {
            // SAFETY: b has the lane and rows, whole lanes of it are readable, and there is
            // room for them.
            unsafe {
                let (mut from, step) = match self.b {
                    Right::Plain(b) => (
                        b.at::<L>(self.lane + i, self.first),
                        b.width::<L>(self.lane + i),
                    ),
                    Right::Transposed(b) => {
                        let column = (self.lane + i) * L::WIDTH;
                        pack_transposed::<L>(b, column, self.first, self.depth, self.turned);
                        (self.turned.cast_const(), L::WIDTH)
                    }
                };
                let mut to = self.to.add(i * L::WIDTH);
                for _ in 0..self.depth {
                    L::load(from).store(to);
                    from = from.add(step);
                    to = to.add(LANES * L::WIDTH);
                }
            }
        }
    }
}

/// c = a · b for listed rows of a and a panel of b.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct ListedProduct {
    pub a: Lists,
    /// Start of the first row's values.
    pub start: usize,
    pub rows: usize,
    pub b: *const f32,
    /// At most [`LANES`].
    pub lanes: usize,
    pub c: Target,
    /// True to add to the existing sums.
    pub add: bool,
}

impl Kernel for ListedProduct {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        // SAFETY: whoever made it promises that the lists, b and c have what it names.
        unsafe {
            match self.lanes {
                1 => self.lanes::<L, 1>(),
                2 => self.lanes::<L, 2>(),
                3 => self.lanes::<L, 3>(),
                4 => self.lanes::<L, 4>(),
                5 => self.lanes::<L, 5>(),
                6 => self.lanes::<L, 6>(),
                7 => self.lanes::<L, 7>(),
                8 => self.lanes::<L, 8>(),
                9 => self.lanes::<L, 9>(),
                10 => self.lanes::<L, 10>(),
                11 => self.lanes::<L, 11>(),
                12 => self.lanes::<L, 12>(),
                _ => unreachable!("a panel has at most LANES lanes"),
            }
        }
    }
}

impl ListedProduct {
    /// # Safety
    /// The lists must have the rows, b every row that they refer to, and c the rows and lanes.
    #[inline(always)]
    unsafe fn lanes<L: Simd, const N: usize>(self) {
        let Lists {
            values,
            places,
            ends,
        } = self.a;
        let mut i = self.start;
        for row in 0..self.rows {
            // SAFETY: the caller's promise.
            unsafe {
                let end = *ends.add(row) as usize;
                if self.add && i == end {
                    continue;
                }
                let whole = self.c.to.add(row * self.c.row);
                let last = self.c.last.add(row * self.c.last_row);
                let mut sums = [L::zero(); N];
                if self.add {
                    for (j, sum) in sums.iter_mut().enumerate() {
                        *sum = match j + 1 == N {
                            false => L::load(whole.add(j * self.c.lane)),
                            true => L::load_n(last, self.c.last_width),
                        };
                    }
                }
                while i < end {
                    let number = L::splat(*values.add(i));
                    let b = self.b.add(*places.add(i) as usize);
                    for (j, sum) in sums.iter_mut().enumerate() {
                        *sum = number.mul_add(L::load(b.add(j * L::WIDTH)), *sum);
                    }
                    i += 1;
                }
                for (j, sum) in sums.into_iter().enumerate() {
                    match j + 1 == N {
                        false => sum.store(whole.add(j * self.c.lane)),
                        true => sum.store_n(last, self.c.last_width),
                    }
                }
            }
        }
    }
}

/// Copies a lane of sums out of its panel.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct CopyLane {
    pub from: *const f32,
    pub rows: usize,
    pub width: usize,
    pub to: *mut f32,
    pub stride: usize,
}

impl Kernel for CopyLane {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        for row in 0..self.rows {
            // SAFETY: whoever made it promises that both have the rows and columns.
            unsafe {
                let sums = L::load(self.from.add(row * LANES * L::WIDTH));
                sums.store_n(self.to.add(row * self.stride), self.width);
            }
        }
    }
}
