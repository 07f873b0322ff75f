//! PTX of whole programs through the real ptxas.

use std::sync::OnceLock;

use we3_driver::failure::Failure;
use we3_driver::kernel::{Kernel, with_entries};
use we3_driver::plan::{BackendChoice, Plan, Schedules, target_from_name};
use we3_driver::ptxas::{self, Ptxas};
use we3_driver::session::Session;
use we3_driver::stages::{Form, Stage, StageLog, run_to};
use we3_driver::{Artifact, Emit};

/// The processors that kernels are assembled for: the oldest and the newest that we name.
pub const PROCESSORS: &[&str] = &["sm_75", "sm_90a"];

/// The assembler, looked for once.
pub fn assembler() -> Option<&'static Ptxas> {
    static FOUND: OnceLock<Option<Ptxas>> = OnceLock::new();
    FOUND.get_or_init(ptxas::find).as_ref()
}

/// Whether emitted PTX is assembled here.
pub fn is_tested() -> bool {
    cfg!(feature = "llvm") && assembler().is_some()
}

/// In CI nothing may be left out.
#[expect(clippy::disallowed_methods, reason = "a setting of the machine that runs the tests")]
pub fn must_be_tested() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// How many kernels ptxas took, or that none was tried.
pub fn spoken(kernels: usize) -> String {
    if is_tested() {
        return format!("{kernels} PTX kernels assembled");
    }
    let missing =
        if cfg!(feature = "llvm") { "no ptxas (make setup)" } else { "built without the feature `llvm`" };
    format!("PTX NOT TESTED: {missing}")
}

/// Compiles these entries for a GPU and assembles them; gives the number of kernels.
pub fn assemble(session: &mut Session, kernels: &[Kernel], processor: &str) -> Result<usize, String> {
    let ir = session.ir().map_err(|failure| failure.summary())?;
    let module = with_entries(&ir.module, &|name| kernels.iter().any(|kernel| kernel.name == name));
    let target = target_from_name(processor).ok_or("no such target")?;
    let plan = Plan {
        backend: BackendChoice::Llvm,
        target,
        opt_level: 3,
        verify_each: true,
        schedules: Schedules::Heuristic,
        only_call: None,
        probes: false,
        lines: None,
    };
    let form = run_to(Form::Array(module), Stage::Artifact, &plan, Emit::Assembly, &mut StageLog::default());
    let text = match form {
        Ok(Form::Artifact(Artifact::Text(text))) => text,
        Ok(Form::Artifact(Artifact::Kernels { ptx, .. })) => ptx,
        Ok(_) => return Err(String::from("no text came out")),
        Err(Failure::Unsupported(limit)) => return Err(format!("not supported: {limit}")),
        Err(failure) => return Err(failure.summary()),
    };
    let count = text.matches(".entry").count();
    match assembler() {
        Some(ptxas) => ptxas.assemble(&text, processor, 1).map(|_| count),
        None => Ok(0),
    }
}
