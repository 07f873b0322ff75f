//! What to compile with and for: backend, target, optimisation; and the facts about a target that passes get.

use std::sync::Arc;

use we3_backend_api::{Arch, Target};
use we3_device::host::{host_target, last_level_cache};
use we3_ir::Schedule;
use we3_passes::TargetFacts;
pub use we3_passes::loops::bind_sizes::OnlyCall;

use crate::failure::Failure;
use crate::flatten::{FlatArg, flatten};
use crate::lines::LineIndex;
use crate::value::HostValue;

/// Who runs or compiles a kernel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum BackendChoice {
    /// The reference: array IR, one element at a time.
    Interpreter,
    /// Lowered loop IR on checked memory; for tests of lowering.
    LoopInterpreter,
    /// Compiles in milliseconds.
    Cranelift,
    /// Compiles for speed, in its worker program.
    Llvm,
}

impl BackendChoice {
    /// Every choice.
    pub const ALL: [BackendChoice; 4] = [
        BackendChoice::Interpreter,
        BackendChoice::LoopInterpreter,
        BackendChoice::Cranelift,
        BackendChoice::Llvm,
    ];

    /// As the command line writes it.
    pub const fn name(self) -> &'static str {
        match self {
            BackendChoice::Interpreter => "interp",
            BackendChoice::LoopInterpreter => "loop-interp",
            BackendChoice::Cranelift => "cranelift",
            BackendChoice::Llvm => "llvm",
        }
    }

    /// The choice with this name.
    pub fn from_name(name: &str) -> Option<BackendChoice> {
        BackendChoice::ALL.into_iter().find(|choice| choice.name() == name)
    }
}

/// How to get from array IR to something that runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Who compiles.
    pub backend: BackendChoice,
    /// For which machine.
    pub target: Target,
    /// 0 … 3. Results have the same bits at every level.
    pub opt_level: u8,
    /// Verify after every pass and not only after the last.
    pub verify_each: bool,
    /// Where schedules come from that the program does not say.
    pub schedules: Schedules,
    /// The only call that will be made of what is compiled: its sizes become constants.
    pub only_call: Option<OnlyCall>,
    /// Whether nests tell when they begin and end (`profile`).
    pub probes: bool,
    /// `-g`: what places in the code are called, for line tables.
    pub lines: Option<Arc<LineIndex>>,
}

/// Where the schedule of a nest comes from, if the program does not say it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Schedules {
    /// The compiler's heuristic.
    #[default]
    Heuristic,
    /// What `we3c tune` found for this program on this machine, else the heuristic.
    Stored,
    /// These, else the heuristic.
    Given(Vec<Choice>),
}

/// The schedule of one nest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// The entry.
    pub entry: String,
    /// The number of its `build` in the optimised array IR.
    pub op: u32,
    /// How it is arranged.
    pub schedule: Schedule,
}

impl Plan {
    /// For the machine this runs on, optimised.
    pub fn host(backend: BackendChoice) -> Plan {
        Plan {
            backend,
            target: host_target(),
            opt_level: 3,
            verify_each: cfg!(debug_assertions),
            schedules: Schedules::Heuristic,
            only_call: None,
            probes: false,
            lines: None,
        }
    }

    /// The same for another target.
    #[must_use]
    pub fn for_target(self, target: Target) -> Plan {
        Plan { target, ..self }
    }

    /// The same at another level.
    #[must_use]
    pub fn at_level(self, opt_level: u8) -> Plan {
        Plan { opt_level, ..self }
    }

    /// The same on another backend.
    #[must_use]
    pub fn on_backend(self, backend: BackendChoice) -> Plan {
        Plan { backend, ..self }
    }

    /// The same with schedules from elsewhere.
    #[must_use]
    pub fn with_schedules(self, schedules: Schedules) -> Plan {
        Plan { schedules, ..self }
    }

    /// The same for one call of an entry with these values and no other.
    #[must_use]
    pub fn for_call(self, entry: &str, values: &[HostValue]) -> Plan {
        let scalar = |arg: &FlatArg<'_>| if let FlatArg::Bits(bits) = arg { Some(*bits) } else { None };
        let arguments = flatten(values).iter().map(scalar).collect();
        Plan { only_call: Some(OnlyCall { entry: entry.to_owned(), arguments }), ..self }
    }

    /// The same with probes around nests.
    #[must_use]
    pub fn with_probes(self) -> Plan {
        Plan { probes: true, ..self }
    }

    /// The same with line tables.
    #[must_use]
    pub fn with_lines(self, lines: Option<LineIndex>) -> Plan {
        Plan { lines: lines.map(Arc::new), ..self }
    }

    /// A line that tells plans apart: `llvm -O3 x86-64-v3`.
    pub fn describe(&self) -> String {
        match self.backend {
            BackendChoice::Interpreter => String::from("interp"),
            BackendChoice::LoopInterpreter => format!("loop-interp -O{}", self.opt_level),
            BackendChoice::Cranelift | BackendChoice::Llvm => {
                let name = self.backend.name();
                format!("{name} -O{} {}", self.opt_level, target_name(&self.target))
            }
        }
    }
}

/// The machine this runs on.
pub fn host() -> Target {
    host_target()
}

/// What passes may know about a target.
pub fn facts_of(target: &Target) -> TargetFacts {
    let base = TargetFacts::default();
    match target.arch {
        Arch::Ptx { .. } => TargetFacts::gpu(),
        Arch::X86_64 if target.has("avx512f") => TargetFacts::wide(),
        Arch::X86_64 if target.has("avx2") => {
            TargetFacts { vector_bytes: 32, has_fma: target.has("fma"), ..base }
        }
        Arch::X86_64 => base,
        Arch::Aarch64 => TargetFacts { vector_registers: 32, has_fma: true, ..base },
        Arch::Riscv64 => TargetFacts { vector_bytes: 0, vector_registers: 0, has_fma: true, ..base },
    }
}

impl Plan {
    /// What passes may know: of the target, as far as the backend makes use of it.
    pub fn facts(&self) -> TargetFacts {
        let facts = facts_of(&self.target);
        if self.backend == BackendChoice::Cranelift {
            // It has no wider vectors and no masks, unrolls nothing, and takes microseconds for every operation.
            let (vector_bytes, vector_registers) =
                (facts.vector_bytes.min(16), facts.vector_registers.min(16));
            return TargetFacts { vector_bytes, vector_registers, masks: false, compact: true, ..facts };
        }
        // Of another machine of the same kind the caches are not known.
        let here = facts.vector_bytes > 0 && self.target == host_target();
        let last_level_bytes = if here { last_level_cache().unwrap_or(0) } else { 0 };
        TargetFacts { last_level_bytes, ..facts }
    }
}

/// The targets that have a name, with what they are.
pub const TARGET_NAMES: &[(&str, &str)] = &[
    ("host", "the machine this runs on, with all its features"),
    ("x86-64", "any 64-bit x86 (SSE2, no FMA)"),
    ("x86-64-v2", "with SSE4.2"),
    ("x86-64-v3", "with AVX2 and FMA (2013 and later)"),
    ("x86-64-v4", "with AVX-512"),
    ("aarch64", "64-bit Arm"),
    ("riscv64", "64-bit RISC-V"),
    ("sm_75", "NVIDIA Turing; also sm_80, sm_86, sm_89, sm_90, sm_90a"),
];

/// The target with this name; the failure says which there are.
pub fn target_named(name: &str) -> Result<Target, Failure> {
    let known: Vec<&str> = TARGET_NAMES.iter().map(|(name, _)| *name).collect();
    target_from_name(name).ok_or_else(|| Failure::unknown("target", name, &known))
}

/// The target with this name.
pub fn target_from_name(name: &str) -> Option<Target> {
    const V2: &[&str] = &["cx16", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"];
    const V3: &[&str] = &["avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"];
    const V4: &[&str] = &["avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"];
    let x86 = |cpu: &str, features: &[&[&str]]| {
        let mut features: Vec<String> = features.concat().iter().map(|name| (*name).to_owned()).collect();
        features.sort_unstable();
        Target { arch: Arch::X86_64, cpu: cpu.to_owned(), features }
    };
    let plain = |arch| Target { arch, cpu: String::new(), features: Vec::new() };
    match name {
        "host" | "native" => Some(host_target()),
        "x86-64" => Some(Target::x86_64_baseline()),
        "x86-64-v2" => Some(x86(name, &[V2])),
        "x86-64-v3" => Some(x86(name, &[V2, V3])),
        "x86-64-v4" => Some(x86(name, &[V2, V3, V4])),
        "aarch64" => Some(plain(Arch::Aarch64)),
        "riscv64" => Some(plain(Arch::Riscv64)),
        _ => gpu_target(name),
    }
}

fn gpu_target(name: &str) -> Option<Target> {
    let digits = name.strip_prefix("sm_")?;
    let (digits, accelerated) = match digits.strip_suffix('a') {
        Some(digits) => (digits, true),
        None => (digits, false),
    };
    let sm: u32 = digits.parse().ok()?;
    (50..=200).contains(&sm).then(|| Target::ptx(sm, accelerated))
}

/// A short name of a target.
pub fn target_name(target: &Target) -> String {
    match target.arch {
        Arch::X86_64 => target.cpu.clone(),
        Arch::Aarch64 => String::from("aarch64"),
        Arch::Riscv64 => String::from("riscv64"),
        Arch::Ptx { sm, accelerated } => format!("sm_{sm}{}", if accelerated { "a" } else { "" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_targets_read_back() {
        for name in ["x86-64", "x86-64-v3", "x86-64-v4", "aarch64", "riscv64", "sm_75", "sm_90a"] {
            assert_eq!(target_name(&target_from_name(name).unwrap()), name);
        }
        assert_eq!(target_from_name("sm_x"), None);
        assert_eq!(facts_of(&target_from_name("x86-64-v4").unwrap()).vector_bytes, 64);
    }
}
