//! Text to typed tree to array IR, and diagnostics. Reads no files, never panics on input.

pub mod check;
pub mod codes;
pub mod emit;
pub mod render;
pub mod source;
mod stack;
pub mod typed;

pub use check::{CheckOptions, CheckResult, ConstEval, check};
pub use source::{SourceMap, SourceProvider, SourceText};
