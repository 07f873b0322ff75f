//! Updates of a small array in free order: a few private copies of it take turns, so that an update need not wait
//! until the one before it, which may have met the same cell, is in memory. What they hold is joined at the end.

use we3_ir::{BinaryOp, CompareOp, Opcode, Type, Value};

use super::reduce::Combiner;
use super::scatter::Scatter;
use super::state::{Array, Lower};

/// How many arrays take turns, the target among them.
const TABLES: i64 = 4;
/// log₂ of how many updates a cell must have on average: clearing and joining costs little then.
const UPDATES_SHIFT: i64 = 3;

impl Lower<'_> {
    /// Takes as many updates as go round evenly, if that pays; returns how many are done.
    pub(super) fn scatter_in_turns(&mut self, scatter: &Scatter, dest: Value) -> Value {
        let Some(most_cells) = self.cells_for_turns(scatter, dest) else { return self.i64(0) };
        let sizes = self.sizes(dest);
        let n_cells = self.count(&sizes);
        let small = self.compare_const(CompareOp::Le, n_cells, most_cells);
        let updates = self.shr_const(scatter.n, UPDATES_SHIFT);
        let many = self.b.compare(CompareOp::Gt, updates, n_cells);
        let pays = self.b.binary(BinaryOp::And, small, many);
        let types = [Type::I64];
        let take = |this: &mut Self| vec![this.turns(scatter, n_cells)];
        self.if_else(pays, &types, take, |this| vec![this.i64(0)])[0]
    }

    /// How many cells there may be, so that all tables stay in the first cache; none where turns are no help.
    fn cells_for_turns(&self, scatter: &Scatter, dest: Value) -> Option<i64> {
        let [target] = &scatter.targets[..] else { return None };
        let builtin = matches!(scatter.reduction.combiner, Combiner::Builtin(_));
        // A float that no update meets keeps its bits; joined with nothing, a NaN would not.
        let exact = builtin && !target.elem.is_float();
        if self.facts.compact || self.facts.grid || !exact {
            return None;
        }
        let bytes = TABLES * i64::from(target.elem.bytes()) * i64::from(target.step);
        let most = i64::try_from(self.facts.l1_bytes).ok()? / bytes;
        let sizes = self.src.ty(dest).sizes();
        let known = sizes.iter().try_fold(1i64, |cells, size| cells.checked_mul(self.const_i64(*size)?));
        known.is_none_or(|cells| cells <= most).then_some(most)
    }

    /// Updates `0 .. n / 4 · 4`, each fourth to the same table.
    fn turns(&mut self, scatter: &Scatter, n_cells: Value) -> Value {
        let target = &scatter.targets[0];
        let n_private = self.mul_const(n_cells, TABLES - 1);
        let memory = self.alloc(target.elem, n_private);
        self.clear_private(scatter, memory, n_private);
        let mut tables = vec![target.clone()];
        for number in 0..TABLES - 1 {
            let start = self.mul_const(n_cells, number);
            let args = vec![memory, start];
            let buffer = self.b.value(Opcode::Offset, args, vec![], Type::Buffer(target.elem));
            tables.push(Array { buffer, step: 1, ..target.clone() });
        }
        let n_rounds = self.shr_const(scatter.n, i64::from(TABLES.trailing_zeros()));
        let zero = self.i64(0);
        self.for_each(zero, n_rounds, |this, round| {
            let first = this.mul_const(round, TABLES);
            for (number, table) in (0i64..).zip(&tables) {
                let k = this.add_const(first, number);
                this.scatter_one(&Scatter { targets: vec![table.clone()], ..scatter.clone() }, k);
            }
        });
        self.join_tables(scatter, &tables, n_cells);
        self.free(memory);
        self.mul_const(n_rounds, TABLES)
    }

    fn clear_private(&mut self, scatter: &Scatter, memory: Value, n_private: Value) {
        let zero = self.i64(0);
        let Some(identity) = scatter.reduction.identity else { return };
        self.for_lanes(scatter.reduction.lane_bytes(), zero, n_private, |this, cell| {
            this.store(memory, cell, identity);
        });
    }

    /// Adds what the private tables hold to the target, which is the first.
    fn join_tables(&mut self, scatter: &Scatter, tables: &[Array], n_cells: Value) {
        let zero = self.i64(0);
        self.for_lanes(scatter.reduction.lane_bytes(), zero, n_cells, |this, cell| {
            let at = this.mul_const(cell, i64::from(tables[0].step));
            let mut joined = vec![this.load(tables[0].elem, tables[0].buffer, at)];
            for table in &tables[1..] {
                let own = this.load(table.elem, table.buffer, cell);
                joined = this.combine(scatter.reduction.combiner, &joined, &[own]);
            }
            this.store(tables[0].buffer, at, joined[0]);
        });
    }
}
