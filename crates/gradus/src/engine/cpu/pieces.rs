//! The pieces of a weight's columns whose sums must not depend on the number of threads: a
//! thread makes whole pieces, and each in one order.

use crate::plan::Op;
use crate::plan::op::{Factors, PIECES};

/// Where the n-th of so many pieces of `lanes` starts.
pub(super) fn start(lanes: usize, pieces: usize, n: usize) -> usize {
    lanes * n / pieces
}

/// How many pieces a matrix has: none without a lane.
pub(super) fn count(of: &Factors, width: usize) -> usize {
    PIECES.min(of.outputs.div_ceil(width))
}

/// How many pieces a group is made of, if its sums are.
pub(super) fn of(ops: &[Op], width: usize) -> Option<usize> {
    ops.iter().find_map(|op| match op {
        Op::NormalizedWeight { of, .. } => Some(count(of, width)),
        _ => None,
    })
}

/// The pieces of a task's columns `from..to`, each with its number: all of them as one, if the
/// group is not made of pieces.
pub(super) fn within(
    ops: &[Op],
    columns: usize,
    width: usize,
    (from, to): (usize, usize),
) -> impl Iterator<Item = (usize, usize, usize)> {
    let lanes = columns.div_ceil(width);
    let pieces = of(ops, width);
    (0..pieces.unwrap_or(1))
        .map(move |n| match pieces {
            None => (n, from, to),
            Some(pieces) => {
                let at = |n| (start(lanes, pieces, n) * width).min(columns);
                (n, at(n), at(n + 1))
            }
        })
        .filter(move |&(_, start, end)| from <= start && end <= to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Buffer;

    #[test]
    fn any_number_of_threads_makes_whole_pieces() {
        for (columns, width) in [
            (300, 8),
            (300, 16),
            (5, 8),
            (1, 1),
            (7, 1),
            (100, 16),
            (64, 8),
        ] {
            let of = Factors {
                positions: 1,
                inputs: 3,
                outputs: columns,
            };
            let b = Buffer(0);
            let ops = [Op::NormalizedWeight {
                g: b,
                w: b,
                gamma: None,
                beta: None,
                sums: b,
                dw: b,
                parts: b,
                of,
            }];
            let whole: Vec<_> = within(&ops, columns, width, (0, columns)).collect();
            assert_eq!(whole.len(), count(&of, width));
            assert!(whole.iter().all(|(_, start, end)| start < end));
            for cut in whole.iter().map(|&(_, start, _)| start) {
                let mut both: Vec<_> = within(&ops, columns, width, (0, cut)).collect();
                both.extend(within(&ops, columns, width, (cut, columns)));
                assert_eq!(both, whole);
            }
        }
    }
}
