//! Passes from IR to IR: `array` within array IR, `scalar` at both levels, `lower` from array IR to loop IR, `loops` within
//! loop IR. `manager` runs them, `pipelines` lists them in order, `analysis` finds facts for them.

pub mod analysis;
pub mod array;
pub mod facts;
pub mod loops;
pub mod lower;
pub mod manager;
pub mod pipelines;
mod rewrite;
pub mod scalar;

pub use facts::TargetFacts;
pub use manager::{Outcome, Pass, PassBug, PassContext, PassTime, RunOptions, run_passes};
