//! `flatten-builds`: a build of rows, each a build by itself, becomes one build over all axes, when
//! nothing worth keeping is computed once a row.
//!
//! Before: `build %n { b(%i): %r = build %m { b(%j): … yield %e } yield %r }`
//! After:  `build %n, %m { b(%i, %j): … yield %e }`

use we3_ir::{Block, Func, Level, Module, Op, Opcode, Type};

use crate::manager::{Pass, PassContext};
use crate::rewrite::{blocks_in_order, compact};

/// The pass.
pub const FLATTEN_BUILDS: Pass = Pass {
    name: "flatten-builds",
    about: "makes one build of a build of rows",
    from: Some(Level::Array),
    to: Some(Level::Array),
    run,
};

fn run(mut module: Module, _: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        let mut changed = false;
        // Innermost first, so that rows of rows flatten in one go.
        for block in blocks_in_order(func, func.body).into_iter().rev() {
            for op in func.blocks[block].ops.clone() {
                changed |= flatten(func, op);
            }
        }
        if changed {
            *func = compact(func);
        }
    }
    module
}

fn flatten(func: &mut Func, op: Op) -> bool {
    let Opcode::Build { rank } = func.ops[op].opcode else { return false };
    let region = func.ops[op].regions[0];
    let Some(inner) = only_row(func, region) else { return false };
    let Opcode::Build { rank: inner_rank } = func.ops[inner].opcode else { return false };
    if func.schedules[inner].is_some() {
        return false;
    }
    let inner_data = func.ops[inner].clone();
    let inner_region = inner_data.regions[0];
    // The sizes of rows are defined outside, as the type of the result asks; but they may be renamed inside.
    let sizes: Vec<_> = func.ty(func.ops[op].results[0]).sizes()[rank as usize..].to_vec();
    if sizes.len() < inner_rank as usize {
        return false;
    }
    let params = func.blocks[inner_region].params.clone();
    let inner_ops = func.blocks[inner_region].ops.clone();
    func.blocks[region].ops.retain(|other| *other != inner);
    func.blocks[region].ops.pop();
    func.blocks[region].ops.extend(inner_ops);
    func.blocks[region].params.extend(params);
    let data = &mut func.ops[op];
    data.args.extend_from_slice(&sizes[..inner_rank as usize]);
    data.opcode = Opcode::Build { rank: rank + inner_rank };
    true
}

/// The build whose results are what the region yields, in order, if all else there is cheap.
fn only_row(func: &Func, region: Block) -> Option<Op> {
    let yields = func.yields(region);
    let inner = func.def_op(*yields.first()?)?;
    let data = &func.ops[inner];
    if !func.blocks[region].ops.contains(&inner) || data.results != yields {
        return None;
    }
    let others = func.blocks[region].ops.iter().filter(|op| **op != inner);
    let cheap = others.clone().all(|op| {
        let other = &func.ops[*op];
        let scalar = other.results.iter().all(|result| matches!(func.ty(*result), Type::Scalar(_)));
        let free = matches!(other.opcode, Opcode::Const(_) | Opcode::Yield | Opcode::Index);
        scalar && (free || is_cheap_integer(func, *op))
    });
    (cheap && others.count() <= 8).then_some(inner)
}

/// Subscript arithmetic, which costs nothing next to what it is for.
fn is_cheap_integer(func: &Func, op: Op) -> bool {
    let data = &func.ops[op];
    matches!(data.opcode, Opcode::Binary(_) | Opcode::Compare(_) | Opcode::Select)
        && data.results.iter().all(|result| !func.ty(*result).element().is_float())
}
