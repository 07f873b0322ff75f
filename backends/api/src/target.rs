//! Which machine to compile for, as data. Detecting the host is the runtime's work.

use serde::{Deserialize, Serialize};

/// An instruction set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Arch {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm.
    Aarch64,
    /// 64-bit RISC-V.
    Riscv64,
    /// NVIDIA PTX, with the compute capability as in `sm_75` and whether it is an `a` variant.
    Ptx {
        /// 75, 80, 86, 89, 90 …
        sm: u32,
        /// Architecture-specific features (`sm_90a`).
        accelerated: bool,
    },
}

/// A target: architecture and its features, resolved (never "native").
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Target {
    /// The instruction set.
    pub arch: Arch,
    /// LLVM's name of the processor (`x86-64-v3`, `znver5`, `sapphirerapids`); empty: generic.
    pub cpu: String,
    /// Features beyond the baseline, by LLVM's names, sorted (`avx2`, `fma`, `avx512f`).
    pub features: Vec<String>,
}

impl Target {
    /// Baseline x86-64 (SSE2, no FMA).
    pub fn x86_64_baseline() -> Target {
        Target { arch: Arch::X86_64, cpu: "x86-64".into(), features: Vec::new() }
    }

    /// An NVIDIA target.
    pub fn ptx(sm: u32, accelerated: bool) -> Target {
        Target { arch: Arch::Ptx { sm, accelerated }, cpu: String::new(), features: Vec::new() }
    }

    /// Whether this feature was resolved to be there.
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|name| name == feature)
    }
}
