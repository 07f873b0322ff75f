//! Passes that work at both levels: they look at scalar operations, control and checks only.

pub mod deduplicate;
pub mod float_rules;
pub mod fold;
pub mod hoist;
pub mod int_rules;
pub mod remove_checks;
pub mod remove_dead;
pub mod simplify;
