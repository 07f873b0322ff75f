//! `remove-checks`: drops checks that are surely true, from the ranges of loops, sizes, checks passed
//! before and branches taken. Comparisons of `i64` that are sure become constants.
//!
//! Before: `build %n { b(%i): %c = lt %i, %n  check.3 %c … }` · after: no check.

use std::mem;

use we3_ir::op::Const;
use we3_ir::{BinaryOp, Block, Func, Module, Op, Opcode, Scalar, Type, Value};

use crate::analysis::bounds::Bounds;
use crate::manager::{Pass, PassContext};

/// The pass.
pub const REMOVE_CHECKS: Pass =
    Pass { name: "remove-checks", about: "drops checks that are surely true", from: None, to: None, run };

fn run(mut module: Module, _: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        let body = func.body;
        let mut walk = Walk { func, bounds: Bounds::default() };
        for param in walk.func.params().to_vec() {
            walk.learn_sizes(param);
        }
        walk.block(body);
    }
    module
}

struct Walk<'a> {
    func: &'a mut Func,
    bounds: Bounds,
}

impl Walk<'_> {
    fn block(&mut self, block: Block) {
        let ops = mem::take(&mut self.func.blocks[block].ops);
        let mut kept = Vec::with_capacity(ops.len());
        for op in ops {
            if self.op(op) {
                kept.push(op);
            }
        }
        self.func.blocks[block].ops = kept;
    }

    /// Whether the operation stays.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest matters through its regions only")]
    fn op(&mut self, op: Op) -> bool {
        let data = &self.func.ops[op];
        match &data.opcode {
            Opcode::Check { .. } => {
                let condition = data.args[0];
                if self.bounds.holds(self.func, condition, true) {
                    return false;
                }
                self.bounds.assume(self.func, condition, true, &[]);
            }
            Opcode::Compare(_) if *self.func.ty(data.args[0]) == Type::I64 => self.comparison(op),
            _ => {}
        }
        self.regions(op);
        for result in self.func.ops[op].results.clone() {
            self.learn_sizes(result);
        }
        true
    }

    fn comparison(&mut self, op: Op) {
        let result = self.func.ops[op].results[0];
        if let Some(truth) = self.bounds.decide(self.func, result) {
            let data = &mut self.func.ops[op];
            data.opcode = Opcode::Const(Const { ty: Scalar::Bool, bits: u64::from(truth) });
            data.args.clear();
        }
    }

    /// Sizes of arrays are ≥ 0.
    fn learn_sizes(&mut self, value: Value) {
        for size in self.func.ty(value).sizes().to_vec() {
            self.bounds.learn_not_negative(self.func, size);
        }
    }

    fn regions(&mut self, op: Op) {
        for number in 0..self.func.ops[op].regions.len() {
            let region = self.func.ops[op].regions[number];
            let mark = self.bounds.mark();
            self.learn_region(op, number, region);
            for param in self.func.blocks[region].params.clone() {
                self.learn_sizes(param);
            }
            self.block(region);
            self.bounds.forget(mark);
        }
    }

    /// What holds at the start of region `number` of an operation.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "regions of other operations start with nothing known"
    )]
    fn learn_region(&mut self, op: Op, number: usize, region: Block) {
        let data = self.func.ops[op].clone();
        let params = self.func.blocks[region].params.clone();
        match data.opcode {
            Opcode::If => self.bounds.assume(self.func, data.args[0], number == 0, &[]),
            Opcode::Build { rank } | Opcode::Dot { rank } | Opcode::DotBy { rank } if number == 0 => {
                self.domain(&params, &data.args[..rank as usize]);
            }
            Opcode::Update { .. } => self.domain(&params, &data.args[1..]),
            Opcode::Reduce { .. } | Opcode::Scan { .. } | Opcode::Scatter { .. } if number == 0 => {
                self.domain(&params, &data.args[..1]);
            }
            Opcode::Loop => {
                self.domain(&params[..1], &data.args[..1]);
                self.carried(region, &params[1..], &data.args[1..]);
            }
            Opcode::For(_) => {
                self.bounds.learn_range(self.func, params[0], Some(data.args[0]), data.args[1]);
                self.carried(region, &params[1..], &data.args[3..]);
            }
            Opcode::While if number == 1 => {
                let cond = data.regions[0];
                let renamed: Vec<(Value, Value)> =
                    self.func.blocks[cond].params.iter().copied().zip(params.iter().copied()).collect();
                if let [condition] = self.func.yields(cond)[..] {
                    self.bounds.assume(self.func, condition, true, &renamed);
                }
                self.carried(region, &params, &data.args);
            }
            _ => {}
        }
    }

    fn domain(&mut self, params: &[Value], sizes: &[Value]) {
        for (param, size) in params.iter().zip(sizes) {
            self.bounds.learn_range(self.func, *param, None, *size);
        }
    }

    /// A carried `i64` that only ever has a small constant added stays at least what it started with
    /// (it would take decades to wrap).
    fn carried(&mut self, region: Block, params: &[Value], init: &[Value]) {
        let yields = self.func.yields(region).to_vec();
        for ((param, init), next) in params.iter().zip(init).zip(yields) {
            if *self.func.ty(*param) == Type::I64 && self.only_grows(*param, next) {
                self.bounds.learn_at_least(self.func, *param, *init);
            }
        }
    }

    fn only_grows(&self, param: Value, next: Value) -> bool {
        if param == next {
            return true;
        }
        let Some(op) = self.func.def_op(next) else { return false };
        let data = &self.func.ops[op];
        let by = |value: Value| {
            self.func.as_const(value).is_some_and(|constant| (0..=16).contains(&constant.bits))
        };
        let plus = data.opcode == Opcode::Binary(BinaryOp::Add);
        let select = data.opcode == Opcode::Select;
        (plus && data.args[0] == param && by(data.args[1]))
            || (plus && data.args[1] == param && by(data.args[0]))
            || (select && self.only_grows(param, data.args[1]) && self.only_grows(param, data.args[2]))
    }
}
