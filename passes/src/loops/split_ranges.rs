//! `split-ranges`: a loop in lanes whose body asks where its index stands (inside what is padded? in the first
//! part or the second?) becomes one loop for each range in which the answers are fixed. Most of the work is
//! then done without asking, and without masks.
//!
//! Before: `for.lanes i in 0..n { %c = lt %i, %m  if %c {…} else {…} }`
//! After: `for.lanes i in 0..min(n, max(0, %m)) {…}  for.lanes i in min(n, max(0, %m))..n {…}`

use std::mem;

use we3_ir::clone::Cloner;
use we3_ir::op::Const;
use we3_ir::{
    BinaryOp, Block, CompareOp, ForKind, Func, FuncBuilder, Module, Op, Opcode, Scalar, Type, Value,
};

use crate::manager::{Pass, PassContext};
use crate::rewrite::compact;
use crate::scalar::simplify::simplify_func;

/// The pass.
pub const SPLIT_RANGES: Pass = Pass {
    name: "split-ranges",
    about: "loops whose body asks where its index stands become loops over ranges",
    from: Some(we3_ir::Level::Loop),
    to: Some(we3_ir::Level::Loop),
    run,
};

/// Bodies with more operations are not written several times.
const LARGEST: usize = 120;
/// Loops known to be shorter are not worth it.
const SHORTEST: i64 = 32;
/// Offsets of an index that cannot wrap, as indices are sizes of memory.
const OFFSET: i64 = 1 << 40;

fn run(mut module: Module, _: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        let body = func.body;
        let mut found = false;
        walk(func, body, &mut found);
        if found {
            // The answers decide branches.
            *func = compact(func);
            simplify_func(func);
        }
    }
    module
}

fn walk(func: &mut Func, block: Block, found: &mut bool) {
    let ops = mem::take(&mut func.blocks[block].ops);
    for op in ops {
        if let Some(questions) = questions_of(func, op) {
            let target = func.make_block();
            split(func, op, &questions, target);
            let loops = mem::take(&mut func.blocks[target].ops);
            func.blocks[block].ops.extend(loops);
            *found = true;
            continue;
        }
        for region in func.ops[op].regions.clone() {
            walk(func, region, found);
        }
        func.blocks[block].ops.push(op);
    }
}

/// `index < limit − offset`, or `≤`; the comparison says this or, `negated`, the opposite.
struct Question {
    compare: Op,
    limit: Value,
    offset: i64,
    inclusive: bool,
    negated: bool,
    /// Which of the thresholds it asks about.
    threshold: usize,
}

/// What a body asks about its index, if it is worth splitting: one or two different thresholds.
fn questions_of(func: &Func, op: Op) -> Option<Vec<Question>> {
    let data = &func.ops[op];
    if !matches!(data.opcode, Opcode::For(ForKind::Lanes(_))) {
        return None;
    }
    let body = data.regions[0];
    let number = |value: Value| func.as_const(value).map(|constant| constant.bits as i64);
    let trips = number(data.args[1]).zip(number(data.args[0]));
    if trips.is_some_and(|(hi, lo)| hi.saturating_sub(lo) < SHORTEST)
        || number(data.args[2]) != Some(1)
        || !chooses(func, body)
        || n_ops(func, body) > LARGEST
    {
        return None;
    }
    let mut questions: Vec<Question> = Vec::new();
    let mut n_thresholds = 0;
    for op in &func.blocks[body].ops {
        let Some(mut question) = question(func, body, *op) else { continue };
        let same = |other: &&Question| {
            (other.limit, other.offset, other.inclusive)
                == (question.limit, question.offset, question.inclusive)
        };
        question.threshold = match questions.iter().find(same) {
            Some(other) => other.threshold,
            None => n_thresholds,
        };
        n_thresholds = n_thresholds.max(question.threshold + 1);
        questions.push(question);
    }
    (1..=2).contains(&n_thresholds).then_some(questions)
}

fn chooses(func: &Func, body: Block) -> bool {
    func.blocks[body].ops.iter().any(|op| matches!(func.ops[*op].opcode, Opcode::If | Opcode::Select))
}

fn n_ops(func: &Func, block: Block) -> usize {
    let ops = func.blocks[block].ops.iter();
    ops.map(|op| 1 + func.ops[*op].regions.iter().map(|region| n_ops(func, *region)).sum::<usize>()).sum()
}

fn question(func: &Func, body: Block, op: Op) -> Option<Question> {
    let data = &func.ops[op];
    let Opcode::Compare(kind) = data.opcode else { return None };
    if *func.ty(data.args[0]) != Type::I64 {
        return None;
    }
    let (kind, offset, limit) = match (index_offset(func, body, data.args[0]), data.args[1]) {
        (Some(offset), limit) => (kind, offset, limit),
        (None, index) => (mirrored(kind)?, index_offset(func, body, index)?, data.args[0]),
    };
    let (inclusive, negated) = match kind {
        CompareOp::Lt => (false, false),
        CompareOp::Le => (true, false),
        CompareOp::Ge => (false, true),
        CompareOp::Gt => (true, true),
        CompareOp::Eq | CompareOp::Ne => return None,
    };
    is_fixed(func, body, limit).then_some(Question {
        compare: op,
        limit,
        offset,
        inclusive,
        negated,
        threshold: 0,
    })
}

/// The comparison with its sides exchanged.
fn mirrored(kind: CompareOp) -> Option<CompareOp> {
    match kind {
        CompareOp::Lt => Some(CompareOp::Gt),
        CompareOp::Le => Some(CompareOp::Ge),
        CompareOp::Gt => Some(CompareOp::Lt),
        CompareOp::Ge => Some(CompareOp::Le),
        CompareOp::Eq | CompareOp::Ne => None,
    }
}

/// What is added to the index, if the value is the index and a constant.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other operation moves an index")]
fn index_offset(func: &Func, body: Block, value: Value) -> Option<i64> {
    let index = func.blocks[body].params[0];
    if value == index {
        return Some(0);
    }
    let data = &func.ops[func.def_op(value)?];
    let constant = |value: Value| func.as_const(value).map(|constant| constant.bits as i64);
    let offset = match data.opcode {
        Opcode::Binary(BinaryOp::Add) if data.args[0] == index => constant(data.args[1])?,
        Opcode::Binary(BinaryOp::Add) if data.args[1] == index => constant(data.args[0])?,
        Opcode::Binary(BinaryOp::Sub) if data.args[0] == index => constant(data.args[1])?.checked_neg()?,
        _ => return None,
    };
    (-OFFSET..=OFFSET).contains(&offset).then_some(offset)
}

/// Whether the value is the same in all iterations.
fn is_fixed(func: &Func, body: Block, value: Value) -> bool {
    let inside = match func.def_op(value) {
        Some(op) => func.blocks[body].ops.contains(&op),
        None => func.blocks[body].params.contains(&value),
    };
    !inside || func.as_const(value).is_some()
}

/// Writes the loops of the ranges into an empty block.
fn split(func: &mut Func, op: Op, questions: &[Question], target: Block) {
    let (lo, hi) = (func.ops[op].args[0], func.ops[op].args[1]);
    let mut b = FuncBuilder::at(func, target);
    b.span = b.func.spans[op];
    let mut thresholds: Vec<Value> = Vec::new();
    for question in questions {
        if question.threshold == thresholds.len() {
            thresholds.push(write_threshold(&mut b, question));
        }
    }
    // The first of two thresholds is passed first, or the second.
    let two = thresholds.get(1).copied();
    let in_order = two.map(|second| b.compare(CompareOp::Le, thresholds[0], second));
    let out_of_order = two.map(|second| b.compare(CompareOp::Gt, thresholds[0], second));
    let [first, last] = match two {
        None => [thresholds[0]; 2],
        Some(second) => [BinaryOp::Min, BinaryOp::Max].map(|op| b.binary(op, thresholds[0], second)),
    };
    let [first, last] = [first, last].map(|threshold| {
        let from = b.binary(BinaryOp::Max, threshold, lo);
        let above = b.binary(BinaryOp::Max, lo, hi);
        b.binary(BinaryOp::Min, from, above)
    });
    let [yes, no] = [b.bool(true), b.bool(false)];
    write_range(func, op, questions, target, (lo, first), [yes, yes]);
    if let (Some(in_order), Some(out_of_order)) = (in_order, out_of_order) {
        write_range(func, op, questions, target, (first, last), [out_of_order, in_order]);
    }
    write_range(func, op, questions, target, (last, hi), [no, no]);
}

/// The index from which on the answer is no; limits that are out of the way stay so.
fn write_threshold(b: &mut FuncBuilder<'_>, question: &Question) -> Value {
    let limit = match b.func.as_const(question.limit) {
        Some(constant) => b.constant(Scalar::I64, constant.bits),
        None => question.limit,
    };
    let offset = b.i64(question.offset);
    let threshold = b.binary(BinaryOp::SubSat, limit, offset);
    if question.inclusive {
        let one = b.i64(1);
        b.binary(BinaryOp::AddSat, threshold, one)
    } else {
        threshold
    }
}

/// The loop over a range, where the index is below the thresholds or not, as the values say.
fn write_range(
    func: &mut Func,
    op: Op,
    questions: &[Question],
    target: Block,
    (lo, hi): (Value, Value),
    below: [Value; 2],
) {
    let body = func.ops[op].regions[0];
    let ops = func.blocks[body].ops.clone();
    let index = func.blocks[body].params[0];
    let fresh = func.make_block();
    let param = func.add_param(fresh, Type::I64);
    let mut answers: Vec<(Op, Value)> = Vec::new();
    let mut b = FuncBuilder::at(func, target);
    b.span = b.func.spans[op];
    for question in questions {
        let below = below[question.threshold];
        let answer = match (question.negated, b.func.as_const(below)) {
            (false, _) => below,
            (true, Some(Const { bits, .. })) => b.bool(bits == 0),
            (true, None) => b.unary(we3_ir::UnaryOp::Not, below),
        };
        answers.push((question.compare, answer));
    }
    let mut cloner = Cloner::within(func);
    cloner.map.insert(index, param);
    for op in ops {
        match answers.iter().find(|(compare, _)| *compare == op) {
            Some((compare, answer)) => {
                let result = cloner.dest.ops[*compare].results[0];
                cloner.map.insert(result, *answer);
            }
            None => cloner.ops(&[op], fresh),
        }
    }
    let opcode = func.ops[op].opcode.clone();
    let step = func.ops[op].args[2];
    let span = func.spans[op];
    let range = func.make_op(opcode, vec![lo, hi, step], vec![fresh], span);
    func.blocks[target].ops.push(range);
}
