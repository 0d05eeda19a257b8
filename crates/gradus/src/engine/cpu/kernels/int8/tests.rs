//! The registers that a processor may lack, as plain Rust, against the portable one.

use super::portable::Portable;
use super::{Int8Kernel, Int8Packed, QuantizedProduct, Sums, pack, room};
use crate::engine::cpu::kernels::columns::Block;

/// As AVX512-VNNI does it, with fewer columns: four numbers at a time, those of a row from 0 to 255.
#[derive(Clone, Copy)]
struct Unsigned([i32; 4]);

impl Sums for Unsigned {
    const COLUMNS: usize = 4;
    const DEPTH: usize = 4;
    const ROWS: usize = 8;
    const PANELS: usize = 3;
    const OFFSET: i32 = 128;
    type Number = u8;
    type Left = [u8; 4];
    type Right = [[i8; 4]; 4];

    fn zero() -> Self {
        Unsigned([0; 4])
    }
    fn number(bits: u32) -> u8 {
        bits as u8 ^ 0x80
    }
    unsafe fn left(from: *const u8) -> [u8; 4] {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<[u8; 4]>().read_unaligned() }
    }
    unsafe fn right(from: *const i8) -> [[i8; 4]; 4] {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<[[i8; 4]; 4]>().read_unaligned() }
    }
    fn add(mut self, left: [u8; 4], right: [[i8; 4]; 4]) -> Self {
        for (sum, column) in self.0.iter_mut().zip(right) {
            let products = left.iter().zip(column);
            *sum += products
                .map(|(&x, w)| i32::from(x) * i32::from(w))
                .sum::<i32>();
        }
        self
    }
    unsafe fn store(self, to: *mut i32) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[i32; 4]>().write_unaligned(self.0) }
    }
}

/// The product of a row-major matrix and a packed one, and the packed one's numbers.
struct Whole<'a> {
    x: &'a [f32],
    w: &'a [f32],
    matrix: Int8Packed,
}

impl Int8Kernel for Whole<'_> {
    type Output = (Vec<f32>, Vec<f32>);

    fn run<S: Sums>(self) -> Self::Output {
        let Whole { x, w, matrix } = self;
        let rows = x.len() / matrix.rows;
        let mut packed = vec![0.0_f32; matrix.room_of::<S>()];
        let to = &mut packed;
        pack::Pack {
            matrix,
            from: w,
            to,
        }
        .run::<S>();
        let mut back = vec![0.0; w.len()];
        let (from, to) = (&packed, &mut back);
        pack::Unpack { matrix, from, to }.run::<S>();
        let scale: Vec<f32> = (0..matrix.columns).map(|c| 1.5 + c as f32).collect();
        let mut y = vec![0.0; rows * matrix.columns];
        let mut scratch = vec![0.0_f32; room(rows, matrix.rows)];
        QuantizedProduct {
            x: x.as_ptr(),
            w: packed.as_ptr().cast(),
            matrix,
            scale: scale.as_ptr(),
            y: y.as_mut_ptr(),
            block: Block {
                first: 0,
                rows,
                stride: matrix.columns,
                from: 0,
                to: matrix.columns,
                packed: false,
            },
            lane: 4,
            scratch: scratch.as_mut_ptr(),
        }
        .run::<S>();
        (y, back)
    }
}

#[test]
fn numbers_that_are_moved_above_zero_give_the_same_bits() {
    for (rows, inputs, columns) in [(1, 1, 1), (3, 7, 5), (9, 33, 12), (70, 130, 27)] {
        let matrix = Int8Packed {
            rows: inputs,
            columns,
        };
        let x: Vec<f32> = (0..rows * inputs)
            .map(|i| (i * 7919 % 1013) as f32 - 500.0)
            .collect();
        let w: Vec<f32> = (0..inputs * columns)
            .map(|i| (i * 31 % 256) as f32 - 128.0)
            .collect();
        let (x, w) = (&x, &w);
        let (expected, plain) = Whole { x, w, matrix }.run::<Portable>();
        let (found, back) = Whole { x, w, matrix }.run::<Unsigned>();
        assert_eq!((&plain, &back), (w, w));
        assert_eq!(found, expected, "{rows} · {inputs} · {columns}");
        // The first element as its definition has it.
        let scale = 127.0 / (x[..inputs].iter().fold(0.0_f32, |m, x| m.max(x.abs())) + 1e-7);
        let whole = x[..inputs]
            .iter()
            .map(|x| (x * scale).round_ties_even() as i64);
        let sum: i64 = whole
            .zip(w.iter().step_by(columns))
            .map(|(x, w)| x * *w as i64)
            .sum();
        assert_eq!(expected[0], sum as f32 / (1.5 * scale));
    }
}
