//! `fuse-siblings`: builds over the same domain that read a common array become one build with
//! several results, so that the array is read once.
//!
//! Before: `%a = build %n {…x[i]…}  %b = build %n {…x[i]…}` · after: `%a, %b = build %n {…}`

use we3_ir::clone::Cloner;
use we3_ir::{Block, Func, Level, Module, Op, Opcode, Type, Value};

use crate::analysis::effects::block_has_effect;
use crate::manager::{Pass, PassContext};
use crate::rewrite::{Replacements, blocks_in_order, compact};

/// The pass.
pub const FUSE_SIBLINGS: Pass = Pass {
    name: "fuse-siblings",
    about: "one build for builds over the same domain that read a common array",
    from: Some(Level::Array),
    to: Some(Level::Array),
    run,
};

/// Neighbours further apart than this are left alone, which keeps the pass linear.
const WINDOW: usize = 16;

fn run(mut module: Module, _: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        let mut replacements = Replacements::default();
        for block in blocks_in_order(func, func.body) {
            fuse_block(func, block, &mut replacements);
        }
        if !replacements.is_empty() {
            replacements.apply(func);
            *func = compact(func);
        }
    }
    module
}

fn fuse_block(func: &mut Func, block: Block, replacements: &mut Replacements) {
    let mut position = 0;
    while position < func.blocks[block].ops.len() {
        let first = func.blocks[block].ops[position];
        match partner(func, block, position, replacements) {
            Some(second) => {
                merge(func, first, second, replacements);
                func.blocks[block].ops.remove(position);
            }
            None => position += 1,
        }
    }
}

/// A later build that this one can join.
fn partner(func: &Func, block: Block, position: usize, replacements: &Replacements) -> Option<Op> {
    let ops = &func.blocks[block].ops;
    let first = ops[position];
    let rank = scalar_build(func, first)?;
    for second in ops[position + 1..].iter().take(WINDOW) {
        let data = &func.ops[*second];
        if scalar_build(func, *second) == Some(rank)
            && resolved(&data.args, replacements) == resolved(&func.ops[first].args, replacements)
            && !uses_results(func, *second, first)
        {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            arrays_read(func, func.ops[first].regions[0], &mut left);
            arrays_read(func, data.regions[0], &mut right);
            return left.iter().any(|array| right.contains(array)).then_some(*second);
        }
        // The first build moves down to the second: nothing in between may need it, or write over
        // what it reads.
        if uses_results(func, *second, first) || !is_harmless(&data.opcode) {
            return None;
        }
    }
    None
}

fn resolved(values: &[Value], replacements: &Replacements) -> Vec<Value> {
    values.iter().map(|value| replacements.resolve(*value)).collect()
}

/// The rank of a build of scalars that may be moved.
fn scalar_build(func: &Func, op: Op) -> Option<u32> {
    let Opcode::Build { rank } = func.ops[op].opcode else { return None };
    let region = func.ops[op].regions[0];
    let scalars = func.yields(region).iter().all(|value| matches!(func.ty(*value), Type::Scalar(_)));
    let plain = func.blocks[region].ops.iter().all(|op| func.ops[*op].regions.is_empty());
    let open = func.schedules[op].is_none();
    (open && scalars && plain && !block_has_effect(func, region)).then_some(rank)
}

/// Whether an operation between two siblings can be ignored: it writes over no array.
fn is_harmless(opcode: &Opcode) -> bool {
    crate::analysis::effects::is_pure_scalar(opcode)
        || matches!(
            opcode,
            Opcode::Build { .. }
                | Opcode::Index
                | Opcode::Reduce { .. }
                | Opcode::Dot { .. }
                | Opcode::Check { .. }
                | Opcode::Resize
        )
}

/// Whether `op` or anything in it uses a result of `producer`, or a type that names one.
fn uses_results(func: &Func, op: Op, producer: Op) -> bool {
    let results = &func.ops[producer].results;
    let data = &func.ops[op];
    data.args.iter().any(|arg| results.contains(arg))
        || data
            .regions
            .iter()
            .any(|region| func.blocks[*region].ops.iter().any(|nested| uses_results(func, *nested, producer)))
}

fn arrays_read(func: &Func, region: Block, found: &mut Vec<Value>) {
    for op in &func.blocks[region].ops {
        let data = &func.ops[*op];
        if data.opcode == Opcode::Index && !found.contains(&data.args[0]) {
            found.push(data.args[0]);
        }
    }
}

/// Copies the first build's body to the front of the second's, and its results to the end of the
/// second's results. The first is left for its block to drop.
fn merge(func: &mut Func, first: Op, second: Op, replacements: &mut Replacements) {
    let (from, into) = (func.ops[first].regions[0], func.ops[second].regions[0]);
    let (from_params, into_params) = (func.blocks[from].params.clone(), func.blocks[into].params.clone());
    let body = func.blocks[from].ops.clone();
    let yields = func.yields(from).to_vec();
    let mut cloner = Cloner::within(func);
    cloner.map.extend(from_params.into_iter().zip(into_params));
    let mut copies = Vec::new();
    for op in body.split_last().map_or(&[][..], |(_, ops)| ops) {
        copies.push(cloner.op(*op));
    }
    let yielded: Vec<Value> = yields.iter().map(|value| we3_ir::clone::mapped(&cloner.map, *value)).collect();
    let old = std::mem::take(&mut func.blocks[into].ops);
    func.blocks[into].ops = copies.into_iter().chain(old).collect();
    if let Some(terminator) = func.terminator(into) {
        func.ops[terminator].args.extend(yielded);
    }
    for result in func.ops[first].results.clone() {
        let ty = func.ty(result).clone();
        let copy = func.add_result(second, ty);
        replacements.replace(result, copy);
    }
}
