//! What every backend takes and gives: verified loop IR in, an artifact out, plus the calling
//! convention of compiled entries. No code generation lives here.

pub mod abi;
pub mod artifact;
pub mod estimate;
mod hex;
pub mod launch;
pub mod lines;
pub mod parallel;
pub mod target;
pub mod worker;

pub use abi::{
    BodyFunction, CallContext, EntryFunction, ParallelFunction, STATUS_CHECK_FAILED, STATUS_OK,
    STATUS_OUT_OF_MEMORY, context_offset, entry_symbol,
};
pub use artifact::{Artifact, Backend, Emit, Options, Unsupported};
pub use parallel::{Outline, PARALLEL_FROM, outlines};
pub use target::{Arch, Target};
