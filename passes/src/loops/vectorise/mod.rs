//! `vectorise`: loops whose iterations are independent (`for.lanes.N`) run N iterations at a time, in lanes of
//! vectors. What every iteration computes alike stays scalar; branches and loops that lanes leave at
//! different times run under a mask until no lane is left; the last, incomplete group is masked too, or runs
//! one by one where masks are slow. No operation changes, so no result does.
//!
//! Before: `for.lanes.8 %0, %n, %1 { b(%i): … }` · after: `for.serial %0, %full, %8 { … }` on `f32x8`, and the rest.

mod control;
mod divergence;
mod memory;
mod widen;

use std::mem;

use we3_ir::{
    BinaryOp, Block, CompareOp, ForKind, Func, FuncBuilder, Module, Op, Opcode, Scalar, Type, Value,
};

use crate::facts::TargetFacts;
use crate::manager::{Pass, PassContext};
use divergence::Divergence;
use widen::{Shape, Widener};

/// The pass.
pub const VECTORISE: Pass = Pass {
    name: "vectorise",
    about: "independent iterations run in the lanes of vectors",
    from: Some(we3_ir::Level::Loop),
    to: Some(we3_ir::Level::Loop),
    run,
};

/// Why a loop stays scalar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// An operation that has no form in lanes.
    Form(&'static str),
    /// Its lanes would read and write more places one by one than they would save.
    Scattered,
    /// A step other than 1, or iterations that write one place.
    Shape,
    /// Too much scratch for each lane to have its own.
    Scratch,
}

fn run(mut module: Module, ctx: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        let body = func.body;
        walk(func, body, &ctx.facts);
    }
    module
}

/// Rewrites the loops of a block, innermost code excepted: lanes do not nest.
fn walk(func: &mut Func, block: Block, facts: &TargetFacts) {
    let ops = mem::take(&mut func.blocks[block].ops);
    for op in ops {
        if let Opcode::For(ForKind::Lanes(lanes)) = func.ops[op].opcode {
            let target = func.make_block();
            if widen_loop(func, op, target, lanes, facts).is_ok() {
                let replacement = mem::take(&mut func.blocks[target].ops);
                func.blocks[block].ops.extend(replacement);
                continue;
            }
        }
        for region in func.ops[op].regions.clone() {
            walk(func, region, facts);
        }
        func.blocks[block].ops.push(op);
    }
}

/// Writes the loop in lanes into an empty block.
fn widen_loop(func: &mut Func, op: Op, target: Block, lanes: u16, facts: &TargetFacts) -> Result<(), Unfit> {
    let data = func.ops[op].clone();
    if func.as_const(data.args[2]).is_none_or(|step| step.bits != 1) {
        return Err(Unfit::Shape);
    }
    let divergence = Divergence::of(func, data.regions[0])?;
    let span = func.spans[op];
    let (lo, hi) = (data.args[0], data.args[1]);
    let constant = |value| func.as_const(value).map(|constant| constant.bits as i64);
    let start = constant(lo);
    let trips = match (start, constant(hi)) {
        (Some(lo), Some(hi)) => hi.checked_sub(lo),
        _ => None,
    };
    let mut builder = FuncBuilder::at(func, target);
    builder.span = span;
    let mut widener = Widener::new(builder, &divergence, lanes, facts.masks);
    // A constant says later how often the loop runs, also where its body has become a function of its own.
    let middle = match (start, trips) {
        (Some(start), Some(trips)) => widener.b.i64(start + (trips.max(0) & -i64::from(lanes))),
        _ => widener.full_groups(lo, hi),
    };
    if trips.is_none_or(|trips| trips >= i64::from(lanes)) {
        widener.main_loop(lo, middle, data.regions[0])?;
        if !widener.cost.pays(lanes) {
            return Err(Unfit::Scattered);
        }
    }
    if trips.is_some_and(|trips| trips % i64::from(lanes) == 0) {
        return Ok(());
    }
    if facts.masks {
        widener.masked_tail(middle, hi, data.regions[0])
    } else {
        widener.scalar_tail(middle, hi, data.regions[0]);
        Ok(())
    }
}

impl Widener<'_> {
    /// Where the last complete group ends: `lo + (max(hi − lo, 0) & −lanes)`.
    fn full_groups(&mut self, lo: Value, hi: Value) -> Value {
        let zero = self.b.i64(0);
        let from_zero = self.b.func.as_const(lo).is_some_and(|lo| lo.bits == 0);
        let span = if from_zero { hi } else { self.b.binary(BinaryOp::Sub, hi, lo) };
        let count = self.b.binary(BinaryOp::Max, span, zero);
        let mask = self.b.i64(-i64::from(self.lanes));
        let full = self.b.binary(BinaryOp::And, count, mask);
        if from_zero { full } else { self.b.binary(BinaryOp::Add, lo, full) }
    }

    fn main_loop(&mut self, lo: Value, end: Value, body: Block) -> Result<(), Unfit> {
        let step = self.b.i64(i64::from(self.lanes));
        let params = self.b.begin_region(&[Type::I64]);
        let group = self.group(body, params[0]);
        let region = self.b.end_region(vec![]);
        self.b.append(Opcode::For(ForKind::Serial), vec![lo, end, step], vec![region], &[]);
        group
    }

    /// The iterations from `first` on, one a lane.
    fn group(&mut self, body: Block, first: Value) -> Result<(), Unfit> {
        let index = self.b.func.blocks[body].params[0];
        self.bind(index, Shape::Linear { base: first, stride: 1 });
        self.ops(body)
    }

    fn masked_tail(&mut self, first: Value, hi: Value, body: Block) -> Result<(), Unfit> {
        let some = self.b.compare(CompareOp::Lt, first, hi);
        self.b.begin_region(&[]);
        let rest = self.b.binary(BinaryOp::Sub, hi, first);
        let rest = self.splat(rest);
        let lane = self.iota(Scalar::I64);
        let mask = self.b.compare(CompareOp::Lt, lane, rest);
        let before = mem::take(&mut self.cost);
        self.mask = Some(mask);
        let group = self.group(body, first);
        self.mask = None;
        self.cost = before;
        let then = self.b.end_region(vec![]);
        self.b.begin_region(&[]);
        let otherwise = self.b.end_region(vec![]);
        self.b.append(Opcode::If, vec![some], vec![then, otherwise], &[]);
        group
    }

    /// The loop as it was, from `first` on.
    fn scalar_tail(&mut self, first: Value, hi: Value, body: Block) {
        let step = self.b.i64(1);
        self.b.append(Opcode::For(ForKind::Serial), vec![first, hi, step], vec![body], &[]);
    }
}
