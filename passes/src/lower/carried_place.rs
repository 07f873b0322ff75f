//! Arrays that a loop only updates: such an array stays in one place from before the loop to where its result is wanted,
//! so that nothing is copied there at the end. If each turn replaces one row, and the turns all rows, then it does
//! not matter what the array held before, and nobody writes that.
//!
//! `let mut y = zeros(n, d); for i in 0..n { y[i] = row(i); } y` writes each row once, straight into the result.

use we3_ir::{BinaryOp, Block, Func, Op, Opcode, Value};

use super::state::{Dest, Lower};
use super::wavefront::count_uses;

impl Lower<'_> {
    /// The array that a result of a loop is before the first turn, if the loop only updates it and it is built in this
    /// block for nobody else.
    pub(super) fn updated_from(&self, block: Block, op: Op, result: Value) -> Option<Value> {
        let src = self.src;
        let data = &src.ops[op];
        let number = data.results.iter().position(|other| *other == result)?;
        // What changes places with another array does not stay.
        let stays = data.opcode == Opcode::Loop
            && self.stays(data.regions[0], number)
            && self.swaps(op).iter().all(|swap| swap.position != number);
        if !stays {
            return None;
        }
        let init = data.args[1 + number];
        let build = src.def_op(init)?;
        let built =
            matches!(src.ops[build].opcode, Opcode::Build { .. }) && src.blocks[block].ops.contains(&build);
        (built && count_uses(src, block, init) == 1 && src.ty(init) == src.ty(result)).then_some(init)
    }

    /// Whether what a turn yields is what it got, updated in place: nobody reads an older value later, by any name.
    fn stays(&self, body: Block, number: usize) -> bool {
        let src = self.src;
        let ops = &src.blocks[body].ops;
        let param = src.blocks[body].params[1 + number];
        let yields = src.yields(body);
        let mut value = yields[number];
        if yields.iter().filter(|other| **other == value).count() != 1 || has_other_name(src, body, value) {
            return false;
        }
        while value != param {
            let Some(index) = src.def_op(value).and_then(|op| ops.iter().position(|other| *other == op))
            else {
                return false;
            };
            let data = &src.ops[ops[index]];
            let (Opcode::Update { .. }, [before, ..]) = (&data.opcode, &data.args[..]) else { return false };
            let before = *before;
            let last = self.uses.last(body, before).map(|last| last as usize);
            if last != Some(index) || has_other_name(src, body, before) {
                return false;
            }
            value = before;
        }
        true
    }

    /// Carried arrays that lie already where the results of the loop are wanted.
    pub(super) fn lying_there(&mut self, op: Op) -> Vec<usize> {
        let src = self.src;
        let data = &src.ops[op];
        let block = self.frames[self.frame()].block;
        let mut there = Vec::new();
        for (number, result) in data.results.iter().enumerate() {
            let Some(hint) = self.hints[*result] else { continue };
            let Dest::Place { buffer, step: 1 } = hint.dest else { continue };
            let Some(init) = self.updated_from(block, op, *result) else { continue };
            if self.array(init).buffer == buffer {
                self.place_result(*result);
                there.push(number);
            }
        }
        there
    }

    /// Whether nobody reads what a build makes, because a loop writes over all of it.
    pub(super) fn is_overwritten(&self, op: Op) -> bool {
        let src = self.src;
        let block = self.frames[self.frame()].block;
        let [result] = src.ops[op].results[..] else { return false };
        let mut users = src.blocks[block].ops.iter().filter(|user| src.ops[**user].args.contains(&result));
        let (Some(user), None) = (users.next(), users.next()) else { return false };
        let data = &src.ops[*user];
        let Some(number) = data.args.iter().skip(1).position(|arg| *arg == result) else { return false };
        data.opcode == Opcode::Loop
            && count_uses(src, block, result) == 1
            && only_computes(src, src.ops[op].regions[0])
            && replaces_all(src, *user, number)
    }
}

/// Whether an array is read under other sizes, too.
fn has_other_name(src: &Func, block: Block, array: Value) -> bool {
    src.blocks[block].ops.iter().any(|op| {
        let data = &src.ops[*op];
        let renames = matches!(data.opcode, Opcode::Reshape | Opcode::Resize) && data.args[0] == array;
        renames || data.regions.iter().any(|region| has_other_name(src, *region, array))
    })
}

/// Whether the region has no effect, so that it may be left out.
fn only_computes(src: &Func, region: Block) -> bool {
    src.blocks[region].ops.iter().all(|op| matches!(src.ops[*op].opcode, Opcode::Const(_) | Opcode::Yield))
}

/// Whether each turn of a loop replaces the row with its number in a carried array, and the turns are as many as rows.
fn replaces_all(src: &Func, op: Op, number: usize) -> bool {
    let data = &src.ops[op];
    let body = data.regions[0];
    let (turn, param) = (src.blocks[body].params[0], src.blocks[body].params[1 + number]);
    let next = src.yields(body)[number];
    let Some(update) = src.def_op(next).filter(|op| src.blocks[body].ops.contains(op)) else { return false };
    let change = &src.ops[update];
    let Opcode::Update { rank, masked: false } = change.opcode else { return false };
    let sizes = src.ty(param).sizes();
    if change.args[0] != param || sizes.len() != rank as usize + 1 || count_uses(src, body, param) != 1 {
        return false;
    }
    let region = change.regions[0];
    let Some((_, cell)) = src.yields(region).split_last() else { return false };
    let whole = [&[data.args[0]], &change.args[1..]].concat();
    cell[0] == turn
        && cell[1..] == src.blocks[region].params[..]
        && whole
            .iter()
            .zip(sizes)
            .all(|(count, size)| at_least_zero(src, *count) == at_least_zero(src, *size))
}

/// `x` for `max(x, 0)`: no size and no count of turns is less.
pub(super) fn at_least_zero(src: &Func, value: Value) -> Value {
    let Some(op) = src.def_op(value) else { return value };
    let data = &src.ops[op];
    let zero = |value: Value| src.as_const(value).is_some_and(|constant| constant.bits == 0);
    match (&data.opcode, &data.args[..]) {
        (Opcode::Binary(BinaryOp::Max), [left, right]) if zero(*right) => *left,
        (Opcode::Binary(BinaryOp::Max), [left, right]) if zero(*left) => *right,
        _ => value,
    }
}
