//! Carries of a scan over its blocks: a table per level holds the partial prefixes of the group of 32 totals
//! that is being filled, those of blocks on the lowest level, those of groups above.

use we3_ir::{BinaryOp, CompareOp, Type, Value};

use super::scan::{ROW, Scan, types_with_flag};
use super::state::Lower;

/// Levels of carries: 32⁸ blocks are more than memory holds.
pub(super) const LEVELS: i64 = 8;
/// Entries of a level: the prefixes of 32 totals after 0 … 5 steps.
pub(super) const LEVEL_LEN: i64 = 6 * ROW;

impl Lower<'_> {
    /// `EX(1, block)`: (is there one?, values…). From the coarsest level down, the prefix up to the
    /// previous total of each level where there is one.
    pub(super) fn block_carry(&mut self, scan: &Scan, block: Value) -> Vec<Value> {
        let zero = self.i64(0);
        let levels = self.i64(LEVELS);
        let none = self.b.bool(false);
        let init = [&[none], scan.init.as_slice()].concat();
        self.for_carry(zero, levels, &init, |this, step, carried| {
            let top = this.i64(LEVELS - 1);
            let level = this.sub(top, step);
            let place = this.place_in_level(block, level);
            let inside = this.compare_const(CompareOp::Gt, place, 0);
            let types = types_with_flag(&scan.elems);
            this.if_else(
                inside,
                &types,
                |this| {
                    let at = this.table_entry(level, 5, place);
                    let at = this.add_const(at, -1);
                    let prefix = this.load_all(&scan.levels, at);
                    let joined = this.after_carry(scan, carried, &prefix);
                    [vec![this.b.bool(true)], joined].concat()
                },
                |_| carried.to_vec(),
            )
        })
    }

    /// Enters the total of a full block into the lowest level, and the total of every group that it fills
    /// into the next.
    pub(super) fn add_total(&mut self, scan: &Scan, block: Value, total: &[Value]) {
        let zero = self.i64(0);
        let go_on = self.b.bool(true);
        let init = [&[go_on, zero], total].concat();
        self.while_loop(
            &init,
            |_, state| state[0],
            |this, state| {
                let level = state[1];
                let place = this.place_in_level(block, level);
                let prefix = this.enter_total(scan, level, place, &state[2..]);
                let filled = this.compare_const(CompareOp::Eq, place, ROW - 1);
                let above = this.add_const(level, 1);
                let below_top = this.compare_const(CompareOp::Lt, above, LEVELS);
                let go_on = this.b.binary(BinaryOp::And, filled, below_top);
                [&[go_on, above], prefix.as_slice()].concat()
            },
        );
    }

    /// Position `place` of a level after each of the five steps; returns the last.
    fn enter_total(&mut self, scan: &Scan, level: Value, place: Value, total: &[Value]) -> Vec<Value> {
        let mut current = total.to_vec();
        let at = self.table_entry(level, 0, place);
        self.store_all(&scan.levels, at, &current);
        for step in 1..6 {
            let distance = 1 << (step - 1);
            let reaches = self.compare_const(CompareOp::Ge, place, distance);
            let types: Vec<Type> = scan.elems.iter().map(|elem| Type::Scalar(*elem)).collect();
            current = self.if_else(
                reaches,
                &types,
                |this| {
                    let at = this.table_entry(level, step - 1, place);
                    let at = this.add_const(at, -distance);
                    let left = this.load_all(&scan.levels, at);
                    this.joined(scan, &left, &current)
                },
                |_| current.clone(),
            );
            let at = self.table_entry(level, step, place);
            self.store_all(&scan.levels, at, &current);
        }
        current
    }

    /// `block / 32^level % 32`.
    fn place_in_level(&mut self, block: Value, level: Value) -> Value {
        let bits = self.mul_const(level, 5);
        let group = self.b.binary(BinaryOp::Shr, block, bits);
        let mask = self.i64(ROW - 1);
        self.b.binary(BinaryOp::And, group, mask)
    }

    fn table_entry(&mut self, level: Value, step: i64, place: Value) -> Value {
        let start = self.mul_const(level, LEVEL_LEN);
        let start = self.add_const(start, step * ROW);
        self.add(start, place)
    }
}
