//! One tile of a product: some rows by the columns of a panel, with an accumulator in a register for each vector of
//! each row. Rows past the last repeat it and are not kept.

use we3_ir::{BinaryOp, CompareOp, Opcode, Type, Value};

use super::dot::RUN;
use super::operand::sizes_of;
use super::pack::{Outer, Panel, Product, RowSource};
use super::state::Lower;

/// The operand of a tile's rows: element k of row r is at `bases[r] + k · step`.
struct Rows {
    buffer: Value,
    bases: Vec<Value>,
    step: Value,
}

impl Lower<'_> {
    /// All tiles of a panel.
    pub(super) fn tiles(
        &mut self,
        product: &Product<'_>,
        outer: Outer<'_>,
        rows: &RowSource<'_>,
        panel: &Panel,
    ) {
        let n_rows = i64::from(product.schedule.rows);
        let cells = product.schedule.rows * product.schedule.vectors * product.schedule.lanes;
        let total = self.stack(product.acc, cells);
        let sum = self.add_const(product.n_rows, n_rows - 1);
        let n_tiles = self.div_const(sum, n_rows);
        let zero = self.i64(0);
        self.for_each(zero, n_tiles, |this, tile| {
            let first = this.mul_const(tile, n_rows);
            match this.counts_nowhere(product, outer, panel, first) {
                None => this.sums(product, outer, (rows, panel), (first, total)),
                Some(nowhere) => {
                    this.if_else(
                        nowhere,
                        &[],
                        |_| Vec::new(),
                        |this| {
                            this.sums(product, outer, (rows, panel), (first, total));
                            Vec::new()
                        },
                    );
                }
            }
            this.keep(product, outer, panel, (first, total));
        });
    }

    /// Whether no dot of the tile counts: one of the comparisons fails at all its corners.
    fn counts_nowhere(
        &mut self,
        product: &Product<'_>,
        outer: Outer<'_>,
        panel: &Panel,
        first: Value,
    ) -> Option<Value> {
        let guard = product.schedule.guard.as_ref().filter(|guard| !guard.conditions.is_empty())?;
        let last_row = self.add_const(first, i64::from(product.schedule.rows) - 1);
        let end = self.add_const(product.n_rows, -1);
        let last_row = self.min(last_row, end);
        let last_column = self.add(panel.from, panel.n_columns);
        let last_column = self.add_const(last_column, -1);
        let mut fails: Vec<Option<Value>> = vec![None; guard.conditions.len()];
        for row in [first, last_row] {
            for column in [panel.from, last_column] {
                self.enter_cell(product, outer, (&[row], &[column]));
                for op in &guard.needs {
                    self.op(*op);
                }
                self.frames.pop();
                for (fail, (condition, truth)) in fails.iter_mut().zip(&guard.conditions) {
                    let holds = self.scalar(self.src.ops[*condition].results[0]);
                    let expected = self.b.bool(*truth);
                    let differs = self.b.compare(CompareOp::Ne, holds, expected);
                    *fail = Some(fail.map_or(differs, |sum| self.b.binary(BinaryOp::And, sum, differs)));
                }
            }
        }
        fails.into_iter().flatten().reduce(|sum, fail| self.b.binary(BinaryOp::Or, sum, fail))
    }

    /// The dots of the tile, into `total`.
    fn sums(
        &mut self,
        product: &Product<'_>,
        outer: Outer<'_>,
        (rows, panel): (&RowSource<'_>, &Panel),
        (first, total): (Value, Value),
    ) {
        let rows = self.rows_of_tile(product, outer, rows, first);
        let vectors = product.schedule.vectors;
        match panel.is_wide {
            None => self.runs_of_tile(product, panel, &rows, (vectors, total)),
            Some(is_wide) => {
                self.if_else(
                    is_wide,
                    &[],
                    |this| {
                        this.runs_of_tile(product, panel, &rows, (vectors, total));
                        Vec::new()
                    },
                    |this| {
                        this.runs_of_tile(product, panel, &rows, (1, total));
                        Vec::new()
                    },
                );
            }
        }
    }

    fn rows_of_tile(
        &mut self,
        product: &Product<'_>,
        outer: Outer<'_>,
        source: &RowSource<'_>,
        first: Value,
    ) -> Rows {
        let schedule = product.schedule;
        let n_rows = i64::from(schedule.rows);
        match source {
            RowSource::Packed(buffer) => {
                let base = self.mul(first, product.n_inner);
                let bases = (0..n_rows).map(|number| self.add_const(base, number)).collect();
                Rows { buffer: *buffer, bases, step: self.i64(n_rows) }
            }
            RowSource::InPlace(line) => {
                let last = self.add_const(product.n_rows, -1);
                let column = vec![self.i64(0); schedule.column_axes.len()];
                let mut bases = Vec::new();
                for number in 0..n_rows {
                    let row = self.add_const(first, number);
                    let row = self.min(row, last);
                    let row = self.split_flat(&sizes_of(product.nest, &schedule.row_axes), row);
                    bases.push(self.line_base(product, outer, (&row, &column), line));
                }
                let (buffer, step) = self.line_step(line);
                Rows { buffer, bases, step }
            }
        }
    }

    /// All runs of the tile's dots, the accumulators in registers during each.
    fn runs_of_tile(
        &mut self,
        product: &Product<'_>,
        panel: &Panel,
        rows: &Rows,
        (vectors, total): (u32, Value),
    ) {
        let zero = self.i64(0);
        if self.facts.compact {
            self.clear_sums(product, vectors, total, rows.bases.len());
        }
        let n_runs = self.ceil_shift(product.n_inner, 9);
        let one = self.i64(1);
        let n_runs = self.b.binary(BinaryOp::Max, n_runs, one);
        self.for_each(zero, n_runs, |this, run| {
            let lo = this.mul_const(run, RUN);
            let end = this.add_const(lo, RUN);
            let hi = this.min(end, product.n_inner);
            let ty = vector_type(product);
            let start = this.b.value(Opcode::Splat(ty.1), vec![product.start], vec![], ty.0);
            let start = vec![start; rows.bases.len() * vectors as usize];
            let sums = this.for_carry(lo, hi, &start, |this, flat, sums| {
                this.step_of_tile(product, panel, rows, (flat, sums))
            });
            if this.facts.compact {
                this.put_sums(product, vectors, total, &sums, true);
                return;
            }
            let is_first = this.compare_const(CompareOp::Eq, run, 0);
            this.if_else(
                is_first,
                &[],
                |this| this.put_sums(product, vectors, total, &sums, false),
                |this| this.put_sums(product, vectors, total, &sums, true),
            );
        });
    }

    /// One step of every dot of the tile.
    fn step_of_tile(
        &mut self,
        product: &Product<'_>,
        panel: &Panel,
        rows: &Rows,
        (flat, sums): (Value, &[Value]),
    ) -> Vec<Value> {
        let (ty, lanes) = vector_type(product);
        let distance = self.mul(flat, panel.step);
        let line = self.add(panel.base, distance);
        let n_vectors = sums.len() / rows.bases.len();
        let mut columns = Vec::new();
        for number in 0..n_vectors as i64 {
            let at = self.add_const(line, number * i64::from(lanes));
            columns.push(self.b.value(Opcode::Load, vec![panel.buffer, at], vec![], ty.clone()));
        }
        let distance = self.mul(flat, rows.step);
        let mut next = Vec::new();
        for (base, sums) in rows.bases.iter().zip(sums.chunks(n_vectors)) {
            let at = self.add(*base, distance);
            let factor = self.load(product.acc, rows.buffer, at);
            let factor = self.b.value(Opcode::Splat(lanes), vec![factor], vec![], ty.clone());
            for (column, sum) in columns.iter().zip(sums) {
                next.push(self.b.fma(factor, *column, *sum));
            }
        }
        next
    }

    /// Fills the sums with what changes nothing when a run joins: −0, or 0 of integers.
    fn clear_sums(&mut self, product: &Product<'_>, vectors: u32, total: Value, n_rows: usize) {
        let acc = product.acc;
        let bits = if acc.is_float() { 1 << (acc.bits() - 1) } else { 0 };
        let nothing = self.b.constant(acc, bits);
        let zero = self.i64(0);
        let cells = self.i64(n_rows as i64 * i64::from(vectors * product.schedule.lanes));
        self.for_lanes(acc.bytes(), zero, cells, |this, cell| this.store(total, cell, nothing));
    }

    /// Puts the sums of a run in place, or adds them to what is there.
    fn put_sums(
        &mut self,
        product: &Product<'_>,
        vectors: u32,
        total: Value,
        sums: &[Value],
        joins: bool,
    ) -> Vec<Value> {
        let (ty, lanes) = vector_type(product);
        for (row, sums) in (0i64..).zip(sums.chunks(vectors as usize)) {
            for (number, sum) in (0i64..).zip(sums) {
                let at = self.i64(row * product.schedule.width() + number * i64::from(lanes));
                let mut sum = *sum;
                if joins {
                    let before = self.b.value(Opcode::Load, vec![total, at], vec![], ty.clone());
                    sum = self.b.binary(BinaryOp::Add, before, sum);
                }
                self.store(total, at, sum);
            }
        }
        Vec::new()
    }

    /// The rest of the body for each element of the tile, and the results into their places.
    fn keep(
        &mut self,
        product: &Product<'_>,
        outer: Outer<'_>,
        panel: &Panel,
        (first, total): (Value, Value),
    ) {
        let schedule = product.schedule;
        let rest = self.sub(product.n_rows, first);
        let there = self.min_const(rest, i64::from(schedule.rows));
        let shift = self.sub(panel.from, panel.start);
        let bytes = product.acc.bytes();
        self.segments(product, (panel.from, shift, panel.n_columns), &mut |this, segment| {
            let zero = this.i64(0);
            this.for_each(zero, there, |this, number| {
                let row = this.add(first, number);
                let row = this.split_flat(&sizes_of(product.nest, &schedule.row_axes), row);
                let line = this.mul_const(number, schedule.width());
                this.for_lanes(bytes, segment.lanes.0, segment.lanes.1, |this, lane| {
                    let last = this.add(segment.origin, lane);
                    let column = [segment.outer.as_slice(), &[last]].concat();
                    let cell = this.add(line, lane);
                    let dot = this.load(product.acc, total, cell);
                    this.keep_element(product, outer, (&row, &column), dot);
                });
            });
        });
    }

    fn keep_element(
        &mut self,
        product: &Product<'_>,
        outer: Outer<'_>,
        cell: (&[Value], &[Value]),
        dot: Value,
    ) {
        let all = self.enter_cell(product, outer, cell);
        self.finish_element(product.nest, &all, (product.schedule.dot, dot));
    }
}

/// The type of a vector of accumulators, and its lanes.
fn vector_type(product: &Product<'_>) -> (Type, u16) {
    let lanes = product.schedule.lanes as u16;
    (Type::Vector(product.acc, lanes), lanes)
}
