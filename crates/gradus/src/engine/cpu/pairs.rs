//! Products of bfloat16 numbers by pairs, where the processor has an instruction for them: when,
//! and in which order. Both factors are joined to pairs in a task's scratch, once for all that
//! it multiplies with them.

use super::kernels::columns::Block;
use super::kernels::factors::{Lanes, Left, Right};
use super::kernels::pairs::{JoinNumbers, JoinRows};
use super::kernels::product::{PACK_SIZE, PairProduct, Product};
use super::session::Context;
use super::simd::Isa;

/// With fewer rows, or fewer lanes of columns, joining takes as long as what is saved.
const FEWEST_ROWS: usize = 12;
const FEWEST_LANES: usize = 2;

/// Numbers of the first factor that are joined at a time: 192 KiB of pairs, which stay in the
/// second cache.
const KEPT: usize = 98_304;

/// Rows of the first factor at a time, in whole tiles.
fn step(depth: usize) -> usize {
    (KEPT / depth.max(1) / 24).max(2) * 24
}

/// The numbers of scratch that a product of so many rows needs.
pub(super) fn room(rows: usize, depth: usize) -> usize {
    PACK_SIZE + rows.min(step(depth)) * depth.div_ceil(2)
}

/// Whether a product of so many rows and columns is made so.
pub(super) fn pays(context: &Context<'_>, rows: usize, columns: usize) -> bool {
    context.plan.bfloat16
        && context.isa.has_pairs()
        && rows >= FEWEST_ROWS
        && columns.div_ceil(context.isa.width()) >= FEWEST_LANES
}

/// c = a · b for the block's columns.
///
/// # Safety
/// As for [`Product`]; the scratch must have [`room`] for the block's rows.
pub(super) unsafe fn product(
    isa: Isa,
    (a, depth): (Left, usize),
    b: Right,
    c: *mut f32,
    block: Block,
    scratch: *mut f32,
) {
    // SAFETY: the scratch has room for both.
    let joined = unsafe { scratch.add(PACK_SIZE) };
    for row in (0..block.rows).step_by(step(depth)) {
        let rows = (row, step(depth).min(block.rows - row));
        isa.run_pairs(JoinNumbers {
            a,
            rows,
            depth,
            to: joined,
        });
        isa.run_pairs(PairProduct(Product {
            depth,
            a: Left::Plain(joined, depth.div_ceil(2)),
            b,
            c,
            block,
            rows,
            pack: scratch,
        }));
    }
}

/// Rows `begin..begin + rows` of columns `first..end` of a matrix, of which each has been joined
/// with the next.
///
/// # Safety
/// The matrix must have them, `first` start a lane, and `to` have room for half of them.
pub(super) unsafe fn join(
    isa: Isa,
    matrix: Left,
    (begin, rows): (usize, usize),
    (first, end): (usize, usize),
    to: *mut f32,
) -> Lanes {
    let pairs = rows.div_ceil(2);
    // SAFETY: the caller's promise.
    unsafe {
        match matrix {
            Left::Plain(from, stride) => isa.run_pairs(JoinRows {
                rows,
                from: from.add(begin * stride + first),
                stride,
                width: end - first,
                to,
            }),
            Left::Laned(all) | Left::Columns(all, _) => {
                for column in (first..end).step_by(isa.width()) {
                    let stride = isa.width().min(all.columns - column);
                    isa.run_pairs(JoinRows {
                        rows,
                        from: all.from.add(column * all.rows + begin * stride),
                        stride,
                        width: stride.min(end - column),
                        to: to.add((column - first) * pairs),
                    });
                }
            }
        }
    }
    Lanes {
        from: to,
        rows: pairs,
        columns: end - first,
    }
}

#[cfg(test)]
mod tests {
    use super::super::arena::Arena;
    use super::super::kernels::factors::Target;
    use super::super::kernels::pack::{PackLanes, Transpose};
    use super::super::kernels::product::{PairBlock, WeightBlock};
    use super::super::simd::WIDEST;
    use super::*;
    use crate::base::math::bfloat16;

    /// bfloat16 numbers, with a lane's room behind the last.
    fn matrix(size: usize) -> Vec<f32> {
        let number = |i: usize| bfloat16((i * 7919 % 10_007) as f32 / 1000.0 - 5.0);
        (0..size + WIDEST).map(number).collect()
    }

    fn lanes(from: &[f32], rows: usize, columns: usize) -> Lanes {
        Lanes {
            from: from.as_ptr(),
            rows,
            columns,
        }
    }

    /// All sets, whether they have an instruction for it or not.
    fn all() -> impl Iterator<Item = Isa> {
        Isa::tested().into_iter().chain([Isa::Paired])
    }

    /// Both ways, a after b's kind and c's.
    fn products(isa: Isa, [rows, depth, columns]: [usize; 3], kinds: [bool; 3]) {
        let [a_laned, b_turned, c_laned] = kinds;
        let (a, b) = (matrix(rows * depth), matrix(depth * columns));
        let a = match a_laned {
            false => Left::Plain(a.as_ptr(), depth),
            true => Left::Laned(lanes(&a, rows, depth)),
        };
        let b = match b_turned {
            false => Right::Plain(lanes(&b, depth, columns)),
            true => Right::Transposed(lanes(&b, columns, depth)),
        };
        let block = Block {
            rows,
            stride: columns,
            from: isa.width().min(columns / isa.width() * isa.width()),
            to: columns,
            laned: c_laned,
        };
        let mut single = vec![0.0; rows * columns];
        let mut paired = single.clone();
        let scratch = Arena::new(room(rows, depth));
        isa.run(Product {
            depth,
            a,
            b,
            c: single.as_mut_ptr(),
            block,
            rows: (0, rows),
            pack: scratch.at(0),
        });
        // SAFETY: everything is as large as is said.
        unsafe {
            let c = paired.as_mut_ptr();
            product(isa, (a, depth), b, c, block, scratch.at(0));
        }
        assert!(
            single == paired,
            "{isa:?}, {rows} rows, {depth}, {columns}, {kinds:?}"
        );
        assert!(block.from == block.to || single.iter().any(|x| *x != 0.0));
    }

    #[test]
    fn products_of_pairs_have_the_same_bits() {
        let kinds = (0..8).map(|n| [0, 1, 2].map(|bit| n >> bit & 1 == 1));
        for (isa, kinds) in all().flat_map(|isa| kinds.clone().map(move |k| (isa, k))) {
            let width = isa.width();
            // Every number of rows that a tile has, with odd depths and narrow lanes.
            for rows in 1..20 {
                products(isa, [rows, 2 * rows - 1, 3 * width + rows % width], kinds);
            }
            for depth in [2, width - 1, width + 1, 30, 401] {
                products(isa, [13, depth, 5 * width - 1], kinds);
            }
        }
        // Parts of the depth and of the rows.
        for isa in all() {
            for kinds in [[false, false, false], [true, true, true]] {
                products(isa, [100, 1237, 2 * isa.width() + 1], kinds);
                products(isa, [100, 4097, isa.width() + 3], kinds);
            }
        }
    }

    /// The gradient of some columns both ways, from rows `begin..` of a larger batch.
    fn gradients(isa: Isa, [begin, batch, rows, columns]: [usize; 4], laned: bool) {
        let all = begin + batch;
        let (x, dy) = (matrix(all * rows), matrix(all * columns));
        let left = |from: &[f32], columns: usize| match laned {
            false => Left::Plain(from.as_ptr(), columns),
            true => Left::Laned(lanes(from, all, columns)),
        };
        let width = isa.width();
        let count = columns.div_ceil(width);
        let made = |joins: bool| {
            let mut dw = vec![0.5; rows * columns];
            let (a, b) = (
                Arena::new(rows * batch),
                Arena::new(batch * columns + WIDEST),
            );
            // SAFETY: everything is as large as is said.
            let (x, dy) = unsafe {
                let (x, dy) = (left(&x, rows), left(&dy, columns));
                let part = (begin, batch);
                match joins {
                    true => {
                        let x = join(isa, x, part, (0, rows), a.at(0));
                        let dy = join(isa, dy, part, (0, columns), b.at(0));
                        (Left::Columns(x, 0), dy)
                    }
                    false => {
                        super::super::sparse::turn(isa, x, part, (0, rows), a.at(0));
                        super::super::sparse::turn(isa, dy, part, (0, columns), b.at(0));
                        let turned = Arena::new(batch * columns);
                        isa.run(Transpose {
                            rows: columns,
                            x: b.at(0),
                            x_stride: batch,
                            from: 0,
                            to: batch,
                            y: turned.at(0),
                        });
                        isa.run(PackLanes {
                            rows: batch,
                            dy: turned.at(0),
                            dy_stride: columns,
                            width: columns,
                            to: b.at(0),
                        });
                        let dy = Lanes {
                            from: b.at(0),
                            rows: batch,
                            columns,
                        };
                        (Left::Plain(a.at(0), batch), dy)
                    }
                }
            };
            for lane in 0..count {
                let width = width.min(columns - lane * width);
                let block = WeightBlock {
                    batch: dy.rows,
                    x,
                    rows,
                    dy,
                    lane,
                    lanes: 1,
                    dw: Target {
                        to: std::ptr::null_mut(),
                        lane: 0,
                        row: 0,
                        // SAFETY: the lane is inside.
                        last: unsafe { dw.as_mut_ptr().add(lane * isa.width() * rows) },
                        last_row: width,
                        last_width: width,
                    },
                    add: begin > 0,
                };
                match joins {
                    true => isa.run_pairs(PairBlock(block)),
                    false => isa.run(block),
                }
            }
            dw
        };
        let (single, paired) = (made(false), made(true));
        assert!(
            single == paired,
            "{isa:?}, {batch} rows, {rows}, {columns}, {laned}"
        );
        assert!(single.iter().any(|x| *x != 0.5));
    }

    #[test]
    fn gradients_of_pairs_have_the_same_bits() {
        for isa in all() {
            let width = isa.width();
            for laned in [false, true] {
                for rows in 1..20 {
                    gradients(
                        isa,
                        [0, 2 * rows - 1, rows, 2 * width + rows % width],
                        laned,
                    );
                    gradients(isa, [6, rows, rows + width, width - 1], laned);
                }
            }
        }
    }
}
