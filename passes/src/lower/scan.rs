//! `scan` and `exscan`: Kogge–Stone inside rows of 32, exclusive carries over rows, as
//! `docs/semantics.md` says. One pass in order: a table per level holds the partial prefixes of the
//! group of 32 totals that is being filled.

use we3_ir::{BinaryOp, Block, CompareOp, Op, Scalar, Type, Value};

use super::state::{Array, Lower};

const ROW: i64 = 32;
/// Levels of carries: 32⁹ rows of 32 elements are more than memory holds.
const LEVELS: i64 = 9;
/// Entries of a level: the prefixes of 32 totals after 0 … 5 steps.
const LEVEL_LEN: i64 = 6 * ROW;

/// A scan being lowered.
struct Scan {
    n: Value,
    init: Vec<Value>,
    body: Block,
    combine: Block,
    exclusive: bool,
    elems: Vec<Scalar>,
    places: Vec<Array>,
    /// The current row, and a copy of it during a step.
    row: Vec<Value>,
    row_copy: Vec<Value>,
    /// The tables of all levels.
    levels: Vec<Value>,
}

impl Lower<'_> {
    pub(super) fn lower_scan(&mut self, op: Op, exclusive: bool) {
        let src = self.src;
        let data = &src.ops[op];
        let elems: Vec<Scalar> = data.results.iter().map(|result| src.ty(*result).element()).collect();
        let scan = Scan {
            n: self.scalar(data.args[0]),
            init: self.scalars(&data.args[1..]),
            body: data.regions[0],
            combine: data.regions[1],
            exclusive,
            places: data.results.iter().map(|result| self.place_result(*result)).collect(),
            row: self.stacks(&elems, ROW),
            row_copy: self.stacks(&elems, ROW),
            levels: self.stacks(&elems, LEVELS * LEVEL_LEN),
            elems,
        };
        let zero = self.i64(0);
        if exclusive {
            let some = self.compare_const(CompareOp::Gt, scan.n, 0);
            self.if_then(some, |this| this.put(&scan, zero, &scan.init));
        }
        let n_rows = self.ceil_shift(scan.n, 5);
        self.for_each(zero, n_rows, |this, row| this.scan_row(&scan, row));
    }

    fn stacks(&mut self, elems: &[Scalar], len: i64) -> Vec<Value> {
        elems.iter().map(|elem| self.stack(*elem, len as u32)).collect()
    }

    fn put(&mut self, scan: &Scan, at: Value, values: &[Value]) {
        for (place, value) in scan.places.iter().zip(values) {
            let offset = self.mul_const(at, i64::from(place.step));
            self.store(place.buffer, offset, *value);
        }
    }

    fn load_all(&mut self, buffers: &[Value], at: Value) -> Vec<Value> {
        buffers.iter().map(|buffer| self.load_elem(*buffer, at)).collect()
    }

    fn store_all(&mut self, buffers: &[Value], at: Value, values: &[Value]) {
        for (buffer, value) in buffers.iter().zip(values) {
            self.store(*buffer, at, *value);
        }
    }

    fn joined(&mut self, scan: &Scan, left: &[Value], right: &[Value]) -> Vec<Value> {
        self.scalar_region(scan.combine, &[left, right].concat())
    }

    fn scan_row(&mut self, scan: &Scan, row: Value) {
        let base = self.mul_const(row, ROW);
        let rest = self.sub(scan.n, base);
        let len = self.min_const(rest, ROW);
        let zero = self.i64(0);
        self.for_lanes(scan.lane_bytes(), zero, len, |this, lane| {
            let k = this.add(base, lane);
            let values = this.scalar_region(scan.body, &[k]);
            this.store_all(&scan.row, lane, &values);
        });
        self.kogge_stone(scan, len);
        let carry = self.row_carry(scan, row);
        self.put_row(scan, base, len, &carry);
        let full = self.compare_const(CompareOp::Eq, len, ROW);
        self.if_then(full, |this| {
            let last = this.i64(ROW - 1);
            let total = this.load_all(&scan.row, last);
            this.add_total(scan, row, &total);
        });
    }

    /// `k[i] = k[i − d] ⊕ k[i]` for d = 1, 2, 4, 8, 16, all i at once.
    fn kogge_stone(&mut self, scan: &Scan, len: Value) {
        let one = self.i64(1);
        let more = |this: &mut Self, state: &[Value]| this.b.compare(CompareOp::Lt, state[0], len);
        self.while_loop(&[one], more, |this, state| {
            let distance = state[0];
            let zero = this.i64(0);
            this.for_lanes(scan.lane_bytes(), zero, len, |this, lane| {
                let values = this.load_all(&scan.row, lane);
                this.store_all(&scan.row_copy, lane, &values);
            });
            this.for_lanes(scan.lane_bytes(), distance, len, |this, lane| {
                let before = this.sub(lane, distance);
                let left = this.load_all(&scan.row_copy, before);
                let right = this.load_all(&scan.row_copy, lane);
                let values = this.joined(scan, &left, &right);
                this.store_all(&scan.row, lane, &values);
            });
            vec![this.add(distance, distance)]
        });
    }

    /// `EX(0, row)`: (is there one?, values…). From the coarsest level down, the prefix up to the
    /// previous total of each level where there is one.
    fn row_carry(&mut self, scan: &Scan, row: Value) -> Vec<Value> {
        let zero = self.i64(0);
        let levels = self.i64(LEVELS);
        let none = self.b.bool(false);
        let init = [&[none], scan.init.as_slice()].concat();
        self.for_carry(zero, levels, &init, |this, step, carried| {
            let top = this.i64(LEVELS - 1);
            let level = this.sub(top, step);
            let place = this.place_in_level(row, level);
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

    /// `carry ⊕ values`, or `values` when there is no carry.
    fn after_carry(&mut self, scan: &Scan, carry: &[Value], values: &[Value]) -> Vec<Value> {
        let types: Vec<Type> = scan.elems.iter().map(|elem| Type::Scalar(*elem)).collect();
        let joined = |this: &mut Self| this.joined(scan, &carry[1..], values);
        self.if_else(carry[0], &types, joined, |_| values.to_vec())
    }

    fn put_row(&mut self, scan: &Scan, base: Value, len: Value, carry: &[Value]) {
        let zero = self.i64(0);
        self.for_lanes(scan.lane_bytes(), zero, len, |this, lane| {
            let k = this.add(base, lane);
            let put = |this: &mut Self, at: Value| {
                let own = this.load_all(&scan.row, lane);
                let prefix = this.after_carry(scan, carry, &own);
                let values = this.joined(scan, &scan.init, &prefix);
                this.put(scan, at, &values);
            };
            if scan.exclusive {
                let next = this.add_const(k, 1);
                let inside = this.b.compare(CompareOp::Lt, next, scan.n);
                this.if_then(inside, |this| put(this, next));
            } else {
                put(this, k);
            }
        });
    }

    /// Enters the total of a full row into level 0, and the total of every group that it fills into
    /// the next level.
    fn add_total(&mut self, scan: &Scan, row: Value, total: &[Value]) {
        let zero = self.i64(0);
        let go_on = self.b.bool(true);
        let init = [&[go_on, zero], total].concat();
        self.while_loop(
            &init,
            |_, state| state[0],
            |this, state| {
                let level = state[1];
                let place = this.place_in_level(row, level);
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

    /// `row / 32^level % 32`.
    fn place_in_level(&mut self, row: Value, level: Value) -> Value {
        let bits = self.mul_const(level, 5);
        let group = self.b.binary(BinaryOp::Shr, row, bits);
        let mask = self.i64(ROW - 1);
        self.b.binary(BinaryOp::And, group, mask)
    }

    fn table_entry(&mut self, level: Value, step: i64, place: Value) -> Value {
        let start = self.mul_const(level, LEVEL_LEN);
        let start = self.add_const(start, step * ROW);
        self.add(start, place)
    }
}

impl Scan {
    /// Bytes of the narrowest value.
    fn lane_bytes(&self) -> u32 {
        self.elems.iter().map(|elem| elem.bytes()).min().unwrap_or(8)
    }
}

fn types_with_flag(elems: &[Scalar]) -> Vec<Type> {
    let flag = std::iter::once(Type::BOOL);
    flag.chain(elems.iter().map(|elem| Type::Scalar(*elem))).collect()
}
