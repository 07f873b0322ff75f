//! The exact meaning of every scalar operation, on bit patterns (`docs/semantics.md` is its text).
//! The constant folder, the frontend and the interpreter call this; nothing else defines an operation.
//! Values are `u64` patterns, zero-extended: integers in two's complement, `bool` 0 or 1.

pub mod convert;
mod dispatch;
pub mod f32;
pub mod f64;
pub mod half;
pub mod int;
#[cfg(test)]
mod samples;

pub use dispatch::{binary, bitcast, canonical, compare, convert, fma, unary};
