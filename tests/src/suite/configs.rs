//! The configurations that must agree: backends, levels and instruction sets that this machine can run.

use we3_device::Threads;
use we3_driver::Target;
use we3_driver::plan::{BackendChoice, Plan, Schedules, host, target_from_name};

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

/// How often compiled code runs: on one thread, and on four with loops torn into short chunks in an order
/// that comes from the seed.
pub fn ways(plan: &Plan, seed: u64) -> Vec<Threads> {
    match plan.backend {
        BackendChoice::Interpreter | BackendChoice::LoopInterpreter => vec![Threads::ONE],
        BackendChoice::Cranelift | BackendChoice::Llvm => {
            vec![Threads::ONE, Threads::disordered(4, seed)]
        }
    }
}

/// A configuration as failures name it.
pub fn describe(plan: &Plan, threads: Threads) -> String {
    match (threads.count, threads.disorder) {
        (Some(count), Some(seed)) => format!("{} on {count} threads (disorder {seed})", plan.describe()),
        _ => plan.describe(),
    }
}

/// The reference.
pub fn reference() -> Plan {
    checked(BackendChoice::Interpreter, "host", 3)
}

/// The machine's own instruction set, on the backend that every machine has.
pub fn compiled_here() -> Plan {
    checked(BackendChoice::Cranelift, "host", 3)
}

fn checked(backend: BackendChoice, target: &str, opt_level: u8) -> Plan {
    let target = target_from_name(target).expect("a target of the table");
    Plan {
        backend,
        target,
        opt_level,
        verify_each: true,
        schedules: Schedules::Heuristic,
        only_call: None,
        probes: false,
        lines: None,
    }
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
