//! Text to typed tree to array IR, and diagnostics. Reads no files, never panics on input.

pub mod emit;
pub mod typed;
