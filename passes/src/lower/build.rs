//! `build` and `index`: arrays from index functions, written straight into their place.

use we3_ir::{Block, ForKind, Op, Type, Value};

use super::nests::PlacedNest;
use super::product::PackedSchedule;
use super::schedule::{NestSchedule, schedule_build};
use super::short_axis::{short_axis, write_out};
use super::state::{Array, Dest, Lower};
use super::tile::DotNest;

/// log₂ of how many iterations of a one-dimensional nest a thread takes at a time.
const STRETCH_SHIFT: i64 = 14;

impl Lower<'_> {
    pub(super) fn lower_build(&mut self, op: Op, rank: usize) {
        if self.build_into_other(op) {
            return;
        }
        let src = self.src;
        let data = &src.ops[op];
        let sizes = self.scalars(&data.args[..rank]);
        let mut places: Vec<Array> = Vec::new();
        let mut copies: Vec<Value> = Vec::new();
        let n_copied = self.copied.len();
        for result in &data.results {
            let place = match self.reused(op, *result) {
                Some((place, slices)) => {
                    copies.extend(self.copy_slices(&slices, &sizes));
                    place
                }
                None => self.place_result(*result),
            };
            places.push(place);
        }
        let joined = matches!(&places[..], [place] if copies.is_empty() && self.join_columns(op, place));
        if !joined && !self.is_overwritten(op) {
            self.lower_nest(op, &sizes, &places, 0);
        }
        self.copied.truncate(n_copied);
        for copy in copies {
            self.free(copy);
        }
    }

    /// The loops of a build, or of an update that writes every cell of a part of an array: where each value goes is
    /// said by `places`; the first `skip` values that the body yields are not wanted.
    pub(super) fn lower_nest(&mut self, op: Op, sizes: &[Value], places: &[Array], skip: usize) {
        if self.write_joined(op, sizes, places, skip) {
            return;
        }
        let rank = sizes.len();
        let mut schedule = schedule_build(self.src, op, rank, self.in_parallel, self.facts);
        let asked = self.src.schedules[op].as_ref().is_some_and(|asked| asked.arranges_loops());
        let short = if skip == 0 && !asked { short_axis(self.src, op, &schedule) } else { None };
        if let Some(short) = short {
            write_out(&mut schedule, short, self.in_parallel);
        }
        // Before those inside.
        self.nests.push(PlacedNest { op, rank, schedule: schedule.clone(), inside: self.frames.len() > 1 });
        let other = if asked { None } else { self.along_other_axis(op, &schedule, sizes) };
        let Some((short, other)) = other else {
            return self.write_nest(op, sizes, places, skip, &schedule);
        };
        let along = |schedule: NestSchedule| {
            move |this: &mut Self| {
                this.write_nest(op, sizes, places, skip, &schedule);
                Vec::new()
            }
        };
        self.if_else(short, &[], along(other), along(schedule));
    }

    fn write_nest(
        &mut self,
        op: Op,
        sizes: &[Value],
        places: &[Array],
        skip: usize,
        schedule: &NestSchedule,
    ) {
        let rank = sizes.len();
        let was_parallel = self.in_parallel;
        let dots = schedule.dot_tile.and_then(|(near, far)| self.dot_nest(op, near, far));
        let body = self.src.ops[op].regions[0];
        let ranges = vec![None; rank];
        let nest = Nest { sizes, ranges, schedule, body, places, skip, dots: dots.as_ref() };
        self.blocks(&nest, 0);
        self.in_parallel = was_parallel;
    }

    /// The loops over blocks from number `number` on, then those over all axes.
    fn blocks(&mut self, nest: &Nest<'_>, number: usize) {
        let Some((axis, size)) = nest.schedule.tiles.get(number).copied() else {
            return self.build_axis(nest, 0, &mut vec![None; nest.sizes.len()]);
        };
        let end = nest.sizes[axis as usize];
        let parallel = nest.schedule.parallel.contains(&axis);
        self.in_parallel |= parallel;
        let kind = if parallel { ForKind::Parallel } else { ForKind::Serial };
        let (zero, size) = (self.i64(0), i64::from(size));
        let past = self.add_const(end, size - 1);
        let n_blocks = self.div_const(past, size);
        self.for_kind(kind, zero, n_blocks, &[], |this, block, _| {
            let lo = this.mul_const(block, size);
            let full = this.add_const(lo, size);
            let hi = this.min(full, end);
            let mut ranges = nest.ranges.clone();
            ranges[axis as usize] = Some((lo, hi));
            this.blocks(&Nest { ranges, ..*nest }, number + 1);
            Vec::new()
        });
    }

    /// The loops from position `depth` of the schedule's order on.
    pub(super) fn build_axis(&mut self, nest: &Nest<'_>, depth: usize, subscripts: &mut Vec<Option<Value>>) {
        let Some(axis) = nest.schedule.order.get(depth).map(|axis| *axis as usize) else {
            let subscripts: Vec<Value> = subscripts.iter().flatten().copied().collect();
            self.build_element(nest, &subscripts);
            return;
        };
        let is_first_row = |packed: &&PackedSchedule| packed.row_axes[0] as usize == axis;
        if let Some((_, size)) = nest.schedule.written_out.filter(|(short, _)| *short as usize == axis) {
            self.short_row(nest, (axis, size), subscripts);
        } else if let Some(packed) = nest.schedule.packed.as_ref().filter(is_first_row) {
            self.rows_and_columns(nest, packed, depth, subscripts);
        } else {
            self.plain_axis(nest, axis, depth, subscripts);
        }
    }

    /// In tiles when that pays, else loop by loop.
    fn rows_and_columns(
        &mut self,
        nest: &Nest<'_>,
        packed: &PackedSchedule,
        depth: usize,
        subscripts: &mut Vec<Option<Value>>,
    ) {
        let first_row = packed.row_axes[0] as usize;
        let Some(product) = self.product(nest, packed) else {
            return self.plain_axis(nest, first_row, depth, subscripts);
        };
        let was_parallel = self.in_parallel;
        let pays = self.tiles_pay(&product);
        let outer = subscripts.clone();
        self.if_else(
            pays,
            &[],
            |this| {
                this.packed_nest(&product, &outer);
                this.in_parallel = was_parallel;
                Vec::new()
            },
            |this| {
                this.plain_axis(nest, first_row, depth, subscripts);
                Vec::new()
            },
        );
    }

    fn plain_axis(
        &mut self,
        nest: &Nest<'_>,
        axis: usize,
        depth: usize,
        subscripts: &mut Vec<Option<Value>>,
    ) {
        let of_axis =
            |list: &[(u32, u32)]| list.iter().find(|(of, _)| *of as usize == axis).map(|(_, size)| *size);
        // The threads of an axis in blocks share the blocks.
        let in_blocks = of_axis(&nest.schedule.tiles).is_some();
        let parallel = nest.schedule.parallel.contains(&(axis as u32)) && !in_blocks;
        self.in_parallel |= parallel;
        let kind = if parallel { ForKind::Parallel } else { ForKind::Serial };
        let rank = nest.sizes.len();
        if let Some((_, lanes)) = nest.schedule.vector.filter(|(vector, _)| *vector as usize == axis) {
            self.lane_axis(nest, depth, subscripts, (parallel, lanes as u16));
            return;
        }
        if let (Some(dots), true) = (nest.dots, depth + 1 == rank && axis + 1 == rank) {
            let outer: Vec<Value> = subscripts.iter().flatten().copied().collect();
            let otherwise = |this: &mut Self| this.dot_row(nest, dots, kind, &outer);
            match &nest.schedule.rows {
                Some(rows) => self.row_blocks(nest, rows, (kind, &outer), otherwise),
                None if dots.in_columns() && nest.schedule.packed.is_none() => {
                    let once = |this: &mut Self| this.dot_row_once(nest, dots, kind, &outer);
                    self.dot_columns(nest, dots.dot, (kind, &outer), once);
                }
                None => otherwise(self),
            }
            return;
        }
        let (mut lo, hi) = self.range(nest, axis);
        if let Some(copies) = of_axis(&nest.schedule.unroll) {
            lo = self.copies_of_body(nest, (axis, depth), (kind, copies), subscripts);
        }
        self.for_kind(kind, lo, hi, &[], |this, i, _| {
            subscripts[axis] = Some(i);
            this.build_axis(nest, depth + 1, subscripts);
            Vec::new()
        });
    }

    fn range(&mut self, nest: &Nest<'_>, axis: usize) -> (Value, Value) {
        nest.ranges[axis].unwrap_or_else(|| (self.i64(0), nest.sizes[axis]))
    }

    /// As many iterations as `copies` at a time have; where they end.
    fn copies_of_body(
        &mut self,
        nest: &Nest<'_>,
        (axis, depth): (usize, usize),
        (kind, copies): (ForKind, u32),
        subscripts: &mut Vec<Option<Value>>,
    ) -> Value {
        let (lo, hi) = self.range(nest, axis);
        let zero = self.i64(0);
        let span = self.sub(hi, lo);
        let n_rounds = self.div_const(span, i64::from(copies));
        self.for_kind(kind, zero, n_rounds, &[], |this, round, _| {
            let done = this.mul_const(round, i64::from(copies));
            let first = this.add(lo, done);
            for copy in 0..copies {
                subscripts[axis] = Some(this.add_const(first, i64::from(copy)));
                this.build_axis(nest, depth + 1, subscripts);
            }
            Vec::new()
        });
        let done = self.mul_const(n_rounds, i64::from(copies));
        self.add(lo, done)
    }

    /// The innermost loop in lanes; a parallel one in stretches, so that threads share it.
    fn lane_axis(
        &mut self,
        nest: &Nest<'_>,
        depth: usize,
        subscripts: &mut Vec<Option<Value>>,
        (parallel, lanes): (bool, u16),
    ) {
        let axis = nest.schedule.order[depth] as usize;
        let (zero, size) = self.range(nest, axis);
        let stretch = |this: &mut Self, lo: Value, hi: Value, subscripts: &mut Vec<Option<Value>>| {
            this.for_kind(ForKind::Lanes(lanes), lo, hi, &[], |this, i, _| {
                subscripts[axis] = Some(i);
                this.build_axis(nest, depth + 1, subscripts);
                Vec::new()
            });
        };
        if !parallel || depth > 0 {
            return stretch(self, zero, size, subscripts);
        }
        let n_stretches = self.ceil_shift(size, STRETCH_SHIFT);
        self.for_kind(ForKind::Parallel, zero, n_stretches, &[], |this, number, _| {
            let lo = this.mul_const(number, 1 << STRETCH_SHIFT);
            let end = this.add_const(lo, 1 << STRETCH_SHIFT);
            let hi = this.min(end, size);
            stretch(this, lo, hi, subscripts);
            Vec::new()
        });
    }

    /// One iteration: lowers the body and puts what it yields in place.
    pub(super) fn build_element(&mut self, nest: &Nest<'_>, subscripts: &[Value]) {
        let src = self.src;
        self.enter(nest.body);
        self.bind_scalar_params(nest.body, subscripts);
        let yields = &src.yields(nest.body)[nest.skip..];
        let offsets: Vec<Value> =
            nest.places.iter().map(|place| self.row_offset(place, subscripts)).collect();
        let mut dests = vec![None; nest.skip];
        for (position, value) in yields.iter().enumerate() {
            dests.push(match src.ty(*value) {
                Type::Array(..) => Some(self.row(&nest.places[position], offsets[position])),
                Type::Scalar(_) | Type::Buffer(_) | Type::Vector(..) => None,
            });
        }
        self.block_ops(&dests);
        let scalars = self.leave(&dests);
        let places = (0..yields.len()).filter(|position| dests[nest.skip + *position].is_none());
        for (position, value) in places.zip(scalars.into_iter().skip(nest.skip)) {
            self.store(nest.places[position].buffer, offsets[position], value);
        }
    }

    /// The rest of the body for one element, which has been entered: a dot is known.
    pub(super) fn finish_element(&mut self, nest: &Nest<'_>, subscripts: &[Value], dot: (Op, Value)) {
        let before = self.known_dot.replace(dot);
        self.block_ops(&[]);
        self.known_dot = before;
        let values = self.leave(&[]);
        for (place, value) in nest.places.iter().zip(values.into_iter().skip(nest.skip)) {
            let offset = self.row_offset(place, subscripts);
            self.store(place.buffer, offset, value);
        }
    }

    fn row(&mut self, place: &Array, offset: Value) -> Dest {
        let ty = Type::Buffer(place.elem);
        let args = vec![place.buffer, offset];
        let buffer = self.b.value(we3_ir::Opcode::Offset, args, vec![], ty);
        Dest::Place { buffer, step: place.step }
    }

    /// Offset of the element (or the row, with fewer subscripts than axes), in memory elements.
    /// Subscripts come outermost first, so that what is invariant in inner loops adds up first.
    pub(super) fn row_offset(&mut self, array: &Array, subscripts: &[Value]) -> Value {
        let terms = self.terms(array, subscripts);
        self.sum_terms(array, &terms)
    }

    fn terms(&mut self, array: &Array, subscripts: &[Value]) -> Vec<Value> {
        let mut terms = Vec::new();
        for (axis, subscript) in subscripts.iter().enumerate() {
            terms.push(match array.strides.get(axis) {
                Some(stride) => self.mul(*subscript, *stride),
                None => *subscript,
            });
        }
        terms
    }

    fn sum_terms(&mut self, array: &Array, terms: &[Value]) -> Value {
        let sum = match terms.split_first() {
            None => self.i64(0),
            Some((first, rest)) => rest.iter().fold(*first, |sum, term| self.add(sum, *term)),
        };
        self.mul_const(sum, i64::from(array.step))
    }

    /// Offset of an element whose subscripts are source values: those defined in outer regions first.
    pub(super) fn element_offset(&mut self, array: &Array, subscripts: &[Value]) -> Value {
        let lowered = self.scalars(subscripts);
        let terms = self.terms(array, &lowered);
        let mut order: Vec<usize> = (0..subscripts.len()).collect();
        order.sort_by_key(|axis| self.depth[subscripts[*axis]]);
        let terms: Vec<Value> = order.into_iter().map(|axis| terms[axis]).collect();
        self.sum_terms(array, &terms)
    }

    pub(super) fn lower_index(&mut self, op: Op) {
        let data = &self.src.ops[op];
        let known = self.index_of_cell(op).or_else(|| self.index_of_turn(op));
        let known = known.or_else(|| self.index_of_slice(op));
        if let Some(value) = known.or_else(|| self.index_of_joined(op)) {
            self.set_scalar(data.results[0], value);
            return;
        }
        let array = self.array(data.args[0]);
        let offset = self.element_offset(&array, &data.args[1..]);
        let value = self.load(array.elem, array.buffer, offset);
        self.set_scalar(data.results[0], value);
    }
}

/// A build being written.
pub(super) struct Nest<'a> {
    pub sizes: &'a [Value],
    /// Where the block of each axis begins and ends; none: all of it.
    pub ranges: Vec<Option<(Value, Value)>>,
    pub schedule: &'a NestSchedule,
    pub body: Block,
    pub places: &'a [Array],
    /// How many of the values that the body yields, the first ones, go nowhere.
    pub skip: usize,
    pub dots: Option<&'a DotNest>,
}
