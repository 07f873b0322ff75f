//! The 64-lane tree of `docs/semantics.md`: blocks of 4096 elements, lane `i % 64` in order, then
//! halving; results of blocks by the same rule. Lanes lie in scratch memory with inner loops over
//! them, so that a vectoriser finds independent chains.

use we3_ir::{BinaryOp, CompareOp, ForKind, Scalar, Value};

use super::free::is_plain;
use super::reduce::{Columns, Combiner, Elements, Reduction};
use super::state::Lower;

pub(super) const LANES: i64 = 64;
pub(super) const BLOCK: i64 = 4096;
/// Constant sizes up to here become straight-line code.
const UNROLLED: i64 = 16;

impl Lower<'_> {
    /// Reduces `n` elements.
    pub(super) fn lanes(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        n: Value,
        const_n: Option<i64>,
    ) -> Vec<Value> {
        let plain = self.is_plain(elements);
        match const_n {
            Some(n) if n <= 0 => return reduction.empty.clone(),
            Some(n) if n <= UNROLLED && plain && !reduction.masked => {
                return self.unrolled(reduction, elements, n);
            }
            Some(_) | None => {}
        }
        if const_n.is_some_and(|n| n <= BLOCK) {
            return self.one_block(reduction, elements, n);
        }
        let own_body = matches!(elements, Elements::Body(_));
        if self.in_parallel || !own_body {
            return self.blocks_in_order(reduction, elements, n);
        }
        self.blocks_in_parallel(reduction, elements, n)
    }

    fn one_block(&mut self, reduction: &Reduction, elements: Elements<'_>, n: Value) -> Vec<Value> {
        let place = self.first_place(reduction);
        let zero = self.i64(0);
        self.block_tree(reduction, elements, zero, n, &place, zero);
        self.take_first(reduction, &place)
    }

    /// All blocks at once, their results in memory, then the rule again on those.
    fn blocks_in_parallel(&mut self, reduction: &Reduction, elements: Elements<'_>, n: Value) -> Vec<Value> {
        let n_blocks = self.ceil_shift(n, 12);
        let first = self.first_place(reduction);
        let big = self.compare_const(CompareOp::Gt, n_blocks, 1);
        let partials = self.places_for(reduction, &first, big, n_blocks);
        let zero = self.i64(0);
        self.in_parallel = true;
        self.for_kind(ForKind::Parallel, zero, n_blocks, &[], |this, block, _| {
            let (base, len) = this.block_bounds(n, block);
            this.block_tree(reduction, elements, base, len, &partials, block);
            Vec::new()
        });
        self.in_parallel = false;
        self.if_then(big, |this| this.upper_levels(reduction, &partials, n_blocks));
        let result = self.take_first(reduction, &partials);
        self.if_then(big, |this| {
            for buffer in partials.values.iter().chain(&partials.flags) {
                this.free(*buffer);
            }
        });
        result
    }

    /// Start and length of block number `block` of `n` elements.
    pub(super) fn block_bounds(&mut self, n: Value, block: Value) -> (Value, Value) {
        let base = self.mul_const(block, BLOCK);
        let rest = self.sub(n, base);
        (base, self.min_const(rest, BLOCK))
    }

    /// Up to 16 elements: each lane has one, so the tree is written out. Lanes past the end drop out
    /// because `x ⊕ identity` is `x` but for the payload of a NaN, and any operation makes that canonical.
    fn unrolled(&mut self, reduction: &Reduction, elements: Elements<'_>, n: i64) -> Vec<Value> {
        let mut lanes: Vec<Vec<Value>> = Vec::new();
        for number in 0..n {
            let k = self.i64(number);
            lanes.push(self.element(reduction, elements, k).1);
        }
        if let (1, Some(identity)) = (n, reduction.identity) {
            return self.combine(reduction.combiner, &[identity], &lanes[0]);
        }
        let mut width = 32;
        while width > 0 {
            for lane in width..lanes.len().min(2 * width) {
                lanes[lane - width] =
                    self.combine(reduction.combiner, &lanes[lane - width], &lanes[lane].clone());
            }
            lanes.truncate(width);
            width /= 2;
        }
        lanes.swap_remove(0)
    }

    /// Scratch for one result, holding "no element".
    pub(super) fn first_place(&mut self, reduction: &Reduction) -> Columns {
        let zero = self.i64(0);
        let mut values = Vec::new();
        for (column, empty) in reduction.columns.iter().zip(&reduction.empty) {
            let place = self.stack(*column, 1);
            self.store(place, zero, *empty);
            values.push(place);
        }
        let flags = reduction.masked.then(|| {
            let place = self.stack(Scalar::Bool, 1);
            let absent = self.b.bool(false);
            self.store(place, zero, absent);
            place
        });
        Columns { values, flags }
    }

    /// Memory for the results of all blocks when there are several.
    pub(super) fn places_for(
        &mut self,
        reduction: &Reduction,
        first: &Columns,
        big: Value,
        n_blocks: Value,
    ) -> Columns {
        let mut place = |elem: Scalar, small: Value| {
            let ty = self.b.func.ty(small).clone();
            self.if_else(big, &[ty], |this| vec![this.alloc(elem, n_blocks)], |_| vec![small])[0]
        };
        let values =
            first.values.iter().zip(&reduction.columns).map(|(small, elem)| place(*elem, *small)).collect();
        let flags = first.flags.map(|small| place(Scalar::Bool, small));
        Columns { values, flags }
    }

    /// Reduces the results of blocks in place until one is left.
    fn upper_levels(&mut self, reduction: &Reduction, partials: &Columns, n_blocks: Value) {
        let several = |this: &mut Self, len: &[Value]| this.compare_const(CompareOp::Gt, len[0], 1);
        self.rarely(|this| {
            this.while_loop(&[n_blocks], several, |this, len| {
                let n_blocks = this.ceil_shift(len[0], 12);
                let zero = this.i64(0);
                this.for_each(zero, n_blocks, |this, block| {
                    let (base, block_len) = this.block_bounds(len[0], block);
                    this.block_tree(reduction, Elements::Stored(partials), base, block_len, partials, block);
                });
                vec![n_blocks]
            });
        });
    }

    pub(super) fn take_first(&mut self, reduction: &Reduction, partials: &Columns) -> Vec<Value> {
        let zero = self.i64(0);
        let mut result = self.load_columns(partials, zero);
        if let (Some(flags), Some(_)) = (partials.flags, reduction.identity) {
            let any = self.load(Scalar::Bool, flags, zero);
            result[0] = self.b.select(any, result[0], reduction.empty[0]);
        }
        result
    }

    /// One block of `len` (1 to 4096) elements from `base` on; the result goes to place `at` of `into`.
    pub(super) fn block_tree(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        base: Value,
        len: Value,
        into: &Columns,
        at: Value,
    ) {
        let lanes = Columns {
            values: reduction.columns.iter().map(|column| self.stack(*column, LANES as u32)).collect(),
            flags: reduction.masked.then(|| self.stack(Scalar::Bool, LANES as u32)),
        };
        let used = self.min_const(len, LANES);
        // A constant needs no code for a rest.
        let cleared = if self.facts.compact { self.i64(LANES) } else { used };
        self.clear_lanes(reduction, &lanes, cleared);
        if self.is_plain(elements) && !self.rare && !self.facts.compact {
            self.full_rows(reduction, elements, &lanes, base, len);
        } else {
            self.rows(reduction, elements, &lanes, base, len);
        }
        self.halve(reduction, &lanes, used);
        self.put_result(reduction, &lanes, into, at);
    }

    pub(super) fn clear_lanes(&mut self, reduction: &Reduction, lanes: &Columns, used: Value) {
        if reduction.identity.is_none() && lanes.flags.is_none() {
            return;
        }
        let zero = self.i64(0);
        self.for_lanes(reduction.lane_bytes(), zero, used, |this, lane| {
            if let Some(identity) = reduction.identity {
                this.store(lanes.values[0], lane, identity);
            }
            if let Some(flags) = lanes.flags {
                let absent = this.b.bool(false);
                this.store(flags, lane, absent);
            }
        });
    }

    /// Full rows of 64 (a constant trip count), then the rest: the body is written twice.
    fn full_rows(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        lanes: &Columns,
        base: Value,
        len: Value,
    ) {
        let n_full = self.shr_const(len, 6);
        let zero = self.i64(0);
        self.for_each(zero, n_full, |this, row| {
            let start = this.mul_const(row, LANES);
            let start = this.add(base, start);
            let width = this.i64(LANES);
            this.lane_row(reduction, elements, lanes, (row, start, width));
        });
        let done = self.mul_const(n_full, LANES);
        let start = self.add(base, done);
        let rest = self.sub(len, done);
        self.lane_row(reduction, elements, lanes, (n_full, start, rest));
    }

    /// All rows in one loop: the body is written once.
    fn rows(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        lanes: &Columns,
        base: Value,
        len: Value,
    ) {
        let n_rows = self.ceil_shift(len, 6);
        let zero = self.i64(0);
        self.for_each(zero, n_rows, |this, row| {
            let done = this.mul_const(row, LANES);
            let start = this.add(base, done);
            let rest = this.sub(len, done);
            let width = this.min_const(rest, LANES);
            this.lane_row(reduction, elements, lanes, (row, start, width));
        });
    }

    /// Row number `row`: elements `start .. start + width`, one to each lane from lane 0.
    fn lane_row(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        lanes: &Columns,
        (row, start, width): (Value, Value, Value),
    ) {
        let later = self.compare_const(CompareOp::Gt, row, 0);
        let zero = self.i64(0);
        self.for_lanes(reduction.lane_bytes(), zero, width, |this, lane| {
            let k = this.add(start, lane);
            let (present, values) = this.element(reduction, elements, k);
            this.join_lane(reduction, lanes, lane, (present, &values), later);
        });
    }

    pub(super) fn load_columns(&mut self, columns: &Columns, at: Value) -> Vec<Value> {
        columns.values.iter().map(|buffer| self.load_elem(*buffer, at)).collect()
    }

    pub(super) fn store_columns(&mut self, columns: &Columns, at: Value, values: &[Value]) {
        for (buffer, value) in columns.values.iter().zip(values) {
            self.store(*buffer, at, *value);
        }
    }

    /// `lane ⊕= element`. `later` says whether lanes hold something when nothing else tells.
    pub(super) fn join_lane(
        &mut self,
        reduction: &Reduction,
        lanes: &Columns,
        lane: Value,
        (present, values): (Option<Value>, &[Value]),
        later: Value,
    ) {
        let joined = if let Some(identity) = reduction.identity {
            let so_far = self.load_columns(lanes, lane);
            let value = match present {
                Some(present) => self.b.select(present, values[0], identity),
                None => values[0],
            };
            self.combine(reduction.combiner, &so_far, &[value])
        } else {
            let there = lanes.flags.map_or(later, |flags| self.load(Scalar::Bool, flags, lane));
            self.join_stored(reduction, lanes, lane, there, (present, values))
        };
        self.store_columns(lanes, lane, &joined);
        self.mark_lane(lanes, lane, present);
    }

    /// As `join_present`, but what stands in the lane is only read if it is there.
    fn join_stored(
        &mut self,
        reduction: &Reduction,
        lanes: &Columns,
        lane: Value,
        there: Value,
        (present, values): (Option<Value>, &[Value]),
    ) -> Vec<Value> {
        let types = Self::column_types(reduction);
        let combined = |this: &mut Self| {
            let so_far = this.load_columns(lanes, lane);
            this.join_present(reduction, (None, &so_far), (present, values))
        };
        self.if_else(there, &types, combined, |_| values.to_vec())
    }

    fn mark_lane(&mut self, lanes: &Columns, lane: Value, present: Option<Value>) {
        if let (Some(flags), Some(present)) = (lanes.flags, present) {
            let there = self.load(Scalar::Bool, flags, lane);
            let any = self.b.binary(BinaryOp::Or, there, present);
            self.store(flags, lane, any);
        }
    }

    /// Halving: `s[l] = s[l] ⊕ s[l + w]` for w = 32 … 1, as far as lanes are in use.
    pub(super) fn halve(&mut self, reduction: &Reduction, lanes: &Columns, used: Value) {
        match self.facts.compact {
            true => self.rarely(|this| this.halve_rows(reduction, lanes, used)),
            false => self.halve_rows(reduction, lanes, used),
        }
    }

    fn halve_rows(&mut self, reduction: &Reduction, lanes: &Columns, used: Value) {
        let half = self.i64(LANES / 2);
        self.halve_from(reduction, lanes, half, used);
    }

    /// Halving from w = `half` on.
    pub(super) fn halve_from(&mut self, reduction: &Reduction, lanes: &Columns, half: Value, used: Value) {
        let more = |this: &mut Self, state: &[Value]| this.compare_const(CompareOp::Gt, state[0], 0);
        self.while_loop(&[half, used], more, |this, state| {
            let (width, used) = (state[0], state[1]);
            let past = this.sub(used, width);
            let zero = this.i64(0);
            let hi = this.min(width, past);
            this.for_lanes(reduction.lane_bytes(), zero, hi, |this, lane| {
                let upper = this.add(lane, width);
                let present = lanes.flags.map(|flags| this.load(Scalar::Bool, flags, upper));
                let values = this.load_columns(lanes, upper);
                let filled = this.b.bool(true);
                this.join_lane(reduction, lanes, lane, (present, &values), filled);
            });
            let used = this.min(used, width);
            vec![this.shr_const(width, 1), used]
        });
    }

    pub(super) fn put_result(&mut self, reduction: &Reduction, lanes: &Columns, into: &Columns, at: Value) {
        let zero = self.i64(0);
        let there = lanes.flags.map(|flags| self.load(Scalar::Bool, flags, zero));
        if let (Some(flags), Some(there)) = (into.flags, there) {
            self.store(flags, at, there);
        }
        let store = |this: &mut Self| {
            let values = this.load_columns(lanes, zero);
            this.store_columns(into, at, &values);
        };
        match (there, reduction.combiner) {
            (Some(there), Combiner::Region(_)) => self.if_then(there, store),
            (Some(_) | None, Combiner::Builtin(_)) | (None, Combiner::Region(_)) => store(self),
        }
    }

    /// Whether the code for one element is short enough to be written twice.
    fn is_plain(&self, elements: Elements<'_>) -> bool {
        match elements {
            Elements::Body(block) => is_plain(self.src, block),
            Elements::Stored(_) | Elements::Gathered { .. } => true,
        }
    }
}
