//! `hoist`: scalar operations that do not depend on a loop move before it. Constants, and vectors that hold one in
//! every lane, stay where they are unless something that moves needs them: they cost nothing, and a register
//! held through a loop does. Nothing leaves a branch.
//!
//! Before: `for i { %3 = mul %n, %m … }` · after: `%3 = mul %n, %m  for i { … }`.

use std::mem;

use we3_ir::entity::SecondaryMap;
use we3_ir::{Block, Func, Module, Op, Opcode, Type, Value, ValueDef};

use crate::analysis::effects::{is_pure_scalar, is_repeated};
use crate::manager::{Pass, PassContext};

/// The pass.
pub const HOIST: Pass = Pass {
    name: "hoist",
    about: "scalar operations that do not depend on a loop move before it",
    from: None,
    to: None,
    run,
};

fn run(mut module: Module, _: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        let body = func.body;
        let mut walk = Walk { func, depth: SecondaryMap::new(), limits: Vec::new(), lists: Vec::new() };
        walk.block(body, false);
    }
    module
}

struct Walk<'a> {
    func: &'a mut Func,
    /// The depth of the region in which a value is available.
    depth: SecondaryMap<Value, u32>,
    /// For each open region, how far out its operations may move.
    limits: Vec<u32>,
    /// The operations of each open region so far.
    lists: Vec<Vec<Op>>,
}

impl Walk<'_> {
    fn block(&mut self, block: Block, repeated: bool) {
        let depth = self.limits.len() as u32;
        let limit = if repeated { self.limits.last().copied().unwrap_or(depth) } else { depth };
        self.limits.push(limit);
        self.lists.push(Vec::new());
        for param in self.func.blocks[block].params.clone() {
            self.depth[param] = depth;
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
        let stays = self.is_constant(op)
            || data.results.iter().any(|result| matches!(self.func.ty(*result), Type::Array(..)));
        let target =
            if is_pure_scalar(&data.opcode) && !stays { self.needed_depth(op).max(limit) } else { depth };
        if target < depth {
            self.bring_constants(op, target);
        }
        let repeated = is_repeated(&self.func.ops[op].opcode);
        for region in self.func.ops[op].regions.clone() {
            self.block(region, repeated);
        }
        for result in self.func.ops[op].results.clone() {
            self.depth[result] = target;
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

    /// The operation behind a constant operand.
    fn constant_behind(&self, value: Value) -> Option<Op> {
        match self.func.values[value].def {
            ValueDef::Result(op, _) if self.is_constant(op) => Some(op),
            ValueDef::Result(..) | ValueDef::Param(..) | ValueDef::ResultRef(_) => None,
        }
    }

    /// The depth at which all operands are available, constants apart.
    fn needed_depth(&self, op: Op) -> u32 {
        let args = self.func.ops[op].args.iter();
        let fixed = args.filter(|arg| self.constant_behind(**arg).is_none());
        fixed.map(|arg| self.depth[*arg]).max().unwrap_or(0)
    }

    /// Copies constants that a moving operation needs to where it moves.
    fn bring_constants(&mut self, op: Op, target: u32) {
        for number in 0..self.func.ops[op].args.len() {
            let arg = self.func.ops[op].args[number];
            if self.depth[arg] <= target {
                continue;
            }
            let Some(constant) = self.constant_behind(arg) else { continue };
            self.bring_constants(constant, target);
            let (opcode, args) =
                (self.func.ops[constant].opcode.clone(), self.func.ops[constant].args.clone());
            let copy = self.func.make_op(opcode, args, vec![], self.func.spans[op]);
            let ty = self.func.ty(arg).clone();
            let value = self.func.add_result(copy, ty);
            self.depth[value] = target;
            self.lists[target as usize].push(copy);
            self.func.ops[op].args[number] = value;
        }
    }
}
