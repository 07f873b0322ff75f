//! `carry-padded`: a loop that pads an array in each of its turns and makes the next one from that carries the padded
//! array instead. The border is written once, and what a turn makes goes inside it.
//!
//! Before: `loop %n, %x { b(%i, %c): %p = build … if inside { index %c … } else { 0 }  %d = build … %p …  yield %d }`
//! After:  `%p0 = build …  loop %n, %p0 { b(%i, %p): %d = build … %p …  %q = update %p … %d …  yield %q }`, and the inner
//! part of what that gives.

use we3_ir::clone::Cloner;
use we3_ir::{
    BinaryOp, Block, CompareOp, Func, FuncBuilder, Level, Module, Op, Opcode, Type, Value, ValueDef,
};

use crate::analysis::forms::{Form, Forms};
use crate::manager::{Pass, PassContext};
use crate::rewrite::{Replacements, blocks_in_order, compact};

/// The pass.
pub const CARRY_PADDED: Pass = Pass {
    name: "carry-padded",
    about: "a loop that pads an array in every turn carries the padded one",
    from: Some(Level::Array),
    to: Some(Level::Array),
    run,
};

/// Wider borders are not looked for.
const WIDEST: i128 = 64;

fn run(mut module: Module, _: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        let mut replacements = Replacements::default();
        for block in blocks_in_order(func, func.body) {
            for op in func.blocks[block].ops.clone() {
                if func.ops[op].opcode == Opcode::Loop
                    && let Some(padded) = find(func, op)
                {
                    rewrite(func, (block, op), &padded, &mut replacements);
                }
            }
        }
        if !replacements.is_empty() {
            replacements.apply(func);
            *func = compact(func);
        }
    }
    module
}

/// An array that a loop carries and pads.
struct Padded {
    /// Which of the carried values it is.
    position: usize,
    /// Makes the padded array.
    pad: Op,
    /// How far inside the first element lies, by axis.
    before: Vec<i64>,
}

fn find(func: &Func, op: Op) -> Option<Padded> {
    let body = func.ops[op].regions[0];
    let carried = &func.blocks[body].params[1..];
    carried.iter().enumerate().find_map(|(position, param)| {
        let Type::Array(_, sizes) = func.ty(*param) else { return None };
        let next = func.def_op(func.yields(body)[position])?;
        let builds = matches!(func.ops[next].opcode, Opcode::Build { rank } if rank as usize == sizes.len());
        if !builds || func.ops[next].results.len() != 1 || !func.blocks[body].ops.contains(&next) {
            return None;
        }
        let pads = func.blocks[body].ops.iter().filter_map(|pad| {
            let before = padding(func, body, *pad, *param)?;
            Some(Padded { position, pad: *pad, before })
        });
        pads.into_iter().next().filter(|_| only_read(func, body, *param))
    })
}

/// Whether the body does nothing with the array but read elements of it.
fn only_read(func: &Func, body: Block, array: Value) -> bool {
    blocks_in_order(func, body).iter().flat_map(|block| &func.blocks[*block].ops).all(|op| {
        let data = &func.ops[*op];
        let uses = data.args.iter().filter(|arg| **arg == array).count();
        uses == 0 || (uses == 1 && data.opcode == Opcode::Index && data.args[0] == array)
    })
}

/// If the operation pads the array with what no turn changes: how far inside its first element lies.
fn padding(func: &Func, body: Block, pad: Op, array: Value) -> Option<Vec<i64>> {
    let data = &func.ops[pad];
    let Type::Array(_, sizes) = func.ty(array) else { return None };
    let rank = sizes.len();
    let Opcode::Build { rank: own } = data.opcode else { return None };
    if own as usize != rank || data.results.len() != 1 || func.schedules[pad].is_some() {
        return None;
    }
    let region = data.regions[0];
    let choice = &func.ops[func.def_op(*func.yields(region).first()?)?];
    if choice.opcode != Opcode::If || choice.results.len() != 1 {
        return None;
    }
    let read = &func.ops[func.def_op(func.yields(choice.regions[0])[0])?];
    if read.opcode != Opcode::Index || read.args[0] != array || read.args.len() != 1 + rank {
        return None;
    }
    let mut forms = Forms::default();
    let axes = &func.blocks[region].params;
    let mut before = Vec::new();
    for (axis, subscript) in axes.iter().zip(&read.args[1..]) {
        let moved = Form::atom(*axis).plus(-1, &forms.of(func, *subscript)).as_constant()?;
        before.push(i64::try_from(moved).ok().filter(|moved| (0..=WIDEST as i64).contains(moved))?);
    }
    for ((whole, part), moved) in data.args.iter().zip(sizes).zip(&before) {
        let border = forms.of(func, *whole).plus(-1, &forms.of(func, *part)).as_constant()?;
        if !(i128::from(*moved)..=2 * WIDEST).contains(&border) {
            return None;
        }
    }
    let inside = Inside { func, axes, sizes, before: &before };
    let stays = inside.holds(&mut forms, choice.args[0]) && is_fixed(func, body, pad, array);
    stays.then_some(before)
}

/// The part of a padded array that holds the elements.
struct Inside<'a> {
    func: &'a Func,
    axes: &'a [Value],
    sizes: &'a [Value],
    before: &'a [i64],
}

impl Inside<'_> {
    /// Whether the condition is true for every element. (Where it is false nothing is read, and where it is true
    /// something is, so that it is false everywhere else.)
    fn holds(&self, forms: &mut Forms, condition: Value) -> bool {
        let Some(op) = self.func.def_op(condition) else { return false };
        let data = &self.func.ops[op];
        let [left, right] = data.args[..] else { return false };
        if data.opcode == Opcode::Binary(BinaryOp::And) {
            return self.holds(forms, left) && self.holds(forms, right);
        }
        let Opcode::Compare(kind) = data.opcode else { return false };
        if *self.func.ty(left) != Type::I64 {
            return false;
        }
        let (left, right) = (forms.of(self.func, left), forms.of(self.func, right));
        let slack = match kind {
            CompareOp::Lt => right.plus(-1, &left).plus(-1, &Form::constant(1)),
            CompareOp::Le => right.plus(-1, &left),
            CompareOp::Gt => left.plus(-1, &right).plus(-1, &Form::constant(1)),
            CompareOp::Ge => left.plus(-1, &right),
            CompareOp::Eq | CompareOp::Ne => return false,
        };
        let mut axes = self.axes.iter().zip(self.sizes).zip(self.before);
        axes.any(|((axis, size), before)| {
            let place = Form::atom(*axis).plus(-1, &Form::constant(i128::from(*before)));
            let rest = forms.of(self.func, *size).plus(-1, &place).plus(-1, &Form::constant(1));
            let enough = |least: &Form| slack.plus(-1, least).as_constant().is_some_and(|more| more >= 0);
            enough(&place) || enough(&rest)
        })
    }
}

/// Whether the operation depends on nothing that the loop's body makes, but on the array and on constants.
fn is_fixed(func: &Func, body: Block, pad: Op, array: Value) -> bool {
    let made = |value: Value| match func.values[value].def {
        ValueDef::Param(block, _) => block == body,
        ValueDef::Result(op, _) => func.blocks[body].ops.contains(&op),
        ValueDef::ResultRef(_) => false,
    };
    let nested = blocks_in_order(func, func.ops[pad].regions[0]);
    let mut used =
        nested.iter().flat_map(|block| &func.blocks[*block].ops).flat_map(|op| &func.ops[*op].args);
    let mut sizes = func.ops[pad].args.iter().chain(func.ty(array).sizes());
    used.all(|value| *value == array || !made(*value) || func.as_const(*value).is_some())
        && sizes.all(|size| !made(*size))
}

fn rewrite(func: &mut Func, (block, op): (Block, Op), padded: &Padded, replacements: &mut Replacements) {
    let body = func.ops[op].regions[0];
    let array = func.blocks[body].params[1 + padded.position];
    let inner_ty = func.ty(array).clone();
    let whole = func.ops[padded.pad].results[0];
    let whole_ty = func.ty(whole).clone();
    let before_loop = pad_once(func, (body, op), padded, array);
    func.blocks[body].ops.retain(|op| *op != padded.pad);
    move_reads(func, body, array, &padded.before);
    func.values[array].ty = whole_ty.clone();
    replacements.replace(whole, array);
    put_inside(func, body, padded, (array, &inner_ty));
    let after_loop = take_inside(func, op, padded, &inner_ty, &whole_ty);
    let place = func.blocks[block].ops.iter().position(|other| *other == op).unwrap_or(0);
    func.blocks[block].ops.splice(place + 1..place + 1, after_loop);
    func.blocks[block].ops.splice(place..place, before_loop);
}

/// What the loop starts with: the operations before it.
fn pad_once(func: &mut Func, (body, op): (Block, Op), padded: &Padded, array: Value) -> Vec<Op> {
    let position = 1 + padded.position;
    let constants: Vec<Op> = func.blocks[body]
        .ops
        .iter()
        .copied()
        .filter(|op| matches!(func.ops[*op].opcode, Opcode::Const(_)))
        .collect();
    let init = func.ops[op].args[position];
    let mut cloner = Cloner::within(func);
    cloner.map.insert(array, init);
    let mut ops: Vec<Op> = constants.into_iter().map(|constant| cloner.op(constant)).collect();
    let pad = cloner.op(padded.pad);
    ops.push(pad);
    func.ops[op].args[position] = func.ops[pad].results[0];
    ops
}

/// What was read from the array is read from inside the padded one.
fn move_reads(func: &mut Func, body: Block, array: Value, before: &[i64]) {
    for block in blocks_in_order(func, body) {
        let mut ops = Vec::new();
        for op in std::mem::take(&mut func.blocks[block].ops) {
            let data = &func.ops[op];
            if data.opcode == Opcode::Index && data.args[0] == array {
                let subscripts = data.args[1..].to_vec();
                let (added, moved) = moved_subscripts(func, &subscripts, before);
                ops.extend(added);
                func.ops[op].args = [vec![array], moved].concat();
            }
            ops.push(op);
        }
        func.blocks[block].ops = ops;
    }
}

/// The operations that add the width of the border to subscripts, and the sums.
fn moved_subscripts(func: &mut Func, subscripts: &[Value], before: &[i64]) -> (Vec<Op>, Vec<Value>) {
    let scratch = func.make_block();
    let mut b = FuncBuilder::at(func, scratch);
    let moved = add_border(&mut b, subscripts, before);
    (std::mem::take(&mut func.blocks[scratch].ops), moved)
}

fn add_border(b: &mut FuncBuilder<'_>, subscripts: &[Value], before: &[i64]) -> Vec<Value> {
    let mut moved = Vec::new();
    for (subscript, before) in subscripts.iter().zip(before) {
        let before = b.i64(*before);
        moved.push(b.binary(BinaryOp::Add, *subscript, before));
    }
    moved
}

/// At the end of a turn the new elements go inside the border.
fn put_inside(func: &mut Func, body: Block, padded: &Padded, (array, inner_ty): (Value, &Type)) {
    let next = func.yields(body)[padded.position];
    let sizes = inner_ty.sizes().to_vec();
    let whole_ty = func.ty(array).clone();
    let Some(last) = func.blocks[body].ops.pop() else { return };
    let mut b = FuncBuilder::at(func, body);
    let axes = b.begin_region(&vec![Type::I64; sizes.len()]);
    let cell = add_border(&mut b, &axes, &padded.before);
    let element = b.index(next, &axes);
    let region = b.end_region([cell, vec![element]].concat());
    let opcode = Opcode::Update { rank: sizes.len() as u32, masked: false };
    let updated = b.value(opcode, [vec![array], sizes].concat(), vec![region], whole_ty);
    func.ops[last].args[padded.position] = updated;
    func.blocks[body].ops.push(last);
}

/// What follows the loop: the inner part takes the place of its result.
fn take_inside(func: &mut Func, op: Op, padded: &Padded, inner_ty: &Type, whole_ty: &Type) -> Vec<Op> {
    let result = func.ops[op].results[padded.position];
    let whole = func.add_result(op, whole_ty.clone());
    func.ops[op].results.pop();
    func.ops[op].results[padded.position] = whole;
    func.values[whole].def = ValueDef::Result(op, padded.position as u32);
    let scratch = func.make_block();
    let span = func.spans[op];
    let sizes = inner_ty.sizes().to_vec();
    let mut b = FuncBuilder::at(func, scratch);
    b.span = span;
    let axes = b.begin_region(&vec![Type::I64; sizes.len()]);
    let cell = add_border(&mut b, &axes, &padded.before);
    let element = b.index(whole, &cell);
    let region = b.end_region(vec![element]);
    let opcode = Opcode::Build { rank: sizes.len() as u32 };
    let build = b.append(opcode, sizes, vec![region], &[]);
    func.ops[build].results.push(result);
    func.values[result].def = ValueDef::Result(build, 0);
    std::mem::take(&mut func.blocks[scratch].ops)
}
