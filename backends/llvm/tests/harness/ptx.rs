//! Kernels for NVIDIA GPUs: emitted for several processors and assembled by the real `ptxas`.

use std::path::{Path, PathBuf};

use we3_backend_api::launch::LaunchPlan;
use we3_backend_api::{Artifact, Emit, Target};
use we3_device::ptxas::Ptxas;
use we3_ir::Module;

/// The oldest processor we support, one with newer float instructions, the newest.
pub const PROCESSORS: [(u32, bool, &str); 3] =
    [(75, false, "sm_75"), (80, false, "sm_80"), (90, true, "sm_90a")];

/// The assembler of the repository's Python environment. Without it tests say so and assemble nothing
/// (`make test` requires it in CI).
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
pub fn assembler() -> Option<Ptxas> {
    let environment: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv");
    let found = Ptxas::find(&[environment]);
    if found.is_none() {
        eprintln!("skipped: no ptxas (make setup installs it)");
    }
    found
}

/// PTX text and launch plan.
pub fn kernels(module: &Module, sm: u32, accelerated: bool, opt_level: u8) -> (String, LaunchPlan) {
    match super::compile(module, &Target::ptx(sm, accelerated), Emit::Object, opt_level) {
        Artifact::Kernels { ptx, plan } => (ptx, plan),
        other @ (Artifact::Text(_) | Artifact::Object(_)) => panic!("no kernels: {other:?}"),
    }
}

/// Emits for every processor and assembles each text in one run.
pub fn assemble_everywhere(module: &Module, opt_levels: &[u8]) {
    let assembler = assembler();
    for (sm, accelerated, name) in PROCESSORS {
        for opt_level in opt_levels {
            let (ptx, _) = kernels(module, sm, accelerated, *opt_level);
            if let Some(assembler) = &assembler {
                assembler
                    .assemble(&ptx, name, 1)
                    .unwrap_or_else(|error| panic!("{name} -O{opt_level}: {error}\n{ptx}"));
            }
        }
    }
}
