//! Memory for a session: zeroed, aligned to cache lines, of one size for good.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// A cache line, and the widest lane.
const ALIGNMENT: usize = 64;

/// Numbers that several threads write to, each in its own places.
#[derive(Debug)]
pub(super) struct Arena {
    start: NonNull<f32>,
    layout: Layout,
}

// SAFETY: an arena is plain memory that it owns; who may touch which part of it
// when is decided by the plan's phases.
unsafe impl Send for Arena {}
// SAFETY: as above; a shared arena gives out pointers only.
unsafe impl Sync for Arena {}

impl Arena {
    /// Room for `size` numbers, all 0.
    pub fn new(size: usize) -> Self {
        let bytes = size.max(1) * size_of::<f32>();
        let Ok(layout) = Layout::from_size_align(bytes, ALIGNMENT) else {
            panic!("{bytes} bytes are more than any machine has");
        };
        // SAFETY: the layout's size is not 0.
        let start = unsafe { alloc_zeroed(layout) };
        match NonNull::new(start.cast()) {
            Some(start) => Arena { start, layout },
            None => handle_alloc_error(layout),
        }
    }

    /// Where the number at `offset` is.
    pub fn at(&self, offset: usize) -> *mut f32 {
        debug_assert!(offset * size_of::<f32>() <= self.layout.size());
        // SAFETY: inside the allocation or just behind it.
        unsafe { self.start.as_ptr().add(offset) }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, and not given back before.
        unsafe { dealloc(self.start.as_ptr().cast(), self.layout) }
    }
}
