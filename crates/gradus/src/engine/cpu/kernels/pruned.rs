//! Products with weights most of which are zeros: only the others are kept, and multiplied. The
//! sums are those of [`super::product`], in the same order; adding a product with a zero changes
//! none, unless the other factor is not finite: see [`IsFinite`].

use crate::engine::cpu::simd::{Kernel, Simd, WIDEST};

/// Limit of lanes of rows that are multiplied together.
pub(in crate::engine::cpu) const MOST: usize = 3;

/// Columns of weights that are multiplied together, so that sums do not wait for each other: with
/// [`MOST`] lanes of rows they fill the registers. Divides the width of every lane.
const COLUMNS: usize = 4;

/// Some lanes of columns of a pruned matrix. Each has as many slots as its fullest column has
/// nonzeros, a slot has one of each column, and what a column lacks is 0.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Slots<'a> {
    pub values: &'a [f32],
    /// The row of each value.
    pub places: &'a [u32],
    /// The first slot of each lane, and behind the last the end of its slots.
    pub starts: &'a [u32],
}

/// True if all of some numbers are finite: a product of others with a zero would not be zero.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct IsFinite<'a>(pub &'a [f32]);

impl Kernel for IsFinite<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<L: Simd>(self) -> bool {
        let mut sum = L::zero();
        let mut chunks = self.0.chunks_exact(L::WIDTH);
        for chunk in &mut chunks {
            // SAFETY: a chunk has a lane's numbers.
            sum = unsafe { L::load(chunk.as_ptr()) }.mul_add(L::zero(), sum);
        }
        sum.sum() == 0.0 && chunks.remainder().iter().all(|x| x.is_finite())
    }
}

/// y = x · w for one row.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct PrunedRow<'a> {
    pub w: Slots<'a>,
    pub x: *const f32,
    /// The first column of the lanes.
    pub y: *mut f32,
    /// Columns to write.
    pub columns: usize,
}

impl Kernel for PrunedRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let Slots {
            values,
            places,
            starts,
        } = self.w;
        for (lane, slots) in starts.windows(2).enumerate() {
            let mut sum = L::zero();
            for slot in slots[0] as usize..slots[1] as usize {
                // SAFETY: a slot has a lane's values and places, which x has.
                unsafe {
                    let places = places.as_ptr().add(slot * L::WIDTH);
                    let mut x = [0.0_f32; WIDEST];
                    for (i, x) in x[..L::WIDTH].iter_mut().enumerate() {
                        *x = *self.x.add(*places.add(i) as usize);
                    }
                    let value = L::load(values.as_ptr().add(slot * L::WIDTH));
                    sum = L::load(x.as_ptr()).mul_add(value, sum);
                }
            }
            let column = lane * L::WIDTH;
            // SAFETY: y has the columns.
            unsafe { sum.store_n(self.y.add(column), L::WIDTH.min(self.columns - column)) };
        }
    }
}

/// y = x · w for some lanes of rows and one of columns, both transposed: each column of x, and of
/// y, is a row here.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct PrunedTile<'a> {
    pub w: Slots<'a>,
    /// The lane of columns.
    pub lane: usize,
    pub x: *const f32,
    /// Lanes of rows, at most [`MOST`].
    pub lanes: usize,
    /// Room for a lane of columns.
    pub y: *mut f32,
}

impl Kernel for PrunedTile<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        // SAFETY: whoever made it promises that x has the rows that the places name, and y the
        // room.
        unsafe {
            match self.lanes {
                1 => self.tile::<L, 1>(),
                2 => self.tile::<L, 2>(),
                3 => self.tile::<L, 3>(),
                _ => unreachable!("a tile has at most MOST lanes"),
            }
        }
    }
}

impl PrunedTile<'_> {
    /// # Safety
    /// x must have `N` lanes for each place, and y for each column.
    #[inline(always)]
    unsafe fn tile<L: Simd, const N: usize>(self) {
        let Slots {
            values,
            places,
            starts,
        } = self.w;
        let slots = starts[self.lane] as usize..starts[self.lane + 1] as usize;
        let stride = N * L::WIDTH;
        for first in (0..L::WIDTH).step_by(COLUMNS) {
            let mut sums = [[L::zero(); N]; COLUMNS];
            // SAFETY: a slot has a lane's values and places; the caller's promise.
            unsafe {
                for slot in slots.clone() {
                    let at = slot * L::WIDTH + first;
                    let (values, places) = (values.as_ptr().add(at), places.as_ptr().add(at));
                    for (i, sums) in sums.iter_mut().enumerate() {
                        let x = self.x.add(*places.add(i) as usize * stride);
                        let value = L::splat(*values.add(i));
                        for (j, sum) in sums.iter_mut().enumerate() {
                            *sum = value.mul_add(L::load(x.add(j * L::WIDTH)), *sum);
                        }
                    }
                }
                for (i, sums) in sums.into_iter().enumerate() {
                    let y = self.y.add((first + i) * stride);
                    for (j, sum) in sums.into_iter().enumerate() {
                        sum.store(y.add(j * L::WIDTH));
                    }
                }
            }
        }
    }
}
