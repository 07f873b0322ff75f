//! Artifacts and memory: loads ELF objects, calls entries, keeps outputs. Knows nothing of source
//! programs. The only room of the toolchain with `unsafe` code.

pub mod call;
pub mod float_environment;
pub mod host;
pub mod image;
pub mod knobs;
pub mod llvm_worker;
pub mod loader;
pub mod memory;
pub mod ptxas;
pub mod relocate;
pub mod threads;

pub use call::{ArgSlot, CallError, CallLimits, CallOutcome, OutputLayout, call_entry};
pub use host::host_target;
pub use llvm_worker::{LlvmWorker, WorkerError};
pub use loader::{LoadError, LoadedObject};
pub use memory::HostMemory;
pub use threads::Threads;
