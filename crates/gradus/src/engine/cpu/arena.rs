//! A session's memory: zeroed, aligned to cache lines, of fixed size.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// A cache line, and the widest lane.
const ALIGNMENT: usize = 64;

/// Size of a huge page, and the arena size in bytes from which they are used: a smaller arena has
/// few pages of any kind.
const HUGE: (usize, usize) = (2 << 20, 4 << 20);

/// Elements that several threads write to, each in its own places.
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
    /// Allocates `size` floats, all 0.
    pub fn new(size: usize) -> Self {
        let bytes = size.max(1) * size_of::<f32>();
        let huge = bytes >= HUGE.1;
        let alignment = if huge { HUGE.0 } else { ALIGNMENT };
        let Ok(layout) = Layout::from_size_align(bytes, alignment) else {
            panic!("{bytes} bytes are more than any machine has");
        };
        // SAFETY: the layout's size is not 0; of huge pages, all bytes are written, which is
        // what gives them memory, after the system knows what for.
        let start = unsafe {
            if huge {
                let start = alloc(layout);
                if !start.is_null() {
                    ask_for_huge_pages(start, bytes);
                    start.write_bytes(0, bytes);
                }
                start
            } else {
                alloc_zeroed(layout)
            }
        };
        match NonNull::new(start.cast()) {
            Some(start) => Arena { start, layout },
            None => handle_alloc_error(layout),
        }
    }

    /// The address of the element at `offset`.
    pub fn at(&self, offset: usize) -> *mut f32 {
        debug_assert!(offset * size_of::<f32>() <= self.layout.size());
        // SAFETY: inside the allocation or just behind it.
        unsafe { self.start.as_ptr().add(offset) }
    }
}

/// Asks the system to back memory with pages of 2 MiB, where available, so that products over many
/// megabytes have fewer TLB misses. It may decline.
///
/// # Safety
/// The memory must be the caller's own.
unsafe fn ask_for_huge_pages(start: *mut u8, bytes: usize) {
    #[cfg(all(target_os = "linux", not(miri)))]
    // SAFETY: the caller's promise; what the memory holds does not change.
    unsafe {
        use rustix::mm::{Advice, madvise};
        let _ = madvise(start.cast(), bytes, Advice::LinuxHugepage);
    }
    #[cfg(not(all(target_os = "linux", not(miri))))]
    let _ = (start, bytes);
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, and not given back before.
        unsafe { dealloc(self.start.as_ptr().cast(), self.layout) }
    }
}
