//! The ordered lists of passes, with a reason wherever the order matters, and the table of all passes.

use crate::array::inline::INLINE;
use crate::lower::LOWER;
use crate::manager::Pass;

/// Every pass there is, for `--passes` and `--list-passes`.
pub const ALL: &[Pass] = &[INLINE, LOWER];

/// A named list of passes.
#[derive(Clone, Copy, Debug)]
pub struct Pipeline {
    /// Its command-line name.
    pub name: &'static str,
    /// One line for a list.
    pub about: &'static str,
    /// The passes in order.
    pub passes: &'static [Pass],
}

/// Array IR of a whole program to loop IR of its entries, as fast as possible.
pub const QUICK: Pipeline =
    Pipeline { name: "quick", about: "array IR to loop IR without optimising", passes: &[INLINE, LOWER] };

/// Array IR of a whole program to loop IR of its entries, optimised.
pub const OPTIMISE: Pipeline =
    Pipeline { name: "optimise", about: "array IR to optimised loop IR", passes: &[INLINE, LOWER] };

/// Every pipeline there is.
pub const PIPELINES: &[Pipeline] = &[QUICK, OPTIMISE];

/// The pass with this name.
pub fn find_pass(name: &str) -> Option<Pass> {
    ALL.iter().copied().find(|pass| pass.name == name)
}
