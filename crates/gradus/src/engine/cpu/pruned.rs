//! Weights most of which are zeros, as pruning leaves them, and products with them, where leaving
//! the zeros out is faster than multiplying by them.

use super::isa::Isa;
use super::kernels::columns::Block;
use super::kernels::factors::Lanes;
use super::kernels::few::FewRows;
use super::kernels::pack::Transpose;
use super::kernels::pruned::{IsFinite, MOST, PrunedRow, PrunedTile, Slots};
use super::packed::PanelPacked;
use super::simd::{WIDEST, parts};
use std::ops::Range;

/// The time that a number of the slots takes beside one of all in a dense product of one row. On
/// Zen 4 both take the same at 6.2 and 7.4 (784 · 300 and 300 · 100 weights, AVX-512), 5.2 and 5.9
/// (AVX2): with 82% to 90% zeros.
const ROW_COST: usize = 7;

/// The same of several rows, for each that the tiles have room for: at 1.9 (64 rows) to 3.1 (4 and 8
/// rows); with 50% to 70% zeros where tiles are full.
const TILE_COST: usize = 3;

/// A matrix's numbers without most of its zeros: see [`Slots`].
#[derive(Debug)]
pub(super) struct Pruned {
    matrix: PanelPacked,
    values: Vec<f32>,
    places: Vec<u32>,
    starts: Vec<u32>,
}

impl Pruned {
    /// The panel-packed numbers of a matrix without zeros, if there is a batch whose product is
    /// faster then. None of a matrix that is narrower than a lane, most of which would be empty.
    pub fn of(isa: Isa, matrix: PanelPacked, numbers: &[f32]) -> Option<Self> {
        let width = isa.width();
        let PanelPacked { rows, columns } = matrix;
        let all = u32::try_from(numbers.len()).ok()? as usize;
        if columns < width || !mostly_zeros(numbers, all / TILE_COST) {
            return None;
        }
        let lanes = || (0..columns).step_by(width);
        // Every number of a lane that is kept, with its column in it and its row.
        let kept = |column: usize| {
            (0..rows).flat_map(move |row| {
                let (at, there) = matrix.at(isa, row, column);
                let numbers = numbers[at..at + there].iter().enumerate();
                numbers.filter_map(move |(i, &x)| (x != 0.0).then_some((i, row, x)))
            })
        };
        let mut starts = vec![0];
        let mut end = 0;
        for column in lanes() {
            let mut counts = [0; WIDEST];
            kept(column).for_each(|(i, ..)| counts[i] += 1);
            end += counts.into_iter().max().unwrap_or(0);
            starts.push(end);
        }
        let size = end as usize * width;
        if size * TILE_COST > all {
            return None;
        }
        let (mut values, mut places) = (vec![0.0; size], vec![0; size]);
        for (column, &start) in lanes().zip(&starts) {
            let mut next = [start as usize; WIDEST];
            for (i, row, x) in kept(column) {
                let at = next[i] * width + i;
                (values[at], places[at]) = (x, row as u32);
                next[i] += 1;
            }
        }
        Some(Pruned {
            matrix,
            values,
            places,
            starts,
        })
    }

    /// About how many times as fast a product of so many rows is as with the zeros.
    pub fn gain(&self, isa: Isa, rows: usize) -> f32 {
        let (cost, room) = match rows {
            1 => (ROW_COST, 1),
            _ => (TILE_COST, rows.next_multiple_of(isa.width())),
        };
        let all = self.matrix.rows as f32 * self.matrix.columns as f32 * rows as f32;
        all / (self.values.len().max(1) as f32 * (cost * room) as f32)
    }

    /// Floats of scratch memory for a product: a tile's rows, and what becomes of them.
    pub fn room(&self, isa: Isa) -> usize {
        (self.matrix.rows + isa.width()) * MOST * isa.width()
    }

    /// The lanes of a block's columns.
    fn slots(&self, isa: Isa, block: Block) -> Slots<'_> {
        let (first, end) = (block.from / isa.width(), block.to.div_ceil(isa.width()));
        Slots {
            values: &self.values,
            places: &self.places,
            starts: &self.starts[first..=end],
        }
    }
}

/// True if no more than `most` numbers are not 0; soon false of a matrix that was never pruned.
fn mostly_zeros(numbers: &[f32], most: usize) -> bool {
    let mut found = 0;
    numbers.chunks(1024).all(|some| {
        found += some.iter().filter(|x| **x != 0.0).count();
        found <= most
    })
}

/// Floats of scratch memory for a product with any of these.
pub(super) fn room(isa: Isa, all: Option<&[Option<Pruned>]>) -> usize {
    let all = all.unwrap_or_default().iter().flatten();
    all.map(|of| of.room(isa)).max().unwrap_or(0)
}

/// c = a · b for the block's columns, all row-major.
pub(super) struct PrunedProduct<'a> {
    /// b without its zeros.
    pub pruned: &'a Pruned,
    /// b with them, for rows of a that have infinite numbers or NaN.
    pub b: Lanes,
    pub a: *const f32,
    pub c: *mut f32,
    pub block: Block,
    /// Room for [`Pruned::room`] floats.
    pub scratch: *mut f32,
}

impl PrunedProduct<'_> {
    /// # Safety
    /// a and c must have the block's rows, b the matrix's, and the scratch the room.
    pub unsafe fn run(self, isa: Isa) {
        let (a, depth, block) = (self.a, self.b.rows, self.block);
        // SAFETY: the caller's promise; places are rows of b, which are columns of a.
        unsafe {
            match block.rows {
                1 => isa.run(PrunedRow {
                    w: self.pruned.slots(isa, block),
                    x: a,
                    y: self.c.add(block.from),
                    columns: block.width(),
                }),
                rows => {
                    for (lane, lanes) in parts(rows.div_ceil(isa.width()), MOST) {
                        let row = lane * isa.width();
                        let end = rows.min(row + lanes * isa.width());
                        self.tile(isa, row..end);
                    }
                }
            }
            for row in 0..block.rows {
                let numbers = std::slice::from_raw_parts(a.add(row * depth), depth);
                if !isa.run(IsFinite(numbers)) {
                    isa.run(FewRows {
                        rows: 1,
                        depth,
                        a: numbers.as_ptr(),
                        a_stride: depth,
                        b: self.b,
                        c: self.c.add(row * block.stride),
                        c_stride: block.stride,
                        from: block.from,
                        to: block.to,
                    });
                }
            }
        }
    }

    /// Some rows, at most [`MOST`] lanes.
    ///
    /// # Safety
    /// As for `run`.
    unsafe fn tile(&self, isa: Isa, rows: Range<usize>) {
        let (depth, block) = (self.b.rows, self.block);
        let lanes = rows.len().div_ceil(isa.width());
        let stride = lanes * isa.width();
        // SAFETY: the caller's promise. Behind the rows a lane has what was in the scratch, which
        // goes nowhere.
        unsafe {
            let y = self.scratch.add(depth * stride);
            isa.run(Transpose {
                rows: rows.len(),
                x: self.a.add(rows.start * depth),
                x_stride: depth,
                from: 0,
                to: depth,
                y: self.scratch,
                y_stride: stride,
            });
            let w = self.pruned.slots(isa, block);
            for (lane, column) in (block.from..block.to).step_by(isa.width()).enumerate() {
                isa.run(PrunedTile {
                    w,
                    lane,
                    x: self.scratch,
                    lanes,
                    y,
                });
                isa.run(Transpose {
                    rows: isa.width().min(block.to - column),
                    x: y,
                    x_stride: stride,
                    from: 0,
                    to: rows.len(),
                    y: self.c.add(rows.start * block.stride + column),
                    y_stride: block.stride,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
