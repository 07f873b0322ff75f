//! Products of packed operands: a build of dots in which one operand of the dot follows one axis of the build (the
//! columns) and the other another axis (the rows), as in a matrix product, a convolution, a distance matrix. Columns
//! are cut into panels; the operand of a panel is copied once, in the order in which it is used; then tiles of some
//! rows by a panel's columns keep their accumulators in registers while the dots run. (Goto and van de Geijn, "Anatomy
//! of High-Performance Matrix Multiplication", TOMS 2008.) Every dot keeps its own order: runs of 512, joined from the left.

use we3_ir::{BinaryOp, Block, CompareOp, ForKind, Opcode, Scalar, Value};

use super::build::Nest;
use super::dot::{Chain, RUN};
use super::schedule::PackedSchedule;
use super::state::Lower;

/// A packed product being written.
struct Packed<'a> {
    nest: &'a Nest<'a>,
    schedule: &'a PackedSchedule,
    /// The dot's region that yields both operands.
    operands: Block,
    /// Sizes of the dot's axes, and their product.
    inner: Vec<Value>,
    n_inner: Value,
    acc: Scalar,
    start: Value,
    nothing: Value,
}

/// A panel of columns: the first, how many, and the copied operand.
#[derive(Clone, Copy)]
struct Panel {
    from: Value,
    width: Value,
    values: Value,
}

/// The accumulators of a tile: of the current run, and of the runs before.
#[derive(Clone, Copy)]
struct Sums {
    run: Value,
    total: Value,
}

impl Lower<'_> {
    /// The loops over columns and rows, for given subscripts of the other axes.
    pub(super) fn packed_nest(
        &mut self,
        nest: &Nest<'_>,
        schedule: &PackedSchedule,
        subscripts: &mut [Option<Value>],
    ) {
        let src = self.src;
        let data = &src.ops[schedule.dot];
        let dot = self.dot_of(schedule.dot, data.args.len());
        let Chain::Fma { body, acc } = dot.chain else { return };
        let inner = self.scalars(&data.args);
        let zero = self.i64(0);
        let inner: Vec<Value> =
            inner.into_iter().map(|size| self.b.binary(BinaryOp::Max, size, zero)).collect();
        let n_inner = self.count(&inner);
        let packed = Packed {
            nest,
            schedule,
            operands: body,
            inner,
            n_inner,
            acc,
            start: dot.start[0],
            nothing: dot.nothing[0],
        };
        let n_columns = nest.sizes[schedule.column as usize];
        let width = i64::from(schedule.width);
        let n_panels = self.add_const(n_columns, width - 1);
        let divisor = self.i64(width);
        let n_panels = self.b.binary(BinaryOp::Div, n_panels, divisor);
        let parallel = nest.schedule.parallel.contains(&schedule.column);
        let kind = if parallel { ForKind::Parallel } else { ForKind::Serial };
        self.in_parallel |= parallel;
        self.for_kind(kind, zero, n_panels, &[], |this, number, _| {
            this.panel(&packed, subscripts, number);
            Vec::new()
        });
        for axis in [schedule.row, schedule.column] {
            subscripts[axis as usize] = None;
        }
    }

    fn panel(&mut self, packed: &Packed<'_>, subscripts: &mut [Option<Value>], number: Value) {
        let width = i64::from(packed.schedule.width);
        let from = self.mul_const(number, width);
        let rest = self.sub(packed.nest.sizes[packed.schedule.column as usize], from);
        let columns = self.min_const(rest, width);
        let limit = self.i64(width);
        let count = self.b.binary(BinaryOp::MulSat, packed.n_inner, limit);
        let values = self.alloc(packed.acc, count);
        let panel = Panel { from, width: columns, values };
        self.pack(packed, subscripts, panel);
        let n_rows = packed.nest.sizes[packed.schedule.row as usize];
        let rows = i64::from(packed.schedule.rows);
        let sum = self.add_const(n_rows, rows - 1);
        let divisor = self.i64(rows);
        let n_tiles = self.b.binary(BinaryOp::Div, sum, divisor);
        let zero = self.i64(0);
        self.for_each(zero, n_tiles, |this, tile| {
            let first = this.mul_const(tile, rows);
            this.packed_tile(packed, subscripts, panel, (first, n_rows));
        });
        self.free(values);
    }

    /// Copies the operand that follows the columns; columns past the last hold zero.
    fn pack(&mut self, packed: &Packed<'_>, subscripts: &mut [Option<Value>], panel: Panel) {
        let zero = self.i64(0);
        let width = i64::from(packed.schedule.width);
        let bytes = packed.acc.bytes();
        self.inner_loops(&packed.inner, &mut Vec::new(), zero, &mut |this, inner, flat| {
            let line = this.mul_const(flat, width);
            let zero = this.i64(0);
            this.for_lanes(bytes, zero, panel.width, |this, lane| {
                let column = this.add(panel.from, lane);
                let row = this.i64(0);
                let pair = this.operands(packed, subscripts, (row, column), inner);
                let at = this.add(line, lane);
                this.store(panel.values, at, pair[packed.schedule.follows_column]);
            });
            let all = this.i64(width);
            this.for_lanes(bytes, panel.width, all, |this, lane| {
                let at = this.add(line, lane);
                let nothing = this.b.constant(packed.acc, 0);
                this.store(panel.values, at, nothing);
            });
        });
    }

    /// Loops over the dot's axes; the body gets the subscripts and their place in row-major order.
    fn inner_loops(
        &mut self,
        sizes: &[Value],
        subscripts: &mut Vec<Value>,
        flat: Value,
        body: &mut dyn FnMut(&mut Self, &[Value], Value),
    ) {
        let Some((size, rest)) = sizes.split_first() else {
            body(self, subscripts, flat);
            return;
        };
        let before = self.mul(flat, *size);
        let zero = self.i64(0);
        self.for_each(zero, *size, |this, k| {
            subscripts.push(k);
            let flat = this.add(before, k);
            this.inner_loops(rest, subscripts, flat, body);
            subscripts.pop();
        });
    }

    /// Both operands of the dot, as accumulated, at a row and a column. An operand that nobody uses is removed later.
    fn operands(
        &mut self,
        packed: &Packed<'_>,
        subscripts: &mut [Option<Value>],
        (row, column): (Value, Value),
        inner: &[Value],
    ) -> [Value; 2] {
        self.enter_at(packed, subscripts, row, column);
        for op in &packed.schedule.before {
            self.op(*op);
        }
        let pair = self.scalar_region(packed.operands, inner);
        let pair = [self.narrow(pair[0], packed.acc), self.narrow(pair[1], packed.acc)];
        self.frames.pop();
        pair
    }

    /// Enters the body of the build for one element.
    fn enter_at(&mut self, packed: &Packed<'_>, subscripts: &mut [Option<Value>], row: Value, column: Value) {
        subscripts[packed.schedule.row as usize] = Some(row);
        subscripts[packed.schedule.column as usize] = Some(column);
        let all: Vec<Value> = subscripts.iter().flatten().copied().collect();
        self.enter(packed.nest.body);
        self.bind_scalar_params(packed.nest.body, &all);
    }

    /// Some rows by the columns of a panel. Rows past the last repeat it and are not kept.
    fn packed_tile(
        &mut self,
        packed: &Packed<'_>,
        subscripts: &mut [Option<Value>],
        panel: Panel,
        (first, n_rows): (Value, Value),
    ) {
        let cells = packed.schedule.rows * packed.schedule.width;
        let sums = Sums { run: self.stack(packed.acc, cells), total: self.stack(packed.acc, cells) };
        self.fill(packed, sums.total, packed.nothing);
        let last = self.add_const(n_rows, -1);
        let rows: Vec<Value> = (0..i64::from(packed.schedule.rows))
            .map(|number| {
                let row = self.add_const(first, number);
                self.min(row, last)
            })
            .collect();
        self.packed_runs(packed, subscripts, panel, (&rows, sums));
        self.keep(packed, subscripts, panel, (first, n_rows, sums.total));
    }

    fn fill(&mut self, packed: &Packed<'_>, buffer: Value, value: Value) {
        let zero = self.i64(0);
        let cells = self.i64(i64::from(packed.schedule.rows * packed.schedule.width));
        self.for_lanes(packed.acc.bytes(), zero, cells, |this, cell| this.store(buffer, cell, value));
    }

    /// All runs of the tile's dots.
    fn packed_runs(
        &mut self,
        packed: &Packed<'_>,
        subscripts: &mut [Option<Value>],
        panel: Panel,
        (rows, sums): (&[Value], Sums),
    ) {
        let zero = self.i64(0);
        let n_runs = self.ceil_shift(packed.n_inner, 9);
        self.for_each(zero, n_runs, |this, run| {
            let lo = this.mul_const(run, RUN);
            let end = this.add_const(lo, RUN);
            let hi = this.min(end, packed.n_inner);
            this.fill(packed, sums.run, packed.start);
            this.for_each(lo, hi, |this, flat| {
                this.packed_step(packed, subscripts, (panel, flat), (rows, sums.run));
            });
            let is_first = this.compare_const(CompareOp::Eq, run, 0);
            this.join_runs(packed, sums, is_first);
        });
    }

    /// One step of every dot of the tile.
    fn packed_step(
        &mut self,
        packed: &Packed<'_>,
        subscripts: &mut [Option<Value>],
        (panel, flat): (Panel, Value),
        (rows, run): (&[Value], Value),
    ) {
        let width = i64::from(packed.schedule.width);
        let line = self.mul_const(flat, width);
        let inner = self.split_flat(&packed.inner, flat);
        for (number, row) in (0i64..).zip(rows) {
            let pair = self.operands(packed, subscripts, (*row, panel.from), &inner);
            let factor = pair[1 - packed.schedule.follows_column];
            let zero = self.i64(0);
            let end = self.i64(width);
            self.for_lanes(packed.acc.bytes(), zero, end, |this, lane| {
                let at = this.add(line, lane);
                let value = this.load(packed.acc, panel.values, at);
                let cell = this.add_const(lane, number * width);
                let so_far = this.load(packed.acc, run, cell);
                let next = this.b.fma(factor, value, so_far);
                this.store(run, cell, next);
            });
        }
    }

    /// The subscripts of a place in row-major order.
    fn split_flat(&mut self, sizes: &[Value], flat: Value) -> Vec<Value> {
        let mut rest = flat;
        let mut inner = Vec::new();
        for size in sizes.iter().skip(1).rev() {
            inner.push(self.b.binary(BinaryOp::Rem, rest, *size));
            rest = self.b.binary(BinaryOp::Div, rest, *size);
        }
        inner.push(rest);
        inner.reverse();
        inner
    }

    /// `total = first ? run : total + run`.
    fn join_runs(&mut self, packed: &Packed<'_>, sums: Sums, is_first: Value) {
        let zero = self.i64(0);
        let cells = self.i64(i64::from(packed.schedule.rows * packed.schedule.width));
        self.for_lanes(packed.acc.bytes(), zero, cells, |this, cell| {
            let run = this.load(packed.acc, sums.run, cell);
            let total = this.load(packed.acc, sums.total, cell);
            let sum = this.b.binary(BinaryOp::Add, total, run);
            let joined = this.b.select(is_first, run, sum);
            this.store(sums.total, cell, joined);
        });
    }

    /// The rest of the body for each element of the tile, and the results into their places.
    fn keep(
        &mut self,
        packed: &Packed<'_>,
        subscripts: &mut [Option<Value>],
        panel: Panel,
        (first, n_rows, total): (Value, Value, Value),
    ) {
        let src = self.src;
        let body = packed.nest.body;
        let rest = self.sub(n_rows, first);
        let there = self.min_const(rest, i64::from(packed.schedule.rows));
        let zero = self.i64(0);
        let width = i64::from(packed.schedule.width);
        let result = src.ops[packed.schedule.dot].results[0];
        self.for_each(zero, there, |this, number| {
            let row = this.add(first, number);
            let line = this.mul_const(number, width);
            let zero = this.i64(0);
            this.for_lanes(packed.acc.bytes(), zero, panel.width, |this, lane| {
                let column = this.add(panel.from, lane);
                this.enter_at(packed, subscripts, row, column);
                for op in src.blocks[body].ops.iter().filter(|op| src.ops[**op].opcode != Opcode::Yield) {
                    if *op == packed.schedule.dot {
                        let cell = this.add(line, lane);
                        let value = this.load(packed.acc, total, cell);
                        let value = this.narrow(value, src.ty(result).element());
                        this.set_scalar(result, value);
                    } else {
                        this.op(*op);
                    }
                }
                let all: Vec<Value> = subscripts.iter().flatten().copied().collect();
                for (place, value) in packed.nest.places.iter().zip(src.yields(body)) {
                    let offset = this.row_offset(place, &all);
                    let value = this.scalar(*value);
                    this.store(place.buffer, offset, value);
                }
                this.frames.pop();
            });
        });
    }

    /// Whether there are rows and columns enough for packing to pay.
    pub(super) fn packing_pays(&mut self, nest: &Nest<'_>, packed: &PackedSchedule) -> Value {
        let least_rows = 2 * i64::from(packed.rows);
        let rows = self.compare_const(CompareOp::Ge, nest.sizes[packed.row as usize], least_rows);
        let least_columns = i64::from(packed.width / 2);
        let columns = self.compare_const(CompareOp::Ge, nest.sizes[packed.column as usize], least_columns);
        self.b.binary(BinaryOp::And, rows, columns)
    }
}
