//! Plain Rust: four columns, two numbers at a time.

use super::Sums;

#[derive(Clone, Copy, Debug)]
pub(super) struct Portable([i32; 4]);

impl Sums for Portable {
    const COLUMNS: usize = 4;
    const DEPTH: usize = 2;
    const ROWS: usize = 4;
    const PANELS: usize = 1;
    const OFFSET: i32 = 0;
    type Number = i16;
    type Left = [i16; 2];
    type Right = [i8; 8];

    #[inline(always)]
    fn zero() -> Self {
        Portable([0; 4])
    }
    #[inline(always)]
    fn number(bits: u32) -> i16 {
        bits as i16
    }
    #[inline(always)]
    unsafe fn left(from: *const i16) -> [i16; 2] {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<[i16; 2]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn right(from: *const i8) -> [i8; 8] {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<[i8; 8]>().read_unaligned() }
    }
    #[inline(always)]
    fn add(mut self, left: [i16; 2], right: [i8; 8]) -> Self {
        let left = left.map(i32::from);
        for (column, sum) in self.0.iter_mut().enumerate() {
            let pair = [right[2 * column], right[2 * column + 1]].map(i32::from);
            *sum += left[0] * pair[0] + left[1] * pair[1];
        }
        self
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut i32) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[i32; 4]>().write_unaligned(self.0) }
    }
}
