//! Reductions whose order is free: neighbours go to lanes side by side, so that a vectoriser finds
//! independent chains; the lanes are folded by halving, and the rest follows one by one. Orders that
//! results depend on are in `lanes` and `reduce`.

use we3_ir::{Block, CompareOp, ForKind, Func, Opcode, Value};

use super::lanes::LANES;
use super::reduce::{Columns, Combiner, Elements, Reduction};
use super::state::Lower;
use super::update::moves_with;
use crate::analysis::effects::is_pure_scalar;

/// log₂ of how many elements a thread takes at a time.
const STRETCH_SHIFT: i64 = 16;
/// Vectors side by side: of one value, and of several, which fill registers sooner.
const VECTORS_OF_ONE: i64 = 4;
const VECTORS_OF_SEVERAL: i64 = 2;

impl Lower<'_> {
    /// Reduces `n` elements in any order.
    pub(super) fn free_order(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        n: Value,
        const_n: Option<i64>,
    ) -> Vec<Value> {
        let zero = self.i64(0);
        let width = self.free_width(reduction, elements);
        let Some(width) = width.filter(|width| const_n.is_none_or(|n| n >= 2 * width)) else {
            return self.chain(reduction, elements, (zero, n), &reduction.empty);
        };
        let short = const_n.is_some_and(|n| n <= 1 << STRETCH_SHIFT);
        if short || self.in_parallel || !matches!(elements, Elements::Body(_)) {
            return self.side_by_side(reduction, elements, (zero, n), width);
        }
        self.stretches(reduction, elements, n, width)
    }

    /// How many elements stand side by side; none where they would be read one by one all the same.
    fn free_width(&self, reduction: &Reduction, elements: Elements<'_>) -> Option<i64> {
        let Elements::Body(body) = elements else { return None };
        let combines_plainly = match reduction.combiner {
            Combiner::Builtin(_) => true,
            Combiner::Region(region) => is_plain(self.src, region),
        };
        let skips = reduction.masked && reduction.identity.is_none();
        if skips || !combines_plainly || !is_plain(self.src, body) || !reads_neighbours(self.src, body) {
            return None;
        }
        let lanes = i64::from(self.facts.lanes(reduction.lane_bytes())?);
        let vectors = if reduction.columns.len() == 1 { VECTORS_OF_ONE } else { VECTORS_OF_SEVERAL };
        Some((vectors * lanes).min(LANES))
    }

    /// Stretches on threads, what each gives in memory, then a chain over that.
    fn stretches(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        n: Value,
        width: i64,
    ) -> Vec<Value> {
        let n_stretches = self.ceil_shift(n, STRETCH_SHIFT);
        let first = self.first_place(&Reduction { masked: false, ..reduction.clone() });
        let big = self.compare_const(CompareOp::Gt, n_stretches, 1);
        let partials = self.places_for(reduction, &first, big, n_stretches);
        let zero = self.i64(0);
        self.in_parallel = true;
        self.for_kind(ForKind::Parallel, zero, n_stretches, &[], |this, number, _| {
            let lo = this.mul_const(number, 1 << STRETCH_SHIFT);
            let end = this.add_const(lo, 1 << STRETCH_SHIFT);
            let hi = this.min(end, n);
            let values = this.side_by_side(reduction, elements, (lo, hi), width);
            this.store_columns(&partials, number, &values);
            Vec::new()
        });
        self.in_parallel = false;
        let plain = Reduction { masked: false, ..reduction.clone() };
        self.if_then(big, |this| {
            let stored = Elements::Stored(&partials);
            let values = this.chain(&plain, stored, (zero, n_stretches), &reduction.empty);
            this.store_columns(&first, zero, &values);
            for buffer in &partials.values {
                this.free(*buffer);
            }
        });
        self.load_columns(&first, zero)
    }

    /// Elements `lo .. hi`: full rows in lanes, the rest in a chain.
    fn side_by_side(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        (lo, hi): (Value, Value),
        width: i64,
    ) -> Vec<Value> {
        let values = reduction.columns.iter().map(|column| self.stack(*column, width as u32)).collect();
        let lanes = Columns { values, flags: None };
        let bits = i64::from(width.trailing_zeros());
        let count = self.sub(hi, lo);
        let n_rows = self.shr_const(count, bits);
        let types = Self::column_types(reduction);
        let some = self.compare_const(CompareOp::Gt, n_rows, 0);
        let in_lanes = |this: &mut Self| {
            this.first_row(reduction, elements, &lanes, (lo, width));
            this.later_rows(reduction, elements, &lanes, (lo, width, n_rows));
            this.fold_lanes(reduction, &lanes, width)
        };
        let so_far = self.if_else(some, &types, in_lanes, |_| reduction.empty.clone());
        let done = self.mul_const(n_rows, width);
        let rest = self.add(lo, done);
        let present = if reduction.identity.is_some() { None } else { Some(some) };
        self.chain_on(reduction, elements, (rest, hi), (present, &so_far))
    }

    /// What all lanes give together.
    fn fold_lanes(&mut self, reduction: &Reduction, lanes: &Columns, width: i64) -> Vec<Value> {
        let zero = self.i64(0);
        let used = self.i64(width);
        if self.facts.compact {
            let first = self.load_columns(lanes, zero);
            let one = self.i64(1);
            return self.for_carry(one, used, &first, |this, lane, so_far| {
                let values = this.load_columns(lanes, lane);
                this.combine(reduction.combiner, so_far, &values)
            });
        }
        let half = self.i64(width / 2);
        self.halve_from(reduction, lanes, half, used);
        self.load_columns(lanes, zero)
    }

    fn first_row(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        lanes: &Columns,
        (lo, width): (Value, i64),
    ) {
        self.row_of_lanes(reduction, width, |this, lane| {
            let values = match reduction.identity {
                Some(identity) => vec![identity],
                None => {
                    let k = this.add(lo, lane);
                    this.element(reduction, elements, k).1
                }
            };
            this.store_columns(lanes, lane, &values);
        });
    }

    fn later_rows(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        lanes: &Columns,
        (lo, width, n_rows): (Value, i64, Value),
    ) {
        let first = self.i64(i64::from(reduction.identity.is_none()));
        self.for_each(first, n_rows, |this, row| {
            let done = this.mul_const(row, width);
            let start = this.add(lo, done);
            this.row_of_lanes(reduction, width, |this, lane| {
                let k = this.add(start, lane);
                let (present, mut values) = this.element(reduction, elements, k);
                if let (Some(present), Some(identity)) = (present, reduction.identity) {
                    values[0] = this.b.select(present, values[0], identity);
                }
                let so_far = this.load_columns(lanes, lane);
                let joined = this.combine(reduction.combiner, &so_far, &values);
                this.store_columns(lanes, lane, &joined);
            });
        });
    }

    fn row_of_lanes(&mut self, reduction: &Reduction, width: i64, body: impl FnOnce(&mut Self, Value)) {
        let zero = self.i64(0);
        let width = self.i64(width);
        self.for_lanes(reduction.lane_bytes(), zero, width, body);
    }
}

/// Whether the region is code for one element without loops, and its branches only compute.
pub(super) fn is_plain(func: &Func, block: Block) -> bool {
    func.blocks[block].ops.iter().all(|op| {
        let data = &func.ops[*op];
        let chooses = data.opcode == Opcode::If && data.regions.iter().all(|region| computes(func, *region));
        data.regions.is_empty() || chooses
    })
}

/// Whether the region does nothing but compute.
fn computes(func: &Func, region: Block) -> bool {
    func.blocks[region].ops.iter().all(|op| {
        let opcode = &func.ops[*op].opcode;
        is_pure_scalar(opcode) || *opcode == Opcode::Yield
    })
}

/// Whether neighbouring elements are read from neighbouring places, or all from one.
fn reads_neighbours(func: &Func, body: Block) -> bool {
    let mut varying = func.blocks[body].params.clone();
    for op in &func.blocks[body].ops {
        let data = &func.ops[*op];
        let varies = |value: &Value| varying.contains(value);
        if data.opcode == Opcode::Index
            && let Some((last, outer)) = data.args[1..].split_last()
        {
            let strided = outer.iter().any(varies);
            let steps = func.blocks[body].params.iter().any(|param| moves_with(func, *last, *param, body));
            if strided || (varies(last) && !steps) {
                return false;
            }
        }
        if data.args.iter().any(varies) || !data.regions.is_empty() {
            varying.extend_from_slice(&data.results);
        }
    }
    true
}
