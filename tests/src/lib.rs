//! Test code shared by the test programs of the workspace: one file a kind of test.

pub mod clock;
pub mod generated_ir;
pub mod ir_files;
pub mod ir_mutation;
pub mod ir_values;
pub mod pages;
pub mod pass_files;
pub mod suite;
