//! Several turns of a loop in one pass over an array that each turn makes anew, cell by cell, from the cell as it was and
//! from rows, columns or elements whose place says the turn. What the turns need of those is computed before, by the
//! same operations in the same order; then each cell goes through all turns in a register.
//!
//! `for k in 0..n { d = [min(d[i, j], d[i, k] + d[k, j]) for i, j]; }` reads and writes `d` once in four turns.

use we3_ir::{BinaryOp, Block, CompareOp, ForKind, Op, Opcode, Value};

use super::product::is_scalar_code;
use super::slices::{Slice, Slices, slices_read};
use super::state::{Array, Lower, Root};
use super::wavefront::count_uses;

/// Turns that go together.
const TOGETHER: i64 = 4;
/// A body is written so often that it has to be short.
const SHORT: usize = 16;
/// What is copied is at most such a part of the array.
const SMALL_PART: i64 = 8;

/// A loop whose turns may go together.
pub(super) struct Turns {
    build: Op,
    slices: Slices,
    /// What reads the cell itself.
    own: Vec<Op>,
}

/// A slice of the array as the turns find it, one copy behind the other.
struct Copies {
    buffer: Value,
    /// Elements of a copy, and the sizes of its axes.
    count: Value,
    sizes: Vec<Value>,
}

/// The pass over the array that is being written.
struct Round<'a> {
    op: Op,
    turns: &'a Turns,
    array: Array,
    first: Value,
    copies: Vec<Copies>,
}

impl Lower<'_> {
    /// Whether the turns of a loop may go together: it carries one array and does nothing but make it anew.
    pub(super) fn turns_together(&self, op: Op) -> Option<Turns> {
        let src = self.src;
        let data = &src.ops[op];
        let body = data.regions[0];
        let ([result], [_, param]) = (&data.results[..], &src.blocks[body].params[..]) else { return None };
        let next = *src.yields(body).first()?;
        let build = src.def_op(next)?;
        let made = &src.ops[build];
        let Opcode::Build { rank } = made.opcode else { return None };
        let region = made.regions[0];
        let elem = src.ty(*result).element();
        let plain = |block: Block| {
            src.blocks[block].ops.iter().all(|inner| *inner == build || is_scalar_code(src, *inner))
        };
        let apart = src.blocks[body].ops.iter().all(|inner| {
            *inner == build || *inner == data_end(src, body) || !src.ops[*inner].args.contains(param)
        });
        let fits = self.facts.lanes(elem.bytes()).is_some()
            && !self.facts.compact
            && src.blocks[body].ops.contains(&build)
            && src.schedules[build].is_none()
            && made.results.len() == 1
            && rank >= 2
            && rank as usize == src.ty(*param).sizes().len()
            && src.ty(next) == src.ty(*param)
            && src.blocks[region].ops.len() <= SHORT
            && count_uses(src, body, next) == 1
            && plain(body)
            && plain(region)
            && apart;
        if !fits {
            return None;
        }
        let slices = slices_read(src, &[*param], region)?;
        let cell = &src.blocks[region].params;
        let own = src.blocks[region].ops.iter().copied().filter(|inner| {
            let data = &src.ops[*inner];
            data.opcode == Opcode::Index && data.args[0] == *param && data.args[1..] == cell[..]
        });
        Some(Turns { build, own: own.collect(), slices })
    }

    /// As many turns as go together, on the array that the loop carries; the number of the first turn that is left.
    pub(super) fn rounds(&mut self, op: Op, turns: &Turns, n: Value, buffer: Value) -> Value {
        let src = self.src;
        let param = src.blocks[src.ops[op].regions[0]].params[1];
        let sizes = self.sizes(param);
        let n_elements = self.count(&sizes);
        let some = self.compare_const(CompareOp::Gt, n_elements, 0);
        let zero = self.i64(0);
        let n_rounds = self.div_const(n, TOGETHER);
        let mut n_copied = zero;
        for (slice, _) in &turns.slices {
            let sizes: Vec<Value> = slice.axes.iter().map(|axis| sizes[*axis]).collect();
            let count = self.count(&sizes);
            n_copied = self.add(n_copied, count);
        }
        // A build without elements reads nothing.
        let weight = self.mul_const(n_copied, SMALL_PART);
        let pays = self.b.compare(CompareOp::Le, weight, n_elements);
        let pays = self.b.binary(BinaryOp::And, some, pays);
        let n_rounds = self.b.select(pays, n_rounds, zero);
        let many = self.compare_const(CompareOp::Gt, n_rounds, 0);
        self.if_then(many, |this| {
            this.roots.push(Root { owner: None, values: Vec::new(), buffer });
            let root = this.roots.len() - 1;
            let strides = this.row_strides(&sizes);
            let array = Array { buffer, elem: src.ty(param).element(), step: 1, strides, root };
            let copies: Vec<Copies> =
                turns.slices.iter().map(|(slice, _)| this.copies_of(slice, &sizes, &array)).collect();
            let buffers: Vec<Value> = copies.iter().map(|copies| copies.buffer).collect();
            let mut round = Round { op, turns, array, first: zero, copies };
            this.for_each(zero, n_rounds, |this, number| {
                round.first = this.mul_const(number, TOGETHER);
                let end = this.i64(TOGETHER);
                this.for_each(zero, end, |this, turn| this.copy_for_turn(&round, turn));
                this.all_cells(&round, &sizes);
            });
            for buffer in buffers {
                this.free(buffer);
            }
        });
        let done = self.mul_const(n_rounds, TOGETHER);
        self.b.binary(BinaryOp::Max, done, zero)
    }

    fn copies_of(&mut self, slice: &Slice, all: &[Value], array: &Array) -> Copies {
        let sizes: Vec<Value> = slice.axes.iter().map(|axis| all[*axis]).collect();
        let count = self.count(&sizes);
        let together = self.i64(TOGETHER);
        let total = self.b.binary(BinaryOp::MulSat, count, together);
        Copies { buffer: self.alloc(array.elem, total), count, sizes }
    }

    /// What the loop computes besides the array in a turn, given from the first of the round.
    fn begin_turn(&mut self, round: &Round<'_>, turn: Value) {
        let src = self.src;
        let body = src.ops[round.op].regions[0];
        let turn = self.add(round.first, turn);
        self.enter(body);
        self.set_scalar(src.blocks[body].params[0], turn);
        for op in &src.blocks[body].ops {
            if *op != round.turns.build && src.ops[*op].opcode != Opcode::Yield {
                self.op(*op);
            }
        }
        self.frames.pop();
    }

    /// The slices that a turn reads, as the turns of the round before it leave them.
    fn copy_for_turn(&mut self, round: &Round<'_>, turn: Value) {
        self.begin_turn(round, turn);
        let known: Vec<Vec<Option<Value>>> =
            round.turns.slices.iter().map(|(slice, _)| self.fixed_subscripts(slice)).collect();
        for ((slice, _), (subscripts, copies)) in
            round.turns.slices.iter().zip(known.into_iter().zip(&round.copies))
        {
            let before = self.mul(turn, copies.count);
            self.copy_axis(round, (turn, before), (slice, copies), (0, subscripts));
        }
    }

    fn fixed_subscripts(&self, slice: &Slice) -> Vec<Option<Value>> {
        let of = |(axis, subscript): (usize, &Value)| {
            (!slice.axes.contains(&axis)).then(|| self.scalar(*subscript))
        };
        slice.subscripts.iter().enumerate().map(of).collect()
    }

    fn copy_axis(
        &mut self,
        round: &Round<'_>,
        (turn, before): (Value, Value),
        (slice, copies): (&Slice, &Copies),
        (number, subscripts): (usize, Vec<Option<Value>>),
    ) {
        let Some(axis) = slice.axes.get(number).copied() else {
            let cell: Vec<Value> = subscripts.into_iter().flatten().collect();
            let at = self.row_offset(&round.array, &cell);
            let value = self.load(round.array.elem, round.array.buffer, at);
            let zero = self.i64(0);
            let value = self.for_carry(zero, turn, &[value], |this, earlier, value| {
                this.begin_turn(round, earlier);
                vec![this.turn_of_cell(round, earlier, &cell, value[0])]
            });
            let inner: Vec<Value> = slice.axes.iter().map(|axis| cell[*axis]).collect();
            let place = self.place_of(round, copies, before);
            let to = self.row_offset(&place, &inner);
            self.store(place.buffer, to, value[0]);
            return;
        };
        let zero = self.i64(0);
        let size = copies.sizes[number];
        let next = |this: &mut Self, i: Value| {
            let mut subscripts = subscripts.clone();
            subscripts[axis] = Some(i);
            this.copy_axis(round, (turn, before), (slice, copies), (number + 1, subscripts));
        };
        // Neighbours along the last axis of the array are neighbours in memory.
        if axis + 1 == slice.subscripts.len() {
            self.for_lanes(round.array.elem.bytes(), zero, size, next);
        } else {
            self.for_each(zero, size, next);
        }
    }

    /// A copy that begins so many elements behind the first.
    fn place_of(&mut self, round: &Round<'_>, copies: &Copies, before: Value) -> Array {
        let ty = self.b.func.ty(copies.buffer).clone();
        let buffer = self.b.value(Opcode::Offset, vec![copies.buffer, before], vec![], ty);
        let strides = self.row_strides(&copies.sizes);
        Array { buffer, strides, ..round.array.clone() }
    }

    /// A cell after a turn that has begun.
    fn turn_of_cell(&mut self, round: &Round<'_>, turn: Value, cell: &[Value], value: Value) -> Value {
        let region = self.src.ops[round.turns.build].regions[0];
        let mut places = Vec::new();
        for ((slice, readers), copies) in round.turns.slices.iter().zip(&round.copies) {
            let before = self.mul(turn, copies.count);
            places.push((slice, readers, self.place_of(round, copies, before)));
        }
        let n_copied = self.copied.len();
        for (slice, readers, place) in places {
            self.read_from(slice, readers, &place);
        }
        let cell_before = self.cell.replace((round.turns.own.clone(), value));
        let next = self.scalar_region(region, cell)[0];
        self.cell = cell_before;
        self.copied.truncate(n_copied);
        next
    }

    /// All turns of the round for each cell.
    fn all_cells(&mut self, round: &Round<'_>, sizes: &[Value]) {
        let src = self.src;
        let body = src.ops[round.op].regions[0];
        let mut begun = Vec::new();
        for turn in 0..TOGETHER {
            let turn = self.i64(turn);
            self.begin_turn(round, turn);
            let own = std::iter::once(src.blocks[body].params[0])
                .chain(src.blocks[body].ops.iter().flat_map(|op| src.ops[*op].results.iter().copied()));
            let known: Vec<(Value, Value)> = own
                .filter(|value| src.ty(*value).as_scalar().is_some())
                .map(|value| (value, self.scalar(value)))
                .collect();
            begun.push((turn, known));
        }
        self.cells_along(round, sizes, &mut Vec::new(), &begun);
    }

    fn cells_along(
        &mut self,
        round: &Round<'_>,
        sizes: &[Value],
        cell: &mut Vec<Value>,
        begun: &[(Value, Vec<(Value, Value)>)],
    ) {
        let Some(size) = sizes.get(cell.len()) else {
            let at = self.row_offset(&round.array, cell);
            let mut value = self.load(round.array.elem, round.array.buffer, at);
            for (turn, known) in begun {
                for (source, scalar) in known {
                    self.set_scalar(*source, *scalar);
                }
                value = self.turn_of_cell(round, *turn, cell, value);
            }
            return self.store(round.array.buffer, at, value);
        };
        let zero = self.i64(0);
        if cell.len() + 1 == sizes.len() {
            return self.for_lanes(round.array.elem.bytes(), zero, *size, |this, i| {
                cell.push(i);
                this.cells_along(round, sizes, cell, begun);
                cell.pop();
            });
        }
        let was_parallel = self.in_parallel;
        let kind = if was_parallel { ForKind::Serial } else { ForKind::Parallel };
        self.for_kind(kind, zero, *size, &[], |this, i, _| {
            cell.push(i);
            this.cells_along(round, sizes, cell, begun);
            cell.pop();
            Vec::new()
        });
    }

    /// The cell that is going through turns, where an operation reads it.
    pub(super) fn index_of_turn(&self, op: Op) -> Option<Value> {
        self.cell.as_ref().filter(|(own, _)| own.contains(&op)).map(|(_, value)| *value)
    }
}

/// The operation that ends a block.
fn data_end(src: &we3_ir::Func, block: Block) -> Op {
    src.blocks[block].ops[src.blocks[block].ops.len() - 1]
}
