//! Text to typed tree to array IR, and diagnostics. Reads no files, never panics on input.

pub mod emit;
pub mod render;
pub mod source;
pub mod typed;
