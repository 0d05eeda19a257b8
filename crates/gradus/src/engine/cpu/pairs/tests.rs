//! Tests of products by pairs against those of single values, bit for bit.

use super::super::arena::Arena;
use super::super::kernels::factors::Target;
use super::super::kernels::pack::PackLanes;
use super::super::kernels::product::{PairBlock, WeightBlock};
use super::super::packed::PanelPacked;
use super::super::simd::WIDEST;
use super::*;
use crate::base::math::bfloat16;

/// bfloat16 values, with a lane's room after the last.
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

/// All sets, with an instruction for it or not.
fn all() -> impl Iterator<Item = Isa> {
    Isa::tested().into_iter().chain([Isa::Paired])
}

/// Both ways, a after b's kind and c's.
fn products(isa: Isa, [rows, depth, columns]: [usize; 3], kinds: [bool; 3]) {
    let [a_packed, b_turned, c_packed] = kinds;
    let (a, b) = (matrix(rows * depth), matrix(depth * columns));
    let a = match a_packed {
        false => Left::Plain(a.as_ptr(), depth),
        true => Left::PanelPacked(lanes(&a, rows, depth)),
    };
    let b = match b_turned {
        false => Right::Plain(lanes(&b, depth, columns)),
        true => Right::Transposed(lanes(&b, columns, depth)),
    };
    let block = Block {
        first: 0,
        rows,
        stride: columns,
        from: isa.width().min(columns / isa.width() * isa.width()),
        to: columns,
        packed: c_packed,
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
        // Every number of rows in a tile, with odd depths and narrow lanes.
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

/// The gradient of all columns both ways, from rows `begin..` of a larger batch.
fn gradients(isa: Isa, [begin, batch, rows, columns]: [usize; 4], packed: bool) {
    let all = begin + batch;
    let (x, dy) = (matrix(all * rows), matrix(all * columns));
    let lies = |plain: &[f32], columns: usize| {
        let mut there = plain.to_vec();
        if packed {
            PanelPacked { rows: all, columns }.pack(isa, plain, &mut there);
        }
        there
    };
    let (x_there, dy_there) = (lies(&x, rows), lies(&dy, columns));
    let left = |from: &[f32], columns: usize| match packed {
        false => Left::Plain(from.as_ptr(), columns),
        true => Left::PanelPacked(lanes(from, all, columns)),
    };
    let (a, b) = (
        Arena::new(rows * batch),
        Arena::new(batch * columns + WIDEST),
    );
    let part = (begin, batch);
    let made = |x: Left, dy: Lanes| {
        let mut dw = vec![0.5; rows * columns];
        for lane in 0..columns.div_ceil(isa.width()) {
            let width = isa.width().min(columns - lane * isa.width());
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
            match x {
                Left::Columns(..) => isa.run_pairs(PairBlock(block)),
                _ => isa.run(block),
            }
        }
        dw
    };
    // SAFETY: everything is as large as is said.
    let (single, paired) = unsafe {
        let plain = Left::Plain(x.as_ptr(), rows);
        super::super::sparse::turn(isa, plain, part, (0, rows), a.at(0));
        isa.run(PackLanes {
            rows: batch,
            dy: dy.as_ptr().add(begin * columns),
            dy_stride: columns,
            width: columns,
            to: b.at(0),
        });
        let from = b.at(0).cast_const();
        let single = made(
            Left::Plain(a.at(0), batch),
            Lanes {
                from,
                rows: batch,
                columns,
            },
        );
        let x = join(isa, left(&x_there, rows), part, (0, rows), a.at(0));
        let dy = left(&dy_there, columns);
        let dy = join(isa, dy, part, (0, columns), b.at(0));
        (single, made(Left::Columns(x, 0), dy))
    };
    assert!(
        single == paired,
        "{isa:?}, {batch} rows, {rows}, {columns}, {packed}"
    );
    assert!(single.iter().any(|x| *x != 0.5));
}

#[test]
fn gradients_of_pairs_have_the_same_bits() {
    for isa in all() {
        let width = isa.width();
        for packed in [false, true] {
            for rows in 1..20 {
                gradients(
                    isa,
                    [0, 2 * rows - 1, rows, 2 * width + rows % width],
                    packed,
                );
                gradients(isa, [6, rows, rows + width, width - 1], packed);
            }
        }
    }
}
