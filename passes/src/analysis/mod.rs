//! Analyses: pure functions from a function to facts about it. Nothing here changes a program.

pub mod array_uses;
pub mod bounds;
pub mod cost;
pub mod effects;
pub mod forms;
pub mod invariant;
pub mod operations;
pub mod uses;
