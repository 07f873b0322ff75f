//! Failures as numbers, with their texts kept for the thread; panics stop here.

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use we3_driver::host::HostError;

/// `we3_status`.
pub type Status = i32;

thread_local! {
    static LAST: RefCell<CString> = RefCell::new(CString::default());
}

/// Runs what a C function does; a failure or a panic becomes its number, and its text is kept.
pub fn guarded(work: impl FnOnce() -> Result<(), HostError>) -> Status {
    let outcome = catch_unwind(AssertUnwindSafe(work));
    let error = match outcome {
        Ok(Ok(())) => return 0,
        Ok(Err(error)) => error,
        Err(_) => HostError::Unavailable(String::from("bug in we3: it panicked")),
    };
    let text = error.to_string().replace('\0', "␀");
    LAST.with(|last| *last.borrow_mut() = CString::new(text).unwrap_or_default());
    match error {
        HostError::Program(_) => 1,
        HostError::Stopped(_) => 2,
        HostError::Argument(_) => 3,
        HostError::Memory(_) => 4,
        HostError::Unavailable(_) => 5,
    }
}

/// See `we3.h`.
#[unsafe(no_mangle)]
pub extern "C" fn we3_error() -> *const c_char {
    // The text stays where it is until the next failure on this thread.
    LAST.with(|last| last.borrow().as_ptr())
}
