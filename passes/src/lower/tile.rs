//! A build of dots, with the last axis of the build innermost: the chains of a tile of neighbouring
//! elements advance together, their accumulators in scratch memory. Each chain keeps its order; a
//! vectoriser finds independent chains side by side, and what does not depend on the last axis is
//! loaded once for the tile.

use std::rc::Rc;

use we3_ir::{BinaryOp, Block, CompareOp, ForKind, Func, Op, Opcode, Scalar, Type, Value, ValueDef};

use super::build::Nest;
use super::dot::{Chain, Dot};
use super::product::is_scalar_code;
use super::state::Lower;
use crate::analysis::effects::has_effect;

/// What makes a build one of dots.
pub(super) struct DotNest {
    /// The only operation of the body with regions.
    pub(super) dot: Op,
    /// Operations of the body that its regions need, in order.
    before: Vec<Op>,
    /// Neighbouring elements done together.
    width: u32,
    /// Whether neighbours read neighbours, and lanes are worth having.
    in_columns: bool,
}

impl DotNest {
    /// Whether the sums of some neighbours may stay in registers.
    pub(super) fn in_columns(&self) -> bool {
        self.in_columns
    }
}

/// A tile being computed.
pub(super) struct Tile {
    body: Block,
    before: Vec<Op>,
    chain: Chain,
    start: Vec<Value>,
    /// Subscripts of the outer axes of the build.
    outer: Vec<Value>,
    /// First subscript on the last axis, and how many follow.
    from: Value,
    width: Value,
    /// How many accumulators are set and joined, used or not: a constant needs no code for a rest.
    cells: Value,
    /// Bytes of the narrowest accumulator.
    lane_bytes: u32,
    /// One buffer per accumulator: of the current run, and of the runs before.
    acc: Vec<Value>,
    total: Vec<Value>,
}

impl Lower<'_> {
    /// Whether a build is one of dots that are worth advancing together.
    pub(super) fn dot_nest(
        &self,
        build: Op,
        width_of_contiguous: u32,
        width_of_strided: u32,
    ) -> Option<DotNest> {
        let src = self.src;
        let body = src.ops[build].regions[0];
        let ops = &src.blocks[body].ops;
        let mut with_regions = ops.iter().filter(|op| !src.ops[**op].regions.is_empty());
        let (dot, None) = (*with_regions.next()?, with_regions.next()) else { return None };
        let data = &src.ops[dot];
        let is_dot = matches!(data.opcode, Opcode::Dot { .. } | Opcode::DotBy { .. });
        let plain = |op: &Op| src.ops[*op].regions.is_empty();
        let scalar =
            |op: &Op| src.ops[*op].results.iter().all(|result| src.ty(*result).as_scalar().is_some());
        if !is_dot
            || has_effect(src, build)
            || !ops.iter().all(scalar)
            || !data.regions.iter().all(|region| src.blocks[*region].ops.iter().all(plain))
        {
            return None;
        }
        let last = *src.blocks[body].params.last()?;
        let mut before = Vec::new();
        let mut on_last = false;
        for arg in &data.args {
            needed(src, body, last, *arg, &mut before, &mut on_last);
        }
        if on_last {
            return None;
        }
        for region in &data.regions {
            for op in &src.blocks[*region].ops {
                for arg in &src.ops[*op].args {
                    needed(src, body, last, *arg, &mut before, &mut on_last);
                }
            }
        }
        before.sort_by_key(|op| ops.iter().position(|other| other == op));
        let contiguous = on_last && reads_along(src, &data.regions, last);
        let plain = matches!(data.opcode, Opcode::Dot { .. })
            && src.blocks[data.regions[0]].ops.iter().all(|op| is_scalar_code(src, *op));
        let in_columns = contiguous && plain && self.facts.masks && !self.facts.compact;
        let width = if contiguous { width_of_contiguous } else { width_of_strided };
        Some(DotNest { dot, before, width, in_columns })
    }

    /// All tiles along the last axis, for given subscripts of the other axes.
    pub(super) fn dot_row(&mut self, whole: &Nest<'_>, nest: &DotNest, kind: ForKind, outer: &[Value]) {
        let size = whole.sizes[outer.len()];
        // Beside code for large sizes this is for small ones, which have no full tile.
        let schedule = whole.schedule;
        if self.facts.compact || schedule.packed.is_some() || schedule.rows.is_some() {
            self.dot_row_once(whole, nest, kind, outer);
            return;
        }
        let width = self.i64(i64::from(nest.width));
        let n_full = self.b.binary(BinaryOp::Div, size, width);
        let zero = self.i64(0);
        self.for_kind(kind, zero, n_full, &[], |this, number, _| {
            let from = this.mul_const(number, i64::from(nest.width));
            let width = this.i64(i64::from(nest.width));
            this.dot_tile(whole, nest, outer, (from, width));
            Vec::new()
        });
        let done = self.mul_const(n_full, i64::from(nest.width));
        let rest = self.sub(size, done);
        let some = self.compare_const(CompareOp::Gt, rest, 0);
        self.if_then(some, |this| this.dot_tile(whole, nest, outer, (done, rest)));
    }

    /// As `dot_row`, with the code of a tile written once: all tiles have a width that is computed.
    pub(super) fn dot_row_once(&mut self, whole: &Nest<'_>, nest: &DotNest, kind: ForKind, outer: &[Value]) {
        let size = whole.sizes[outer.len()];
        let width = i64::from(nest.width);
        let rounded = self.add_const(size, width - 1);
        let tile = self.i64(width);
        let n_tiles = self.b.binary(BinaryOp::Div, rounded, tile);
        let zero = self.i64(0);
        self.for_kind(kind, zero, n_tiles, &[], |this, number, _| {
            let from = this.mul_const(number, width);
            let rest = this.sub(size, from);
            let width = this.min_const(rest, width);
            this.dot_tile(whole, nest, outer, (from, width));
            Vec::new()
        });
    }

    fn dot_tile(&mut self, whole: &Nest<'_>, nest: &DotNest, outer: &[Value], (from, width): (Value, Value)) {
        let src = self.src;
        let body = whole.body;
        // Values of the body that operands of the dot are made of.
        self.enter(body);
        self.bind_scalar_params(body, &[outer, &[from]].concat());
        for op in &nest.before {
            self.op(*op);
        }
        let data = &src.ops[nest.dot];
        let rank = if let Opcode::DotBy { rank } = data.opcode { rank as usize } else { data.args.len() };
        let mut dot = self.dot_of(nest.dot, rank);
        let elems: Vec<Scalar> = dot.start.iter().map(|start| self.b.func.ty(*start).element()).collect();
        let cells = if self.facts.compact { self.i64(i64::from(nest.width)) } else { width };
        let tile = Rc::new(Tile {
            body,
            before: nest.before.clone(),
            chain: dot.chain,
            start: dot.start.clone(),
            outer: outer.to_vec(),
            from,
            width,
            cells,
            lane_bytes: elems.iter().map(|elem| elem.bytes()).min().unwrap_or(8),
            acc: elems.iter().map(|elem| self.stack(*elem, nest.width)).collect(),
            total: elems.iter().map(|elem| self.stack(*elem, nest.width)).collect(),
        });
        self.store_everywhere(tile.lane_bytes, &tile.total, cells, &dot.nothing);
        dot = Dot { start: Vec::new(), nothing: Vec::new(), tile: Some(tile.clone()), ..dot };
        self.runs(&dot, &data.args[..rank]);
        self.frames.pop();
        self.finish_tile(whole, nest, &tile);
    }

    fn store_everywhere(&mut self, bytes: u32, buffers: &[Value], width: Value, values: &[Value]) {
        let zero = self.i64(0);
        self.for_lanes(bytes, zero, width, |this, lane| {
            for (buffer, value) in buffers.iter().zip(values) {
                this.store(*buffer, lane, *value);
            }
        });
    }

    /// The accumulators start anew.
    pub(super) fn begin_tile_run(&mut self, tile: &Tile) {
        self.store_everywhere(tile.lane_bytes, &tile.acc, tile.cells, &tile.start);
    }

    /// A finished run joins the total of each element.
    pub(super) fn join_tile_run(&mut self, tile: &Tile, first: Value) {
        let zero = self.i64(0);
        self.for_lanes(tile.lane_bytes, zero, tile.cells, |this, lane| {
            let run = this.load_lane(&tile.acc, lane);
            let total = this.load_lane(&tile.total, lane);
            let joined = this.join_chain_run(tile.chain, first, &total, &run);
            this.store_lane(&tile.total, lane, &joined);
        });
    }

    /// One more element of the domain of the dots, for every chain of the tile.
    pub(super) fn step_tile(&mut self, tile: &Tile, subscripts: &[Value]) {
        let zero = self.i64(0);
        self.for_lanes(tile.lane_bytes, zero, tile.width, |this, lane| {
            this.enter_element(tile, lane);
            for op in &tile.before {
                this.op(*op);
            }
            let acc = this.load_lane(&tile.acc, lane);
            let next = this.step_chain(tile.chain, subscripts, &acc);
            this.store_lane(&tile.acc, lane, &next);
            this.frames.pop();
        });
    }

    /// The rest of the body for each element, and the results into their places.
    fn finish_tile(&mut self, whole: &Nest<'_>, nest: &DotNest, tile: &Tile) {
        let src = self.src;
        let zero = self.i64(0);
        self.for_lanes(tile.lane_bytes, zero, tile.width, |this, lane| {
            let last = this.enter_element(tile, lane);
            for op in src.blocks[tile.body].ops.iter().filter(|op| src.ops[**op].opcode != Opcode::Yield) {
                if *op == nest.dot {
                    let values = this.load_lane(&tile.total, lane);
                    for (result, value) in src.ops[*op].results.iter().zip(values) {
                        let value = this.narrow(value, src.ty(*result).element());
                        this.set_scalar(*result, value);
                    }
                } else {
                    this.op(*op);
                }
            }
            let subscripts = [tile.outer.as_slice(), &[last]].concat();
            for (place, value) in whole.places.iter().zip(&src.yields(whole.body)[whole.skip..]) {
                let offset = this.row_offset(place, &subscripts);
                let value = this.scalar(*value);
                this.store(place.buffer, offset, value);
            }
            this.frames.pop();
        });
    }

    /// Enters the body of the build for one element of the tile; returns its last subscript.
    fn enter_element(&mut self, tile: &Tile, lane: Value) -> Value {
        let last = self.add(tile.from, lane);
        self.enter(tile.body);
        self.bind_scalar_params(tile.body, &[tile.outer.as_slice(), &[last]].concat());
        last
    }

    fn load_lane(&mut self, buffers: &[Value], lane: Value) -> Vec<Value> {
        buffers.iter().map(|buffer| self.load_elem(*buffer, lane)).collect()
    }

    fn store_lane(&mut self, buffers: &[Value], lane: Value, values: &[Value]) {
        for (buffer, value) in buffers.iter().zip(values) {
            self.store(*buffer, lane, *value);
        }
    }
}

/// Collects the operations of `body` that `value` is made of; notes when the last subscript is among
/// its ingredients.
fn needed(src: &Func, body: Block, last: Value, value: Value, found: &mut Vec<Op>, on_last: &mut bool) {
    match src.values[value].def {
        ValueDef::Param(..) => *on_last |= value == last,
        ValueDef::Result(op, _) if src.blocks[body].ops.contains(&op) => {
            if !found.contains(&op) {
                found.push(op);
            }
            for arg in &src.ops[op].args {
                needed(src, body, last, *arg, found, on_last);
            }
        }
        ValueDef::Result(..) | ValueDef::ResultRef(_) => {}
    }
}

/// Whether every array read in the regions whose subscripts use `last` uses it as its last subscript.
fn reads_along(src: &Func, regions: &[Block], last: Value) -> bool {
    regions.iter().flat_map(|region| &src.blocks[*region].ops).all(|op| {
        let data = &src.ops[*op];
        let scalar = |value: &Value| matches!(src.ty(*value), Type::Scalar(_));
        let subscripts = data.args.iter().skip(1).filter(|arg| scalar(arg));
        let uses: Vec<bool> = subscripts.map(|arg| *arg == last).collect();
        data.opcode != Opcode::Index || !uses.contains(&true) || uses.last() == Some(&true)
    })
}
