//! `turn-carried`: a matrix that a loop carries and whose rows it sums is carried with rows and columns exchanged, where
//! nothing speaks against it: neighbouring sums then read neighbouring elements, and run in lanes in their own order.
//!
//! Before: `loop { b(…, %m): build n { b(%i): dot { b(%k): index %m, %i, %k … } } … build n, n { b(%i, %j): index %m, %i, %j … } }`
//! After:  `loop { b(…, %m): build n { b(%i): dot { b(%k): index %m, %k, %i … } } … build n, n { b(%j, %i): index %m, %j, %i … } }`

use we3_ir::{Block, Func, Level, Module, Op, Opcode, Type, Value, ValueDef};

use crate::analysis::uses::Uses;
use crate::lower::product::is_scalar_code;
use crate::manager::{Pass, PassContext};
use crate::rewrite::blocks_in_order;

/// The pass.
pub const TURN_CARRIED: Pass = Pass {
    name: "turn-carried",
    about: "matrices that loops carry and sum by rows are carried by columns",
    from: Some(Level::Array),
    to: Some(Level::Array),
    run,
};

fn run(mut module: Module, ctx: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        let places = carried_matrices(func, ctx);
        if places.is_empty() {
            continue;
        }
        for (op, block, position) in places {
            let uses = Uses::new(func);
            if let Some(carried) = Carried::find(func, &uses, op, position) {
                turn(func, &uses, &carried, block);
            }
        }
    }
    module
}

/// The matrices that loops carry whose elements fit into lanes.
fn carried_matrices(func: &Func, ctx: &PassContext) -> Vec<(Op, Block, usize)> {
    let mut found = Vec::new();
    for block in blocks_in_order(func, func.body) {
        for op in &func.blocks[block].ops {
            let data = &func.ops[*op];
            if data.opcode != Opcode::Loop {
                continue;
            }
            let is_matrix = |value: &Value| {
                matches!(func.ty(*value), Type::Array(elem, sizes)
                    if sizes.len() == 2 && ctx.facts.lanes(elem.bytes()).is_some())
            };
            let matrices = data.results.iter().enumerate().filter(|(_, result)| is_matrix(result));
            found.extend(matrices.map(|(position, _)| (*op, block, position)));
        }
    }
    found
}

/// A matrix that may be turned.
struct Carried {
    op: Op,
    result: Value,
    /// What it is before the first turn, in a turn, and after it.
    values: [Value; 3],
    /// The builds that make it, before the loop and in each turn.
    builds: [Op; 2],
    /// Everything that reads it in the loop.
    reads: Vec<Op>,
}

impl Carried {
    fn find(func: &Func, uses: &Uses, op: Op, position: usize) -> Option<Carried> {
        let data = &func.ops[op];
        let body = data.regions[0];
        let (init, param) = (data.args[1 + position], func.blocks[body].params[1 + position]);
        let next = func.yields(body)[position];
        let builds = [plain_build(func, init)?, plain_build(func, next)?];
        let yielded = func.yields(body).iter().filter(|value| **value == next || **value == param).count();
        let carried = data.args.iter().filter(|arg| **arg == init).count();
        if yielded != 1 || carried != 1 || uses.users(init) != [op] || uses.block_of(builds[1]) != Some(body)
        {
            return None;
        }
        let mut reads = Vec::new();
        let mut sums = 0;
        for value in [param, next] {
            for user in uses.users(value) {
                if Some(*user) == func.terminator(body) {
                    continue;
                }
                match reading(func, uses, *user, builds[1])? {
                    Reading::RowSum => sums += 1,
                    Reading::OwnCell => {}
                }
                reads.push(*user);
            }
        }
        let region = func.ops[builds[1]].regions[0];
        let turnable = sums > 0 && func.blocks[region].ops.iter().all(|op| reads_turned(func, region, *op));
        let result = data.results[position];
        turnable.then_some(Carried { op, result, values: [init, param, next], builds, reads })
    }
}

/// The build of a matrix, element by element and as the compiler likes it.
fn plain_build(func: &Func, value: Value) -> Option<Op> {
    let op = func.def_op(value)?;
    let data = &func.ops[op];
    let plain = data.opcode == Opcode::Build { rank: 2 }
        && data.results.len() == 1
        && func.schedules[op].is_none()
        && func.blocks[data.regions[0]].ops.iter().all(|inner| is_scalar_code(func, *inner));
    plain.then_some(op)
}

enum Reading {
    /// Along a row, for a sum beside those of the neighbouring rows.
    RowSum,
    /// The cell that is written.
    OwnCell,
}

fn reading(func: &Func, uses: &Uses, user: Op, build: Op) -> Option<Reading> {
    let data = &func.ops[user];
    let [_, row, column] = data.args[..] else { return None };
    let block = uses.block_of(user)?;
    let owner = uses.owner(block)?;
    if data.opcode != Opcode::Index {
        return None;
    }
    if owner == build && func.blocks[block].params == [row, column] {
        return Some(Reading::OwnCell);
    }
    let around = uses.block_of(owner)?;
    let nest = uses.owner(around)?;
    let is_sum = func.ops[owner].opcode == Opcode::Dot { rank: 1 }
        && func.blocks[block].params == [column]
        && matches!(
            func.ops[nest].opcode,
            Opcode::Build { rank: 1 } | Opcode::Update { rank: 1, masked: false }
        )
        && func.blocks[around].params == [row];
    is_sum.then_some(Reading::RowSum)
}

/// Whether an operation of the matrix's build reads no other matrix along its rows.
fn reads_turned(func: &Func, region: Block, op: Op) -> bool {
    let data = &func.ops[op];
    let params = &func.blocks[region].params;
    let own = data.args.len() == 3 && data.args[1..] == params[..];
    let Some((column, others)) = data.args.split_last() else { return true };
    data.opcode != Opcode::Index || own || *column != params[1] || !others.contains(&params[0])
}

fn turn(func: &mut Func, uses: &Uses, carried: &Carried, block: Block) {
    turn_back_result(func, uses, carried, block);
    for value in carried.values {
        turn_type(func, value);
    }
    for build in carried.builds {
        func.ops[build].args.swap(0, 1);
        let region = func.ops[build].regions[0];
        func.blocks[region].params.swap(0, 1);
        for (number, param) in func.blocks[region].params.clone().into_iter().enumerate() {
            func.values[param].def = ValueDef::Param(region, number as u32);
        }
    }
    for read in &carried.reads {
        func.ops[*read].args.swap(1, 2);
    }
}

fn turn_type(func: &mut Func, value: Value) {
    if let Type::Array(_, sizes) = &mut func.values[value].ty {
        sizes.swap(0, 1);
    }
}

/// Who reads the matrix after the loop reads a copy that lies as before.
fn turn_back_result(func: &mut Func, uses: &Uses, carried: &Carried, block: Block) {
    let ty = func.ty(carried.result).clone();
    turn_type(func, carried.result);
    let users = uses.users(carried.result);
    if users.is_empty() {
        return;
    }
    let span = func.spans[carried.op];
    let region = func.make_block();
    let (row, column) = (func.add_param(region, Type::I64), func.add_param(region, Type::I64));
    let read = func.make_op(Opcode::Index, vec![carried.result, column, row], vec![], span);
    let element = func.add_result(read, Type::Scalar(ty.element()));
    let end = func.make_op(Opcode::Yield, vec![element], vec![], span);
    func.blocks[region].ops = vec![read, end];
    let build = func.make_op(Opcode::Build { rank: 2 }, ty.sizes().to_vec(), vec![region], span);
    let turned = func.add_result(build, ty);
    for user in users {
        for arg in func.ops[*user].args.iter_mut().filter(|arg| **arg == carried.result) {
            *arg = turned;
        }
    }
    let place = func.blocks[block].ops.iter().position(|op| *op == carried.op);
    let place = place.map_or(func.blocks[block].ops.len(), |place| place + 1);
    func.blocks[block].ops.insert(place, build);
}
