//! NVIDIA GPUs: an entry becomes kernels (`map_to_grid`), emitted as PTX by the same emitter as CPU
//! code, and a plan of what the host does (`we3_backend_api::launch`). See `docs/ptx.md`.

mod classify;
mod emit_kernel;
mod host_control;
mod kernel;
mod map_to_grid;
mod nest;
mod private_memory;
mod scan;

pub use emit_kernel::emit_kernel;
pub use map_to_grid::map_to_grid;
pub use scan::inexact_instructions;
