//! Products without the zeros of the weights, against those with them.

use super::*;
use crate::engine::cpu::arena::Arena;
use crate::engine::cpu::kernels::factors::{Left, Right};
use crate::engine::cpu::kernels::product::{PACK_SIZE, Product};

/// Numbers in no order.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005) + 1;
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
    }

    fn some(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// The products of the columns from `from` on, with the zeros and without them.
fn both(
    isa: Isa,
    rows: usize,
    a: &[f32],
    matrix: PanelPacked,
    w: &[f32],
    from: usize,
) -> [Vec<f32>; 2] {
    // Whole lanes are read where the last one is narrower.
    let mut packed = vec![0.0; w.len() + WIDEST];
    matrix.pack(isa, w, &mut packed);
    let pruned = Pruned::of(isa, matrix, &packed[..w.len()]).expect("few enough numbers");
    let b = Lanes {
        from: packed.as_ptr(),
        rows: matrix.rows,
        columns: matrix.columns,
    };
    let block = Block {
        first: 0,
        rows,
        stride: matrix.columns,
        from,
        to: matrix.columns,
        packed: false,
    };
    let mut all = vec![7.0; rows * matrix.columns];
    let mut others = all.clone();
    let scratch = Arena::new(pruned.room(isa).max(PACK_SIZE));
    isa.run(Product {
        depth: matrix.rows,
        a: Left::Plain(a.as_ptr(), matrix.rows),
        b: Right::Plain(b),
        c: all.as_mut_ptr(),
        block,
        rows: (0, rows),
        pack: scratch.at(0),
    });
    let product = PrunedProduct {
        pruned: &pruned,
        b,
        a: a.as_ptr(),
        c: others.as_mut_ptr(),
        block,
        scratch: scratch.at(0),
    };
    // SAFETY: everything is as large as is said.
    unsafe { product.run(isa) };
    [all, others]
}

/// Bits, of which those of NaN say nothing more.
fn bits(numbers: &[f32]) -> Vec<Option<u32>> {
    let bits = |x: &f32| (!x.is_nan()).then_some(x.to_bits());
    numbers.iter().map(bits).collect()
}

#[test]
fn a_product_without_the_zeros_has_the_same_bits() {
    let mut numbers = Numbers(1);
    for isa in Isa::tested() {
        for [depth, columns] in [
            [1, 400],
            [7, 33],
            [64, 48],
            [131, 83],
            [200, 16],
            [784, 100],
        ] {
            for (rows, kept) in [
                (1, 0.1),
                (2, 0.0),
                (7, 0.02),
                (16, 0.1),
                (51, 0.05),
                (130, 0.1),
            ] {
                let a = numbers.some(rows * depth);
                let mut w = numbers.some(depth * columns);
                w.iter_mut().for_each(|w| {
                    if numbers.next() + 0.5 >= kept {
                        *w = 0.0;
                    }
                });
                // One column is empty, one has every number.
                for w in w.chunks_exact_mut(columns) {
                    (w[1], w[3]) = (0.0, if kept == 0.02 { 0.25 } else { w[3] });
                }
                let matrix = PanelPacked {
                    rows: depth,
                    columns,
                };
                if rejects(isa, matrix, &w) {
                    continue;
                }
                let from = if columns > 2 * isa.width() {
                    isa.width()
                } else {
                    0
                };
                let [all, others] = both(isa, rows, &a, matrix, &w, from);
                let of = format!("{isa:?}, {rows} rows, {depth}, {columns}, {kept}");
                assert!(bits(&all) == bits(&others), "{of}");
            }
        }
    }
}

fn rejects(isa: Isa, matrix: PanelPacked, w: &[f32]) -> bool {
    let mut packed = w.to_vec();
    matrix.pack(isa, w, &mut packed);
    Pruned::of(isa, matrix, &packed).is_none()
}

#[test]
fn rows_that_are_not_finite_are_multiplied_with_the_zeros_too() {
    let (depth, columns) = (40, 35);
    let matrix = PanelPacked {
        rows: depth,
        columns,
    };
    let mut w = vec![0.0; depth * columns];
    for column in 0..columns {
        w[column * 7 % depth * columns + column] = 1.0;
    }
    for isa in Isa::tested() {
        for rows in [1, 5, 60] {
            let mut a = Numbers(3).some(rows * depth);
            a[rows / 2 * depth + 21] = f32::INFINITY;
            a[(rows - 1) * depth + depth - 1] = f32::NAN;
            let [all, others] = both(isa, rows, &a, matrix, &w, 0);
            assert!(bits(&all) == bits(&others), "{isa:?}, {rows} rows");
            let last = &others[(rows - 1) * columns..];
            assert!(last.iter().all(|x| x.is_nan()));
            assert!(rows == 1 || others[..columns].iter().all(|x| x.is_finite()));
        }
    }
}

#[test]
fn zeros_are_left_out_where_there_are_enough() {
    let matrix = PanelPacked {
        rows: 500,
        columns: 96,
    };
    for isa in Isa::tested() {
        // Every n-th number of a column is kept.
        let of = |n: usize| {
            let number = |i: usize| ((i / 96 + i % 96).is_multiple_of(n)) as u8 as f32;
            let w: Vec<f32> = (0..500 * 96).map(number).collect();
            let mut packed = w.clone();
            matrix.pack(isa, &w, &mut packed);
            Pruned::of(isa, matrix, &packed)
        };
        assert!(of(1).is_none() && of(2).is_none(), "{isa:?}");
        let tenth = of(10).expect("nine of ten are zeros");
        assert!([1, 48, 500].iter().all(|&rows| tenth.gain(isa, rows) > 1.0));
        let fifth = of(5).expect("four of five are zeros");
        assert!(fifth.gain(isa, 1) < 1.0 && fifth.gain(isa, 48) > 1.0);
    }
}
