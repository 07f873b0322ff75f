//! `strip-notes`: drops the values that checks carry for their messages, so that nothing is computed
//! for them. Messages come from the sequential version, which keeps them.

use we3_ir::{Level, Module, Opcode};

use crate::manager::{Pass, PassContext};

/// The pass.
pub const STRIP_NOTES: Pass = Pass {
    name: "strip-notes",
    about: "drops what checks carry for their messages",
    from: Some(Level::Array),
    to: Some(Level::Array),
    run,
};

fn run(mut module: Module, _: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        for data in func.ops.values_mut() {
            if matches!(data.opcode, Opcode::Check { .. }) {
                data.args.truncate(1);
            }
        }
    }
    module
}
