//! Products as tiles. Columns are cut into panels; the operand of a panel is copied once, in the order in which it is
//! used, or read in place where it lies in cache anyway; then tiles of some rows by a panel's columns keep their
//! accumulators in registers while the dots run (`micro.rs`). (Goto and van de Geijn, "Anatomy of High-Performance
//! Matrix Multiplication", TOMS 2008.) Every dot keeps its own order: runs of 512, joined from the left.

use we3_ir::{BinaryOp, Block, CompareOp, ForKind, Scalar, Type, Value};

use super::build::Nest;
use super::dot::Chain;
use super::operand::sizes_of;
use super::product::{Line, Needs, PackedSchedule};
use super::state::Lower;

/// An operand of so many operations is written once for each row of a tile.
const WRITTEN_OUT: usize = 16;

/// A product being written.
pub(super) struct Product<'a> {
    pub nest: &'a Nest<'a>,
    pub schedule: &'a PackedSchedule,
    /// The dot's region that yields both operands.
    pub operands: Block,
    /// Sizes of the dot's axes, and their product.
    pub inner: Vec<Value>,
    pub n_inner: Value,
    pub n_rows: Value,
    pub n_columns: Value,
    pub acc: Scalar,
    /// What each run starts from: without elements, the result.
    pub start: Value,
    /// Whether the columns' operand is read where it is, if it could be.
    in_place: Option<Value>,
}

/// A panel of columns. Lane k is column `start + k`; the lanes before column `from` were kept with another panel.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    pub start: Value,
    pub from: Value,
    /// How many columns from `from` on are kept.
    pub n_columns: Value,
    /// Whether it is not a narrow one, where there are such.
    pub is_wide: Option<Value>,
    /// The columns' operand: element k of the dots for the first lane is at `base + k · step`.
    pub buffer: Value,
    pub base: Value,
    pub step: Value,
}

/// Where the operand that follows the rows is read.
pub(super) enum RowSource<'a> {
    /// A copy: for each tile, for each element of the dots, that of each row.
    Packed(Value),
    /// Memory as it is.
    InPlace(&'a Line),
}

/// Columns that are neighbours along the last axis of the build.
pub(super) struct Segment {
    /// Subscripts of the other column axes.
    pub outer: Vec<Value>,
    /// The last subscript of lane 0.
    pub origin: Value,
    /// The first lane, and the one behind the last.
    pub lanes: (Value, Value),
}

/// Subscripts of the axes that are not rows or columns.
pub(super) type Outer<'a> = &'a [Option<Value>];

impl Lower<'_> {
    /// What a product needs to know before it is decided how it runs.
    pub(super) fn product<'a>(
        &mut self,
        nest: &'a Nest<'a>,
        schedule: &'a PackedSchedule,
    ) -> Option<Product<'a>> {
        let src = self.src;
        let data = &src.ops[schedule.dot];
        for op in &schedule.sizes {
            self.op(*op);
        }
        let dot = self.dot_of(schedule.dot, data.args.len());
        let Chain::Fma { body, acc } = dot.chain else { return None };
        let zero = self.i64(0);
        let sizes = self.scalars(&data.args);
        let inner: Vec<Value> =
            sizes.into_iter().map(|size| self.b.binary(BinaryOp::Max, size, zero)).collect();
        let n_inner = self.count(&inner);
        let none = self.compare_const(CompareOp::Eq, n_inner, 0);
        let start = self.b.select(none, dot.nothing[0], dot.start[0]);
        let n_rows = self.count(&sizes_of(nest, &schedule.row_axes));
        let n_columns = self.count(&sizes_of(nest, &schedule.column_axes));
        let mut product = Product {
            nest,
            schedule,
            operands: body,
            inner,
            n_inner,
            n_rows,
            n_columns,
            acc,
            start,
            in_place: None,
        };
        product.in_place = self.in_place(&product);
        Some(product)
    }

    /// The columns' operand is read in place when neighbours are neighbours in memory, and it stays in the first
    /// cache, is used too seldom to be copied, or lies as a copy would.
    fn in_place(&mut self, product: &Product<'_>) -> Option<Value> {
        let line = product.schedule.lines[1].as_ref().filter(|line| line.is_along_columns())?;
        if self.facts.compact {
            // One way is less code than two.
            return None;
        }
        if self.array(self.src.ops[line.index].args[0]).step != 1 {
            return None;
        }
        let elements = self.b.binary(BinaryOp::MulSat, product.n_inner, product.n_columns);
        let room = (self.facts.l1_bytes / u64::from(product.acc.bytes())) as i64;
        let small = self.compare_const(CompareOp::Le, elements, room);
        let few = self.compare_const(CompareOp::Lt, product.n_rows, 2 * i64::from(product.schedule.rows));
        let (_, step) = self.line_step(line);
        let dense = self.compare_const(CompareOp::Le, step, 2 * product.schedule.width());
        let near = self.b.binary(BinaryOp::Or, small, dense);
        Some(self.b.binary(BinaryOp::Or, near, few))
    }

    /// Whether there are rows and columns enough for tiles.
    pub(super) fn tiles_pay(&mut self, product: &Product<'_>) -> Value {
        let schedule = product.schedule;
        let least = if schedule.narrow { i64::from(schedule.lanes) } else { schedule.width() };
        let rows = self.compare_const(CompareOp::Ge, product.n_rows, 2 * i64::from(schedule.rows));
        let columns = self.compare_const(CompareOp::Ge, product.n_columns, (least / 2).max(1));
        let many = self.b.binary(BinaryOp::And, rows, columns);
        let Some(in_place) = product.in_place else { return many };
        let rows = self.compare_const(CompareOp::Ge, product.n_rows, i64::from(schedule.rows / 2 + 1));
        let columns = self.compare_const(CompareOp::Ge, product.n_columns, least);
        let enough = self.b.binary(BinaryOp::And, rows, columns);
        let enough = self.b.binary(BinaryOp::And, enough, in_place);
        self.b.binary(BinaryOp::Or, many, enough)
    }

    /// The loops over columns and rows, for given subscripts of the other axes.
    pub(super) fn packed_nest(&mut self, product: &Product<'_>, outer: Outer<'_>) {
        let schedule = product.schedule;
        let rows = match &schedule.lines[0] {
            Some(line) => RowSource::InPlace(line),
            None => RowSource::Packed(self.pack_rows(product, outer)),
        };
        let width = schedule.width();
        // Narrow panels take what fills at most half a panel.
        let before_next = if schedule.narrow { width / 2 - 1 } else { width - 1 };
        let sum = self.add_const(product.n_columns, before_next);
        let n_wide = self.div_const(sum, width);
        let mut n_panels = n_wide;
        if schedule.narrow {
            let done = self.mul_const(n_wide, width);
            let rest = self.sub(product.n_columns, done);
            let zero = self.i64(0);
            let rest = self.b.binary(BinaryOp::Max, rest, zero);
            let sum = self.add_const(rest, i64::from(schedule.lanes) - 1);
            let n_narrow = self.div_const(sum, i64::from(schedule.lanes));
            n_panels = self.add(n_wide, n_narrow);
        }
        let parallel = product.nest.schedule.parallel.contains(&schedule.column_axes[0]);
        let kind = if parallel { ForKind::Parallel } else { ForKind::Serial };
        self.in_parallel |= parallel;
        let zero = self.i64(0);
        self.for_kind(kind, zero, n_panels, &[], |this, number, _| {
            this.panel(product, outer, &rows, (number, n_wide));
            Vec::new()
        });
        if let RowSource::Packed(rows) = rows {
            self.free(rows);
        }
    }

    pub(super) fn div_const(&mut self, value: Value, number: i64) -> Value {
        let divisor = self.i64(number);
        self.b.binary(BinaryOp::Div, value, divisor)
    }

    /// How many tiles of rows there are.
    fn n_tiles(&mut self, product: &Product<'_>) -> Value {
        let rows = i64::from(product.schedule.rows);
        let sum = self.add_const(product.n_rows, rows - 1);
        self.div_const(sum, rows)
    }

    /// Copies the operand that follows the rows, tile by tile: for each element of the dots, that of each row.
    fn pack_rows(&mut self, product: &Product<'_>, outer: Outer<'_>) -> Value {
        let schedule = product.schedule;
        let rows = i64::from(schedule.rows);
        let n_tiles = self.n_tiles(product);
        let n_padded = self.mul_const(n_tiles, rows);
        let count = self.b.binary(BinaryOp::MulSat, n_padded, product.n_inner);
        let values = self.alloc(product.acc, count);
        let zero = self.i64(0);
        let last = self.add_const(product.n_rows, -1);
        let row_value = self.src.yields(product.operands)[1 - schedule.follows_column];
        let needs = Needs::of(self.src, &[product.nest.body, product.operands], &[row_value]);
        let short = needs.ops.len() <= WRITTEN_OUT;
        self.for_each(zero, n_tiles, |this, tile| {
            let first = this.mul_const(tile, rows);
            let base = this.mul(first, product.n_inner);
            let column = vec![zero; schedule.column_axes.len()];
            let copy = |this: &mut Self, number: Value, inner: &[Value], at: Value| {
                let row = this.add(first, number);
                let row = this.min(row, last);
                let row = this.split_flat(&sizes_of(product.nest, &schedule.row_axes), row);
                let pair = this.operands(product, outer, (&row, &column), inner);
                let at = this.add(at, number);
                this.store(values, at, pair[1 - schedule.follows_column]);
            };
            this.inner_blocks(&product.inner, &mut |this, inner, flat| {
                let at = this.mul_const(flat, rows);
                let at = this.add(base, at);
                if !short {
                    let n_rows = this.i64(rows);
                    return this.for_each(zero, n_rows, |this, number| copy(this, number, inner, at));
                }
                for number in 0..rows {
                    let number = this.i64(number);
                    copy(this, number, inner, at);
                }
            });
        });
        values
    }

    fn panel(
        &mut self,
        product: &Product<'_>,
        outer: Outer<'_>,
        rows: &RowSource<'_>,
        (number, n_wide): (Value, Value),
    ) {
        let schedule = product.schedule;
        let (from, room, is_wide) = self.panel_place(schedule, number, n_wide);
        let rest = self.sub(product.n_columns, from);
        let n_columns = self.min(rest, room);
        let in_place = product.in_place.map(|in_place| {
            let fits = self.b.compare(CompareOp::Ge, product.n_columns, room);
            self.b.binary(BinaryOp::And, in_place, fits)
        });
        let line = schedule.lines[1].as_ref().zip(in_place);
        let place = match line {
            None => self.packed_panel(product, outer, (from, n_columns, room)),
            Some((line, in_place)) => {
                let types = [Type::Buffer(product.acc), Type::I64, Type::I64, Type::I64];
                self.if_else(
                    in_place,
                    &types,
                    |this| this.panel_in_place(product, outer, line, (from, room)),
                    |this| this.packed_panel(product, outer, (from, n_columns, room)),
                )
            }
        };
        let [buffer, base, step, start] = place[..] else { return };
        let panel = Panel { start, from, n_columns, is_wide, buffer, base, step };
        self.tiles(product, outer, rows, &panel);
        match in_place {
            None => self.free(buffer),
            Some(in_place) => {
                self.if_else(
                    in_place,
                    &[],
                    |_| Vec::new(),
                    |this| {
                        this.free(buffer);
                        Vec::new()
                    },
                );
            }
        }
    }

    /// The first column of a panel, how many there may be, whether it is a wide one.
    fn panel_place(
        &mut self,
        schedule: &PackedSchedule,
        number: Value,
        n_wide: Value,
    ) -> (Value, Value, Option<Value>) {
        let (width, lanes) = (schedule.width(), i64::from(schedule.lanes));
        let room = self.i64(width);
        let from = self.mul_const(number, width);
        if !schedule.narrow {
            return (from, room, None);
        }
        let is_wide = self.b.compare(CompareOp::Lt, number, n_wide);
        let lane_room = self.i64(lanes);
        let room = self.b.select(is_wide, room, lane_room);
        let behind = self.mul_const(n_wide, width);
        let further = self.sub(number, n_wide);
        let further = self.mul_const(further, lanes);
        let behind = self.add(behind, further);
        (self.b.select(is_wide, from, behind), room, Some(is_wide))
    }

    /// Buffer, base, step and first column of a panel that is read where it is. The last one begins where a whole
    /// panel still fits.
    fn panel_in_place(
        &mut self,
        product: &Product<'_>,
        outer: Outer<'_>,
        line: &Line,
        (from, room): (Value, Value),
    ) -> Vec<Value> {
        let last = self.sub(product.n_columns, room);
        let start = self.min(from, last);
        let zero = self.i64(0);
        let row = vec![zero; product.schedule.row_axes.len()];
        let base = self.line_base(product, outer, (&row, &[start]), line);
        let (buffer, step) = self.line_step(line);
        vec![buffer, base, step, start]
    }

    /// The same of a panel copied to new memory; columns past the last hold zero.
    fn packed_panel(
        &mut self,
        product: &Product<'_>,
        outer: Outer<'_>,
        (from, n_columns, room): (Value, Value, Value),
    ) -> Vec<Value> {
        let schedule = product.schedule;
        let count = self.b.binary(BinaryOp::MulSat, product.n_inner, room);
        let values = self.alloc(product.acc, count);
        let zero = self.i64(0);
        let bytes = product.acc.bytes();
        let row = vec![zero; schedule.row_axes.len()];
        self.segments(product, (from, zero, n_columns), &mut |this, segment| {
            this.inner_loops(&product.inner, &mut Vec::new(), zero, &mut |this, inner, flat| {
                let line = this.mul(flat, room);
                this.for_lanes(bytes, segment.lanes.0, segment.lanes.1, |this, lane| {
                    let last = this.add(segment.origin, lane);
                    let column = [segment.outer.as_slice(), &[last]].concat();
                    let pair = this.operands(product, outer, (&row, &column), inner);
                    let at = this.add(line, lane);
                    this.store(values, at, pair[schedule.follows_column]);
                });
            });
        });
        let some = self.b.compare(CompareOp::Lt, n_columns, room);
        self.if_then(some, |this| {
            this.for_each(zero, product.n_inner, |this, flat| {
                let line = this.mul(flat, room);
                this.for_lanes(bytes, n_columns, room, |this, lane| {
                    let at = this.add(line, lane);
                    let nothing = this.b.constant(product.acc, 0);
                    this.store(values, at, nothing);
                });
            });
        });
        vec![values, zero, room, from]
    }

    /// Cuts columns into those that are neighbours along the last axis: `from` is lane number `shift`.
    pub(super) fn segments(
        &mut self,
        product: &Product<'_>,
        (from, shift, n_columns): (Value, Value, Value),
        body: &mut dyn FnMut(&mut Self, &Segment),
    ) {
        let end = self.add(shift, n_columns);
        let sizes = sizes_of(product.nest, &product.schedule.column_axes);
        if sizes.len() == 1 {
            let origin = self.sub(from, shift);
            body(self, &Segment { outer: Vec::new(), origin, lanes: (shift, end) });
            return;
        }
        let more = |this: &mut Self, lane: &[Value]| this.b.compare(CompareOp::Lt, lane[0], end);
        self.while_loop(&[shift], more, |this, lane| {
            let lane = lane[0];
            let done = this.sub(lane, shift);
            let flat = this.add(from, done);
            let mut outer = this.split_flat(&sizes, flat);
            let (Some(last), Some(size)) = (outer.pop(), sizes.last()) else { return vec![end] };
            let room = this.sub(*size, last);
            let next = this.add(lane, room);
            let next = this.min(next, end);
            let origin = this.sub(last, lane);
            body(this, &Segment { outer, origin, lanes: (lane, next) });
            vec![next]
        });
    }
}
