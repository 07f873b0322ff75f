//! `scan` and `exscan`: Kogge–Stone inside rows of 32, exclusive carries over rows, as
//! `docs/semantics.md` says. Blocks of 32 rows are worked on at once, each step over all their elements,
//! so that a vectoriser finds independent work; the totals of the rows are a row themselves. What comes of
//! the totals of blocks is in `scan_levels`.

use we3_ir::{BinaryOp, Block, CompareOp, Op, Opcode, Scalar, Type, Value};

use super::free::is_plain;
use super::scan_levels::{LEVEL_LEN, LEVELS};
use super::state::{Array, Lower};
use crate::loops::stream_stores::streaming_bytes;

pub(super) const ROW: i64 = 32;
pub(super) const BLOCK: i64 = ROW * ROW;

/// A scan being lowered.
pub(super) struct Scan {
    n: Value,
    pub init: Vec<Value>,
    body: Block,
    pub combine: Block,
    pub exclusive: bool,
    /// Whether elements past the end may be combined, because nothing comes of it.
    total: bool,
    pub elems: Vec<Scalar>,
    /// Where the results go; none: nobody uses them.
    pub places: Vec<Option<Array>>,
    /// Whether there is so much of them that it had better go past the caches.
    pub past: Vec<Option<Value>>,
    /// The current block.
    pub rows: Table,
    /// The totals of its rows.
    pub totals: Table,
    /// The tables of all levels.
    pub levels: Vec<Value>,
}

/// Elements twice, before and after a step. Room for a row that is never read to any effect stands before each.
pub(super) struct Table {
    pub buffers: Vec<Value>,
    /// From an element to the other place of it.
    half: i64,
}

impl Lower<'_> {
    pub(super) fn lower_scan(&mut self, op: Op, exclusive: bool) {
        let src = self.src;
        let data = &src.ops[op];
        let elems: Vec<Scalar> = data.results.iter().map(|result| src.ty(*result).element()).collect();
        let combine = data.regions[1];
        let checks =
            src.blocks[combine].ops.iter().any(|op| matches!(src.ops[*op].opcode, Opcode::Check { .. }));
        let n = self.scalar(data.args[0]);
        let places: Vec<Option<Array>> =
            data.results.iter().map(|result| self.place_if_used(*result)).collect();
        let past = places.iter().map(|place| self.past_caches(place.as_ref()?.elem, n)).collect();
        let scan = Scan {
            n,
            init: self.scalars(&data.args[1..]),
            body: data.regions[0],
            combine,
            exclusive,
            total: is_plain(src, combine) && !checks,
            places,
            past,
            rows: self.table(&elems, BLOCK),
            totals: self.table(&elems, ROW),
            levels: self.stacks(&elems, LEVELS * LEVEL_LEN),
            elems,
        };
        let zero = self.i64(0);
        self.fill_before(&scan);
        if exclusive {
            let some = self.compare_const(CompareOp::Gt, scan.n, 0);
            self.if_then(some, |this| this.put(&scan, zero, &scan.init));
        }
        let n_blocks = self.ceil_shift(scan.n, 10);
        let adjacent = scan.places.iter().flatten().all(|place| place.step == 1);
        let rows = self.row_vectors(&scan.elems, combine).filter(|_| adjacent);
        self.for_each(zero, n_blocks, |this, block| match rows {
            None => this.scan_block(&scan, block),
            Some(rows) => {
                let base = this.mul_const(block, BLOCK);
                let rest = this.sub(scan.n, base);
                // The last prefix of an exclusive scan has no place.
                let full = this.compare_const(CompareOp::Ge, rest, BLOCK + i64::from(exclusive));
                let later = this.compare_const(CompareOp::Gt, block, 0);
                let fits = this.b.binary(BinaryOp::And, full, later);
                let in_registers = |this: &mut Self| {
                    this.scan_full_block(&scan, rows, block, base);
                    Vec::new()
                };
                this.if_else(fits, &[], in_registers, |this| {
                    this.scan_block(&scan, block);
                    Vec::new()
                });
            }
        });
    }

    /// The place of a result that something uses.
    fn place_if_used(&mut self, result: Value) -> Option<Array> {
        let used = self.uses.last(self.frames[self.frame()].block, result).is_some();
        used.then(|| self.place_result(result))
    }

    /// Whether `n` elements are so many that caches cannot keep them; none where that is not known.
    fn past_caches(&mut self, elem: Scalar, n: Value) -> Option<Value> {
        let least = streaming_bytes(self.facts)?.div_ceil(u64::from(elem.bytes()));
        Some(self.compare_const(CompareOp::Ge, n, i64::try_from(least).ok()?))
    }

    fn table(&mut self, elems: &[Scalar], len: i64) -> Table {
        let half = ROW + len;
        Table { buffers: self.stacks(elems, 2 * half), half }
    }

    /// What stands before the elements of a table is loaded and not used; it is set so that it is something.
    fn fill_before(&mut self, scan: &Scan) {
        let [zero, row] = [self.i64(0), self.i64(ROW)];
        self.for_lanes(scan.lane_bytes(), zero, row, |this, lane| {
            for table in [&scan.rows, &scan.totals] {
                this.store_all(&table.buffers, lane, &scan.init);
                let other = this.add_const(lane, table.half);
                this.store_all(&table.buffers, other, &scan.init);
            }
        });
    }

    pub(super) fn stacks(&mut self, elems: &[Scalar], len: i64) -> Vec<Value> {
        elems.iter().map(|elem| self.stack(*elem, len as u32)).collect()
    }

    fn put(&mut self, scan: &Scan, at: Value, values: &[Value]) {
        for (place, value) in scan.places.iter().zip(values) {
            let Some(place) = place else { continue };
            let offset = self.mul_const(at, i64::from(place.step));
            self.store(place.buffer, offset, *value);
        }
    }

    pub(super) fn load_all(&mut self, buffers: &[Value], at: Value) -> Vec<Value> {
        buffers.iter().map(|buffer| self.load_elem(*buffer, at)).collect()
    }

    pub(super) fn store_all(&mut self, buffers: &[Value], at: Value, values: &[Value]) {
        for (buffer, value) in buffers.iter().zip(values) {
            self.store(*buffer, at, *value);
        }
    }

    pub(super) fn joined(&mut self, scan: &Scan, left: &[Value], right: &[Value]) -> Vec<Value> {
        self.scalar_region(scan.combine, &[left, right].concat())
    }

    fn scan_block(&mut self, scan: &Scan, block: Value) {
        let base = self.mul_const(block, BLOCK);
        let rest = self.sub(scan.n, base);
        let len = self.min_const(rest, BLOCK);
        self.evaluate_block(scan, base, len);
        let n_rows = self.ceil_shift(len, 5);
        let start = self.kogge_stone(scan, &scan.rows, n_rows, len);
        let n_full = self.shr_const(len, 5);
        let sums = self.scan_totals(scan, start, n_full);
        let carry = self.block_carry(scan, block);
        self.put_block(scan, (base, rest, len), (start, sums), &carry);
        let full = self.compare_const(CompareOp::Eq, n_full, ROW);
        self.if_then(full, |this| {
            let last = this.add_const(sums, ROW - 1);
            let total = this.load_all(&scan.totals.buffers, last);
            this.add_total(scan, block, &total);
        });
    }

    /// The elements of a block, and what makes its last row complete.
    pub(super) fn evaluate_block(&mut self, scan: &Scan, base: Value, len: Value) {
        let zero = self.i64(0);
        self.for_lanes(scan.lane_bytes(), zero, len, |this, lane| {
            let k = this.add(base, lane);
            let values = this.scalar_region(scan.body, &[k]);
            let at = this.add_const(lane, ROW);
            this.store_all(&scan.rows.buffers, at, &values);
        });
        if scan.total {
            self.complete_row(scan, &scan.rows, len);
        }
    }

    /// Elements from `len` to the end of its row, so that they are something.
    fn complete_row(&mut self, scan: &Scan, table: &Table, len: Value) {
        let n_rows = self.ceil_shift(len, 5);
        let end = self.mul_const(n_rows, ROW);
        self.for_each(len, end, |this, lane| {
            let at = this.add_const(lane, ROW);
            this.store_all(&table.buffers, at, &scan.init);
        });
    }

    /// `k[i] = k[i − d] ⊕ k[i]` for d = 1, 2, 4, 8, 16, all i of all rows at once. Returns where the result starts.
    fn kogge_stone(&mut self, scan: &Scan, table: &Table, n_rows: Value, len: Value) -> Value {
        let [one, from, to] = [self.i64(1), self.i64(ROW), self.i64(ROW + table.half)];
        let longest = self.min_const(len, ROW);
        let more = |this: &mut Self, state: &[Value]| this.b.compare(CompareOp::Lt, state[0], longest);
        let state = self.while_loop(&[one, from, to], more, |this, state| {
            let (distance, from, to) = (state[0], state[1], state[2]);
            let zero = this.i64(0);
            this.for_each(zero, n_rows, |this, row| {
                let start = this.mul_const(row, ROW);
                let width = if scan.total {
                    this.i64(ROW)
                } else {
                    let rest = this.sub(len, start);
                    this.min_const(rest, ROW)
                };
                let [from, to] = [from, to].map(|half| this.add(half, start));
                this.step_row(scan, table, (from, to), distance, width);
            });
            vec![this.add(distance, distance), to, from]
        });
        state[1]
    }

    /// One step of one row.
    fn step_row(
        &mut self,
        scan: &Scan,
        table: &Table,
        (from, to): (Value, Value),
        distance: Value,
        width: Value,
    ) {
        let zero = self.i64(0);
        let types: Vec<Type> = scan.elems.iter().map(|elem| Type::Scalar(*elem)).collect();
        self.for_lanes(scan.lane_bytes(), zero, width, |this, lane| {
            let own = this.add(from, lane);
            let before = this.sub(own, distance);
            let left = this.load_all(&table.buffers, before);
            let right = this.load_all(&table.buffers, own);
            let reaches = this.b.compare(CompareOp::Ge, lane, distance);
            let values =
                this.if_else(reaches, &types, |this| this.joined(scan, &left, &right), |_| right.clone());
            let at = this.add(to, lane);
            this.store_all(&table.buffers, at, &values);
        });
    }

    /// Prefixes of the totals of the full rows; returns where they start.
    fn scan_totals(&mut self, scan: &Scan, start: Value, n_full: Value) -> Value {
        let zero = self.i64(0);
        self.for_each(zero, n_full, |this, row| {
            let first = this.mul_const(row, ROW);
            let first = this.add(start, first);
            let last = this.add_const(first, ROW - 1);
            let total = this.load_all(&scan.rows.buffers, last);
            let at = this.add_const(row, ROW);
            this.store_all(&scan.totals.buffers, at, &total);
        });
        if scan.total {
            self.complete_row(scan, &scan.totals, n_full);
        }
        let one = self.i64(1);
        self.kogge_stone(scan, &scan.totals, one, n_full)
    }

    /// `carry ⊕ values`, or `values` when there is no carry.
    pub(super) fn after_carry(&mut self, scan: &Scan, carry: &[Value], values: &[Value]) -> Vec<Value> {
        let types: Vec<Type> = scan.elems.iter().map(|elem| Type::Scalar(*elem)).collect();
        let joined = |this: &mut Self| this.joined(scan, &carry[1..], values);
        self.if_else(carry[0], &types, joined, |_| values.to_vec())
    }

    /// All results of a block, row by row.
    fn put_block(
        &mut self,
        scan: &Scan,
        (base, rest, len): (Value, Value, Value),
        (start, sums): (Value, Value),
        carry: &[Value],
    ) {
        // The last prefix of all has no place in an exclusive scan.
        let len = if scan.exclusive {
            let places = self.add_const(rest, -1);
            self.min(len, places)
        } else {
            len
        };
        let n_full = self.shr_const(len, 5);
        let zero = self.i64(0);
        self.for_each(zero, n_full, |this, row| {
            let first = this.mul_const(row, ROW);
            let carry = this.row_carry(scan, row, sums, carry);
            let [zero, width, at] = [this.i64(0), this.i64(ROW), this.add(base, first)];
            let own = this.add(start, first);
            this.for_lanes(scan.lane_bytes(), zero, width, |this, lane| {
                this.put_element(scan, (at, own), lane, &carry);
            });
        });
        let first = self.mul_const(n_full, ROW);
        let left = self.sub(len, first);
        let some = self.compare_const(CompareOp::Gt, left, 0);
        self.if_then(some, |this| {
            let carry = this.row_carry(scan, n_full, sums, carry);
            let [zero, at, own] = [this.i64(0), this.add(base, first), this.add(start, first)];
            this.for_each(zero, left, |this, lane| this.put_element(scan, (at, own), lane, &carry));
        });
    }

    /// `EX(0, row)` of a row of the block: (is there one?, values…).
    fn row_carry(&mut self, scan: &Scan, row: Value, sums: Value, carry: &[Value]) -> Vec<Value> {
        let later = self.compare_const(CompareOp::Gt, row, 0);
        self.if_else(
            later,
            &types_with_flag(&scan.elems),
            |this| {
                let at = this.add(sums, row);
                let at = this.add_const(at, -1);
                let prefix = this.load_all(&scan.totals.buffers, at);
                let joined = this.after_carry(scan, carry, &prefix);
                [vec![this.b.bool(true)], joined].concat()
            },
            |_| carry.to_vec(),
        )
    }

    /// The result of one element: its row starts at `at` of the results, at `own` of the table.
    fn put_element(&mut self, scan: &Scan, (at, own): (Value, Value), lane: Value, carry: &[Value]) {
        let place = self.add(own, lane);
        let own = self.load_all(&scan.rows.buffers, place);
        let prefix = self.after_carry(scan, carry, &own);
        let values = self.joined(scan, &scan.init, &prefix);
        let k = self.add(at, lane);
        let k = if scan.exclusive { self.add_const(k, 1) } else { k };
        self.put(scan, k, &values);
    }
}

impl Scan {
    /// Bytes of the narrowest value.
    fn lane_bytes(&self) -> u32 {
        self.elems.iter().map(|elem| elem.bytes()).min().unwrap_or(8)
    }
}

pub(super) fn types_with_flag(elems: &[Scalar]) -> Vec<Type> {
    let flag = std::iter::once(Type::BOOL);
    flag.chain(elems.iter().map(|elem| Type::Scalar(*elem))).collect()
}
