//! Dots of columns with something that is the same for all columns: a turned matrix times a vector. Lanes are columns, a few
//! vectors side by side, and their sums stay in registers; every column keeps its own order.
//!
//! Right behind the build that makes the matrix, both are one nest: an element is added to its column's sum as it is
//! made. `m = f(m); y = [dot(m[k, i], x[k] for k) for i]` goes through the matrix once.

use std::rc::Rc;

use we3_ir::{Block, CompareOp, ForKind, Op, Opcode, Value};

use super::build::Nest;
use super::carried_place::at_least_zero;
use super::nests::PlacedNest;
use super::product::{Needs, is_scalar_code};
use super::schedule::{NestSchedule, schedule_build};
use super::state::{Array, Lower, Lowered};
use super::update::part;
use super::wavefront::count_uses;
use crate::analysis::effects::is_pure_scalar;

/// Columns that are summed together: the sums fill some registers, so that one addition need not wait for another.
const COLUMNS: u16 = 64;

/// A matrix that is made while the sums behind it are computed.
#[derive(Debug)]
pub(super) struct Joined {
    producer: Op,
    consumer: Op,
    /// The dot of the consumer.
    dot: Op,
    /// The frame in which both stand, and where the producer does.
    frame: Option<usize>,
    index: u32,
    place: Array,
    /// Operations of the producer that a whole column shares, and the others.
    shared: Vec<Op>,
    own: Vec<Op>,
}

impl Lower<'_> {
    /// All elements along the last axis of a nest of dots, in lanes; as `otherwise` says where memory sets the pace,
    /// which wider pieces of rows serve better.
    pub(super) fn dot_columns(
        &mut self,
        nest: &Nest<'_>,
        dot: Op,
        (kind, outer): (ForKind, &[Value]),
        otherwise: impl FnOnce(&mut Self),
    ) {
        let in_groups = |this: &mut Self| {
            this.column_groups(nest, kind, outer.len(), |this, column| {
                this.build_element(nest, &[outer, &[column]].concat());
            });
        };
        let src = self.src;
        let data = &src.ops[dot];
        let needs = Needs::of(src, &[nest.body], &data.args);
        if !(needs.ops.is_empty() && needs.params.is_empty()) {
            return in_groups(self);
        }
        let mut sizes = self.scalars(&data.args);
        sizes.push(nest.sizes[outer.len()]);
        let elements = self.count(&sizes);
        let bytes = u64::from(src.ty(data.results[0]).element().bytes());
        let near = self.compare_const(CompareOp::Le, elements, (self.facts.l2_bytes / bytes) as i64);
        self.if_else(
            near,
            &[],
            |this| {
                in_groups(this);
                Vec::new()
            },
            |this| {
                otherwise(this);
                Vec::new()
            },
        );
    }

    fn column_groups(
        &mut self,
        nest: &Nest<'_>,
        kind: ForKind,
        axis: usize,
        element: impl FnOnce(&mut Self, Value),
    ) {
        let size = nest.sizes[axis];
        let zero = self.i64(0);
        let n_groups = self.ceil_shift(size, i64::from(COLUMNS.trailing_zeros()));
        self.for_kind(kind, zero, n_groups, &[], |this, number, _| {
            let from = this.mul_const(number, i64::from(COLUMNS));
            let end = this.add_const(from, i64::from(COLUMNS));
            let hi = this.min(end, size);
            this.for_kind(ForKind::Lanes(COLUMNS), from, hi, &[], |this, column, _| {
                element(this, column);
                Vec::new()
            });
            Vec::new()
        });
    }

    /// Whether the sums of columns behind a build can be computed with it; then nothing is written for the build itself,
    /// which goes into `place`.
    pub(super) fn join_columns(&mut self, op: Op, place: &Array) -> bool {
        let Some((consumer, dot)) = self.column_sums_of(op) else { return false };
        let src = self.src;
        let region = src.ops[op].regions[0];
        let mut moving = vec![src.blocks[region].params[0]];
        let (mut shared, mut own) = (Vec::new(), Vec::new());
        for inner in &src.blocks[region].ops {
            let data = &src.ops[*inner];
            if data.opcode == Opcode::Yield {
                continue;
            }
            if data.args.iter().any(|arg| moving.contains(arg)) {
                moving.extend_from_slice(&data.results);
                own.push(*inner);
            } else {
                shared.push(*inner);
            }
        }
        let index = self.frames[self.frame()].index;
        let frame = self.owner();
        self.joined = Some(Rc::new(Joined {
            producer: op,
            consumer,
            dot,
            frame,
            index,
            place: place.clone(),
            shared,
            own,
        }));
        true
    }

    /// The operation behind a build of a matrix that sums its columns, all of them, and the dot in it.
    fn column_sums_of(&mut self, producer: Op) -> Option<(Op, Op)> {
        let src = self.src;
        let data = &src.ops[producer];
        let [matrix] = data.results[..] else { return None };
        let region = data.regions[0];
        // Threads share columns, not rows: who has no thread of its own yet loses.
        let pays = self.in_parallel && self.facts.masks && !self.facts.compact && !self.facts.grid;
        if !pays
            || data.opcode != (Opcode::Build { rank: 2 })
            || src.schedules[producer].is_some()
            || !src.blocks[region].ops.iter().all(|op| is_scalar_code(src, *op))
        {
            return None;
        }
        let frame = &self.frames[self.frame()];
        let behind = &src.blocks[frame.block].ops[frame.index as usize + 1..];
        let consumer = *behind.iter().find(|op| !is_pure_scalar(&src.ops[**op].opcode))?;
        let sums = &src.ops[consumer];
        let n_columns = match (&sums.opcode, &sums.args[..]) {
            (Opcode::Build { rank: 1 }, [size]) if self.has_own_place(consumer, region) => *size,
            (Opcode::Update { rank: 1, masked: false }, [dest, size]) => {
                self.is_apart(consumer, *dest, region).then_some(*size)?
            }
            _ => return None,
        };
        let body = sums.regions[0];
        let dot = self.only_dot_of(consumer, matrix)?;
        let same = |left, right| at_least_zero(src, left) == at_least_zero(src, right);
        let whole = same(src.ops[dot].args[0], data.args[0]) && same(n_columns, data.args[1]);
        let in_columns = self.dot_nest(consumer, 1, 1)?.in_columns();
        (whole && in_columns && src.schedules[consumer].is_none() && count_uses(src, body, matrix) == 1)
            .then_some((consumer, dot))
    }

    /// Whether a build writes nowhere that `region` reads.
    fn has_own_place(&self, build: Op, region: Block) -> bool {
        let src = self.src;
        let [result] = src.ops[build].results[..] else { return false };
        let block = self.frames[self.frame()].block;
        let before = self.shares_place(block, build, result);
        before.is_none_or(|before| count_uses(src, region, before) == 0)
    }

    /// Whether an update writes a part of an array, in order, that neither it nor `region` reads.
    fn is_apart(&self, update: Op, dest: Value, region: Block) -> bool {
        let src = self.src;
        let body = src.ops[update].regions[0];
        let Lowered::Array(array) = &self.env[dest] else { return false };
        !self.is_swapped(update)
            && part(src, body, 1).is_some()
            && [body, region].iter().all(|block| !self.used_in_region(array.root, *block))
    }

    /// The dot of a body that otherwise computes scalars, if it reads the matrix along each column.
    fn only_dot_of(&self, consumer: Op, matrix: Value) -> Option<Op> {
        let src = self.src;
        let body = src.ops[consumer].regions[0];
        let [column] = src.blocks[body].params[..] else { return None };
        let mut others = src.blocks[body].ops.iter().filter(|op| !is_scalar_code(src, **op));
        let (dot, None) = (*others.next()?, others.next()) else { return None };
        let data = &src.ops[dot];
        if data.opcode != (Opcode::Dot { rank: 1 }) {
            return None;
        }
        let operands = data.regions[0];
        let [row] = src.blocks[operands].params[..] else { return None };
        let reads = |op: &Op| src.ops[*op].args[..] == [matrix, row, column];
        src.blocks[operands].ops.iter().any(reads).then_some(dot)
    }

    /// What a nest that is joined with a matrix writes; false: it is not.
    pub(super) fn write_joined(&mut self, op: Op, sizes: &[Value], places: &[Array], skip: usize) -> bool {
        let Some(joined) = self.joined.clone().filter(|joined| joined.consumer == op) else { return false };
        let src = self.src;
        let schedule = schedule_build(src, op, 1, self.in_parallel, self.facts);
        self.note_joined(&joined, &schedule);
        let body = src.ops[op].regions[0];
        let ranges = vec![None];
        let nest = Nest { sizes, ranges, schedule: &schedule, body, places, skip, dots: None };
        let n_rows = self.scalar(src.ops[joined.producer].args[0]);
        let some = self.compare_const(CompareOp::Gt, n_rows, 0);
        self.if_else(
            some,
            &[],
            |this| {
                this.column_groups(&nest, ForKind::Serial, 0, |this, column| {
                    this.begin_column(&joined, column);
                    this.build_element(&nest, &[column]);
                });
                Vec::new()
            },
            |this| {
                // What a column shares is not there to be read.
                let rank = src.ops[joined.dot].args.len();
                let nothing = this.dot_of(joined.dot, rank).nothing[0];
                let (zero, size) = (this.i64(0), sizes[0]);
                this.for_each(zero, size, |this, column| {
                    this.enter(body);
                    this.bind_scalar_params(body, &[column]);
                    this.finish_element(&nest, &[column], (joined.dot, nothing));
                });
                Vec::new()
            },
        );
        self.joined = None;
        self.release(joined.index, &[]);
        true
    }

    fn note_joined(&mut self, joined: &Joined, sums: &NestSchedule) {
        let inside = self.frames.len() > 1;
        let lanes = Some((1, u32::from(COLUMNS)));
        let matrix = NestSchedule { order: vec![1, 0], vector: lanes, ..NestSchedule::default() };
        self.nests.push(PlacedNest { op: joined.producer, rank: 2, schedule: matrix, inside });
        self.nests.push(PlacedNest { op: joined.consumer, rank: 1, schedule: sums.clone(), inside });
    }

    fn begin_column(&mut self, joined: &Joined, column: Value) {
        let region = self.src.ops[joined.producer].regions[0];
        self.enter(region);
        self.set_scalar(self.src.blocks[region].params[1], column);
        for op in &joined.shared {
            self.op(*op);
        }
        self.frames.pop();
    }

    /// An element of a joined matrix that its sum reads: it is made here.
    pub(super) fn index_of_joined(&mut self, op: Op) -> Option<Value> {
        let src = self.src;
        let data = &src.ops[op];
        let joined = self.joined.clone()?;
        if data.args[0] != src.ops[joined.producer].results[0] {
            return None;
        }
        let cell = self.scalars(&data.args[1..]);
        let region = src.ops[joined.producer].regions[0];
        self.enter(region);
        self.set_scalar(src.blocks[region].params[0], cell[0]);
        for op in &joined.own {
            self.op(*op);
        }
        let value = self.scalar(src.yields(region)[0]);
        let offset = self.row_offset(&joined.place, &cell);
        self.store(joined.place.buffer, offset, value);
        self.frames.pop();
        Some(value)
    }

    /// Whether the frame waits for the sums of a joined matrix: until then everything stays that it reads.
    pub(super) fn waits_for_sums(&self) -> bool {
        self.joined.as_ref().is_some_and(|joined| joined.frame == self.owner())
    }
}
