//! What the emitter must know about a target, and the names LLVM has for it.

use we3_backend_api::{Arch, Target};

/// Facts that change what is emitted (never what it computes).
#[derive(Clone, Debug)]
pub struct Facts {
    /// `llvm.fma` is an instruction.
    pub fma: bool,
    /// `llvm.floor` and its kin are instructions (or short inline code), not library calls.
    pub rounds: bool,
    /// The lesser of two floats, the second where they are not ordered, is an instruction.
    pub picks: bool,
    /// `half` converts to and from `float` by an instruction that keeps denormals.
    pub converts_f16: bool,
    /// Bytes of the vectors that it can store past the caches, at addresses that are multiples of that.
    pub streams: &'static [u32],
    /// A GPU: kernels, no call context.
    pub gpu: bool,
    /// LLVM's target triple.
    pub triple: &'static str,
    /// LLVM's processor name.
    pub cpu: String,
    /// LLVM's feature string (`+avx2,+fma`).
    pub features: String,
    /// The attribute group of every function.
    pub attributes: String,
}

impl Facts {
    /// The facts of a target.
    pub fn of(target: &Target) -> Facts {
        let features: Vec<String> = target.features.iter().map(|name| format!("+{name}")).collect();
        let mut facts = Facts {
            fma: true,
            rounds: true,
            picks: false,
            converts_f16: false,
            streams: &[],
            gpu: false,
            triple: "x86_64-unknown-linux-gnu",
            cpu: if target.cpu.is_empty() { "generic".into() } else { target.cpu.clone() },
            features: features.join(","),
            // `no-builtins`: no loop may become a call of memset. `no-jump-tables`: no data in objects.
            attributes: "nounwind \"no-builtins\" \"no-jump-tables\"=\"true\"".into(),
        };
        match target.arch {
            Arch::X86_64 => {
                facts.picks = true;
                facts.fma = target.has("fma") || target.has("avx512f");
                facts.rounds = target.has("sse4.1") || target.has("avx") || target.has("avx2");
                facts.streams = match () {
                    () if target.has("avx512f") => &[16, 32, 64],
                    () if target.has("avx2") => &[16, 32],
                    () => &[16],
                };
                facts.converts_f16 = target.has("f16c") || target.has("avx512f");
                if target.has("avx512f") {
                    facts.attributes.push_str(" \"prefer-vector-width\"=\"512\"");
                }
            }
            Arch::Aarch64 => facts.triple = "aarch64-unknown-linux-gnu",
            Arch::Riscv64 => {
                facts.triple = "riscv64-unknown-linux-gnu";
                if target.features.is_empty() {
                    facts.features = "+m,+a,+f,+d,+c".into();
                }
                if target.cpu.is_empty() {
                    facts.cpu = "generic-rv64".into();
                }
            }
            Arch::Ptx { sm, accelerated } => {
                facts.triple = "nvptx64-nvidia-cuda";
                facts.cpu = format!("sm_{sm}{}", if accelerated { "a" } else { "" });
                facts.gpu = true;
                facts.converts_f16 = true;
            }
        }
        facts
    }
}
