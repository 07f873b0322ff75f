//! Joins the rooms: sources to diagnostics, stages from text to artifact, calls on any backend, tests and
//! benchmarks. What hosts (command line, C, Python) see of a value lives here too. Nothing here prints.

pub mod arguments;
pub mod bench_runner;
pub mod bind;
pub mod compare;
pub mod const_eval;
pub mod docs;
pub mod doctor;
pub mod executable;
pub mod failure;
pub mod flatten;
pub mod format;
pub mod generate;
pub mod header;
pub mod host;
pub mod instances;
pub mod kernel;
pub mod layout;
pub mod lines;
pub mod llvm;
mod native;
pub mod opt;
mod out;
pub mod plan;
pub mod profile;
pub mod ptxas;
pub mod random;
pub mod reports;
pub mod schedules;
pub mod session;
pub mod show;
pub mod sources;
pub mod spec;
pub mod stages;
pub mod test_runner;
pub mod tune;
pub mod tuned;
pub mod value;
pub mod versions;

pub use we3_backend_api::{Arch, Artifact, Emit, Target};
pub use we3_device::knobs;
pub use we3_frontend::source::SourceMap;
pub use we3_frontend::typed::Entry;
pub use we3_ir::diagnostic::Diagnostic;
pub use we3_ir::{Const, Scalar};

/// The IR's own names, for those who look into a module.
pub use we3_ir as ir;

/// What `--version` says: the program's version and that of the numerics. Results change only with the latter.
pub const VERSION_TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), " (numerics 1)");
