//! Typed tree to array IR, function by function (`docs/typed-tree.md`). Expects a program without errors.

mod arrays;
mod control;
mod entry;
mod exprs;
mod function;
mod loops;
mod reductions;
mod signature;
mod sizes;
mod state;
mod value;
mod writes;

use we3_ir::{Func, FuncBuilder, FuncId, Level, Module, Opcode};

use crate::stack::on_large_stack;
use crate::typed::Program;
use signature::Signature;

/// Array IR of a whole program: function k of the tree is function k of the module; entries, tests and
/// benches are marked as entries. An `Err` is a bug of the checker, in words.
pub fn emit(program: &Program) -> Result<Module, String> {
    on_large_stack(|| emit_here(program))
}

fn emit_here(program: &Program) -> Result<Module, String> {
    let mut module = Module::new(Level::Array);
    let signatures: Vec<Signature> = program.funcs.iter().map(|func| Signature::of(program, func)).collect();
    let hosts = entry::host_signatures(program);
    for (index, func) in program.funcs.iter().enumerate() {
        let host = hosts.get(&index);
        module.funcs.push(function::emit_function(program, &signatures, func, index, host)?);
    }
    Ok(module)
}

/// Array IR of one function and what it calls, for evaluation while the rest of the program is still being
/// checked. Functions keep their numbers; those that are not reached are empty.
pub fn emit_reachable(program: &Program, root: crate::typed::FuncId) -> Result<Module, String> {
    let mut module = Module::new(Level::Array);
    let signatures: Vec<Signature> = program.funcs.iter().map(|func| Signature::of(program, func)).collect();
    for func in &program.funcs {
        module.funcs.push(empty_func(&func.name));
    }
    let mut wanted = vec![func_id(root)];
    let mut emitted = std::collections::BTreeSet::new();
    while let Some(id) = wanted.pop() {
        if !emitted.insert(id) {
            continue;
        }
        let index = id.as_u32() as usize;
        let func = program.funcs.get(index).ok_or("a call of a function that is not there")?;
        let made = function::emit_function(program, &signatures, func, index, None)?;
        let callee = |opcode: &Opcode| if let Opcode::Call(callee) = opcode { Some(*callee) } else { None };
        wanted.extend(made.ops.values().filter_map(|op| callee(&op.opcode)));
        module.funcs[id] = made;
    }
    Ok(module)
}

fn empty_func(name: &str) -> Func {
    let mut func = Func::new(name);
    FuncBuilder::new(&mut func).ret(Vec::new());
    func
}

/// The IR function of a function of the tree.
pub fn func_id(id: crate::typed::FuncId) -> FuncId {
    FuncId::from_u32(id.0)
}
