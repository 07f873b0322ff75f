//! Joins the rooms: sources to diagnostics, stages from text to artifact, calls on any backend, tests and
//! benchmarks. What hosts (command line, C, Python) see of a value lives here too; no terminal, no files.

pub mod bind;
pub mod compare;
pub mod executable;
pub mod failure;
pub mod flatten;
pub mod kernel;
pub mod layout;
pub mod llvm;
pub mod plan;
pub mod random;
pub mod show;
pub mod spec;
pub mod stages;
pub mod value;

pub use we3_ir::{Const, Scalar};
