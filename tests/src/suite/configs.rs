//! The configurations that must agree: backends, levels and instruction sets that this machine can run.

use we3_driver::Target;
use we3_driver::plan::{BackendChoice, Plan, host, target_from_name};

/// All configurations after the reference. LLVM's are there with the feature `llvm`.
pub fn others() -> Vec<Plan> {
    let mut plans = vec![
        checked(BackendChoice::LoopInterpreter, "x86-64", 0),
        checked(BackendChoice::LoopInterpreter, "host", 3),
        checked(BackendChoice::Cranelift, baseline(), 0),
        checked(BackendChoice::Cranelift, "host", 3),
    ];
    if cfg!(feature = "llvm") {
        plans.push(checked(BackendChoice::Llvm, baseline(), 0));
        plans.push(checked(BackendChoice::Llvm, baseline(), 3));
        for level in ["x86-64-v3", "x86-64-v4"] {
            if runs_here(level) {
                plans.push(checked(BackendChoice::Llvm, level, 3));
            }
        }
    }
    plans
}

/// The reference.
pub fn reference() -> Plan {
    checked(BackendChoice::Interpreter, "host", 3)
}

fn checked(backend: BackendChoice, target: &str, opt_level: u8) -> Plan {
    let target = target_from_name(target).expect("a target of the table");
    Plan { backend, target, opt_level, verify_each: true }
}

/// The least instruction set of this machine's architecture.
fn baseline() -> &'static str {
    if cfg!(target_arch = "x86_64") { "x86-64" } else { "host" }
}

fn runs_here(name: &str) -> bool {
    let machine: Target = host();
    target_from_name(name).is_some_and(|wanted| {
        wanted.arch == machine.arch && wanted.features.iter().all(|one| machine.has(one))
    })
}
