//! Writes two loops that `wavefront` found as one loop over anti-diagonals, in order, and in it one over the cells of
//! a diagonal, in lanes. Of what cells make, as many diagonals are kept as cells read back; place `i + 1` of a
//! diagonal is the cell of row `i`, place 0 that of the row above all. What stands around the cells (the row
//! above, the columns to the left) is put there before a diagonal begins, so that no cell asks where it is.
//!
//! Before: `for i { for j { cell(i, j) } }` · after: `for d in 0..n + m − 1 { for.lanes i { cell(i, d − i) } }`.
//! (Lamport, "The parallel execution of DO loops", CACM 1974.)

use we3_ir::{BinaryOp, CompareOp, ForKind, Op, Opcode, Value};

use super::schedule::lanes_for;
use super::state::Lower;
use super::wavefront::{Cell, CellKind, Read, Wavefront};

/// What a cell of a diagonal being written reads.
#[derive(Debug)]
pub(super) struct Diagonal {
    reads: Vec<(Op, Read)>,
    /// The number of the row.
    row: Value,
    /// Of each cell, the diagonals that are kept, this one first.
    kept: Vec<Vec<Value>>,
    /// What this cell has become so far.
    made: Vec<Option<Value>>,
}

/// The loops being written.
struct Loops<'a> {
    found: &'a Wavefront,
    op: Op,
    n_rows: Value,
    n_columns: Value,
    lanes: u16,
    /// Of each total, one for each row.
    totals: Vec<Value>,
    /// Of each row array that is wanted afterwards, its memory.
    last: Vec<Option<Value>>,
}

impl Lower<'_> {
    /// Lowers a loop along diagonals, if it runs so.
    pub(super) fn lower_diagonals(&mut self, op: Op) -> bool {
        let Some(found) = self.wavefront(op) else { return false };
        let Some(lanes) = lanes_for(self.src, found.body, self.facts) else { return false };
        let src = self.src;
        let probe = self.open_probe(op);
        let counts = [src.ops[op].args[0], src.ops[found.inner].args[0]];
        let [n_rows, n_columns] = counts.map(|count| self.scalar(count));
        let totals = self.totals(op, &found, n_rows);
        let last = self.last_rows(op, &found);
        let loops = Loops { found: &found, op, n_rows, n_columns, lanes, totals, last };
        self.all_diagonals(&loops);
        self.ends_of_last_rows(&loops);
        self.bind_totals(&loops);
        self.close_probe(probe);
        true
    }

    /// For each total, one of each row, which begins with what changes nothing.
    fn totals(&mut self, op: Op, found: &Wavefront, n_rows: Value) -> Vec<Value> {
        let mut totals = Vec::new();
        for fold in &found.folds {
            let init = self.scalar(self.src.ops[op].args[1 + fold.position]);
            let elem = self.b.func.ty(init).element();
            #[expect(clippy::wildcard_enum_match_arm, reason = "`wavefront` let only these through")]
            let start = match fold.kind {
                BinaryOp::Add | BinaryOp::Xor => self.b.constant(elem, 0),
                BinaryOp::Mul => self.b.constant(elem, 1),
                // These may count what the loop starts from many times.
                _ => init,
            };
            let total = self.alloc(elem, n_rows);
            let zero = self.i64(0);
            self.for_lanes(elem.bytes(), zero, n_rows, |this, row| this.store(total, row, start));
            totals.push(total);
        }
        totals
    }

    /// Memory for rows that somebody reads when all is done, as it was before the first.
    fn last_rows(&mut self, op: Op, found: &Wavefront) -> Vec<Option<Value>> {
        let src = self.src;
        let block = self.frames[self.frame()].block;
        let mut last = Vec::new();
        for cell in &found.cells {
            let CellKind::Row { position, .. } = cell.kind else {
                last.push(None);
                continue;
            };
            let result = src.ops[op].results[position];
            last.push(self.uses.last(block, result).is_some().then(|| {
                let sizes = self.sizes(result);
                let count = self.count(&sizes);
                let before = self.array(src.ops[op].args[1 + position]);
                let fresh = self.alloc(before.elem, count);
                self.copy_elements(&before, fresh, 1, count);
                let owner = self.owner();
                self.bind_array(result, fresh, 1, owner);
                fresh
            }));
        }
        last
    }

    fn all_diagonals(&mut self, loops: &Loops<'_>) {
        let cells = &loops.found.cells;
        let reach = cells.iter().map(|cell| cell.reach).max().unwrap_or(0);
        let places = self.add_const(loops.n_rows, 1);
        let mut kept = Vec::new();
        for cell in cells {
            for _ in 0..=cell.age {
                kept.push(self.alloc(cell.elem, places));
            }
        }
        let first = self.i64(-1 - reach);
        let both = self.add(loops.n_rows, loops.n_columns);
        let end = self.add_const(both, -1);
        let shorter = self.min(loops.n_rows, loops.n_columns);
        let some = self.compare_const(CompareOp::Gt, shorter, 0);
        let end = self.b.select(some, end, first);
        let kept = self.for_carry(first, end, &kept, |this, number, kept| {
            let mut rest = kept;
            let mut by_cell = Vec::new();
            let mut turned = Vec::new();
            for cell in cells {
                let (own, others) = rest.split_at(cell.age as usize + 1);
                rest = others;
                by_cell.push(own.to_vec());
                // The oldest becomes the next one.
                turned.extend(own.last().into_iter().chain(&own[..own.len() - 1]));
            }
            this.borders(loops, number, &by_cell);
            this.diagonal(loops, number, by_cell);
            turned
        });
        for buffer in kept {
            self.free(buffer);
        }
    }

    /// What stands around the cells of diagonal `number`.
    fn borders(&mut self, loops: &Loops<'_>, number: Value, kept: &[Vec<Value>]) {
        for (cell, kept) in loops.found.cells.iter().zip(kept) {
            if cell.from_below {
                self.border_above(loops, cell, number, kept[0]);
            }
            for left in 1..=cell.reach {
                self.border_left(loops, cell, (number, left), kept[0]);
            }
        }
    }

    /// The cell of this diagonal in the row above all.
    fn border_above(&mut self, loops: &Loops<'_>, cell: &Cell, number: Value, buffer: Value) {
        let CellKind::Row { shift, position, .. } = cell.kind else { return };
        let above = self.array(self.src.ops[loops.op].args[1 + position]);
        let column = self.add_const(number, 1);
        let from = self.compare_const(CompareOp::Ge, column, -shift.min(cell.reach));
        let below = self.b.compare(CompareOp::Lt, column, loops.n_columns);
        let there = self.b.binary(BinaryOp::And, from, below);
        self.if_then(there, |this| {
            let place = this.add_const(column, shift);
            let place = this.mul_const(place, i64::from(above.step));
            let value = this.load(above.elem, above.buffer, place);
            let zero = this.i64(0);
            this.store(buffer, zero, value);
        });
    }

    /// The cell of this diagonal `left` columns before the first.
    fn border_left(&mut self, loops: &Loops<'_>, cell: &Cell, (number, left): (Value, i64), buffer: Value) {
        if matches!(cell.kind, CellKind::Row { shift, .. } if shift < left) {
            return;
        }
        let row = self.add_const(number, left);
        let from = self.compare_const(CompareOp::Ge, row, 0);
        let below = self.b.compare(CompareOp::Lt, row, loops.n_rows);
        let there = self.b.binary(BinaryOp::And, from, below);
        self.if_then(there, |this| {
            let value = match cell.kind {
                CellKind::Row { shift, .. } => {
                    let place = this.i64(shift - left);
                    this.beginning(loops, cell, row, place)
                }
                CellKind::Scalar { .. } => {
                    this.enter_row(loops, row);
                    let value = this.scalar(cell.init);
                    this.frames.pop();
                    value
                }
            };
            let at = this.add_const(row, 1);
            this.store(buffer, at, value);
        });
    }

    /// Starts a frame of the outer body for a row: the scalars that rows have.
    fn enter_row(&mut self, loops: &Loops<'_>, row: Value) {
        let outer = loops.found.outer;
        self.enter(outer);
        self.set_scalar(self.src.blocks[outer].params[0], row);
        for op in &loops.found.shared {
            self.op(*op);
        }
    }

    /// What place `place` of a row holds before its first column is written.
    fn beginning(&mut self, loops: &Loops<'_>, cell: &Cell, row: Value, place: Value) -> Value {
        let CellKind::Row { position, in_place, .. } = cell.kind else { return place };
        if in_place {
            let above = self.array(self.src.ops[loops.op].args[1 + position]);
            let place = self.mul_const(place, i64::from(above.step));
            return self.load(above.elem, above.buffer, place);
        }
        self.enter_row(loops, row);
        let value = self.beginning_of(cell.init, place);
        self.frames.pop();
        value
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`wavefront` let only these through")]
    fn beginning_of(&mut self, array: Value, place: Value) -> Value {
        let src = self.src;
        let Some(data) = src.def_op(array).map(|op| &src.ops[op]) else { return place };
        match data.opcode {
            Opcode::Update { .. } => {
                let yields = src.yields(data.regions[0]);
                let (replaced, by) = (self.const_i64(yields[0]), self.scalar(yields[1]));
                let here = self.compare_const(CompareOp::Eq, place, replaced.unwrap_or(-1));
                let before = self.beginning_of(data.args[0], place);
                self.b.select(here, by, before)
            }
            _ => self.scalar_region(data.regions[0], &[place])[0],
        }
    }

    /// The cells of a diagonal.
    fn diagonal(&mut self, loops: &Loops<'_>, number: Value, kept: Vec<Vec<Value>>) {
        let zero = self.i64(0);
        let past = self.add_const(number, 1);
        let lo = self.sub(past, loops.n_columns);
        let lo = self.b.binary(BinaryOp::Max, lo, zero);
        let hi = self.min(past, loops.n_rows);
        let made = vec![None; kept.len()];
        let first: Vec<Value> = kept.iter().map(|kept| kept[0]).collect();
        self.for_kind(ForKind::Lanes(loops.lanes), lo, hi, &[], |this, row, _| {
            this.diagonal = Some(Diagonal { reads: loops.found.reads.clone(), row, kept, made });
            this.cell(loops, number, row);
            this.diagonal = None;
            Vec::new()
        });
        for (number_of_cell, buffer) in first.into_iter().enumerate() {
            self.keep_last(loops, number_of_cell, number, buffer);
        }
    }

    /// The cell of a row on a diagonal.
    fn cell(&mut self, loops: &Loops<'_>, number: Value, row: Value) {
        let src = self.src;
        let (found, body) = (loops.found, loops.found.body);
        self.enter_row(loops, row);
        self.enter(body);
        let column = self.sub(number, row);
        self.set_scalar(src.blocks[body].params[0], column);
        for (number, cell) in found.cells.iter().enumerate() {
            if let CellKind::Scalar { param, .. } = cell.kind {
                let value = self.read_cell(Read { cell: number, down: 0, left: 1 });
                self.set_scalar(param, value);
            }
        }
        let frame = self.frame();
        for (index, op) in src.blocks[body].ops.iter().enumerate() {
            self.frames[frame].index = index as u32;
            self.b.span = src.spans[*op];
            let row_of = |cell: &Cell| matches!(cell.kind, CellKind::Row { update, .. } if update == *op);
            if let Some(number) = found.cells.iter().position(row_of) {
                let value = self.scalar(src.yields(src.ops[*op].regions[0])[1]);
                self.make_cell(number, value);
            } else if let Some(fold) = found.folds.iter().position(|fold| fold.op == *op) {
                let element = self.scalar(found.folds[fold].element);
                let total = loops.totals[fold];
                let so_far = self.load_elem(total, row);
                let sum = self.b.binary(found.folds[fold].kind, so_far, element);
                self.store(total, row, sum);
            } else if src.ops[*op].opcode != Opcode::Yield {
                self.op(*op);
            }
        }
        for (number, cell) in found.cells.iter().enumerate() {
            if let CellKind::Scalar { next, .. } = cell.kind {
                let value = self.scalar(next);
                self.make_cell(number, value);
            }
        }
        self.frames.pop();
        self.frames.pop();
    }

    fn make_cell(&mut self, cell: usize, value: Value) {
        let Some(diagonal) = &mut self.diagonal else { return };
        diagonal.made[cell] = Some(value);
        let (buffer, row) = (diagonal.kept[cell][0], diagonal.row);
        let at = self.add_const(row, 1);
        self.store(buffer, at, value);
    }

    /// What a cell that is done has become.
    fn read_cell(&mut self, read: Read) -> Value {
        let Some(diagonal) = &self.diagonal else { return self.i64(0) };
        let age = (read.down + read.left) as usize;
        if let (0, Some(value)) = (age, diagonal.made[read.cell]) {
            return value;
        }
        let (buffer, row) = (diagonal.kept[read.cell][age], diagonal.row);
        let at = self.add_const(row, 1 - read.down);
        self.load_elem(buffer, at)
    }

    /// If this operation reads a cell of the diagonal being written, what it reads.
    pub(super) fn index_of_cell(&mut self, op: Op) -> Option<Value> {
        let reads = &self.diagonal.as_ref()?.reads;
        let read = reads.iter().find(|(other, _)| *other == op).map(|(_, read)| *read)?;
        Some(self.read_cell(read))
    }

    /// The cell of the last row goes where the whole row is wanted.
    fn keep_last(&mut self, loops: &Loops<'_>, cell: usize, number: Value, buffer: Value) {
        let (Some(memory), CellKind::Row { shift, .. }) = (loops.last[cell], &loops.found.cells[cell].kind)
        else {
            return;
        };
        let last_row = self.add_const(loops.n_rows, -1);
        let column = self.sub(number, last_row);
        let reached = self.compare_const(CompareOp::Ge, column, 0);
        self.if_then(reached, |this| {
            let value = this.load_elem(buffer, loops.n_rows);
            let place = this.add_const(column, *shift);
            this.store(memory, place, value);
        });
    }

    /// What is left of and behind the columns in a row that is wanted afterwards is as the last row began.
    fn ends_of_last_rows(&mut self, loops: &Loops<'_>) {
        for (cell, memory) in loops.found.cells.iter().zip(&loops.last) {
            let (Some(memory), CellKind::Row { shift, position, in_place: false, .. }) =
                (*memory, &cell.kind)
            else {
                continue;
            };
            let some = self.compare_const(CompareOp::Gt, loops.n_rows, 0);
            let result = self.src.ops[loops.op].results[*position];
            let size = self.sizes(result)[0];
            self.if_then(some, |this| {
                let last_row = this.add_const(loops.n_rows, -1);
                let zero = this.i64(0);
                let shift = this.i64(*shift);
                let behind = this.add(shift, loops.n_columns);
                let before = this.min(shift, size);
                for (lo, hi) in [(zero, before), (behind, size)] {
                    this.for_each(lo, hi, |this, place| {
                        let value = this.beginning(loops, cell, last_row, place);
                        this.store(memory, place, value);
                    });
                }
            });
        }
    }

    /// The totals of all rows together.
    fn bind_totals(&mut self, loops: &Loops<'_>) {
        for (fold, total) in loops.found.folds.iter().zip(&loops.totals) {
            let data = &self.src.ops[loops.op];
            let init = self.scalar(data.args[1 + fold.position]);
            let some = self.compare_const(CompareOp::Gt, loops.n_columns, 0);
            let zero = self.i64(0);
            let n_rows = self.b.select(some, loops.n_rows, zero);
            let sum = self.for_carry(zero, n_rows, &[init], |this, row, so_far| {
                let own = this.load_elem(*total, row);
                vec![this.b.binary(fold.kind, so_far[0], own)]
            });
            self.free(*total);
            self.set_scalar(data.results[fold.position], sum[0]);
        }
    }
}
