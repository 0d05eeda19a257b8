//! Panel-packed matrices: panels of a lane's columns, one behind the other, each row-major, as
//! the products read them.

use super::isa::Isa;
use super::kernels::factors::Target;
use crate::plan::ops::MatMulDims;

/// A panel-packed matrix; the last panel may be narrower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PanelPacked {
    pub rows: usize,
    pub columns: usize,
}

impl PanelPacked {
    pub fn new(dims: MatMulDims) -> Self {
        PanelPacked {
            rows: dims.inputs,
            columns: dims.outputs,
        }
    }

    /// The offset of row `row` of the panel that begins with `column`, and the number of its
    /// elements.
    pub fn at(self, isa: Isa, row: usize, column: usize) -> (usize, usize) {
        let width = isa.width().min(self.columns - column);
        (column * self.rows + row * width, width)
    }

    /// The memory of rows from `row` on, and columns, of the matrix that starts at `from`.
    ///
    /// # Safety
    /// It must have them.
    pub unsafe fn target(
        self,
        isa: Isa,
        from: *mut f32,
        row: usize,
        (column, columns): (usize, usize),
    ) -> Target {
        let width = isa.width();
        let before = (columns - 1) / width * width;
        // SAFETY: the caller's promise.
        let at = |column: usize| unsafe { from.add(self.at(isa, row, column).0) };
        Target {
            to: at(column),
            lane: self.rows * width,
            row: width,
            last: at(column + before),
            last_row: columns - before,
            last_width: columns - before,
        }
    }

    /// Calls `f` with every run of numbers that lie together both ways: where it
    /// is row-major, where it is panel-packed, and how long it is.
    fn runs(self, isa: Isa, mut f: impl FnMut(usize, usize, usize)) {
        for column in (0..self.columns).step_by(isa.width()) {
            for row in 0..self.rows {
                let (at, width) = self.at(isa, row, column);
                f(row * self.columns + column, at, width);
            }
        }
    }

    /// From row-major to panel-packed.
    pub fn pack(self, isa: Isa, from: &[f32], to: &mut [f32]) {
        self.runs(isa, |plain, packed, n| {
            to[packed..packed + n].copy_from_slice(&from[plain..plain + n]);
        });
    }

    /// From panel-packed to row-major.
    pub fn unpack(self, isa: Isa, from: &[f32], to: &mut [f32]) {
        self.runs(isa, |plain, packed, n| {
            to[plain..plain + n].copy_from_slice(&from[packed..packed + n]);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_comes_back_as_it_was() {
        for (rows, columns) in [(1, 1), (3, 16), (2, 17), (5, 40), (7, 3)] {
            let plain: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            for isa in Isa::tested() {
                let matrix = PanelPacked { rows, columns };
                let (mut packed, mut back) = (plain.clone(), plain.clone());
                matrix.pack(isa, &plain, &mut packed);
                matrix.unpack(isa, &packed, &mut back);
                assert_eq!(back, plain);
                let mut sorted = packed.clone();
                sorted.sort_by(f32::total_cmp);
                assert_eq!(sorted, plain, "a number is lost");
                let single = columns <= isa.width();
                assert_eq!(packed == plain, single || rows == 1);
            }
        }
    }
}
