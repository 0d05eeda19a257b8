//! Chunks of a weight's columns, or of a matrix' rows, whose sums must not depend on the number of
//! threads: a thread makes whole chunks, and each in one order.

use crate::plan::Op;
use crate::plan::ops::{CHUNKS, MatMulDims};

/// The start of the n-th of so many chunks of lanes, or of rows.
pub(super) fn start(lanes: usize, chunks: usize, n: usize) -> usize {
    lanes * n / chunks
}

/// The number of chunks of a matrix: none without a lane.
pub(super) fn count(dims: MatMulDims, width: usize) -> usize {
    CHUNKS.min(dims.outputs.div_ceil(width))
}

/// The number of chunks of a group whose sums are made of chunks: of lanes of columns, or of rows.
pub(super) fn of(ops: &[Op], width: usize) -> Option<usize> {
    ops.iter().find_map(|op| match op {
        Op::NormalizedWeight(op) => Some(count(op.dims, width)),
        op => op.row_parts(),
    })
}

/// The chunks of a task's columns `from..to`, or of its rows with a width of 1, each with its number: all of
/// them as one, if the group is not made of chunks.
pub(super) fn within(
    ops: &[Op],
    columns: usize,
    width: usize,
    (from, to): (usize, usize),
) -> impl Iterator<Item = (usize, usize, usize)> {
    let lanes = columns.div_ceil(width);
    let chunks = of(ops, width);
    (0..chunks.unwrap_or(1))
        .map(move |n| match chunks {
            None => (n, from, to),
            Some(chunks) => {
                let at = |n| (start(lanes, chunks, n) * width).min(columns);
                (n, at(n), at(n + 1))
            }
        })
        .filter(move |&(_, start, end)| from <= start && end <= to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Buffer;
    use crate::plan::ops::NormalizedWeight;

    #[test]
    fn any_number_of_threads_makes_whole_chunks() {
        for (columns, width) in [
            (300, 8),
            (300, 16),
            (5, 8),
            (1, 1),
            (7, 1),
            (100, 16),
            (64, 8),
        ] {
            let dims = MatMulDims {
                positions: 1,
                inputs: 3,
                outputs: columns,
            };
            let b = Buffer(0);
            let ops = [Op::from(NormalizedWeight {
                g: b,
                w: b,
                gamma: None,
                beta: None,
                sums: b,
                dw: b,
                parts: b,
                dims,
            })];
            let whole: Vec<_> = within(&ops, columns, width, (0, columns)).collect();
            assert_eq!(whole.len(), count(dims, width));
            assert!(whole.iter().all(|(_, start, end)| start < end));
            for cut in whole.iter().map(|&(_, start, _)| start) {
                let mut both: Vec<_> = within(&ops, columns, width, (0, cut)).collect();
                both.extend(within(&ops, columns, width, (cut, columns)));
                assert_eq!(both, whole);
            }
        }
    }
}
