//! Products of int8 numbers: sums in registers, the instructions that a processor may have for
//! them, and the choice of the best. All of them give the same int32 sums.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "aarch64")]
mod dotprod;
mod pack;
mod portable;
mod product;
#[cfg(target_arch = "x86_64")]
mod vnni;

#[cfg(test)]
mod tests;

pub(in crate::engine::cpu) use pack::Int8Packed;
pub(in crate::engine::cpu) use product::{QuantizedProduct, room};

use crate::engine::cpu::isa::Isa;

/// A register of int32 sums, one for each of some columns.
pub(in crate::engine::cpu) trait Sums: Copy {
    /// Columns with a sum.
    const COLUMNS: usize;
    /// Numbers of a row that are multiplied and added at a time.
    const DEPTH: usize;
    /// Rows of a tile, at most 8.
    const ROWS: usize;
    /// Panels of columns of a tile, at most 3: all sums of a tile fit into the registers.
    const PANELS: usize;
    /// Offset of the numbers of a row, for an instruction that takes none below 0.
    const OFFSET: i32;
    /// A number of a row.
    type Number: Copy;
    /// `DEPTH` numbers of a row, beside each column's.
    type Left: Copy;
    /// `DEPTH` numbers of each column.
    type Right: Copy;

    /// Sums of nothing.
    fn zero() -> Self;
    /// A number, `OFFSET` larger, from bits of which the lower 16 are those of a whole number.
    fn number(bits: u32) -> Self::Number;
    /// # Safety
    /// `from` must be readable for `DEPTH` numbers.
    unsafe fn left(from: *const Self::Number) -> Self::Left;
    /// # Safety
    /// `from` must be readable for `COLUMNS · DEPTH` numbers.
    unsafe fn right(from: *const i8) -> Self::Right;
    /// Adds products.
    fn add(self, left: Self::Left, right: Self::Right) -> Self;
    /// # Safety
    /// `to` must be writable for `COLUMNS` sums.
    unsafe fn store(self, to: *mut i32);
}

/// A kernel to run with one of these registers.
pub(in crate::engine::cpu) trait Int8Kernel {
    /// Its result.
    type Output;
    /// Runs it. Must be `#[inline(always)]`, as [`Kernel::run`].
    ///
    /// [`Kernel::run`]: crate::engine::cpu::simd::Kernel::run
    fn run<S: Sums>(self) -> Self::Output;
}

impl Isa {
    /// Runs a kernel with this set's best instructions for int8 numbers.
    #[inline]
    pub(in crate::engine::cpu) fn run_int8<K: Int8Kernel>(self, kernel: K) -> K::Output {
        match self {
            // SAFETY: `available` found the instructions.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { avx2::run(kernel) },
            // SAFETY: the same, and VNNI was found just now.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 | Isa::Avx512Bf16 if is_x86_feature_detected!("avx512vnni") => unsafe {
                vnni::run(kernel)
            },
            // SAFETY: `available` finds AVX2 before AVX-512.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 | Isa::Avx512Bf16 => unsafe { avx2::run(kernel) },
            // SAFETY: found just now.
            #[cfg(target_arch = "aarch64")]
            Isa::Neon if std::arch::is_aarch64_feature_detected!("dotprod") => unsafe {
                dotprod::run(kernel)
            },
            _ => kernel.run::<portable::Portable>(),
        }
    }
}
