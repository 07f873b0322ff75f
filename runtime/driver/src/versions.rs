//! One object with code for several processors. Each gets its own schedules, so the way parts after the array IR;
//! in strict mode all give the same bits, whichever is taken.

use we3_backend_api::{Artifact, Emit, Options, Target};
use we3_ir::Module;

use crate::failure::Failure;
use crate::llvm;
use crate::plan::{BackendChoice, Plan};
use crate::stages::{StageLog, lower};

/// Compiles array IR for all of these targets, the least first.
pub fn compile_versions(
    module: &Module,
    targets: &[Target],
    plan: &Plan,
    emit: Emit,
    log: &mut StageLog,
) -> Result<Artifact, Failure> {
    if plan.backend != BackendChoice::Llvm {
        return Err(Failure::Usage(String::from(
            "code for several processors is made by LLVM: use `--backend llvm`",
        )));
    }
    let mut programs = Vec::new();
    for target in targets {
        let plan = plan.clone().for_target(target.clone());
        programs.push((lower(module.clone(), &plan, log)?, target.clone()));
    }
    let lines = plan.lines.as_ref().zip(programs.first()).map(|(index, (module, _))| index.lines(module));
    let options = Options { emit, opt_level: plan.opt_level, lines };
    log.time("llvm", || llvm::compile_versions(&programs, &options))
}
