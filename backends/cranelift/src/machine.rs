//! From a `Target` to Cranelift's target description, and the few facts that code generation asks.

use cranelift_codegen::isa::{self, LookupError, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use we3_backend_api::{Arch, Target, Unsupported};

use crate::generate::Generators;
use crate::{bug, unsupported};

/// What the target can do by itself.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// One-rounding multiply-add of `f32` and `f64`.
    pub fma: bool,
    /// `floor`, `ceil`, `trunc`, `nearest` as instructions.
    pub rounding: bool,
    /// 128-bit vector registers.
    pub simd: bool,
    /// Any byte of two registers to any place.
    pub byte_shuffle: bool,
    /// Loads and stores of 8 bytes at any address are cheap.
    pub unaligned: bool,
}

/// The facts of a target.
pub fn machine(target: &Target) -> Machine {
    let x86 = target.arch == Arch::X86_64;
    Machine {
        fma: !x86 || has_x86(target, "fma"),
        rounding: !x86 || has_x86(target, "sse4.1"),
        // RISC-V's vectors are optional and need a length setting at every step; not used.
        simd: target.arch != Arch::Riscv64,
        byte_shuffle: !x86 || has_x86(target, "ssse3"),
        unaligned: target.arch != Arch::Riscv64,
    }
}

/// Each x86 feature that Cranelift knows: LLVM's name, Cranelift's, and the LLVM features it stands on.
const X86: &[(&str, &str, &[&str])] = &[
    ("sse3", "has_sse3", &[]),
    ("ssse3", "has_ssse3", &["sse3"]),
    ("sse4.1", "has_sse41", &["ssse3"]),
    ("sse4.2", "has_sse42", &["sse4.1"]),
    ("popcnt", "has_popcnt", &[]),
    ("cx16", "has_cmpxchg16b", &[]),
    ("avx", "has_avx", &["sse4.2"]),
    ("avx2", "has_avx2", &["avx"]),
    ("fma", "has_fma", &["avx"]),
    ("bmi", "has_bmi1", &[]),
    ("bmi2", "has_bmi2", &[]),
    ("lzcnt", "has_lzcnt", &[]),
    ("avx512f", "has_avx512f", &["avx2", "fma"]),
    ("avx512dq", "has_avx512dq", &["avx512f"]),
    ("avx512vl", "has_avx512vl", &["avx512f"]),
    ("avx512vbmi", "has_avx512vbmi", &["avx512f"]),
    ("avx512bitalg", "has_avx512bitalg", &["avx512f"]),
];

/// The levels `x86-64-vN`, for a target that names only its processor.
const X86_LEVELS: &[(&str, &[&str])] = &[
    ("x86-64-v2", &["sse4.2", "popcnt", "cx16"]),
    ("x86-64-v3", &["avx2", "fma", "popcnt", "cx16", "bmi", "bmi2", "lzcnt"]),
    (
        "x86-64-v4",
        &["avx512f", "avx512dq", "avx512vl", "avx2", "fma", "popcnt", "cx16", "bmi", "bmi2", "lzcnt"],
    ),
];

/// Whether the target has this x86 feature, said directly, through its level or as a part of another.
fn has_x86(target: &Target, feature: &str) -> bool {
    let level = X86_LEVELS.iter().find(|(name, _)| *name == target.cpu).map_or(&[][..], |(_, list)| *list);
    if target.has(feature) || level.contains(&feature) {
        return true;
    }
    X86.iter().any(|(name, _, parts)| parts.contains(&feature) && has_x86(target, name))
}

/// Features of RISC-V beyond `rv64g`, by LLVM's and Cranelift's names.
const RISCV: &[(&str, &str)] =
    &[("zba", "has_zba"), ("zbb", "has_zbb"), ("zbs", "has_zbs"), ("zfa", "has_zfa")];

/// How code is generated for the target.
pub fn generators(target: &Target) -> Result<Generators, Unsupported> {
    Ok(Generators {
        fast_code: target_isa(target, "backtracking")?,
        fast_compile: target_isa(target, "single_pass")?,
    })
}

/// Cranelift's description of the target, with one of its register allocators.
fn target_isa(target: &Target, registers: &str) -> Result<OwnedTargetIsa, Unsupported> {
    let triple = match target.arch {
        Arch::X86_64 => "x86_64-unknown-linux-gnu",
        Arch::Aarch64 => "aarch64-unknown-linux-gnu",
        Arch::Riscv64 => "riscv64gc-unknown-linux-gnu",
        Arch::Ptx { .. } => {
            return Err(unsupported("Cranelift has no PTX target", Some("use the LLVM backend")));
        }
    };
    let mut builder = isa::lookup_by_name(triple).map_err(|error| match error {
        LookupError::SupportDisabled => unsupported(
            format!("this we3c was built without Cranelift's code generation for {triple}"),
            Some("build it with the feature `cross` (`make build`), or use the LLVM backend"),
        ),
        LookupError::Unsupported => bug(error),
    })?;
    for name in feature_flags(target) {
        builder.enable(name).map_err(bug)?;
    }
    builder.finish(shared_flags(registers)?).map_err(bug)
}

fn feature_flags(target: &Target) -> Vec<&'static str> {
    match target.arch {
        Arch::X86_64 => {
            X86.iter().filter(|(name, ..)| has_x86(target, name)).map(|(_, flag, _)| *flag).collect()
        }
        Arch::Riscv64 => RISCV.iter().filter(|(name, _)| target.has(name)).map(|(_, flag)| *flag).collect(),
        Arch::Aarch64 | Arch::Ptx { .. } => Vec::new(),
    }
}

fn shared_flags(registers: &str) -> Result<settings::Flags, Unsupported> {
    let mut flags = settings::builder();
    let verify = if cfg!(debug_assertions) { "true" } else { "false" };
    for (name, value) in [
        // Our passes have folded, deduplicated and hoisted already. Cranelift's e-graph would take a quarter of its
        // time again and make kernels 0 to 13 % faster; who wants that has the LLVM backend.
        ("opt_level", "none"),
        ("regalloc_algorithm", registers),
        ("enable_verifier", verify),
        ("is_pic", "true"),
        // Large frames touch every page in order, so that a full stack faults on its guard page.
        ("enable_probestack", "true"),
        ("probestack_strategy", "inline"),
        ("unwind_info", "false"),
    ] {
        flags.set(name, value).map_err(bug)?;
    }
    Ok(settings::Flags::new(flags))
}
