//! `merge-columns`: of values that a reduction carries twice, one is carried. `argmax` over a plain range
//! carries the position and the value of the binder, which are the same.
//!
//! Before: `%a, %b, %c = reduce.free … yield %v, %k, %k … yield %s, (select %w, %i, %j), (select %w, %p, %q)`
//! After:  `%a, %b = reduce.free … yield %v, %k … yield %s, (select %w, %i, %j)`, `%b` in the place of `%c`

use we3_ir::{Block, Func, Level, Module, Op, OpData, Opcode, ReduceKind, Value};

use crate::manager::{Pass, PassContext};
use crate::rewrite::{Replacements, blocks_in_order, compact};

/// The pass.
pub const MERGE_COLUMNS: Pass = Pass {
    name: "merge-columns",
    about: "carries values once that a reduction carries twice",
    from: Some(Level::Array),
    to: Some(Level::Array),
    run,
};

/// How deep the computations of two columns are compared.
const DEPTH: u32 = 4;

fn run(mut module: Module, _: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        let mut replacements = Replacements::default();
        for block in blocks_in_order(func, func.body) {
            for op in func.blocks[block].ops.clone() {
                if let Opcode::Reduce { kind: ReduceKind::Combine(_), masked } = func.ops[op].opcode {
                    merge(func, op, masked, &mut replacements);
                }
            }
        }
        if !replacements.is_empty() {
            replacements.apply(func);
            *func = compact(func);
        }
    }
    module
}

/// Drops every column that equals an earlier one.
fn merge(func: &mut Func, op: Op, masked: bool, replacements: &mut Replacements) {
    let mut column = 1;
    while column < func.ops[op].results.len() {
        match (0..column).find(|earlier| equal_columns(func, &func.ops[op], masked, (*earlier, column))) {
            Some(earlier) => drop_column(func, op, masked, (earlier, column), replacements),
            None => column += 1,
        }
    }
}

fn equal_columns(func: &Func, data: &OpData, masked: bool, (kept, dropped): (usize, usize)) -> bool {
    let same_start = |left: Value, right: Value| {
        left == right || (func.as_const(left).is_some() && func.as_const(left) == func.as_const(right))
    };
    let elements = &func.yields(data.regions[0])[usize::from(masked)..];
    if func.ty(data.results[kept]) != func.ty(data.results[dropped])
        || !same_start(data.args[1 + kept], data.args[1 + dropped])
        || elements[kept] != elements[dropped]
    {
        return false;
    }
    let combine = data.regions[1];
    let pairs = param_pairs(func, combine, data.results.len(), (kept, dropped));
    let joined = func.yields(combine);
    alike(func, &pairs, joined[kept], joined[dropped], DEPTH)
}

/// The two columns' parameters of a combining region, left and right.
fn param_pairs(
    func: &Func,
    combine: Block,
    columns: usize,
    (kept, dropped): (usize, usize),
) -> [(Value, Value); 2] {
    let params = &func.blocks[combine].params;
    [(params[kept], params[dropped]), (params[columns + kept], params[columns + dropped])]
}

/// Whether two values are the same once the pairs are.
fn alike(func: &Func, pairs: &[(Value, Value); 2], left: Value, right: Value, depth: u32) -> bool {
    if left == right || pairs.contains(&(left, right)) {
        return true;
    }
    let (Some(left), Some(right)) = (func.def_op(left), func.def_op(right)) else { return false };
    let (left, right) = (&func.ops[left], &func.ops[right]);
    depth > 0
        && left.opcode == right.opcode
        && left.regions.is_empty()
        && left.results.len() == 1
        && left.args.len() == right.args.len()
        && left.args.iter().zip(&right.args).all(|(left, right)| alike(func, pairs, *left, *right, depth - 1))
}

fn drop_column(
    func: &mut Func,
    op: Op,
    masked: bool,
    (kept, dropped): (usize, usize),
    replacements: &mut Replacements,
) {
    let data = func.ops[op].clone();
    let [body, combine] = [data.regions[0], data.regions[1]];
    let columns = data.results.len();
    for (kept, dropped) in param_pairs(func, combine, columns, (kept, dropped)) {
        replacements.replace(dropped, kept);
    }
    replacements.replace(data.results[dropped], data.results[kept]);
    func.blocks[combine].params.remove(columns + dropped);
    func.blocks[combine].params.remove(dropped);
    func.ops[op].args.remove(1 + dropped);
    func.ops[op].results.remove(dropped);
    remove_yield(func, body, usize::from(masked) + dropped);
    remove_yield(func, combine, dropped);
}

fn remove_yield(func: &mut Func, block: Block, position: usize) {
    if let Some(last) = func.blocks[block].ops.last().copied() {
        func.ops[last].args.remove(position);
    }
}
