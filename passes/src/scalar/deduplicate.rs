//! `deduplicate`: one operation for several that compute the same from the same operands (common
//! subexpressions), and one check for several of the same condition.
//!
//! Before: `%3 = add %1, %2  …  %7 = add %2, %1` · after: `%3` in every use of `%7`.

use std::mem;

use we3_ir::hash::IdMap;
use we3_ir::{BinaryOp, Block, CompareOp, Func, Module, Op, Opcode, Type, Value};

use crate::analysis::effects::is_pure_scalar;
use crate::manager::{Pass, PassContext};
use crate::rewrite::Replacements;

/// The pass.
pub const DEDUPLICATE: Pass =
    Pass { name: "deduplicate", about: "one operation for several equal ones", from: None, to: None, run };

fn run(mut module: Module, _: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        deduplicate_func(func);
    }
    module
}

/// Deduplicates one function.
pub fn deduplicate_func(func: &mut Func) {
    let mut walk = Walk {
        func,
        seen: IdMap::default(),
        open: Vec::new(),
        scope: 0,
        replacements: Replacements::default(),
    };
    let body = walk.func.body;
    walk.block(body);
    let replacements = walk.replacements;
    replacements.apply(func);
}

/// What makes two operations equal.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    opcode: Opcode,
    args: Vec<Value>,
    ty: Option<Type>,
}

struct Walk<'a> {
    func: &'a mut Func,
    /// Operations met, with the region they stand in. A check maps to its condition.
    seen: IdMap<Key, (Value, usize)>,
    /// Whether each region met, by number, encloses the place of the walk: what stands in it is visible.
    open: Vec<bool>,
    /// The innermost of those.
    scope: usize,
    replacements: Replacements,
}

impl Walk<'_> {
    fn block(&mut self, block: Block) {
        let outer = mem::replace(&mut self.scope, self.open.len());
        self.open.push(true);
        let ops = mem::take(&mut self.func.blocks[block].ops);
        let mut kept = Vec::with_capacity(ops.len());
        for op in ops {
            if !self.is_known(op) {
                for region in self.func.ops[op].regions.clone() {
                    self.block(region);
                }
                kept.push(op);
            }
        }
        self.func.blocks[block].ops = kept;
        self.open[self.scope] = false;
        self.scope = outer;
    }

    /// Whether an equal operation stands before; then its result takes over.
    fn is_known(&mut self, op: Op) -> bool {
        let replacements = &self.replacements;
        for arg in &mut self.func.ops[op].args {
            *arg = replacements.resolve(*arg);
        }
        let Some(key) = self.key(op) else { return false };
        let result = self.func.ops[op].results.first().copied();
        match self.seen.get(&key) {
            Some((known, scope)) if self.open[*scope] => {
                if let Some(result) = result {
                    self.replacements.replace(result, *known);
                }
                true
            }
            Some(_) | None => {
                if let Some(value) = result.or(key.args.first().copied()) {
                    self.seen.insert(key, (value, self.scope));
                }
                false
            }
        }
    }

    fn key(&self, op: Op) -> Option<Key> {
        let data = &self.func.ops[op];
        let ty = data.results.first().map(|result| self.func.ty(*result).clone());
        if matches!(data.opcode, Opcode::Check { .. }) {
            let args = vec![data.args[0]];
            return Some(Key { opcode: Opcode::Check { site: 0 }, args, ty: None });
        }
        let pure = is_pure_scalar(&data.opcode) || matches!(data.opcode, Opcode::Index | Opcode::Offset);
        let alias = matches!(data.opcode, Opcode::Reshape | Opcode::Resize);
        if !pure && !alias {
            return None;
        }
        let (opcode, args) = canonical(data.opcode.clone(), data.args.clone());
        // The sizes of an alias are among its operands, and its type may still hold old names.
        let ty = if alias { ty.map(|ty| Type::Scalar(ty.element())) } else { ty };
        Some(Key { opcode, args, ty })
    }
}

/// The same operation with its operands in a fixed order.
#[expect(clippy::wildcard_enum_match_arm, reason = "order matters for the rest")]
fn canonical(opcode: Opcode, mut args: Vec<Value>) -> (Opcode, Vec<Value>) {
    match opcode {
        Opcode::Binary(op) if commutes(op) => args.sort_unstable(),
        Opcode::Compare(op) if args[0] > args[1] => {
            args.swap(0, 1);
            return (Opcode::Compare(mirrored(op)), args);
        }
        _ => {}
    }
    (opcode, args)
}

fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Eq,
        CompareOp::Ne => CompareOp::Ne,
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
    }
}

/// Whether swapping operands keeps every bit, floats included (a NaN result is canonical).
fn commutes(op: BinaryOp) -> bool {
    match op {
        BinaryOp::Add
        | BinaryOp::Mul
        | BinaryOp::Min
        | BinaryOp::Max
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
        | BinaryOp::MulHi
        | BinaryOp::AddSat
        | BinaryOp::MulSat => true,
        BinaryOp::Sub
        | BinaryOp::Div
        | BinaryOp::Rem
        | BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::RotateLeft
        | BinaryOp::CopySign
        | BinaryOp::SubSat => false,
    }
}
