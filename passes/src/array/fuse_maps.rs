//! `fuse-maps`: an array that is only read by subscripts is computed where it is read, and never
//! stored, when that repeats no work (or hardly any).
//!
//! Before: `%t = build %n { b(%i): … yield %v }  %y = build %n { b(%j): %x = index %t, %j … }`
//! After:  `%y = build %n { b(%j): …[%i = %j] %x = %v … }`

use we3_ir::clone::{Cloner, mapped};
use we3_ir::{BinaryOp, Block, Func, Level, Module, Op, Opcode, Type, Value};

use crate::analysis::cost::{is_move, region_cost};
use crate::analysis::effects::{block_has_effect, is_repeated};
use crate::analysis::uses::Uses;
use crate::manager::{Pass, PassContext};
use crate::rewrite::{Replacements, blocks_in_order, compact};

/// The pass.
pub const FUSE_MAPS: Pass = Pass {
    name: "fuse-maps",
    about: "computes arrays where they are read instead of storing them",
    from: Some(Level::Array),
    to: Some(Level::Array),
    run,
};

/// A move of at most this cost is repeated at every place that reads it.
const CHEAP_MOVE: u32 = 8;
/// Arithmetic of at most this cost is repeated at a few places, never in further loops.
const CHEAP: u32 = 3;
const FEW: usize = 3;

fn run(mut module: Module, _: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        fuse_func(func);
    }
    module
}

/// Fuses in one function.
fn fuse_func(func: &mut Func) {
    let uses = Uses::new(func);
    let mut fusion = Fusion { func, uses, replacements: Replacements::default() };
    for block in blocks_in_order(fusion.func, fusion.func.body) {
        for op in fusion.func.blocks[block].ops.clone() {
            fusion.producer(op, block);
        }
    }
    let replacements = fusion.replacements;
    replacements.apply(func);
    *func = compact(func);
}

struct Fusion<'a> {
    func: &'a mut Func,
    uses: Uses,
    replacements: Replacements,
}

impl Fusion<'_> {
    /// Looks at one operation of `block`; each result of a build may go its own way.
    fn producer(&mut self, op: Op, block: Block) {
        if self.uses.block_of(op) != Some(block) || !matches!(self.func.ops[op].opcode, Opcode::Build { .. })
        {
            return;
        }
        // Who says how a nest runs wants it to be one.
        if self.func.schedules[op].is_some() {
            return;
        }
        let region = self.func.ops[op].regions[0];
        if block_has_effect(self.func, region) {
            return;
        }
        for (number, result) in self.func.ops[op].results.clone().into_iter().enumerate() {
            let yielded = self.func.yields(region)[number];
            if matches!(self.func.ty(yielded), Type::Scalar(_)) && self.should_fuse(op, block, region, result)
            {
                for user in self.uses.users(result).to_vec() {
                    self.inline(region, number, user);
                }
            }
        }
        // What nobody reads any more must not count as a reader itself.
        let unused = self.func.ops[op].results.iter().all(|result| self.uses.users(*result).is_empty());
        if unused {
            self.func.blocks[block].ops.retain(|other| *other != op);
            self.uses.remove_tree(self.func, op);
        }
    }

    fn should_fuse(&self, op: Op, block: Block, region: Block, result: Value) -> bool {
        let users = self.uses.users(result);
        let func = &*self.func;
        let read_only = |user: &Op| {
            let data = &func.ops[*user];
            data.opcode == Opcode::Index && !data.args[1..].contains(&result)
        };
        if users.is_empty()
            || !users.iter().all(read_only)
            || !users.iter().all(|user| self.may_move(op, block, *user))
        {
            return false;
        }
        let cost = region_cost(func, region);
        if is_move(func, region) && cost <= CHEAP_MOVE {
            return true;
        }
        let once = users.iter().all(|user| self.repeats_nothing(*user, block));
        once && (users.len() == 1 || (users.len() <= FEW && cost <= CHEAP))
    }

    /// Whether the arrays that the producer reads are still there, unchanged, at the reader: nothing
    /// in between (the reader's own nest included) wants to write over them in place.
    fn may_move(&self, op: Op, block: Block, user: Op) -> bool {
        let Some(path) = self.uses.path_up(user, block) else { return false };
        let consumer = path.last().map_or(user, |(owner, _)| *owner);
        let ops = &self.func.blocks[block].ops;
        let Some(from) = ops.iter().position(|other| *other == op) else { return false };
        let Some(to) = ops.iter().position(|other| *other == consumer) else { return false };
        let mut read = Vec::new();
        arrays_read(self.func, self.func.ops[op].regions[0], &mut read);
        from < to && ops[from + 1..=to].iter().all(|between| !writes_over(self.func, *between, &read))
    }

    /// Whether the reader asks for each element at most once: every loop around it moves the
    /// subscripts, and none runs in order (which would make parallel work sequential).
    fn repeats_nothing(&self, user: Op, block: Block) -> bool {
        let Some(path) = self.uses.path_up(user, block) else { return false };
        let subscripts = &self.func.ops[user].args[1..];
        path.iter().all(|(owner, region)| self.loop_moves(*owner, *region, subscripts))
    }

    fn loop_moves(&self, owner: Op, region: Block, subscripts: &[Value]) -> bool {
        let data = &self.func.ops[owner];
        if !is_repeated(&data.opcode) {
            return true;
        }
        if matches!(data.opcode, Opcode::Loop | Opcode::While) || data.regions[0] != region {
            return false;
        }
        let params = &self.func.blocks[region].params;
        params
            .iter()
            .all(|param| subscripts.iter().any(|subscript| self.moves_with(*subscript, *param, region)))
    }

    /// Whether the subscript is the parameter, or the parameter plus or minus something from outside.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other subscripts may repeat")]
    fn moves_with(&self, subscript: Value, param: Value, region: Block) -> bool {
        let subscript = self.replacements.resolve(subscript);
        if subscript == param {
            return true;
        }
        let Some(op) = self.func.def_op(subscript) else { return false };
        let data = &self.func.ops[op];
        let fixed = |value: Value| {
            let op = self.func.def_op(value);
            let outside = |op: Op| self.uses.path_up(op, region).is_none();
            op.map_or(!self.func.blocks[region].params.contains(&value), outside)
                || self.func.as_const(value).is_some()
        };
        match data.opcode {
            Opcode::Binary(BinaryOp::Add) => {
                (data.args[0] == param && fixed(data.args[1]))
                    || (data.args[1] == param && fixed(data.args[0]))
            }
            Opcode::Binary(BinaryOp::Sub) => {
                (data.args[0] == param && fixed(data.args[1]))
                    || (data.args[1] == param && fixed(data.args[0]))
            }
            _ => false,
        }
    }

    /// Puts a copy of the producer's body in the place of the reader.
    fn inline(&mut self, region: Block, number: usize, user: Op) {
        let Some(block) = self.uses.block_of(user) else { return };
        let data = &self.func.ops[user];
        let (subscripts, result) = (data.args[1..].to_vec(), data.results[0]);
        let params = self.func.blocks[region].params.clone();
        let body = self.func.blocks[region].ops.clone();
        let yielded = self.func.yields(region)[number];
        let mut cloner = Cloner::within(self.func);
        cloner.map.extend(params.into_iter().zip(subscripts));
        let mut copies = Vec::with_capacity(body.len());
        for op in body.split_last().map_or(&[][..], |(_, ops)| ops) {
            copies.push(cloner.op(*op));
        }
        let value = mapped(&cloner.map, yielded);
        self.uses.remove_tree(self.func, user);
        for copy in &copies {
            self.uses.add_tree(self.func, *copy, block);
        }
        let ops = &mut self.func.blocks[block].ops;
        if let Some(position) = ops.iter().position(|op| *op == user) {
            ops.splice(position..=position, copies);
        }
        self.replace(result, value);
    }

    /// Renames a value at once, so that who reads what stays known.
    fn replace(&mut self, old: Value, new: Value) {
        for user in self.uses.users(old).to_vec() {
            for arg in &mut self.func.ops[user].args {
                if *arg == old {
                    *arg = new;
                }
            }
            self.uses.add_user(new, user);
        }
        self.replacements.replace(old, new);
    }
}

/// The arrays that a region reads by subscript.
fn arrays_read(func: &Func, region: Block, found: &mut Vec<Value>) {
    for op in &func.blocks[region].ops {
        let data = &func.ops[*op];
        for arg in &data.args {
            if matches!(func.ty(*arg), Type::Array(..)) && !found.contains(arg) {
                found.push(*arg);
            }
        }
        for nested in &data.regions {
            arrays_read(func, *nested, found);
        }
    }
}

/// Whether the operation, or one inside it, would like to write over one of these arrays.
#[expect(clippy::wildcard_enum_match_arm, reason = "nothing else writes in place")]
fn writes_over(func: &Func, op: Op, arrays: &[Value]) -> bool {
    let data = &func.ops[op];
    let dests = match &data.opcode {
        Opcode::Update { .. } => &data.args[..1],
        Opcode::Scatter { .. } | Opcode::Loop => &data.args[1..],
        Opcode::While => &data.args[..],
        _ => &[],
    };
    dests.iter().any(|dest| arrays.contains(dest))
        || data
            .regions
            .iter()
            .any(|region| func.blocks[*region].ops.iter().any(|nested| writes_over(func, *nested, arrays)))
}
