//! Typed tree to array IR, function by function (`docs/typed-tree.md`). Expects a program without errors.

mod arrays;
mod assigned;
mod control;
mod entry;
mod exprs;
mod function;
mod reductions;
mod signature;
mod sizes;
mod state;
mod value;

use we3_ir::{FuncId, Level, Module};

use crate::typed::Program;
use signature::Signature;

/// Array IR of a whole program: function k of the tree is function k of the module; entries, tests and
/// benches are marked as entries. An `Err` is a bug of the checker, in words.
pub fn emit(program: &Program) -> Result<Module, String> {
    let mut module = Module::new(Level::Array);
    let signatures: Vec<Signature> = program.funcs.iter().map(|func| Signature::of(program, func)).collect();
    let hosts = entry::host_signatures(program);
    for (index, func) in program.funcs.iter().enumerate() {
        let host = hosts.get(&index);
        module.funcs.push(function::emit_function(program, &signatures, func, index, host)?);
    }
    Ok(module)
}

/// The IR function of a function of the tree.
pub fn func_id(id: crate::typed::FuncId) -> FuncId {
    FuncId::from_u32(id.0)
}
