//! What every backend takes and gives: verified loop IR in, an artifact out, plus the calling
//! convention of compiled entries. No code generation lives here.

pub mod abi;
pub mod artifact;
mod hex;
pub mod launch;
pub mod target;
pub mod worker;

pub use abi::{
    CallContext, EntryFunction, STATUS_CHECK_FAILED, STATUS_OK, STATUS_OUT_OF_MEMORY, entry_symbol,
};
pub use artifact::{Artifact, Backend, Emit, Options, Unsupported};
pub use target::{Arch, Target};
