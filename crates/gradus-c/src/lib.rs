//! The C library: `include/gradus.h` says what each function does, in the words of this file.
//!
//! `asked` is a model that is asked; `failure` keeps the last error of a thread, and lets no panic
//! through to C. For WebAssembly, `memory` gives the page room for what it passes in.

mod asked;
mod failure;
#[cfg(target_family = "wasm")]
mod memory;

use asked::Asked;
use failure::guarded;
use gradus::{Error, Model, Result};
use std::ffi::{CStr, c_char};
use std::slice;

/// Loads a model from a `.keras` file, or a whole-model `.h5` file. Null if that fails.
///
/// # Safety
/// `path` is a text in UTF-8 that ends with 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_load(path: *const c_char) -> *mut Asked {
    loaded(|| {
        if path.is_null() {
            return Err(null("path"));
        }
        // SAFETY: the caller's promise; it is read before this function returns.
        let path = unsafe { CStr::from_ptr(path) };
        let path = path
            .to_str()
            .map_err(|_| Error::invalid("path", "other bytes", "UTF-8"))?;
        Model::load(path)
    })
}

/// Loads a model from the bytes of such a file. Null if that fails.
///
/// # Safety
/// `bytes` has `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_load_bytes(bytes: *const u8, length: usize) -> *mut Asked {
    loaded(|| {
        if bytes.is_null() {
            return Err(null("bytes"));
        }
        // SAFETY: the caller's promise; they are read before this function returns.
        Model::from_bytes(unsafe { slice::from_raw_parts(bytes, length) })
    })
}

/// The numbers of a row that the model takes: of several inputs, those of one after the other. 0 for null.
///
/// # Safety
/// `model` is null, or was loaded and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_input_size(model: *const Asked) -> usize {
    // SAFETY: the caller's promise.
    guarded(0, || Ok(unsafe { asked(model) }?.input_size()))
}

/// The numbers that the model gives for a row: of several outputs, those of one after the other. 0 for
/// null.
///
/// # Safety
/// `model` is null, or was loaded and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_output_size(model: *const Asked) -> usize {
    // SAFETY: the caller's promise.
    guarded(0, || Ok(unsafe { asked(model) }?.output_size()))
}

/// Predicts rows: `x` has `x_length` numbers, whole rows of `gradus_input_size` each, one row after
/// the other, and `y` has room for `y_length`, which must be as many rows of `gradus_output_size`. False
/// if that fails; `y` may then hold anything.
///
/// # Safety
/// `model` was loaded and is not freed; `x` has `x_length` numbers, `y` has room for `y_length`, and they
/// do not overlap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_predict(
    model: *const Asked,
    x: *const f32,
    x_length: usize,
    y: *mut f32,
    y_length: usize,
) -> bool {
    guarded(false, || {
        // SAFETY: the caller's promise.
        let asked = unsafe { asked(model) }?;
        for (name, start) in [("x", x), ("y", y.cast_const())] {
            if start.is_null() {
                return Err(null(name));
            }
        }
        // SAFETY: the caller's promise.
        let (x, y) = unsafe {
            let x = slice::from_raw_parts(x, x_length);
            (x, slice::from_raw_parts_mut(y, y_length))
        };
        asked.predict(x, y).map(|()| true)
    })
}

/// Sets the number of threads of predictions of many rows that begin from now on; 0, the default, is
/// one per core. Results do not depend on it.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_set_threads(threads: usize) {
    gradus::set_threads(threads);
}

/// The text of this thread's last error, in UTF-8; empty if nothing has failed. It is there until
/// the thread's next error.
#[unsafe(no_mangle)]
pub extern "C" fn gradus_error() -> *const c_char {
    failure::last()
}

/// Frees a model. Null is none.
///
/// # Safety
/// `model` was loaded, is not freed yet, and is not asked at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gradus_free(model: *mut Asked) {
    guarded((), || {
        if !model.is_null() {
            // SAFETY: the caller's promise; `loaded` made it of a box.
            drop(unsafe { Box::from_raw(model) });
        }
        Ok(())
    });
}

fn loaded(load: impl FnOnce() -> Result<Model>) -> *mut Asked {
    guarded(std::ptr::null_mut(), || {
        let asked = Asked::new(&load()?)?;
        Ok(Box::into_raw(Box::new(asked)))
    })
}

/// The model at this address.
///
/// # Safety
/// It is null, or was loaded and is not freed while it is used.
unsafe fn asked<'a>(model: *const Asked) -> Result<&'a Asked> {
    // SAFETY: the caller's promise.
    unsafe { model.as_ref() }.ok_or_else(|| null("model"))
}

fn null(name: &str) -> Error {
    Error::invalid(name, "NULL", "an address")
}
