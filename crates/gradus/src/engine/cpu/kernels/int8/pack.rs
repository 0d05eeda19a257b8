//! int8 matrices as the products read them: panels of a register's columns, one behind the other.
//! A panel has `DEPTH` rows of its first column, of its second, and so on, then the next rows.
//! The rest of a register is 0. Behind the panels are the columns' sums, times the
//! offset that they are to be corrected by.

use super::{Int8Kernel, Sums};
use crate::engine::cpu::isa::Isa;
use crate::plan::ops::MatMulDims;

/// A packed int8 matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::cpu) struct Int8Packed {
    pub rows: usize,
    pub columns: usize,
}

impl Int8Packed {
    pub fn new(dims: MatMulDims) -> Self {
        Int8Packed {
            rows: dims.inputs,
            columns: dims.outputs,
        }
    }

    /// Floats of memory that it takes.
    pub fn room(self, isa: Isa) -> usize {
        isa.run_int8(Room(self))
    }

    /// Packs whole numbers from -128 to 127, row-major.
    pub fn pack(self, isa: Isa, from: &[f32], to: &mut [f32]) {
        let matrix = self;
        isa.run_int8(Pack { matrix, from, to });
    }

    /// The numbers, row-major.
    pub fn unpack(self, isa: Isa, from: &[f32], to: &mut [f32]) {
        let matrix = self;
        isa.run_int8(Unpack { matrix, from, to });
    }

    /// The bytes of a panel.
    #[inline(always)]
    pub(super) fn panel<S: Sums>(self) -> usize {
        self.rows.next_multiple_of(S::DEPTH) * S::COLUMNS
    }

    /// The offset of the columns' corrections, in int32.
    #[inline(always)]
    pub(super) fn corrections<S: Sums>(self) -> usize {
        self.columns.div_ceil(S::COLUMNS) * self.panel::<S>() / size_of::<i32>()
    }

    /// The place of a number.
    #[inline(always)]
    fn place<S: Sums>(self, row: usize, column: usize) -> usize {
        column / S::COLUMNS * self.panel::<S>()
            + row / S::DEPTH * S::DEPTH * S::COLUMNS
            + column % S::COLUMNS * S::DEPTH
            + row % S::DEPTH
    }

    pub(super) fn room_of<S: Sums>(self) -> usize {
        let corrections = match S::OFFSET {
            0 => 0,
            _ => self.columns.next_multiple_of(S::COLUMNS),
        };
        self.corrections::<S>() + corrections
    }
}

struct Room(Int8Packed);

impl Int8Kernel for Room {
    type Output = usize;
    #[inline(always)]
    fn run<S: Sums>(self) -> usize {
        self.0.room_of::<S>()
    }
}

pub(super) struct Pack<'a> {
    pub matrix: Int8Packed,
    pub from: &'a [f32],
    pub to: &'a mut [f32],
}

impl Int8Kernel for Pack<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Sums>(self) {
        let Pack { matrix, from, to } = self;
        let to = &mut to[..matrix.room_of::<S>()];
        to.fill(0.0);
        let length = size_of_val(to);
        // SAFETY: the same memory as bytes, every pattern of which is a float, too.
        let bytes = unsafe { std::slice::from_raw_parts_mut(to.as_mut_ptr().cast::<i8>(), length) };
        let mut sums = vec![0_i32; matrix.columns];
        for (row, numbers) in from.chunks_exact(matrix.columns.max(1)).enumerate() {
            for (column, &number) in numbers.iter().enumerate() {
                let number = number as i8;
                bytes[matrix.place::<S>(row, column)] = number;
                sums[column] += i32::from(number);
            }
        }
        if S::OFFSET != 0 {
            let corrections = &mut to[matrix.corrections::<S>()..];
            for (correction, sum) in corrections.iter_mut().zip(sums) {
                *correction = f32::from_bits(S::OFFSET.wrapping_mul(sum) as u32);
            }
        }
    }
}

pub(super) struct Unpack<'a> {
    pub matrix: Int8Packed,
    pub from: &'a [f32],
    pub to: &'a mut [f32],
}

impl Int8Kernel for Unpack<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Sums>(self) {
        let Unpack { matrix, from, to } = self;
        // SAFETY: the same memory as bytes.
        let bytes =
            unsafe { std::slice::from_raw_parts(from.as_ptr().cast::<i8>(), size_of_val(from)) };
        for (row, numbers) in to.chunks_exact_mut(matrix.columns.max(1)).enumerate() {
            for (column, number) in numbers.iter_mut().enumerate() {
                *number = f32::from(bytes[matrix.place::<S>(row, column)]);
            }
        }
    }
}
