//! The verifier: what `docs/ir.md` asks of a module, all errors in one run, never a panic on a malformed
//! one. A `Verified` module is the only thing that backends and interpreters accept.
//!
//! Checked: ids and ownership (every block, operation and value stands in one place), terminators,
//! visibility, opcodes per level (`levels`), counts and types of operands, regions and results with
//! dependent sizes (`scalars`, `control`, `arrays`, `memory`), signatures (`signatures`).
//! Not checked: that sizes are not negative and subscripts in range; `check` operations do that.

mod arrays;
mod control;
mod levels;
mod memory;
mod scalars;
mod shapes;
mod signatures;
mod walk;

use crate::module::Module;

pub use levels::allowed_at;

/// A module that `verify` found well formed.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'a> {
    module: &'a Module,
}

impl<'a> Verified<'a> {
    /// The module.
    pub fn module(self) -> &'a Module {
        self.module
    }
}

/// One thing that is wrong, in words, with the function and operation it stands in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyError {
    /// Name of the function.
    pub func: String,
    /// What is wrong.
    pub message: String,
}

/// How the message about regions that nest too deep begins: a limit of ours, which valid programs meet, not a bug.
pub const NESTS_TOO_DEEP: &str = "regions nest deeper than";

impl std::fmt::Display for VerifyError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "in @{}: {}", self.func, self.message)
    }
}

impl std::error::Error for VerifyError {}

/// Checks a whole module; all errors in one run.
pub fn verify(module: &Module) -> Result<Verified<'_>, Vec<VerifyError>> {
    let mut errors = signatures::verify_signatures(module);
    for id in module.funcs.keys() {
        walk::verify_body(module, id, &mut errors);
    }
    if errors.is_empty() { Ok(Verified { module }) } else { Err(errors) }
}
