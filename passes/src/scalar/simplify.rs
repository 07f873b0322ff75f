//! `simplify`: constant folding and identities that keep every bit, branches and loops whose course is
//! known, checks that are true. One walk in program order; what is replaced is renamed at the end.
//!
//! Before: `%2 = add %1, %zero  check %true` · after: `%1` in every use of `%2`.

use std::mem;

use we3_ir::op::Const;
use we3_ir::{BinaryOp, Block, CompareOp, Func, Module, Op, Opcode, Scalar, Type, UnaryOp, Value};

use super::{float_rules, fold::fold, int_rules};
use crate::manager::{Pass, PassContext};
use crate::rewrite::Replacements;

/// The pass.
pub const SIMPLIFY: Pass = Pass {
    name: "simplify",
    about: "constant folding and identities that keep every bit",
    from: None,
    to: None,
    run,
};

fn run(mut module: Module, _: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        simplify_func(func);
    }
    module
}

/// What an operation turns into.
pub enum Rewrite {
    /// A value that is there already.
    Value(Value),
    /// A constant.
    Const(Const),
    /// Another operation with the same result.
    Become(Opcode, Vec<Value>),
    /// Another operation of a value and a new constant.
    WithConst(Opcode, Value, Const),
    /// Nothing: it has no results and no effect.
    Drop,
    /// The operations of its region, whose parameters become these values; its results what it yields.
    Splice(Block, Vec<Value>),
}

/// Simplifies one function.
pub fn simplify_func(func: &mut Func) {
    let mut simplifier = Simplifier { func, replacements: Replacements::default() };
    let body = simplifier.func.body;
    simplifier.block(body);
    let replacements = simplifier.replacements;
    replacements.apply(func);
}

struct Simplifier<'a> {
    func: &'a mut Func,
    replacements: Replacements,
}

impl Simplifier<'_> {
    fn block(&mut self, block: Block) {
        let mut pending = mem::take(&mut self.func.blocks[block].ops);
        pending.reverse();
        let mut kept = Vec::with_capacity(pending.len());
        while let Some(op) = pending.pop() {
            self.resolve_args(op);
            match self.rewrite(op) {
                None => {
                    for region in self.func.ops[op].regions.clone() {
                        self.block(region);
                    }
                    self.merge_branches(op, &mut kept);
                    kept.push(op);
                }
                Some(Rewrite::Value(value)) => self.replace_result(op, value),
                Some(Rewrite::Drop) => {}
                Some(Rewrite::Const(constant)) => {
                    self.become_op(op, Opcode::Const(constant), vec![]);
                    kept.push(op);
                }
                Some(Rewrite::Become(opcode, args)) => {
                    self.become_op(op, opcode, args);
                    pending.push(op);
                }
                Some(Rewrite::WithConst(opcode, value, constant)) => {
                    let right = self.new_const(op, constant, &mut kept);
                    self.become_op(op, opcode, vec![value, right]);
                    pending.push(op);
                }
                Some(Rewrite::Splice(region, args)) => self.splice(op, region, &args, &mut pending),
            }
        }
        self.func.blocks[block].ops = kept;
    }

    /// A result that both branches of an `if` give alike is that value; an `if` that only chooses between constants
    /// is a `select`.
    fn merge_branches(&mut self, op: Op, kept: &mut Vec<Op>) {
        let data = &self.func.ops[op];
        if data.opcode != Opcode::If || !data.regions.iter().all(|region| self.ends_in_yield(*region)) {
            return;
        }
        let (regions, results, condition) = (data.regions.clone(), data.results.clone(), data.args[0]);
        let given: [Vec<Value>; 2] = [0, 1].map(|number: usize| {
            self.func.yields(regions[number]).iter().map(|value| self.replacements.resolve(*value)).collect()
        });
        for (result, (yes, no)) in results.iter().zip(given[0].iter().zip(&given[1])) {
            // The same value in both stands before both.
            if yes == no {
                self.replacements.replace(*result, *yes);
            }
        }
        let only_constant = |region: &Block| {
            let ops = &self.func.blocks[*region].ops;
            matches!(ops[..], [first, _] if matches!(self.func.ops[first].opcode, Opcode::Const(_)))
                && self.func.yields(*region).iter().all(|value| self.func.as_const(*value).is_some())
        };
        if results.len() == 1 && regions.iter().all(only_constant) {
            kept.extend(regions.iter().map(|region| self.func.blocks[*region].ops[0]));
            self.become_op(op, Opcode::Select, vec![condition, given[0][0], given[1][0]]);
        }
    }

    fn resolve_args(&mut self, op: Op) {
        let replacements = &self.replacements;
        for arg in &mut self.func.ops[op].args {
            *arg = replacements.resolve(*arg);
        }
    }

    fn replace_result(&mut self, op: Op, value: Value) {
        if let [result] = self.func.ops[op].results[..] {
            self.replacements.replace(result, value);
        }
    }

    fn become_op(&mut self, op: Op, opcode: Opcode, args: Vec<Value>) {
        let data = &mut self.func.ops[op];
        data.opcode = opcode;
        data.args = args;
        data.regions = Vec::new();
    }

    fn new_const(&mut self, near: Op, constant: Const, kept: &mut Vec<Op>) -> Value {
        let span = self.func.spans[near];
        let op = self.func.make_op(Opcode::Const(constant), vec![], vec![], span);
        kept.push(op);
        self.func.add_result(op, Type::Scalar(constant.ty))
    }

    /// Puts the operations of a region in the place of the operation that owns it.
    fn splice(&mut self, op: Op, region: Block, args: &[Value], pending: &mut Vec<Op>) {
        let params = self.func.blocks[region].params.clone();
        for (param, arg) in params.into_iter().zip(args) {
            self.replacements.replace(param, *arg);
        }
        let mut ops = mem::take(&mut self.func.blocks[region].ops);
        if let Some(terminator) = ops.pop() {
            let yields = self.func.ops[terminator].args.clone();
            let results = self.func.ops[op].results.clone();
            for (result, value) in results.into_iter().zip(yields) {
                self.replacements.replace(result, value);
            }
        }
        pending.extend(ops.into_iter().rev());
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest has no rule")]
    fn rewrite(&self, op: Op) -> Option<Rewrite> {
        let func = &*self.func;
        let data = &func.ops[op];
        if let Some(constant) = fold(func, op) {
            return Some(Rewrite::Const(constant));
        }
        match &data.opcode {
            Opcode::Binary(kind) => {
                let Type::Scalar(ty) = *func.ty(data.args[0]) else { return None };
                let rule = if ty.is_float() { float_rules::binary } else { int_rules::binary };
                rule(func, *kind, ty, data.args[0], data.args[1])
            }
            Opcode::Compare(kind) => {
                let Type::Scalar(ty) = *func.ty(data.args[0]) else { return None };
                if let Some(rewrite) = self.choice_compared(*kind, ty, data.args[0], data.args[1]) {
                    return Some(rewrite);
                }
                if ty.is_float() {
                    None
                } else {
                    int_rules::compare(func, *kind, ty, data.args[0], data.args[1])
                }
            }
            Opcode::Unary(kind) => self.unary(*kind, data.args[0]),
            Opcode::Fma => float_rules::fma(func, data.args[0], data.args[1], data.args[2]),
            Opcode::Select => self.select(&data.args),
            Opcode::Check { .. } => self.truth(data.args[0]).filter(|truth| *truth).map(|_| Rewrite::Drop),
            Opcode::If => self.branch(op),
            Opcode::For(_) => self.for_loop(op),
            Opcode::Resize | Opcode::Reshape => {
                let same = func.ty(data.args[0]) == &self.resolved_type(func.ty(data.results[0]));
                same.then(|| Rewrite::Value(data.args[0]))
            }
            Opcode::Index => self.index(&data.args),
            _ => None,
        }
    }

    fn resolved_type(&self, ty: &Type) -> Type {
        match ty {
            Type::Array(elem, sizes) => {
                Type::Array(*elem, sizes.iter().map(|size| self.replacements.resolve(*size)).collect())
            }
            Type::Scalar(_) | Type::Buffer(_) | Type::Vector(..) => ty.clone(),
        }
    }

    fn truth(&self, value: Value) -> Option<bool> {
        self.func.as_const(value).map(|constant| constant.bits != 0)
    }

    fn number(&self, value: Value) -> Option<i64> {
        self.func.as_const(value).map(|constant| constant.bits as i64)
    }

    /// `¬¬x`, and `−(−x)` on integers.
    fn unary(&self, kind: UnaryOp, arg: Value) -> Option<Rewrite> {
        let inner = &self.func.ops[self.func.def_op(arg)?];
        let undone = match kind {
            UnaryOp::Not => true,
            UnaryOp::Neg => self.func.ty(arg).element().is_int(),
            UnaryOp::Abs
            | UnaryOp::Sqrt
            | UnaryOp::Floor
            | UnaryOp::Ceil
            | UnaryOp::Trunc
            | UnaryOp::RoundEven
            | UnaryOp::CountOnes
            | UnaryOp::LeadingZeros
            | UnaryOp::TrailingZeros => false,
        };
        (undone && inner.opcode == Opcode::Unary(kind)).then(|| Rewrite::Value(inner.args[0]))
    }

    /// A choice between two constants, compared with a constant: the condition, its contrary, or neither.
    fn choice_compared(&self, op: CompareOp, ty: Scalar, left: Value, right: Value) -> Option<Rewrite> {
        let right = self.func.as_const(right)?;
        let choice = &self.func.ops[self.func.def_op(left)?];
        if choice.opcode != Opcode::Select {
            return None;
        }
        let holds = |value: Value| {
            let value = self.func.as_const(self.replacements.resolve(value))?;
            Some(we3_ir::eval::compare(op, ty, value.bits, right.bits))
        };
        Some(match (holds(choice.args[1])?, holds(choice.args[2])?) {
            (true, false) => Rewrite::Value(choice.args[0]),
            (false, true) => Rewrite::Become(Opcode::Unary(UnaryOp::Not), vec![choice.args[0]]),
            (always, _) => Rewrite::Const(Const { ty: Scalar::Bool, bits: u64::from(always) }),
        })
    }

    fn select(&self, args: &[Value]) -> Option<Rewrite> {
        let (condition, yes, no) = (args[0], args[1], args[2]);
        if yes == no {
            return Some(Rewrite::Value(yes));
        }
        if let Some(truth) = self.truth(condition) {
            return Some(Rewrite::Value(if truth { yes } else { no }));
        }
        if *self.func.ty(yes) == Type::BOOL {
            match (self.truth(yes), self.truth(no)) {
                (Some(true), Some(false)) => return Some(Rewrite::Value(condition)),
                (Some(false), Some(true)) => {
                    return Some(Rewrite::Become(Opcode::Unary(UnaryOp::Not), vec![condition]));
                }
                (_, Some(false)) => {
                    return Some(Rewrite::Become(Opcode::Binary(BinaryOp::And), vec![condition, yes]));
                }
                (Some(true), _) => {
                    return Some(Rewrite::Become(Opcode::Binary(BinaryOp::Or), vec![condition, no]));
                }
                _ => {}
            }
        }
        let inner = &self.func.ops[self.func.def_op(condition)?];
        (inner.opcode == Opcode::Unary(UnaryOp::Not))
            .then(|| Rewrite::Become(Opcode::Select, vec![inner.args[0], no, yes]))
    }

    fn branch(&self, op: Op) -> Option<Rewrite> {
        let data = &self.func.ops[op];
        let taken = data.regions[usize::from(!self.truth(data.args[0])?)];
        self.ends_in_yield(taken).then(|| Rewrite::Splice(taken, vec![]))
    }

    /// A loop that runs not at all or exactly once.
    fn for_loop(&self, op: Op) -> Option<Rewrite> {
        let data = &self.func.ops[op];
        let (lo, hi, step) =
            (self.number(data.args[0])?, self.number(data.args[1])?, self.number(data.args[2])?);
        if lo >= hi {
            return data.results.is_empty().then_some(Rewrite::Drop);
        }
        let once = lo.checked_add(step).is_none_or(|next| next >= hi);
        if !once || !self.ends_in_yield(data.regions[0]) {
            return None;
        }
        let mut args = vec![data.args[0]];
        args.extend_from_slice(&data.args[3..]);
        Some(Rewrite::Splice(data.regions[0], args))
    }

    fn ends_in_yield(&self, block: Block) -> bool {
        self.func.terminator(block).is_some_and(|op| self.func.ops[op].opcode == Opcode::Yield)
    }

    /// The element of an array under other size values, or of a table at a known place.
    fn index(&self, args: &[Value]) -> Option<Rewrite> {
        let inner = &self.func.ops[self.func.def_op(args[0])?];
        if let Opcode::Data { elem, bits } = &inner.opcode {
            let mut place = 0i64;
            for (subscript, size) in args[1..].iter().zip(&inner.args) {
                let (subscript, size) = (self.number(*subscript)?, self.number(*size)?);
                place = place.checked_mul(size)?.checked_add(subscript)?;
            }
            let bits = *bits.get(usize::try_from(place).ok()?)?;
            return Some(Rewrite::Const(Const { ty: *elem, bits }));
        }
        (inner.opcode == Opcode::Resize).then(|| {
            let mut args = args.to_vec();
            args[0] = inner.args[0];
            Rewrite::Become(Opcode::Index, args)
        })
    }
}
