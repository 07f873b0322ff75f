//! Artifacts and memory: loads ELF objects, calls entries, keeps outputs. Knows nothing of source
//! programs. The only room of the toolchain with `unsafe` code.

pub mod call;
pub mod float_environment;
pub mod gdb;
pub mod host;
pub mod image;
pub mod knobs;
pub mod llvm_worker;
pub mod loader;
pub mod memory;
mod pages;
pub mod pool;
pub mod profile;
pub mod ptxas;
pub mod relocate;
pub mod store;
pub mod threads;

pub use call::{
    ArgSlot, CallError, CallLimits, CallOutcome, Given, OutputLayout, call_entry, call_entry_into,
};
pub use host::host_target;
pub use llvm_worker::{LlvmWorker, WorkerError};
pub use loader::{LoadError, LoadedObject};
pub use memory::{HostMemory, process_pool};
pub use pool::{Pool, PoolStats};
pub use profile::Recorder;
pub use threads::Threads;
