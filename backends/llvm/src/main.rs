//! The worker program that links LLVM.
fn main() {}
