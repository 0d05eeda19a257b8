//! The kernel of a convolution, or a group's part of it, as the second factor of another product.

use super::lattice::Lattice;
use crate::engine::cpu::kernels::factors::Lanes;
use crate::engine::cpu::simd::{Kernel, Simd};
use crate::plan::ops::ConvDims;

/// A group's filters of the kernel `w`, as a matrix of their own: a row for each tap and channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub w: Lanes,
    pub dims: ConvDims,
    pub group: usize,
    /// Room for the matrix, and a lane more to read.
    pub to: *mut f32,
}

impl Kernel for Group {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let filters = self.dims.filters / self.dims.groups;
        let to = Lanes {
            from: self.to,
            rows: self.w.rows,
            columns: filters,
        };
        for filter in 0..filters {
            for row in 0..self.w.rows {
                // SAFETY: both matrices have the number.
                unsafe {
                    let from = number::<L>(self.w, row, self.group * filters + filter);
                    *number::<L>(to, row, filter).cast_mut() = *from;
                }
            }
        }
    }
}

/// The kernel turned for the way back: a row for each of the lattice's taps and a group's filter,
/// a column for each of its channels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turned {
    pub w: Lanes,
    pub dims: ConvDims,
    pub lattice: Lattice,
    pub group: usize,
    /// Room for the matrix, and a lane more to read.
    pub to: *mut f32,
}

impl Kernel for Turned {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let ConvDims { window, groups, .. } = self.dims;
        let (depth, filters) = (self.dims.depth(), self.dims.filters / groups);
        let to = Lanes {
            from: self.to,
            rows: self.lattice.taps() * filters,
            columns: depth,
        };
        let whole =
            groups == 1 && depth.is_multiple_of(L::WIDTH) && filters.is_multiple_of(L::WIDTH);
        for tap in 0..self.lattice.taps() {
            let first = self.lattice.tap(tap, window) * depth;
            // SAFETY: both matrices have the numbers.
            unsafe {
                if whole {
                    for channel in (0..depth).step_by(L::WIDTH) {
                        for filter in (0..filters).step_by(L::WIDTH) {
                            let from = number::<L>(self.w, first + channel, filter);
                            let to = number::<L>(to, tap * filters + filter, channel);
                            L::transpose(from, L::WIDTH, to.cast_mut(), L::WIDTH);
                        }
                    }
                    continue;
                }
                for channel in 0..depth {
                    for filter in 0..filters {
                        let column = self.group * filters + filter;
                        let from = number::<L>(self.w, first + channel, column);
                        let to = number::<L>(to, tap * filters + filter, channel);
                        *to.cast_mut() = *from;
                    }
                }
            }
        }
    }
}

/// A number of a panel-packed matrix.
///
/// # Safety
/// The matrix must have it.
#[inline(always)]
pub(super) unsafe fn number<L: Simd>(matrix: Lanes, row: usize, column: usize) -> *const f32 {
    // SAFETY: the caller's promise.
    unsafe {
        let lane = column / L::WIDTH;
        matrix.at::<L>(lane, row).add(column % L::WIDTH)
    }
}
