//! Lowering keeps every bit: each array-level operation, at sizes around every block and run length,
//! runs as array IR and as loop IR (plain and optimised, parallel loops also backwards) and must
//! return the same.

mod edges;
mod harness;
mod nests;
mod reductions;
mod writes;
