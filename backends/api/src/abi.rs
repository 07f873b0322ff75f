//! The calling convention between a runtime and a compiled entry (`docs/ir.md`, last section).

/// Everything went well.
pub const STATUS_OK: i32 = 0;
/// A `check` failed somewhere; outputs are unspecified.
pub const STATUS_CHECK_FAILED: i32 = 1;
/// `alloc` or `output` returned null.
pub const STATUS_OUT_OF_MEMORY: i32 = 2;

/// What a compiled entry calls back. Compiled code reads the function pointers at byte offsets 0, 8 and 16.
#[repr(C)]
pub struct CallContext {
    /// `(context, bytes) -> address`, aligned to 64 bytes, or null. Never called with a negative count.
    pub alloc: unsafe extern "C" fn(*mut CallContext, i64) -> *mut u8,
    /// `(context, address)`: gives back what `alloc` gave in this call.
    pub free: unsafe extern "C" fn(*mut CallContext, *mut u8),
    /// `(context, array result number, element count) -> address` or null.
    pub output: unsafe extern "C" fn(*mut CallContext, i64, i64) -> *mut u8,
}

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
