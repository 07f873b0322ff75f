//! `dot` and `dot_by`: ascending chains inside runs of 512 elements of the flattened domain, the runs
//! joined from the left.

use std::rc::Rc;

use we3_ir::{BinaryOp, Block, CompareOp, Op, Scalar, Type, Value};

use super::state::Lower;
use super::tile::Tile;

/// Elements of a run (`docs/semantics.md`).
pub(super) const RUN: i64 = 512;

/// What a chain does.
#[derive(Clone, Copy)]
pub(super) enum Chain {
    /// `acc = fma(a, b, acc)` on the widened elements; runs are added.
    Fma { body: Block, acc: Scalar },
    /// Regions of the source.
    By { body: Block, step: Block, join: Block },
}

/// A chain with its starting values.
#[derive(Clone)]
pub(super) struct Dot {
    pub chain: Chain,
    /// Each run starts here.
    pub start: Vec<Value>,
    /// The result without elements.
    pub nothing: Vec<Value>,
    /// Whether the elements may be chained without regard to runs.
    pub free: bool,
    /// The elements of a tile that are chained together, their accumulators in memory (`tile.rs`):
    /// loops then carry none.
    pub tile: Option<Rc<Tile>>,
}

impl Lower<'_> {
    pub(super) fn lower_dot(&mut self, op: Op, rank: usize) {
        let src = self.src;
        let data = &src.ops[op];
        let values = match self.known_dot {
            Some((known, value)) if known == op => vec![value],
            Some(_) | None => {
                let dot = self.dot_of(op, rank);
                self.runs(&dot, &data.args[..rank])
            }
        };
        for (result, value) in data.results.iter().zip(values) {
            let value = self.narrow(value, src.ty(*result).element());
            self.set_scalar(*result, value);
        }
    }

    /// The chain that a `dot` or `dot_by` is.
    pub(super) fn dot_of(&mut self, op: Op, rank: usize) -> Dot {
        let src = self.src;
        let data = &src.ops[op];
        if let [body, step, join] = data.regions[..] {
            let zeros = self.scalars(&data.args[rank..]);
            let chain = Chain::By { body, step, join };
            return Dot { chain, start: zeros.clone(), nothing: zeros, free: false, tile: None };
        }
        let elem = src.ty(data.results[0]).element();
        let acc = if matches!(elem, Scalar::F16 | Scalar::Bf16) { Scalar::F32 } else { elem };
        let minus_zero = if acc.is_float() { 1 << (acc.bits() - 1) } else { 0 };
        Dot {
            chain: Chain::Fma { body: data.regions[0], acc },
            start: vec![self.b.constant(acc, minus_zero)],
            nothing: vec![self.b.constant(acc, 0)],
            free: !acc.is_float(),
            tile: None,
        }
    }

    pub(super) fn runs(&mut self, dot: &Dot, sizes: &[Value]) -> Vec<Value> {
        let total =
            sizes.iter().try_fold(1i64, |total, size| total.checked_mul(self.const_i64(*size)?.max(0)));
        let lowered = self.scalars(sizes);
        match total {
            Some(0) => dot.nothing.clone(),
            Some(1..=RUN) => self.single_run(dot, &lowered),
            Some(_) | None if dot.free => self.single_run(dot, &lowered),
            Some(_) | None if lowered.len() == 1 => self.flat_runs(dot, lowered[0]),
            Some(_) | None => self.nested_runs(dot, &lowered),
        }
    }

    /// Everything in one run.
    fn single_run(&mut self, dot: &Dot, sizes: &[Value]) -> Vec<Value> {
        self.begin_run(dot);
        let acc = self.one_chain(dot, sizes, &[], &dot.start);
        let first = self.b.bool(true);
        self.join_run(dot, first, &dot.nothing, &acc)
    }

    /// All elements in one chain: the loops of the domain, carrying the accumulators.
    fn one_chain(&mut self, dot: &Dot, sizes: &[Value], outer: &[Value], acc: &[Value]) -> Vec<Value> {
        let Some((size, inner)) = sizes.split_first() else { return self.step(dot, outer, acc) };
        let zero = self.i64(0);
        self.for_carry(zero, *size, acc, |this, k, acc| {
            this.one_chain(dot, inner, &[outer, &[k]].concat(), acc)
        })
    }

    /// One axis: a loop over runs.
    fn flat_runs(&mut self, dot: &Dot, n: Value) -> Vec<Value> {
        let n_runs = self.ceil_shift(n, 9);
        let zero = self.i64(0);
        self.for_carry(zero, n_runs, &dot.nothing, |this, run, total| {
            let lo = this.mul_const(run, RUN);
            let end = this.add_const(lo, RUN);
            let hi = this.min(end, n);
            this.begin_run(dot);
            let partial = this.for_carry(lo, hi, &dot.start, |this, k, acc| this.step(dot, &[k], acc));
            let first = this.compare_const(CompareOp::Eq, run, 0);
            this.join_run(dot, first, total, &partial)
        })
    }

    /// Several axes: the loops of the domain carry (first run?, elements in this run, acc…, total…);
    /// the innermost axis is cut where runs end.
    fn nested_runs(&mut self, dot: &Dot, sizes: &[Value]) -> Vec<Value> {
        let width = dot.start.len();
        let first = self.b.bool(true);
        let zero = self.i64(0);
        self.begin_run(dot);
        let state = [&[first, zero], dot.start.as_slice(), dot.nothing.as_slice()].concat();
        let state = self.nested_axis(dot, sizes, &[], &state);
        let (head, total) = state.split_at(2 + width);
        let started = self.compare_const(CompareOp::Gt, head[1], 0);
        let types = self.types_of(total);
        self.if_else(
            started,
            &types,
            |this| this.join_run(dot, head[0], total, &head[2..]),
            |_| total.to_vec(),
        )
    }

    fn nested_axis(&mut self, dot: &Dot, sizes: &[Value], outer: &[Value], state: &[Value]) -> Vec<Value> {
        match sizes {
            [] => state.to_vec(),
            [last] => self.cut_axis(dot, *last, outer, state),
            [size, inner @ ..] => {
                let zero = self.i64(0);
                self.for_carry(zero, *size, state, |this, k, state| {
                    this.nested_axis(dot, inner, &[outer, &[k]].concat(), state)
                })
            }
        }
    }

    fn cut_axis(&mut self, dot: &Dot, n: Value, outer: &[Value], state: &[Value]) -> Vec<Value> {
        let width = dot.start.len();
        let zero = self.i64(0);
        let start = [&[zero], state].concat();
        let more = |this: &mut Self, state: &[Value]| this.b.compare(CompareOp::Lt, state[0], n);
        let state = self.while_loop(&start, more, |this, state| {
            let (k, first, filled) = (state[0], state[1], state[2]);
            let (acc, total) = state[3..].split_at(width);
            let run = this.i64(RUN);
            let room = this.sub(run, filled);
            let end = this.add(k, room);
            let hi = this.min(end, n);
            let acc = this.for_carry(k, hi, acc, |this, k, acc| this.step(dot, &[outer, &[k]].concat(), acc));
            let taken = this.sub(hi, k);
            let filled = this.add(filled, taken);
            let full = this.compare_const(CompareOp::Eq, filled, RUN);
            let next = this.end_run_if(dot, full, first, filled, &acc, total);
            [vec![hi], next].concat()
        });
        state[1..].to_vec()
    }

    /// The state after a segment: a full run joins the total and the next one starts.
    fn end_run_if(
        &mut self,
        dot: &Dot,
        full: Value,
        first: Value,
        filled: Value,
        acc: &[Value],
        total: &[Value],
    ) -> Vec<Value> {
        let going_on = [&[first, filled], acc, total].concat();
        let types = self.types_of(&going_on);
        self.if_else(
            full,
            &types,
            |this| {
                let joined = this.join_run(dot, first, total, acc);
                this.begin_run(dot);
                let not_first = this.b.bool(false);
                let zero = this.i64(0);
                [&[not_first, zero], dot.start.as_slice(), &joined].concat()
            },
            |_| going_on.clone(),
        )
    }

    fn begin_run(&mut self, dot: &Dot) {
        if let Some(tile) = &dot.tile {
            self.begin_tile_run(tile);
        }
    }

    fn join_run(&mut self, dot: &Dot, first: Value, total: &[Value], run: &[Value]) -> Vec<Value> {
        match &dot.tile {
            Some(tile) => {
                self.join_tile_run(tile, first);
                Vec::new()
            }
            None => self.join_chain_run(dot.chain, first, total, run),
        }
    }

    /// `first ? run : total ⊕ run`.
    pub(super) fn join_chain_run(
        &mut self,
        chain: Chain,
        first: Value,
        total: &[Value],
        run: &[Value],
    ) -> Vec<Value> {
        match chain {
            Chain::Fma { .. } => {
                let sum = self.b.binary(BinaryOp::Add, total[0], run[0]);
                vec![self.b.select(first, run[0], sum)]
            }
            Chain::By { join, .. } => {
                let types = self.types_of(run);
                let joined = |this: &mut Self| this.scalar_region(join, &[total, run].concat());
                self.if_else(first, &types, |_| run.to_vec(), joined)
            }
        }
    }

    fn step(&mut self, dot: &Dot, subscripts: &[Value], acc: &[Value]) -> Vec<Value> {
        match &dot.tile {
            Some(tile) => {
                self.step_tile(tile, subscripts);
                Vec::new()
            }
            None => self.step_chain(dot.chain, subscripts, acc),
        }
    }

    /// One element: the accumulators after it.
    pub(super) fn step_chain(&mut self, chain: Chain, subscripts: &[Value], acc: &[Value]) -> Vec<Value> {
        match chain {
            Chain::Fma { body, acc: ty } => {
                let pair = self.scalar_region(body, subscripts);
                let left = self.narrow(pair[0], ty);
                let right = self.narrow(pair[1], ty);
                vec![self.b.fma(left, right, acc[0])]
            }
            Chain::By { body, step, .. } => {
                let elements = self.scalar_region(body, subscripts);
                self.scalar_region(step, &[acc, &elements].concat())
            }
        }
    }

    fn types_of(&self, values: &[Value]) -> Vec<Type> {
        values.iter().map(|value| self.b.func.ty(*value).clone()).collect()
    }
}
