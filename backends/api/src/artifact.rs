//! The backend trait, its options and what it returns.

use serde::{Deserialize, Serialize};
use we3_ir::verify::Verified;

use crate::launch::LaunchPlan;
use crate::lines::Lines;
use crate::target::Target;

/// What a backend should produce.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Emit {
    /// A relocatable ELF object that imports no symbol, one function per entry; for NVIDIA targets
    /// kernels with a launch plan.
    Object,
    /// The backend's own IR as text (CLIF, LLVM IR).
    BackendIr,
    /// Assembly text of the target (PTX for NVIDIA targets).
    Assembly,
}

/// Options that change output. All of them are part of a cache key.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Options {
    /// What to produce.
    pub emit: Emit,
    /// 0 … 3. Results have the same bits at every level.
    pub opt_level: u8,
    /// `-g`: what line tables say.
    pub lines: Option<Lines>,
}

impl Default for Options {
    fn default() -> Options {
        Options { emit: Emit::Object, opt_level: 3, lines: None }
    }
}

/// What a backend made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Artifact {
    /// A relocatable ELF object.
    Object(#[serde(with = "crate::hex")] Vec<u8>),
    /// Text: backend IR, assembly or PTX.
    Text(String),
    /// GPU kernels as PTX text, and what the host does with them.
    Kernels {
        /// One `.entry` for each kernel that the plan launches.
        ptx: String,
        /// One plan for each entry.
        plan: LaunchPlan,
    },
}

/// A limit of ours, in words, with what would work.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unsupported {
    /// What is not supported.
    pub what: String,
    /// What to do instead, if anything.
    pub instead: Option<String>,
}

impl std::fmt::Display for Unsupported {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.what)?;
        match &self.instead {
            Some(instead) => write!(formatter, " ({instead})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Unsupported {}

/// A code generator. No side effects: the same input gives the same bytes.
pub trait Backend {
    /// `cranelift`, `llvm`.
    fn name(&self) -> &'static str;

    /// Compiles every entry of a loop-level module.
    fn compile(
        &self,
        module: Verified<'_>,
        target: &Target,
        options: &Options,
    ) -> Result<Artifact, Unsupported>;
}
