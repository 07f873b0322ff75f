//! Joins the rooms: sources to diagnostics, stages from text to artifact, calls on any backend, tests and
//! benchmarks. What hosts (command line, C, Python) see of a value lives here too. Nothing here prints.

pub mod bind;
pub mod compare;
pub mod doctor;
pub mod executable;
pub mod failure;
pub mod flatten;
pub mod generate;
pub mod kernel;
pub mod layout;
pub mod llvm;
pub mod opt;
pub mod plan;
pub mod ptxas;
pub mod random;
pub mod show;
pub mod sources;
pub mod spec;
pub mod stages;
pub mod value;

pub use we3_backend_api::{Arch, Artifact, Emit, Target};
pub use we3_device::knobs;
pub use we3_ir::{Const, Scalar};

/// What `--version` says: the program's version and that of the numerics. Results change only with the latter.
pub const VERSION_TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), " (numerics 1)");
