//! `inline`: copies every callee into its caller and drops what no host calls. There is no recursion,
//! so afterwards no call is left.
//!
//! Before: `%2 = call @double %1` · after: the body of `@double` with `%1` for its parameter.

use std::mem;

use we3_ir::clone::{Cloner, mapped};
use we3_ir::entity::{PrimaryMap, SecondaryMap};
use we3_ir::{Block, Func, FuncId, Level, Module, Op, Opcode};

use crate::manager::{Pass, PassContext};
use crate::rewrite::{Replacements, blocks_in_order, compact};

/// The pass.
pub const INLINE: Pass = Pass {
    name: "inline",
    about: "copies every callee into its caller, drops functions that no host calls",
    from: Some(Level::Array),
    to: Some(Level::Array),
    run,
};

fn run(mut module: Module, _: &PassContext) -> Module {
    for id in callees_first(&module) {
        let mut func = mem::replace(&mut module.funcs[id], Func::new(""));
        inline_calls(&mut func, &module);
        module.funcs[id] = func;
    }
    let mut entries = PrimaryMap::new();
    for (_, func) in module.funcs {
        if func.entry.is_some() {
            entries.push(compact(&func));
        }
    }
    Module { level: module.level, funcs: entries }
}

/// The functions that entries reach, each after everything it calls.
fn callees_first(module: &Module) -> Vec<FuncId> {
    let mut order = Vec::new();
    let mut entered: SecondaryMap<FuncId, bool> = SecondaryMap::new();
    // A function is on the stack twice: to be entered, and to be listed once its callees are.
    let mut stack: Vec<(FuncId, bool)> = Vec::new();
    stack.extend(module.funcs.iter().filter(|(_, func)| func.entry.is_some()).map(|(id, _)| (id, false)));
    stack.reverse();
    while let Some((id, finished)) = stack.pop() {
        if finished {
            order.push(id);
        } else if !mem::replace(&mut entered[id], true) {
            stack.push((id, true));
            stack.extend(callees(&module.funcs[id]).into_iter().map(|callee| (callee, false)));
        }
    }
    order
}

fn callees(func: &Func) -> Vec<FuncId> {
    let ops = blocks_in_order(func, func.body).into_iter().flat_map(|block| func.blocks[block].ops.iter());
    ops.filter_map(|op| callee(func, *op)).collect()
}

fn callee(func: &Func, op: Op) -> Option<FuncId> {
    if let Opcode::Call(id) = func.ops[op].opcode { Some(id) } else { None }
}

fn inline_calls(func: &mut Func, module: &Module) {
    let mut replacements = Replacements::default();
    for block in blocks_in_order(func, func.body) {
        if !func.blocks[block].ops.iter().any(|op| callee(func, *op).is_some()) {
            continue;
        }
        for op in mem::take(&mut func.blocks[block].ops) {
            match callee(func, op) {
                Some(id) => inline_call(func, block, op, &module.funcs[id], &mut replacements),
                None => func.blocks[block].ops.push(op),
            }
        }
    }
    replacements.apply(func);
}

fn inline_call(func: &mut Func, block: Block, call: Op, callee: &Func, replacements: &mut Replacements) {
    let args: Vec<_> = func.ops[call].args.iter().map(|arg| replacements.resolve(*arg)).collect();
    let mut cloner = Cloner::between(callee, func);
    cloner.map.extend(callee.params().iter().copied().zip(args));
    let body = &callee.blocks[callee.body].ops;
    let (_, ops) = body.split_last().map_or((None, &[][..]), |(last, ops)| (Some(last), ops));
    cloner.ops(ops, block);
    let returned: Vec<_> =
        callee.yields(callee.body).iter().map(|value| mapped(&cloner.map, *value)).collect();
    let results = func.ops[call].results.clone();
    for (result, value) in results.into_iter().zip(returned) {
        replacements.replace(result, value);
    }
}
