//! Dots of rows that lie one after the other in memory with something that is the same for all rows: a matrix times a
//! vector. Lanes are rows; blocks of the matrix are turned in registers, so that memory is read along the rows and
//! every row keeps its own order. The last elements of a row are read again together with those before them.

use we3_ir::{BinaryOp, Block, CompareOp, ForKind, Opcode, Scalar, Type, Value};

use super::build::Nest;
use super::dot::{Chain, RUN};
use super::product::RowsSchedule;
use super::state::Lower;

/// A build of dots in blocks of rows.
struct Rows<'a> {
    nest: &'a Nest<'a>,
    schedule: &'a RowsSchedule,
    operands: Block,
    /// Subscripts of the outer axes and of the first row of the block.
    cell: Vec<Value>,
    acc: Scalar,
    buffer: Value,
    /// Where the first row of the block begins, and how far it is to the next.
    base: Value,
    step: Value,
}

impl Lower<'_> {
    /// The innermost axis of a nest in blocks of rows; with too few rows or elements, as `otherwise` says.
    pub(super) fn row_blocks(
        &mut self,
        nest: &Nest<'_>,
        schedule: &RowsSchedule,
        (kind, outer): (ForKind, &[Value]),
        otherwise: impl FnOnce(&mut Self),
    ) {
        let src = self.src;
        let data = &src.ops[schedule.dot];
        let dot = self.dot_of(schedule.dot, data.args.len());
        let (Chain::Fma { body, acc }, Some(size)) = (dot.chain, nest.sizes.last()) else {
            return otherwise(self);
        };
        if self.array(src.ops[schedule.line.index].args[0]).step != 1 {
            return otherwise(self);
        }
        for op in &schedule.sizes {
            self.op(*op);
        }
        let n_inner = self.scalar(data.args[0]);
        let rows = self.compare_const(CompareOp::Ge, *size, i64::from(schedule.lanes));
        let elements = self.compare_const(CompareOp::Ge, n_inner, i64::from(schedule.piece()));
        let pays = self.b.binary(BinaryOp::And, rows, elements);
        let starts = (dot.start[0], dot.nothing[0]);
        self.if_else(
            pays,
            &[],
            |this| {
                let lanes = i64::from(schedule.lanes);
                let sum = this.add_const(*size, lanes - 1);
                let n_blocks = this.div_const(sum, lanes);
                let last = this.add_const(*size, -lanes);
                let zero = this.i64(0);
                this.for_kind(kind, zero, n_blocks, &[], |this, number, _| {
                    let from = this.mul_const(number, lanes);
                    let start = this.min(from, last);
                    let cell = [outer, &[start]].concat();
                    let base = this.line_offset((nest.body, body), &cell, &schedule.line);
                    let (buffer, _) = this.line_step(&schedule.line);
                    let step = this.distance(&schedule.line, &schedule.line.across);
                    let rows = Rows { nest, schedule, operands: body, cell, acc, buffer, base, step };
                    let totals = this.row_sums(&rows, n_inner, starts);
                    this.keep_rows(&rows, outer, (start, from), totals);
                    Vec::new()
                });
                Vec::new()
            },
            |this| {
                otherwise(this);
                Vec::new()
            },
        );
    }

    /// The dots of a block of rows, a lane each.
    fn row_sums(&mut self, rows: &Rows<'_>, n_inner: Value, (start, nothing): (Value, Value)) -> Value {
        let piece = i64::from(rows.schedule.piece());
        let (ty, lanes) = rows.vector();
        let zero = self.i64(0);
        let n_runs = self.ceil_shift(n_inner, 9);
        let start = self.b.value(Opcode::Splat(lanes), vec![start], vec![], ty.clone());
        let nothing = self.b.value(Opcode::Splat(lanes), vec![nothing], vec![], ty.clone());
        let totals = self.for_carry(zero, n_runs, &[nothing], |this, run, total| {
            let lo = this.mul_const(run, RUN);
            let end = this.add_const(lo, RUN);
            let hi = this.min(end, n_inner);
            let length = this.sub(hi, lo);
            let n_pieces = this.div_const(length, piece);
            let zero = this.i64(0);
            let sums = this.for_carry(zero, n_pieces, &[start], |this, number, sum| {
                let done = this.mul_const(number, piece);
                let from = this.add(lo, done);
                vec![this.row_piece(rows, from, sum[0], None)]
            });
            let done = this.mul_const(n_pieces, piece);
            let rest = this.sub(length, done);
            let some = this.compare_const(CompareOp::Gt, rest, 0);
            let sums = this.if_else(
                some,
                &[ty],
                |this| {
                    let from = this.add_const(hi, -piece);
                    let all = this.i64(piece);
                    let skip = this.sub(all, rest);
                    vec![this.row_piece(rows, from, sums[0], Some(skip))]
                },
                |_| sums.clone(),
            );
            let sum = this.b.binary(BinaryOp::Add, total[0], sums[0]);
            let is_first = this.compare_const(CompareOp::Eq, run, 0);
            vec![this.b.select(is_first, sums[0], sum)]
        });
        totals[0]
    }

    /// A few elements of every row, in order, but the first `skip`.
    fn row_piece(&mut self, rows: &Rows<'_>, from: Value, sum: Value, skip: Option<Value>) -> Value {
        let (ty, lanes) = rows.vector();
        let columns = self.turned(rows, from);
        let mut sum = sum;
        for (number, column) in (0i64..).zip(columns) {
            let k = self.add_const(from, number);
            self.enter(rows.nest.body);
            self.bind_scalar_params(rows.nest.body, &rows.cell);
            for op in &rows.schedule.before {
                self.op(*op);
            }
            let pair = self.scalar_region(rows.operands, &[k]);
            self.frames.pop();
            let factor = self.narrow(pair[1 - rows.schedule.follows_row], rows.acc);
            let factor = self.b.value(Opcode::Splat(lanes), vec![factor], vec![], ty.clone());
            let next = self.b.fma(column, factor, sum);
            sum = match skip {
                None => next,
                Some(skip) => {
                    let number = self.i64(number);
                    let counts = self.b.compare(CompareOp::Ge, number, skip);
                    self.b.select(counts, next, sum)
                }
            };
        }
        sum
    }

    /// A vector for each of a few neighbouring elements of the rows: lane r holds that of row r.
    fn turned(&mut self, rows: &Rows<'_>, from: Value) -> Vec<Value> {
        let piece = rows.schedule.piece() as u16;
        let lanes = rows.schedule.lanes as u16;
        let ty = Type::Vector(rows.acc, piece);
        let first = self.add(rows.base, from);
        let mut quarters = Vec::new();
        for number in 0..piece {
            // Rows `number`, `number + piece`, … side by side.
            let mut parts = Vec::new();
            for row in (number..lanes).step_by(usize::from(piece)) {
                let distance = self.mul_const(rows.step, i64::from(row));
                let at = self.add(first, distance);
                parts.push(self.b.value(Opcode::Load, vec![rows.buffer, at], vec![], ty.clone()));
            }
            while parts.len() > 1 {
                let pairs: Vec<Value> =
                    parts.chunks(2).map(|pair| self.concatenated(rows.acc, pair)).collect();
                parts = pairs;
            }
            quarters.extend(parts);
        }
        match quarters[..] {
            [a, b] => vec![
                self.interleaved(rows, [a, b], [[0, 0], [1, 0]]),
                self.interleaved(rows, [a, b], [[0, 1], [1, 1]]),
            ],
            [a, b, c, d] => {
                let picks = |lane: u16| [[0, lane], [1, lane], [0, lane + 1], [1, lane + 1]];
                let low = [[a, b], [c, d]].map(|pair| self.interleaved(rows, pair, picks(0)));
                let high = [[a, b], [c, d]].map(|pair| self.interleaved(rows, pair, picks(2)));
                let halves = |lane: u16| [[0, lane], [0, lane + 1], [1, lane], [1, lane + 1]];
                vec![
                    self.interleaved(rows, low, halves(0)),
                    self.interleaved(rows, low, halves(2)),
                    self.interleaved(rows, high, halves(0)),
                    self.interleaved(rows, high, halves(2)),
                ]
            }
            _ => quarters,
        }
    }

    /// One vector after the other.
    fn concatenated(&mut self, elem: Scalar, pair: &[Value]) -> Value {
        let [left, right] = pair else { return pair[0] };
        let Type::Vector(_, lanes) = *self.b.func.ty(*left) else { return *left };
        let ty = Type::Vector(elem, 2 * lanes);
        let picks = (0..2 * lanes).collect();
        self.b.value(Opcode::Shuffle(picks), vec![*left, *right], vec![], ty)
    }

    /// In each piece of the vectors, elements [of which vector, which] of the same piece.
    fn interleaved<const N: usize>(
        &mut self,
        rows: &Rows<'_>,
        pair: [Value; 2],
        picks: [[u16; 2]; N],
    ) -> Value {
        let (ty, lanes) = rows.vector();
        let pieces = (0..lanes).step_by(N);
        let picks =
            pieces.flat_map(|piece| picks.map(|[which, lane]| which * lanes + piece + lane)).collect();
        self.b.value(Opcode::Shuffle(picks), pair.to_vec(), vec![], ty)
    }

    /// The rest of the body for each row of the block, and the results into their places. Rows before `from` were
    /// in the block before.
    fn keep_rows(&mut self, rows: &Rows<'_>, outer: &[Value], (start, from): (Value, Value), totals: Value) {
        let lanes = rows.schedule.lanes;
        let memory = self.stack(rows.acc, lanes);
        let zero = self.i64(0);
        self.store(memory, zero, totals);
        let first = self.sub(from, start);
        let end = self.i64(i64::from(lanes));
        self.for_lanes(rows.acc.bytes(), first, end, |this, lane| {
            let dot = this.load(rows.acc, memory, lane);
            let row = this.add(start, lane);
            let all = [outer, &[row]].concat();
            this.enter(rows.nest.body);
            this.bind_scalar_params(rows.nest.body, &all);
            this.finish_element(rows.nest, &all, (rows.schedule.dot, dot));
        });
    }
}

impl Rows<'_> {
    /// The type of a vector of sums, and its lanes.
    fn vector(&self) -> (Type, u16) {
        let lanes = self.schedule.lanes as u16;
        (Type::Vector(self.acc, lanes), lanes)
    }
}
