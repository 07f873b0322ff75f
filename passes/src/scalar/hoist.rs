//! `hoist`: scalar operations that do not depend on a loop move before it. Constants, and vectors that hold one in
//! every lane, stay where they are unless something that moves needs them: they cost nothing, and a register
//! held through a loop does. Nothing leaves a branch.
//!
//! Before: `for i { %3 = mul %n, %m … }` · after: `%3 = mul %n, %m  for i { … }`.
//!
//! `hoist-reductions`: the same for reductions that cannot fail, with copies of the scalars that they need; other
//! scalars stay, so that nests remain perfect.
//!
//! Before: `build n { b(i): %3 = reduce.max n { … index %x, k }  … }` · after: `%3 = reduce.max n { … }  build n { … }`.

use std::mem;

use we3_ir::entity::SecondaryMap;
use we3_ir::{Block, Func, Level, Module, Op, Opcode, Type, Value, ValueDef};

use crate::analysis::effects::{is_pure_scalar, is_repeated};
use crate::analysis::invariant::Domains;
use crate::manager::{Pass, PassContext};

/// The pass.
pub const HOIST: Pass = Pass {
    name: "hoist",
    about: "scalar operations that do not depend on a loop move before it",
    from: None,
    to: None,
    run,
};

/// The pass for reductions.
pub const HOIST_REDUCTIONS: Pass = Pass {
    name: "hoist-reductions",
    about: "reductions that do not depend on a loop and cannot fail move before it",
    from: Some(Level::Array),
    to: None,
    run: run_reductions,
};

fn run(module: Module, _: &PassContext) -> Module {
    hoist(module, false)
}

fn run_reductions(module: Module, _: &PassContext) -> Module {
    hoist(module, true)
}

fn hoist(mut module: Module, reductions: bool) -> Module {
    for func in module.funcs.values_mut() {
        let body = func.body;
        let mut walk = Walk {
            func,
            reductions,
            depth: SecondaryMap::new(),
            earliest: SecondaryMap::new(),
            limits: Vec::new(),
            lists: Vec::new(),
            domains: Domains::default(),
        };
        walk.block(body, false);
    }
    module
}

struct Walk<'a> {
    func: &'a mut Func,
    /// Reductions move and scalars stay.
    reductions: bool,
    /// The depth of the region in which a value is available.
    depth: SecondaryMap<Value, u32>,
    /// The depth at which a copy of it could be made.
    earliest: SecondaryMap<Value, u32>,
    /// For each open region, how far out its operations may move.
    limits: Vec<u32>,
    /// The operations of each open region so far.
    lists: Vec<Vec<Op>>,
    domains: Domains,
}

impl Walk<'_> {
    fn block(&mut self, block: Block, repeated: bool) {
        let depth = self.limits.len() as u32;
        let limit = if repeated { self.limits.last().copied().unwrap_or(depth) } else { depth };
        self.limits.push(limit);
        self.lists.push(Vec::new());
        for param in self.func.blocks[block].params.clone() {
            self.depth[param] = depth;
            self.earliest[param] = depth;
        }
        for op in mem::take(&mut self.func.blocks[block].ops) {
            self.op(op, depth, limit);
        }
        self.limits.pop();
        self.func.blocks[block].ops = self.lists.pop().unwrap_or_default();
    }

    fn op(&mut self, op: Op, depth: u32, limit: u32) {
        let data = &self.func.ops[op];
        // A table's type names its sizes, which other types name too.
        let scalar = is_pure_scalar(&data.opcode)
            && !data.results.iter().any(|result| matches!(self.func.ty(*result), Type::Array(..)));
        let reduction = self.reductions && limit < depth && self.domains.is_movable(self.func, op);
        let earliest = match (self.is_constant(op), scalar || reduction) {
            (true, _) => 0,
            (false, true) => self.needed_depth(op).max(limit).min(depth),
            (false, false) => depth,
        };
        let moves = if self.reductions { reduction } else { scalar && !self.is_constant(op) };
        let target = if moves { earliest } else { depth };
        if target < depth {
            self.bring_operands(op, target);
        }
        self.domains.enter(self.func, op);
        let repeated = is_repeated(&self.func.ops[op].opcode);
        for region in self.func.ops[op].regions.clone() {
            self.block(region, repeated);
        }
        for result in self.func.ops[op].results.clone() {
            self.depth[result] = target;
            self.earliest[result] = earliest.min(target);
        }
        self.lists[target as usize].push(op);
    }

    /// A constant, or the same one in every lane.
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other operation is one")]
    fn is_constant(&self, op: Op) -> bool {
        let data = &self.func.ops[op];
        match data.opcode {
            Opcode::Const(_) => true,
            Opcode::Splat(_) => self.func.as_const(data.args[0]).is_some(),
            _ => false,
        }
    }

    /// The depth at which all operands can be had, also those of operations inside.
    fn needed_depth(&self, op: Op) -> u32 {
        let data = &self.func.ops[op];
        let own = data.args.iter().map(|arg| self.earliest[*arg]).max().unwrap_or(0);
        let inside = data.regions.iter().flat_map(|region| &self.func.blocks[*region].ops);
        inside.map(|op| self.needed_depth(*op)).fold(own, u32::max)
    }

    /// Copies what a moving operation needs and finds too far inside to where it moves.
    fn bring_operands(&mut self, op: Op, target: u32) {
        for region in self.func.ops[op].regions.clone() {
            for inner in self.func.blocks[region].ops.clone() {
                self.bring_operands(inner, target);
            }
        }
        for number in 0..self.func.ops[op].args.len() {
            let arg = self.func.ops[op].args[number];
            if self.depth[arg] <= target {
                continue;
            }
            let ValueDef::Result(source, _) = self.func.values[arg].def else { continue };
            let (opcode, args) = (self.func.ops[source].opcode.clone(), self.func.ops[source].args.clone());
            let copy = self.func.make_op(opcode, args, vec![], self.func.spans[op]);
            self.bring_operands(copy, target);
            let ty = self.func.ty(arg).clone();
            let value = self.func.add_result(copy, ty);
            self.depth[value] = target;
            self.earliest[value] = self.earliest[arg].min(target);
            self.lists[target as usize].push(copy);
            self.func.ops[op].args[number] = value;
        }
    }
}
