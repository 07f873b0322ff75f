//! The levels above the first of the 64-lane tree, without memory for the results of blocks: each
//! level keeps 64 lanes, and a group of 4096 results that is complete goes on to the next level. For
//! reductions inside parallel loops, where memory would be asked for in every iteration.

use we3_ir::{BinaryOp, CompareOp, Opcode, Scalar, Type, Value};

use super::lanes::{BLOCK, LANES};
use super::reduce::{Columns, Elements, Reduction};
use super::state::Lower;

/// 4096⁴ elements are more than memory holds; the first level has lanes of its own.
const LEVELS: u32 = 3;

impl Lower<'_> {
    /// Reduces block after block.
    pub(super) fn blocks_in_order(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        n: Value,
    ) -> Vec<Value> {
        let n_blocks = self.ceil_shift(n, 12);
        let result = self.first_place(reduction);
        let big = self.compare_const(CompareOp::Gt, n_blocks, 1);
        let levels = self.level_lanes(reduction);
        let zero = self.i64(0);
        self.for_each(zero, n_blocks, |this, block| {
            let (base, len) = this.block_bounds(n, block);
            this.block_tree(reduction, elements, base, len, &result, zero);
            this.if_then(big, |this| {
                this.rarely(|this| this.push_result(reduction, &levels, &result, (block, n_blocks)));
            });
        });
        self.take_first(reduction, &result)
    }

    /// Lanes of all upper levels, one level after the other.
    fn level_lanes(&mut self, reduction: &Reduction) -> Columns {
        let len = LEVELS * LANES as u32;
        let values = reduction.columns.iter().map(|column| self.stack(*column, len)).collect();
        let flags = reduction.masked.then(|| self.stack(Scalar::Bool, len));
        Columns { values, flags }
    }

    /// Enters the value at place 0 of `result`, number `index` of `count`, into the lanes of the next
    /// level; what a complete group gives takes its place, and so on upwards.
    fn push_result(
        &mut self,
        reduction: &Reduction,
        levels: &Columns,
        result: &Columns,
        (index, count): (Value, Value),
    ) {
        let zero = self.i64(0);
        let go_on = self.b.bool(true);
        self.while_loop(
            &[go_on, index, count, zero],
            |_, state| state[0],
            |this, state| {
                let (index, count, level_start) = (state[1], state[2], state[3]);
                let lanes = this.columns_from(levels, level_start);
                let place = this.mask(index, BLOCK - 1);
                this.enter_lane(reduction, &lanes, result, place);
                let next = this.add_const(index, 1);
                let end_of_group = this.compare_const(CompareOp::Eq, place, BLOCK - 1);
                let end_of_all = this.b.compare(CompareOp::Eq, next, count);
                let complete = this.b.binary(BinaryOp::Or, end_of_group, end_of_all);
                this.if_then(complete, |this| {
                    let filled = this.add_const(place, 1);
                    let used = this.min_const(filled, LANES);
                    this.halve(reduction, &lanes, used);
                    let zero = this.i64(0);
                    this.put_result(reduction, &lanes, result, zero);
                });
                let more_groups = this.compare_const(CompareOp::Gt, count, BLOCK);
                let go_on = this.b.binary(BinaryOp::And, complete, more_groups);
                let above = this.add_const(level_start, LANES);
                vec![go_on, this.shr_const(index, 12), this.ceil_shift(count, 12), above]
            },
        );
    }

    fn enter_lane(&mut self, reduction: &Reduction, lanes: &Columns, result: &Columns, place: Value) {
        let starts = self.compare_const(CompareOp::Eq, place, 0);
        self.if_then(starts, |this| {
            let all = this.i64(LANES);
            this.clear_lanes(reduction, lanes, all);
        });
        let zero = self.i64(0);
        let present = result.flags.map(|flags| self.load(Scalar::Bool, flags, zero));
        let values = self.load_columns(result, zero);
        let lane = self.mask(place, LANES - 1);
        let later = self.compare_const(CompareOp::Ge, place, LANES);
        self.join_lane(reduction, lanes, lane, (present, &values), later);
    }

    fn columns_from(&mut self, columns: &Columns, start: Value) -> Columns {
        let mut from = |buffer: Value| {
            let ty = Type::Buffer(self.b.func.ty(buffer).element());
            self.b.value(Opcode::Offset, vec![buffer, start], vec![], ty)
        };
        let values = columns.values.iter().map(|buffer| from(*buffer)).collect();
        Columns { values, flags: columns.flags.map(from) }
    }

    fn mask(&mut self, value: Value, mask: i64) -> Value {
        let mask = self.i64(mask);
        self.b.binary(BinaryOp::And, value, mask)
    }
}
