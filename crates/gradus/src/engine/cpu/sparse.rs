//! Scheduling of products whose first operand is sparse: when to skip zeros, and in which order.

use super::isa::Isa;
use super::kernels::columns::Block;
use super::kernels::factors::{Lanes, Left, Right, Target};
use super::kernels::pack::Transpose;
use super::kernels::sparse::*;
use super::simd::{WIDEST, parts};

/// Rows listed at a time.
const ROWS: usize = 512;

/// Panels of sums computed from the same lists.
const PANELS: usize = 3;

/// Rows below which listing and copying take longer than they save.
const FEWEST_ROWS: usize = 16;

/// Lanes of sums below which these wait for each other.
const FEWEST_LANES: usize = 5;

/// Floats of scratch memory for a product with this many rows.
pub(super) fn room(rows: usize) -> usize {
    if rows < FEWEST_ROWS {
        return 0;
    }
    let rows = rows.min(ROWS);
    lists(rows, DEPTH) + (LANES + 1) * DEPTH * WIDEST + PANELS * rows * LANES * WIDEST
}

/// Floats of scratch memory for lists of this many rows and columns.
const fn lists(rows: usize, depth: usize) -> usize {
    2 * (rows * depth + WIDEST) + (rows * depth.div_ceil(DEPTH)).next_multiple_of(WIDEST)
}

/// Lists in scratch memory.
///
/// # Safety
/// It must be large enough.
unsafe fn lists_at(scratch: *mut f32, rows: usize, depth: usize) -> Lists {
    let size = rows * depth + WIDEST;
    // SAFETY: the caller's promise.
    unsafe {
        Lists {
            values: scratch,
            places: scratch.add(size).cast(),
            ends: scratch.add(2 * size).cast(),
        }
    }
}

/// True if leaving zeros out pays in a product of so many rows and columns of a with so many
/// columns of b.
pub(super) fn pays(isa: Isa, a: Left, rows: usize, depth: usize, columns: usize) -> bool {
    rows >= FEWEST_ROWS
        && columns.div_ceil(isa.width()) >= FEWEST_LANES
        && isa.run(ManyZeros { a, rows, depth })
}

/// c = a · b for the block's columns.
///
/// # Safety
/// As for [`super::kernels::product::Product`]; the scratch must have [`room`] for the block's rows.
pub(super) unsafe fn product(
    isa: Isa,
    (a, depth): (Left, usize),
    b: Right,
    c: *mut f32,
    block: Block,
    scratch: *mut f32,
) {
    let row_step = LANES * isa.width();
    let first_lane = block.from / isa.width();
    let count = (block.to - block.from).div_ceil(isa.width());
    // SAFETY: the scratch has room for the lists, the panels and a lane; what is multiplied
    // is inside the matrices.
    unsafe {
        let most = block.rows.min(ROWS);
        let to = lists_at(scratch, most, DEPTH);
        let panel = scratch.add(lists(most, DEPTH));
        let turned = panel.add(LANES * DEPTH * WIDEST);
        let sums = turned.add(DEPTH * WIDEST);
        for row in (0..block.rows).step_by(ROWS) {
            let rows = ROWS.min(block.rows - row);
            for (lane, lanes) in parts(count, LANES * PANELS) {
                let lane = first_lane + lane;
                for first in (0..depth).step_by(DEPTH) {
                    let depth = DEPTH.min(depth - first);
                    isa.run(List {
                        a,
                        row,
                        rows,
                        first,
                        depth,
                        to,
                        start: 0,
                    });
                    for (n, (part, lanes)) in parts(lanes, LANES).enumerate() {
                        isa.run(Panel {
                            b,
                            lane: lane + part,
                            lanes,
                            first,
                            depth,
                            to: panel,
                            turned,
                        });
                        isa.run(ListedProduct {
                            a: to,
                            start: 0,
                            rows,
                            b: panel,
                            lanes,
                            c: Target {
                                to: sums.add(n * most * row_step),
                                lane: isa.width(),
                                row: row_step,
                                last: sums.add(n * most * row_step + (lanes - 1) * isa.width()),
                                last_row: row_step,
                                last_width: isa.width(),
                            },
                            add: first > 0,
                        });
                    }
                }
                for (n, (part, lanes)) in parts(lanes, LANES).enumerate() {
                    for i in 0..lanes {
                        let column = (lane + part + i) * isa.width();
                        let width = isa.width().min(block.to - column);
                        let (start, stride) = block.lane(column, width);
                        isa.run(CopyLane {
                            from: sums.add(n * most * row_step + i * isa.width()),
                            rows,
                            width,
                            to: c.add(start + row * stride),
                            stride,
                        });
                    }
                }
            }
        }
    }
}

/// Listed columns of x, for the gradient of a weight.
pub(super) struct Listed {
    lists: Lists,
    rows: usize,
    batch: usize,
}

/// Floats of scratch memory that [`list`] needs for this many columns of x.
pub(super) const fn turned_room(columns: usize, batch: usize) -> usize {
    lists(columns, batch)
}

/// Floats of scratch memory for the panels of dy.
pub(super) const fn panel_room(batch: usize) -> usize {
    batch * LANES * WIDEST
}

/// Lists `rows` columns of x, stored as rows of `batch` values.
///
/// # Safety
/// They must be, and the scratch memory have [`turned_room`].
pub(super) unsafe fn list(
    isa: Isa,
    x: *const f32,
    rows: usize,
    batch: usize,
    scratch: *mut f32,
) -> Listed {
    // SAFETY: the caller's promise.
    unsafe {
        let lists = lists_at(scratch, rows, batch);
        let mut start = 0;
        for (n, first) in (0..batch).step_by(DEPTH).enumerate() {
            start = isa.run(List {
                a: Left::Plain(x, batch),
                row: 0,
                rows,
                first,
                depth: DEPTH.min(batch - first),
                to: Lists {
                    ends: lists.ends.add(n * rows),
                    ..lists
                },
                start,
            });
        }
        Listed { lists, rows, batch }
    }
}

/// Copies lanes of dy for [`Listed::product`].
///
/// # Safety
/// dy must have the lanes, and `to` [`panel_room`].
pub(super) unsafe fn panel(isa: Isa, dy: Lanes, lane: usize, lanes: usize, to: *mut f32) {
    isa.run(Panel {
        b: Right::Plain(dy),
        lane,
        lanes,
        first: 0,
        depth: dy.rows,
        to,
        turned: std::ptr::null_mut(),
    });
}

impl Listed {
    /// Computes some rows of dw, or adds to them.
    ///
    /// # Safety
    /// The panel must be one of dy, and dw have the rows and lanes.
    pub unsafe fn product(
        &self,
        isa: Isa,
        (row, rows): (usize, usize),
        (panel, lanes): (*const f32, usize),
        dw: Target,
        add: bool,
    ) {
        for (n, first) in (0..self.batch).step_by(DEPTH).enumerate() {
            let before = n * self.rows + row;
            // SAFETY: the lists have the rows, and the panel the batch's.
            unsafe {
                let ends = self.lists.ends.add(before);
                isa.run(ListedProduct {
                    a: Lists { ends, ..self.lists },
                    start: if before == 0 {
                        0
                    } else {
                        *ends.sub(1) as usize
                    },
                    rows,
                    b: panel.add(first * LANES * isa.width()),
                    lanes,
                    c: dw,
                    add: add || first > 0,
                });
            }
        }
    }
}

/// Transposes columns `first..end` of `rows` rows of x from `begin` on, so that each is stored as a
/// row.
///
/// # Safety
/// x must have them, `first` start a lane, and `to` have the room.
pub(super) unsafe fn turn(
    isa: Isa,
    x: Left,
    (begin, rows): (usize, usize),
    (first, end): (usize, usize),
    to: *mut f32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        match x {
            Left::Plain(x, x_stride) => isa.run(Transpose {
                rows,
                x: x.add(begin * x_stride),
                x_stride,
                from: first,
                to: end,
                y: to,
                y_stride: rows,
            }),
            Left::PanelPacked(x) | Left::Columns(x, _) => {
                for column in (first..end).step_by(isa.width()) {
                    let width = isa.width().min(x.columns - column);
                    isa.run(Transpose {
                        rows,
                        x: x.from.add(column * x.rows + begin * width),
                        x_stride: width,
                        from: 0,
                        to: width.min(end - column),
                        y: to.add((column - first) * rows),
                        y_stride: rows,
                    });
                }
            }
            Left::Patches(_) | Left::PatchColumns(_) => {
                unreachable!("patches are multiplied where they lie")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::arena::Arena;
    use super::super::kernels::product::{PACK_SIZE, Product, WeightBlock};
    use super::*;

    /// A matrix in which `others` of ten elements are nonzero, with a lane's room after it.
    fn matrix(size: usize, others: usize) -> Vec<f32> {
        let number = |i: usize| match i * 7919 % 10_007 {
            n if n < others * 1000 => n as f32 / 1000.0 - others as f32 / 2.0,
            _ => 0.0,
        };
        (0..size + WIDEST).map(number).collect()
    }

    /// Sizes that leave lanes, panels and lists partly filled, and some that need several.
    const SIZES: [[usize; 3]; 6] = [
        [16, 1, 80],
        [33, 131, 83],
        [70, 64, 203],
        [17, 200, 655],
        [130, 65, 97],
        [515, 20, 90],
    ];

    #[test]
    fn a_product_without_the_zeros_has_the_same_bits() {
        for isa in Isa::tested() {
            for [rows, depth, columns] in SIZES {
                for (packed, transposed) in [(false, false), (true, false), (false, true)] {
                    let (a, b) = (matrix(rows * depth, 4), matrix(depth * columns, 10));
                    let a = match packed {
                        false => Left::Plain(a.as_ptr(), depth),
                        true => Left::PanelPacked(Lanes {
                            from: a.as_ptr(),
                            rows,
                            columns: depth,
                        }),
                    };
                    let b = |rows, columns| Lanes {
                        from: b.as_ptr(),
                        rows,
                        columns,
                    };
                    let b = match transposed {
                        false => Right::Plain(b(depth, columns)),
                        true => Right::Transposed(b(columns, depth)),
                    };
                    let block = Block {
                        first: 0,
                        rows,
                        stride: columns,
                        from: 2 * isa.width(),
                        to: columns,
                        packed,
                    };
                    let mut all = vec![0.0; rows * columns];
                    let mut others = all.clone();
                    let scratch = Arena::new(room(rows).max(PACK_SIZE));
                    isa.run(Product {
                        depth,
                        a,
                        b,
                        c: all.as_mut_ptr(),
                        block,
                        rows: (0, rows),
                        pack: scratch.at(0),
                    });
                    // SAFETY: everything is as large as is said.
                    unsafe {
                        let c = others.as_mut_ptr();
                        product(isa, (a, depth), b, c, block, scratch.at(0));
                    }
                    assert!(all == others, "{isa:?}, {rows} rows, {depth}, {columns}");
                    assert!(all.iter().any(|x| *x != 0.0));
                }
            }
        }
    }

    #[test]
    fn a_gradient_without_the_zeros_has_the_same_bits() {
        for isa in Isa::tested() {
            for [batch, rows, columns] in SIZES {
                let lanes = columns.div_ceil(isa.width()).min(LANES);
                let columns = columns.min(lanes * isa.width());
                let (x, dy) = (matrix(batch * rows, 4), matrix(batch * columns, 10));
                let dy = Lanes {
                    from: dy.as_ptr(),
                    rows: batch,
                    columns,
                };
                let width = isa.width();
                let before = (lanes - 1) * width;
                let target = |dw: &mut [f32], row: usize| {
                    let dw = dw.as_mut_ptr();
                    // SAFETY: the rows and lanes are inside.
                    unsafe {
                        Target {
                            to: dw.add(row * width),
                            lane: rows * width,
                            row: width,
                            last: dw.add(before * rows + row * (columns - before)),
                            last_row: columns - before,
                            last_width: columns - before,
                        }
                    }
                };
                let mut all = vec![0.0; rows * columns];
                let mut others = all.clone();
                let dw = target(&mut all, 0);
                for lane in 0..lanes {
                    let last = lane + 1 == lanes;
                    isa.run(WeightBlock {
                        batch,
                        x: Left::Plain(x.as_ptr(), batch),
                        rows,
                        dy,
                        lane,
                        lanes: 1,
                        dw: Target {
                            // SAFETY: the lane is inside.
                            last: unsafe { dw.lane(lane, lanes) },
                            last_row: if last { dw.last_row } else { width },
                            last_width: if last { dw.last_width } else { width },
                            ..dw
                        },
                        add: false,
                    });
                }
                let lists = Arena::new(turned_room(rows, batch));
                let copied = Arena::new(panel_room(batch));
                // SAFETY: everything is as large as is said.
                unsafe {
                    let listed = list(isa, x.as_ptr(), rows, batch, lists.at(0));
                    panel(isa, dy, 0, lanes, copied.at(0));
                    // In two parts: the second starts inside the lists.
                    let half = rows / 2;
                    for (row, rows) in [(0, half), (half, rows - half)] {
                        let dw = target(&mut others, row);
                        listed.product(isa, (row, rows), (copied.at(0), lanes), dw, false);
                    }
                }
                assert!(all == others, "{isa:?}, {batch} rows, {rows}, {columns}");
                assert!(all.iter().any(|x| *x != 0.0));
            }
        }
    }
}
