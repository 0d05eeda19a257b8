//! Scheduling of products of bfloat16 pairs, on processors with an instruction for them: when to
//! use them, and in which order. Both operands are joined to pairs in a task's scratch memory, once
//! for all of its products.

use super::context::Context;
use super::isa::Isa;
use super::kernels::columns::Block;
use super::kernels::factors::{Lanes, Left, Right};
use super::kernels::pairs::{JoinNumbers, JoinRows};
use super::kernels::product::{PACK_SIZE, PairProduct, Product};

/// Rows, or lanes of columns, below which joining takes as long as it saves.
const FEWEST_ROWS: usize = 12;
const FEWEST_LANES: usize = 2;

/// Elements of the first operand that are joined at a time: 192 KiB of pairs, which stay in the
/// second-level cache.
const KEPT: usize = 98_304;

/// Rows of the first operand at a time, in whole tiles.
fn step(depth: usize) -> usize {
    (KEPT / depth.max(1) / 24).max(2) * 24
}

/// Floats of scratch memory for a product with this many rows.
pub(super) fn room(rows: usize, depth: usize) -> usize {
    PACK_SIZE + rows.min(step(depth)) * depth.div_ceil(2)
}

/// True if a product of so many rows and columns is made so.
pub(super) fn pays(context: &Context<'_>, rows: usize, columns: usize) -> bool {
    context.plan().bfloat16
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

/// Joins rows `begin..begin + rows` of columns `first..end` of a matrix, each with the next, into
/// `to`.
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
            Left::PanelPacked(all) | Left::Columns(all, _) => {
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
            Left::Patches(_) | Left::PatchColumns(_) => {
                unreachable!("patches are multiplied where they lie")
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
mod tests;
