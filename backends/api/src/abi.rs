//! The calling convention between a runtime and a compiled entry (`docs/ir.md`, last section).

/// Everything went well.
pub const STATUS_OK: i32 = 0;
/// A `check` failed somewhere; outputs are unspecified.
pub const STATUS_CHECK_FAILED: i32 = 1;
/// `alloc` or `output` returned null.
pub const STATUS_OUT_OF_MEMORY: i32 = 2;

/// What a compiled entry calls back. Compiled code reads the fields at the offsets of `context_offset`.
/// `alloc` and `free` are called from every thread that `parallel` uses; `output` and `parallel` only from
/// the one that called the entry.
#[repr(C)]
pub struct CallContext {
    /// `(context, bytes) -> address`, aligned to 64 bytes, or null. Never called with a negative count.
    pub alloc: unsafe extern "C" fn(*mut CallContext, i64) -> *mut u8,
    /// `(context, address)`: gives back what `alloc` gave in this call.
    pub free: unsafe extern "C" fn(*mut CallContext, *mut u8),
    /// `(context, array result number, element count) -> address` or null.
    pub output: unsafe extern "C" fn(*mut CallContext, i64, i64) -> *mut u8,
    /// Runs a loop whose iterations are independent, on as many threads as it likes.
    pub parallel: ParallelFunction,
    /// Loops with less work than this (an estimate in picoseconds) run without asking `parallel`.
    pub parallel_from: u64,
    /// `(context, nest)`: a nest begins. Called by code with probes only, on the thread that called the entry.
    pub enter: unsafe extern "C" fn(*mut CallContext, i64),
    /// `(context, nest, flops, bytes)`: it has ended, and computed and moved so much; −1 where that is not known.
    pub leave: unsafe extern "C" fn(*mut CallContext, i64, i64, i64),
}

/// Byte offsets in `CallContext`.
pub mod context_offset {
    /// Of `alloc`.
    pub const ALLOC: i32 = 0;
    /// Of `free`.
    pub const FREE: i32 = 8;
    /// Of `output`.
    pub const OUTPUT: i32 = 16;
    /// Of `parallel`.
    pub const PARALLEL: i32 = 24;
    /// Of `parallel_from`.
    pub const PARALLEL_FROM: i32 = 32;
    /// Of `enter`.
    pub const ENTER: i32 = 40;
    /// Of `leave`.
    pub const LEAVE: i32 = 48;
}

/// `(context, environment, lo, hi) -> status`: iterations `lo` to `hi − 1` of a parallel loop.
pub type BodyFunction = unsafe extern "C" fn(*mut CallContext, *const u8, i64, i64) -> i32;

/// `(context, body, environment, lo, hi, grain) -> status`: calls `body` so that each iteration from `lo` to
/// `hi − 1` runs once, at least `grain` (≥ 1) together but for the rest. It returns when all calls have
/// returned: 0 if all gave 0, 1 if one gave 1 (the others may then be left out), else 2.
pub type ParallelFunction =
    unsafe extern "C" fn(*mut CallContext, BodyFunction, *const u8, i64, i64, i64) -> i32;

/// A compiled entry: parameters as 64-bit slots, scalar results as 64-bit slots (`bool` and narrow
/// types zero-extended), returns a status.
pub type EntryFunction = unsafe extern "C" fn(*mut CallContext, *const u64, *mut u64) -> i32;

/// The symbol of an entry in an object: letters and digits stay, anything else becomes `_xx` (hex).
pub fn entry_symbol(name: &str) -> String {
    let mut symbol = String::from("we3_");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() {
            symbol.push(char::from(byte));
        } else if byte == b'_' {
            symbol.push_str("__");
        } else {
            symbol.push_str(&format!("_{byte:02x}"));
        }
    }
    symbol
}
