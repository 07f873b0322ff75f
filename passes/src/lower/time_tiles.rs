//! Steps of a stencil over an array that is larger than the second cache: several steps go through the array together,
//! each some rows behind the one before, so that a row comes from far away once for all of them.
//!
//! Before: `for t { for row { y[row] = f(x[row − a ..= row + b]) }; swap }` · after: `for t by T { for r { for s in 0..T
//! { row = r − s · lag of step t + s } } }` with `lag = max(a, b)`. A step then reads rows that the step before has
//! finished, and writes over rows that the step before has read for the last time. (Wolf and Lam, "A data locality
//! optimizing algorithm", PLDI 1991; Wonnacott, IPDPS 2000.)

use we3_ir::{BinaryOp, Block, CompareOp, ForKind, Op, Opcode, Type, Value};

use super::build::Nest;
use super::nests::PlacedNest;
use super::product::{Needs, in_order};
use super::schedule::{NestSchedule, schedule_build};
use super::state::{Array, Lower};
use super::two_buffers::Swap;
use crate::analysis::effects::is_pure_scalar;

/// More steps together gain little.
const MOST_STEPS: i64 = 16;
/// Rows that a thread takes when an array fits the cache and every step goes through it by itself.
const CHUNK: i64 = 16;
/// Steps that look further are not worth it.
const FAR: i64 = 8;

/// A loop whose turns are nothing but steps of one array.
#[derive(Debug)]
pub(super) struct TimeTiles {
    swap: Swap,
    /// How many rows a step has to stay behind the one before, and how many it reads.
    lag: i64,
    window: i64,
    schedule: NestSchedule,
    /// What the rows need that is computed in the loop, and checks, which do not follow it.
    scalars: Vec<Op>,
    checks: Vec<Op>,
    check_needs: Vec<Op>,
}

impl Lower<'_> {
    /// Whether the steps of a loop may go through an array together.
    pub(super) fn time_tiles(&self, op: Op, swaps: &[Swap]) -> Option<TimeTiles> {
        let src = self.src;
        let [swap] = swaps else { return None };
        let body = src.ops[op].regions[0];
        let [_, array] = src.blocks[body].params[..] else { return None };
        let rank = src.ty(array).sizes().len();
        let schedule = schedule_build(src, swap.build, rank, true, self.facts);
        let by_rows = rank >= 2 && schedule.order[0] == 0 && schedule.vector.is_some() && !self.facts.grid;
        if !by_rows
            || schedule.packed.is_some()
            || schedule.rows.is_some()
            || !schedule.unroll.is_empty()
            || !schedule.tiles.is_empty()
        {
            return None;
        }
        let (mut scalars, mut checks, mut checked) = (Vec::new(), Vec::new(), Vec::new());
        for op in &src.blocks[body].ops {
            let data = &src.ops[*op];
            #[expect(clippy::wildcard_enum_match_arm, reason = "anything else is more than a step")]
            match &data.opcode {
                Opcode::Check { .. } => {
                    checks.push(*op);
                    checked.extend_from_slice(&data.args);
                }
                Opcode::Yield => {}
                opcode if is_pure_scalar(opcode) => scalars.push(*op),
                _ if *op == swap.build || *op == swap.update => {}
                _ => return None,
            }
        }
        let needs = Needs::of(src, &[body], &checked);
        let (above, below) = self.rows_read(swap, array)?;
        let fixed = needs.params.is_empty() && !needs.reads(src);
        fixed.then(|| TimeTiles {
            swap: swap.clone(),
            lag: above.max(below).max(1),
            window: above + below + 1,
            schedule,
            scalars,
            checks,
            check_needs: in_order(src, &[body], &needs.ops),
        })
    }

    /// How far above and below the row that it writes a step reads.
    fn rows_read(&self, swap: &Swap, array: Value) -> Option<(i64, i64)> {
        let src = self.src;
        let region = src.ops[swap.update].regions[0];
        let written = self.row_plus(src.yields(region)[0], src.blocks[region].params[0])?;
        let body = src.ops[swap.build].regions[0];
        let mut read = (0, 0);
        self.rows_read_in(body, (array, src.blocks[body].params[0]), written, &mut read)?;
        (read.0 <= FAR && read.1 <= FAR).then_some(read)
    }

    fn rows_read_in(
        &self,
        block: Block,
        (array, row): (Value, Value),
        written: i64,
        read: &mut (i64, i64),
    ) -> Option<()> {
        for op in &self.src.blocks[block].ops {
            let data = &self.src.ops[*op];
            if data.args.contains(&array) {
                let place = self.row_plus(*data.args.get(1)?, row)?;
                read.0 = read.0.max(written - place);
                read.1 = read.1.max(place - written);
            }
            for region in &data.regions {
                self.rows_read_in(*region, (array, row), written, read)?;
            }
        }
        Some(())
    }

    /// `row + constant`: the constant.
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other operation moves an index")]
    fn row_plus(&self, value: Value, row: Value) -> Option<i64> {
        if value == row {
            return Some(0);
        }
        let data = &self.src.ops[self.src.def_op(value)?];
        match data.opcode {
            Opcode::Binary(BinaryOp::Add) if data.args[0] == row => self.const_i64(data.args[1]),
            Opcode::Binary(BinaryOp::Add) if data.args[1] == row => self.const_i64(data.args[0]),
            Opcode::Binary(BinaryOp::Sub) if data.args[0] == row => {
                self.const_i64(data.args[1])?.checked_neg()
            }
            _ => None,
        }
    }

    /// All steps: the array and the other one when they are done.
    pub(super) fn tiled_steps(&mut self, op: Op, tiles: &TimeTiles, n: Value, init: &[Value]) -> Vec<Value> {
        let src = self.src;
        let some = self.compare_const(CompareOp::Gt, n, 0);
        let body = src.ops[op].regions[0];
        self.if_then(some, |this| {
            this.enter(body);
            for op in tiles.check_needs.iter().chain(&tiles.checks) {
                this.op(*op);
            }
            this.frames.pop();
        });
        let zero = self.i64(0);
        let n_steps = self.b.select(some, n, zero);
        let (most, chunk, n_rows) = self.tile_sizes(op, tiles);
        let past = self.add(n_steps, most);
        let past = self.add_const(past, -1);
        let n_tiles = self.b.binary(BinaryOp::Div, past, most);
        let past = self.add(n_rows, chunk);
        let past = self.add_const(past, -1);
        let n_chunks = self.b.binary(BinaryOp::Div, past, chunk);
        self.for_carry(zero, n_tiles, init, |this, tile, both| {
            let first = this.mul(tile, most);
            let left = this.sub(n_steps, first);
            let steps = this.min(left, most);
            let zero = this.i64(0);
            let was_parallel = this.in_parallel;
            let kind = if was_parallel { ForKind::Serial } else { ForKind::Parallel };
            this.in_parallel = true;
            this.for_kind(kind, zero, n_chunks, &[], |this, number, _| {
                let lo = this.mul(number, chunk);
                let end = this.add(lo, chunk);
                let hi = this.min(end, n_rows);
                this.rows_of_steps(op, tiles, (lo, hi), (first, steps), both);
                Vec::new()
            });
            this.in_parallel = was_parallel;
            this.exchanged(steps, both)
        })
    }

    /// How many steps go together, how many rows make a chunk, how many rows there are.
    fn tile_sizes(&mut self, op: Op, tiles: &TimeTiles) -> (Value, Value, Value) {
        let src = self.src;
        let n_rows = self.scalar(src.ops[tiles.swap.update].args[1]);
        let array = src.ops[op].args[1 + tiles.swap.position];
        let sizes = self.sizes(array);
        let count = self.count(&sizes);
        let row = self.count(&sizes[1..]);
        // Of each of the two arrays.
        let fits = self.facts.l2_bytes as i64 / 2 / i64::from(src.ty(array).element().bytes());
        let one = self.i64(1);
        let row = self.b.binary(BinaryOp::Max, row, one);
        let fits_value = self.i64(fits);
        let rows = self.b.binary(BinaryOp::Div, fits_value, row);
        let rows = self.add_const(rows, -tiles.window);
        let lag = self.i64(tiles.lag);
        let steps = self.b.binary(BinaryOp::Div, rows, lag);
        let steps = self.min_const(steps, MOST_STEPS);
        let steps = self.b.binary(BinaryOp::Max, steps, one);
        let small = self.compare_const(CompareOp::Le, count, fits);
        let steps = self.b.select(small, one, steps);
        let together = self.compare_const(CompareOp::Gt, steps, 1);
        let all = self.b.binary(BinaryOp::Max, n_rows, one);
        let some = self.i64(CHUNK);
        let chunk = self.b.select(together, all, some);
        (steps, chunk, n_rows)
    }

    /// The two arrays, exchanged after an odd number of steps.
    fn exchanged(&mut self, steps: Value, both: &[Value]) -> Vec<Value> {
        let odd = self.is_odd(steps);
        let types: Vec<Type> = both.iter().map(|buffer| self.b.func.ty(*buffer).clone()).collect();
        self.if_else(odd, &types, |_| vec![both[1], both[0]], |_| both.to_vec())
    }

    /// Rows `lo .. hi` of `steps` steps from `first` on.
    fn rows_of_steps(
        &mut self,
        op: Op,
        tiles: &TimeTiles,
        (lo, hi): (Value, Value),
        (first, steps): (Value, Value),
        both: &[Value],
    ) {
        let zero = self.i64(0);
        let lag = self.i64(tiles.lag);
        let later = self.add_const(steps, -1);
        let later = self.mul(later, lag);
        let end = self.add(hi, later);
        self.for_each(lo, end, |this, front| {
            // Steps whose row is below `hi`, and not before `lo`.
            let ahead = this.sub(front, hi);
            let ahead = this.add_const(ahead, tiles.lag);
            let ahead = this.b.binary(BinaryOp::Max, ahead, zero);
            let from = this.b.binary(BinaryOp::Div, ahead, lag);
            let gone = this.sub(front, lo);
            let gone = this.b.binary(BinaryOp::Div, gone, lag);
            let reached = this.add_const(gone, 1);
            let to = this.min(reached, steps);
            this.for_each(from, to, |this, step| {
                let behind = this.mul(step, lag);
                let row = this.sub(front, behind);
                let time = this.add(first, step);
                let now = this.exchanged(step, both);
                this.row_of_step(op, tiles, (row, time), &now);
            });
        });
    }

    /// One row of one step, from the first array to the second.
    fn row_of_step(&mut self, op: Op, tiles: &TimeTiles, (row, time): (Value, Value), both: &[Value]) {
        let src = self.src;
        let body = src.ops[op].regions[0];
        self.enter(body);
        self.set_scalar(src.blocks[body].params[0], time);
        for op in &tiles.scalars {
            self.op(*op);
        }
        self.bind_array(src.blocks[body].params[1], both[0], 1, None);
        let place = self.place_in_other(tiles.swap.update, both[1]);
        let sizes = self.scalars(&src.ops[tiles.swap.update].args[1..]);
        let nest = Nest {
            sizes: &sizes,
            ranges: vec![None; sizes.len()],
            schedule: &tiles.schedule,
            body: src.ops[tiles.swap.build].regions[0],
            places: &[place],
            skip: 0,
            dots: None,
        };
        let (rank, schedule) = (sizes.len(), tiles.schedule.clone());
        self.nests.push(PlacedNest { op: tiles.swap.build, rank, schedule, inside: true });
        let mut subscripts = vec![None; sizes.len()];
        subscripts[0] = Some(row);
        self.build_axis(&nest, 1, &mut subscripts);
        self.frames.pop();
    }

    /// The part of an array that an update replaces, in the other one.
    pub(super) fn place_in_other(&mut self, update: Op, other: Value) -> Array {
        let src = self.src;
        let data = &src.ops[update];
        let owner = self.owner();
        self.bind_array(data.results[0], other, 1, owner);
        let whole = self.array(data.results[0]);
        let region = data.regions[0];
        let (_, cell) = src.yields(region).split_last().unzip();
        let cell = cell.unwrap_or_default();
        // Constants of the loop's body may stand behind the build.
        let blocks = [self.frames[self.frame()].block, region];
        let needs = Needs::of(src, &blocks, cell);
        let zero = self.i64(0);
        self.enter(region);
        self.bind_scalar_params(region, &vec![zero; data.args.len() - 1]);
        for op in in_order(src, &blocks, &needs.ops) {
            self.op(op);
        }
        let first = self.scalars(cell);
        self.frames.pop();
        let offset = self.row_offset(&whole, &first);
        let args = vec![whole.buffer, offset];
        let buffer = self.b.value(Opcode::Offset, args, vec![], Type::Buffer(whole.elem));
        Array { buffer, ..whole }
    }
}
