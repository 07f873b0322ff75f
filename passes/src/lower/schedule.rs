//! How a nest runs, as a plain value. A schedule arranges iterations; it cannot change a result:
//! reduction orders belong to the nest. A simple heuristic fills it in here, after what the program asked for.

use std::collections::BTreeSet;

use we3_ir::schedule::Vector;
use we3_ir::span::Span;
use we3_ir::{BinaryOp, Block, Func, Level, Module, Op, Opcode, Scalar, Schedule, Type, Value};

use super::chain::waits;
use super::product::{PackedSchedule, RowsSchedule, packed_schedule, rows_schedule};
use crate::analysis::effects::is_pure_scalar;
use crate::facts::TargetFacts;
use crate::rewrite::blocks_in_order;

/// How one nest (a `build` with all its domain axes) is arranged.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct NestSchedule {
    /// Domain axes from the outermost loop to the innermost.
    pub order: Vec<u32>,
    /// Axes whose loops may run on several threads (or make up a GPU grid).
    pub parallel: Vec<u32>,
    /// Block sizes by axis; the loops over blocks stand outside all others, in this order.
    pub tiles: Vec<(u32, u32)>,
    /// The axis to run in vector lanes, with the number of lanes.
    pub vector: Option<(u32, u32)>,
    /// A short axis that is written out, with its length.
    pub written_out: Option<(u32, u32)>,
    /// How many iterations stand one after the other in a loop's body, by axis.
    pub unroll: Vec<(u32, u32)>,
    /// For a build of dots: how many neighbours along the last axis advance together when they read
    /// neighbouring elements, and when they do not; none: each element by itself.
    pub dot_tile: Option<(u32, u32)>,
    /// For a build of dots with one operand for rows and one for columns: how they are packed and tiled.
    pub packed: Option<PackedSchedule>,
    /// For a build of dots of rows with something that does not depend on the row: how they are turned.
    pub rows: Option<RowsSchedule>,
}

/// As many vectors side by side as hide the latency of `fma`.
const DOT_TILE_VECTORS: u32 = 8;
/// As many streams as hardware prefetchers follow.
const DOT_TILE_STRIDED: u32 = 16;

/// The schedule of a build: what was asked for, the rest by the heuristic.
pub fn schedule_build(
    func: &Func,
    op: Op,
    rank: usize,
    in_parallel: bool,
    facts: &TargetFacts,
) -> NestSchedule {
    let mut schedule = heuristic(func, op, rank, in_parallel, facts);
    // On a GPU the grid is all there is to say.
    if let Some(asked) = func.schedules[op].as_ref().filter(|_| !facts.grid) {
        follow(&mut schedule, asked, rank, in_parallel);
    }
    schedule
}

/// Changes a schedule to what was asked for.
fn follow(schedule: &mut NestSchedule, asked: &Schedule, rank: usize, in_parallel: bool) {
    if asked.arranges_loops() {
        (schedule.packed, schedule.rows) = (None, None);
        schedule.order = asked.order.clone();
        schedule.order.extend((0..rank as u32).filter(|axis| !asked.order.contains(axis)));
        schedule.tiles.clone_from(&asked.tiles);
        schedule.unroll.clone_from(&asked.unroll);
        let last = rank as u32 - 1;
        if [&schedule.tiles, &schedule.unroll].iter().any(|list| list.iter().any(|(axis, _)| *axis == last)) {
            schedule.dot_tile = None;
        }
    }
    if let Some(parallel) = asked.parallel.as_ref().filter(|_| !in_parallel) {
        schedule.parallel.clone_from(parallel);
    }
    schedule.vector = match (asked.vector, schedule.vector) {
        (Vector::Open, vector) => {
            vector.filter(|(axis, _)| schedule.unroll.iter().all(|(other, _)| other != axis))
        }
        (Vector::Scalar, _) | (Vector::Axis(_, 0), None) => None,
        (Vector::Axis(axis, 0), Some((_, lanes))) => Some((axis, lanes)),
        (Vector::Axis(axis, lanes), _) => Some((axis, lanes)),
    };
}

/// A schedule that cannot be followed: where it stands, and why not.
pub fn refusals(module: &Module) -> Vec<(Span, String)> {
    let mut found = Vec::new();
    if module.level != Level::Array {
        return found;
    }
    for func in module.funcs.values() {
        for block in blocks_in_order(func, func.body) {
            let asked = func.blocks[block]
                .ops
                .iter()
                .filter_map(|op| Some((*op, func.schedules.get(*op)?.as_ref()?)));
            for (op, schedule) in asked {
                let reason = no_lanes(func, func.ops[op].regions[0]);
                if let Some(reason) = reason.filter(|_| schedule.wants_lanes()) {
                    found.push((
                        func.spans[op],
                        format!("its elements cannot be computed in lanes: {reason}"),
                    ));
                }
            }
        }
    }
    found
}

/// The heuristic for a build: axes in source order (the last one is contiguous in the result); the
/// axes of an outermost nest are parallel.
fn heuristic(func: &Func, op: Op, rank: usize, in_parallel: bool, facts: &TargetFacts) -> NestSchedule {
    let packed = packed_schedule(func, op, rank, facts);
    let mut order: Vec<u32> = (0..rank as u32).collect();
    if let Some(packed) = &packed {
        order.retain(|axis| !packed.row_axes.contains(axis) && !packed.column_axes.contains(axis));
        order.extend(packed.row_axes.iter().chain(&packed.column_axes));
    }
    let vector = vector_axis(func, op, facts).map(|lanes| (rank as u32 - 1, lanes));
    // Lanes share a thread, but a one-dimensional nest is cut into stretches.
    let threads = if vector.is_some() && rank > 1 { rank - 1 } else { rank };
    let parallel = if in_parallel { Vec::new() } else { order[..threads].to_vec() };
    // A thread of a GPU is one lane already.
    let elem = func.ops[op].results.first().map_or(4, |result| func.ty(*result).element().bytes());
    let contiguous = (DOT_TILE_VECTORS * facts.vector_bytes.max(16) / elem).max(DOT_TILE_STRIDED);
    let dot_tile = (!facts.grid).then_some((contiguous, DOT_TILE_STRIDED));
    let rows = if packed.is_none() { rows_schedule(func, op, facts) } else { None };
    NestSchedule { order, parallel, vector, dot_tile, packed, rows, ..NestSchedule::default() }
}

/// How many neighbours along the last axis run in lanes: as many as fill a vector of the narrowest numbers the
/// body computes with. None where the body has loops of its own that are better off in lanes, or arrays.
fn vector_axis(func: &Func, op: Op, facts: &TargetFacts) -> Option<u32> {
    // A place has 64 bits whatever is read there; with truth values alone that leaves lanes empty.
    let truths = func.ops[op].results.iter().all(|result| func.ty(*result).element() == Scalar::Bool);
    let places = if truths { only_places(func, func.ops[op].regions[0]) } else { BTreeSet::new() };
    let mut width = Width { places, ..Width::default() };
    if !runs_in_lanes(func, func.ops[op].regions[0], &mut width) {
        return None;
    }
    // Where it computes with none, what it makes is as wide as that.
    let made = func.ops[op].results.iter().map(|result| func.ty(*result).element().bytes()).min();
    let lanes = facts.lanes(width.float.or(width.int).or(made).unwrap_or(8)).map(u32::from)?;
    // The steps of a loop, or of a long chain, wait for each other, and two vectors side by side do not.
    // (No vector has more than 64.)
    let twice = facts.masks && !facts.compact && (width.repeats || waits(func, func.ops[op].regions[0]));
    Some(if twice { (2 * lanes).min(64) } else { lanes })
}

/// Bytes of the narrowest floats and integers in a body, and whether it has loops.
#[derive(Default)]
struct Width {
    float: Option<u32>,
    int: Option<u32>,
    repeats: bool,
    /// Integers that do not count.
    places: BTreeSet<Value>,
}

fn runs_in_lanes(func: &Func, block: Block, width: &mut Width) -> bool {
    obstacle(func, block, width).is_none()
}

/// The first operation of a body that lanes cannot share; before it, notes how wide the others are.
fn obstacle(func: &Func, block: Block, width: &mut Width) -> Option<Op> {
    func.blocks[block].ops.iter().find_map(|op| {
        let data = &func.ops[*op];
        for result in &data.results {
            if !width.places.contains(result) {
                note_width(func.ty(*result), width);
            }
        }
        width.repeats |= matches!(data.opcode, Opcode::While | Opcode::Loop);
        let table = matches!(data.opcode, Opcode::Data { .. });
        let scalar = table || data.results.iter().all(|result| func.ty(*result).as_scalar().is_some());
        let simple = is_pure_scalar(&data.opcode)
            || matches!(
                data.opcode,
                Opcode::If
                    | Opcode::While
                    | Opcode::Loop
                    | Opcode::Check { .. }
                    | Opcode::Yield
                    | Opcode::Index
            );
        if !(scalar && simple) {
            return Some(*op);
        }
        data.regions.iter().find_map(|region| obstacle(func, *region, width))
    })
}

/// Why elements cannot be computed in lanes, if they cannot.
pub fn no_lanes(func: &Func, body: Block) -> Option<&'static str> {
    let op = obstacle(func, body, &mut Width::default())?;
    let data = &func.ops[op];
    let reduces = matches!(
        data.opcode,
        Opcode::Reduce { .. } | Opcode::Dot { .. } | Opcode::DotBy { .. } | Opcode::Scan { .. }
    );
    Some(match (reduces, matches!(data.opcode, Opcode::Data { .. })) {
        (true, _) => "each has a reduction of its own, which has the lanes",
        (_, true) => "they read a table of constants",
        (false, false) => "each makes an array of its own",
    })
}

/// How many neighbouring runs of a body stand side by side in lanes.
pub(super) fn lanes_for(func: &Func, body: Block, facts: &TargetFacts) -> Option<u16> {
    let mut width = Width::default();
    note_widths(func, body, &mut width);
    facts.lanes(width.float.or(width.int)?)
}

fn note_widths(func: &Func, block: Block, width: &mut Width) {
    for op in &func.blocks[block].ops {
        let data = &func.ops[*op];
        for result in &data.results {
            note_width(func.ty(*result), width);
        }
        for region in &data.regions {
            note_widths(func, *region, width);
        }
    }
}

/// The values of a block that only say where something is read; elements side by side share them.
fn only_places(func: &Func, block: Block) -> BTreeSet<Value> {
    let mut numbers: BTreeSet<Value> = BTreeSet::new();
    let mut places = BTreeSet::new();
    for op in func.blocks[block].ops.iter().rev() {
        let data = &func.ops[*op];
        let sums = matches!(data.opcode, Opcode::Const(_) | Opcode::Binary(BinaryOp::Add | BinaryOp::Sub));
        if sums && !numbers.contains(&data.results[0]) {
            places.insert(data.results[0]);
        } else if data.opcode != Opcode::Index {
            numbers.extend(&data.args);
        }
        for inner in data.regions.iter().flat_map(|region| blocks_in_order(func, *region)) {
            numbers.extend(func.blocks[inner].ops.iter().flat_map(|op| &func.ops[*op].args));
        }
    }
    places
}

fn note_width(ty: &Type, width: &mut Width) {
    let elem = ty.element();
    let narrowest = if elem.is_float() { &mut width.float } else { &mut width.int };
    if elem != Scalar::Bool {
        *narrowest = Some(narrowest.map_or(elem.bytes(), |bytes| bytes.min(elem.bytes())));
    }
}
