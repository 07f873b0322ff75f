//! NVIDIA's assembler, if it is installed: whether emitted PTX is accepted.

use std::path::PathBuf;

pub use we3_device::ptxas::Ptxas;

/// The assembler of the `.venv` of this folder or one above (`make setup` puts it there) or of the
/// program's own folders; else where `we3_device` looks.
pub fn find() -> Option<Ptxas> {
    let here = std::env::current_dir().ok();
    let program = std::env::current_exe().ok();
    let folders = here.iter().chain(&program).flat_map(|start| start.ancestors());
    let environments: Vec<PathBuf> = folders.map(|folder| folder.join(".venv")).collect();
    Ptxas::find(&environments)
}
