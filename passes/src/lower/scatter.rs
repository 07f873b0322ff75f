//! `scatter`: updates combined into cells. Where the order is free, one after the other; else the
//! updates are sorted by cell (stably, by counting) and each cell's own are reduced by the tree.

use we3_ir::{Block, CompareOp, Op, Order, ReduceKind, Scalar, Value};

use super::reduce::{Columns, Elements, Reduction, tree_order};
use super::state::{Array, Lower};

/// A scatter being lowered.
#[derive(Clone)]
pub(super) struct Scatter {
    pub n: Value,
    pub body: Block,
    pub rank: usize,
    pub reduction: Reduction,
    pub targets: Vec<Array>,
}

/// All updates in memory: the cell (−1: absent) and the values of each.
struct Updates {
    cells: Value,
    values: Columns,
}

impl Lower<'_> {
    pub(super) fn lower_scatter(&mut self, op: Op, kind: ReduceKind, rank: usize, masked: bool) {
        let src = self.src;
        let data = &src.ops[op];
        let n = self.scalar(data.args[0]);
        let body = data.regions[0];
        let elem = src.ty(data.results[0]).element();
        let roots: Vec<_> = data.args[1..].iter().map(|dest| self.array(*dest).root).collect();
        let reads_old = roots.iter().any(|root| self.used_in_region(*root, body));
        let mut reduction = match kind {
            ReduceKind::Combine(_) => self.region_reduction(op),
            ReduceKind::Sum
            | ReduceKind::Prod
            | ReduceKind::Min
            | ReduceKind::Max
            | ReduceKind::Any
            | ReduceKind::All => self.builtin_reduction(kind, elem, false),
        };
        reduction.masked = masked;
        let order = tree_order(kind, elem);
        let through_memory = reads_old || order != Order::Free;
        let updates = through_memory.then(|| self.evaluate_updates(op, &reduction, rank, n));
        let mut targets = Vec::new();
        for (dest, result) in data.args[1..].iter().zip(&data.results) {
            targets.push(self.writable(*dest, *result).0);
        }
        let scatter = Scatter { n, body, rank, reduction, targets };
        match &updates {
            None => self.scatter_directly(&scatter, data.args[1]),
            Some(updates) => {
                match order {
                    Order::Free => self.scatter_stored(&scatter, updates),
                    Order::Lanes | Order::Pairs => {
                        self.scatter_sorted(&scatter, updates, order, data.args[1])
                    }
                }
                self.free(updates.cells);
                for buffer in &updates.values.values {
                    self.free(*buffer);
                }
            }
        }
    }

    fn region_reduction(&mut self, op: Op) -> Reduction {
        let data = &self.src.ops[op];
        let columns: Vec<Scalar> = data.results.iter().map(|result| self.src.ty(*result).element()).collect();
        // A segment has at least one update, so that this is never seen.
        let empty = columns.iter().map(|column| self.b.constant(*column, 0)).collect();
        let combiner = super::reduce::Combiner::Region(data.regions[1]);
        Reduction { combiner, masked: false, columns, empty, identity: None }
    }

    /// One update: (present?, offset of the cell, values).
    fn scatter_element(
        &mut self,
        body: Block,
        (masked, rank): (bool, usize),
        target: &Array,
        k: Value,
    ) -> (Option<Value>, Value, Vec<Value>) {
        let mut yields = self.scalar_region(body, &[k]);
        let present = masked.then(|| yields.remove(0));
        let values = yields.split_off(rank);
        // Cells are numbered densely; a target's own distance between elements comes on top.
        let dense = Array { step: 1, ..target.clone() };
        let cell = self.row_offset(&dense, &yields);
        (present, cell, values)
    }

    fn scatter_directly(&mut self, scatter: &Scatter, dest: Value) {
        let done = self.scatter_in_turns(scatter, dest);
        self.for_each(done, scatter.n, |this, k| this.scatter_one(scatter, k));
    }

    /// Update `k`.
    pub(super) fn scatter_one(&mut self, scatter: &Scatter, k: Value) {
        let shape = (scatter.reduction.masked, scatter.rank);
        let (present, cell, values) = self.scatter_element(scatter.body, shape, &scatter.targets[0], k);
        match present {
            Some(present) => self.if_then(present, |this| this.join_cell(scatter, cell, &values)),
            None => self.join_cell(scatter, cell, &values),
        }
    }

    /// `cell = cell ⊕ values`.
    fn join_cell(&mut self, scatter: &Scatter, cell: Value, values: &[Value]) {
        let mut offsets = Vec::new();
        let mut old = Vec::new();
        for target in &scatter.targets {
            let offset = self.mul_const(cell, i64::from(target.step));
            old.push(self.load(target.elem, target.buffer, offset));
            offsets.push(offset);
        }
        let joined = self.combine(scatter.reduction.combiner, &old, values);
        for ((target, offset), value) in scatter.targets.iter().zip(offsets).zip(joined) {
            self.store(target.buffer, offset, value);
        }
    }

    fn evaluate_updates(&mut self, op: Op, reduction: &Reduction, rank: usize, n: Value) -> Updates {
        let src = self.src;
        let data = &src.ops[op];
        let body = data.regions[0];
        let target = self.array(data.args[1]);
        let cells = self.alloc(Scalar::I64, n);
        let elems: Vec<Scalar> = data.results.iter().map(|result| src.ty(*result).element()).collect();
        let values: Vec<Value> = elems.iter().map(|elem| self.alloc(*elem, n)).collect();
        let zero = self.i64(0);
        self.for_each(zero, n, |this, k| {
            let shape = (reduction.masked, rank);
            let (present, cell, elements) = this.scatter_element(body, shape, &target, k);
            let nowhere = this.i64(-1);
            let cell = present.map_or(cell, |present| this.b.select(present, cell, nowhere));
            this.store(cells, k, cell);
            for (buffer, element) in values.iter().zip(elements) {
                this.store(*buffer, k, element);
            }
        });
        Updates { cells, values: Columns { values, flags: None } }
    }

    fn scatter_stored(&mut self, scatter: &Scatter, updates: &Updates) {
        let zero = self.i64(0);
        self.for_each(zero, scatter.n, |this, k| {
            let cell = this.load(Scalar::I64, updates.cells, k);
            let present = this.compare_const(CompareOp::Ge, cell, 0);
            this.if_then(present, |this| {
                let values: Vec<Value> =
                    updates.values.values.iter().map(|buffer| this.load_elem(*buffer, k)).collect();
                this.join_cell(scatter, cell, &values);
            });
        });
    }

    /// Counts the updates of each cell, puts their numbers in order of cells, reduces each segment.
    fn scatter_sorted(&mut self, scatter: &Scatter, updates: &Updates, order: Order, dest: Value) {
        let sizes = self.sizes(dest);
        let n_cells = self.count(&sizes);
        let ends = self.alloc(Scalar::I64, n_cells);
        let sorted = self.alloc(Scalar::I64, scatter.n);
        self.count_updates(updates, scatter.n, ends, n_cells);
        self.place_updates(updates, scatter.n, ends, sorted);
        let mut reduction = scatter.reduction.clone();
        reduction.masked = false;
        let zero = self.i64(0);
        self.for_carry(zero, n_cells, &[zero], |this, cell, carried| {
            let from = carried[0];
            let end = this.load(Scalar::I64, ends, cell);
            let len = this.sub(end, from);
            let some = this.compare_const(CompareOp::Gt, len, 0);
            this.if_then(some, |this| {
                let elements = Elements::Gathered { columns: &updates.values, order: sorted, from };
                let tree = match order {
                    Order::Pairs => this.pairs(&reduction, elements, len),
                    Order::Lanes | Order::Free => this.lanes(&reduction, elements, len, None),
                };
                let rounded: Vec<Value> = tree
                    .into_iter()
                    .zip(&scatter.targets)
                    .map(|(value, target)| this.narrow(value, target.elem))
                    .collect();
                this.join_cell(scatter, cell, &rounded);
            });
            vec![end]
        });
        self.free(ends);
        self.free(sorted);
    }

    /// `starts[c]`: how many updates go to cells before `c`.
    fn count_updates(&mut self, updates: &Updates, n: Value, starts: Value, n_cells: Value) {
        let zero = self.i64(0);
        self.for_each(zero, n_cells, |this, cell| this.store(starts, cell, zero));
        self.for_each(zero, n, |this, k| {
            let cell = this.load(Scalar::I64, updates.cells, k);
            let present = this.compare_const(CompareOp::Ge, cell, 0);
            this.if_then(present, |this| {
                let so_far = this.load(Scalar::I64, starts, cell);
                let more = this.add_const(so_far, 1);
                this.store(starts, cell, more);
            });
        });
        self.for_carry(zero, n_cells, &[zero], |this, cell, carried| {
            let own = this.load(Scalar::I64, starts, cell);
            this.store(starts, cell, carried[0]);
            vec![this.add(carried[0], own)]
        });
    }

    /// `sorted`: the updates' numbers by cell, in index order inside a cell. Turns starts into ends.
    fn place_updates(&mut self, updates: &Updates, n: Value, starts: Value, sorted: Value) {
        let zero = self.i64(0);
        self.for_each(zero, n, |this, k| {
            let cell = this.load(Scalar::I64, updates.cells, k);
            let present = this.compare_const(CompareOp::Ge, cell, 0);
            this.if_then(present, |this| {
                let at = this.load(Scalar::I64, starts, cell);
                this.store(sorted, at, k);
                let next = this.add_const(at, 1);
                this.store(starts, cell, next);
            });
        });
    }
}
