//! Passes from array IR to array IR, one per file.

pub mod inline;
