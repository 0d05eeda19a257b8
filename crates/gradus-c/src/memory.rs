//! Room in the module's memory for what a page passes in, and is given.

use std::alloc::{Layout, alloc, dealloc};

/// Bytes at which all that is passed is aligned.
const ALIGNMENT: usize = 16;

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.max(1), ALIGNMENT).ok()
}

/// Allocates room for so many bytes; null if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_allocate(size: usize) -> *mut u8 {
    match layout(size) {
        // SAFETY: the size is not 0.
        Some(layout) => unsafe { alloc(layout) },
        None => std::ptr::null_mut(),
    }
}

/// Gives back room for so many bytes.
///
/// # Safety
/// It is of `gradus_allocate`, which was asked for as many, and is used no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_deallocate(start: *mut u8, size: usize) {
    if let (false, Some(layout)) = (start.is_null(), layout(size)) {
        // SAFETY: the caller's promise.
        unsafe { dealloc(start, layout) }
    }
}
