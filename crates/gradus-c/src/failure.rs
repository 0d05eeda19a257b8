//! Errors, kept as a text for each thread. No panic goes through to C.

use gradus::Result;
use std::cell::RefCell;
use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// Does `work`; if it fails, keeps the error's text, and gives `failed`.
pub fn guarded<T>(failed: T, work: impl FnOnce() -> Result<T>) -> T {
    // `work` shares a predictor, which is whole after a panic, too.
    let text = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => return done,
        Ok(Err(error)) => error.to_string(),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
            format!("a bug in gradus: {}", said.unwrap_or("it panicked"))
        }
    };
    // A C text ends at its first zero.
    let text = CString::new(text.replace('\0', " ")).unwrap_or_default();
    LAST.set(text);
    failed
}

/// The address of this thread's last text, until the next one is kept.
pub fn last() -> *const std::ffi::c_char {
    LAST.with_borrow(|text| text.as_ptr())
}
