//! How a nest runs, as a plain value. A schedule arranges iterations; it cannot change a result:
//! reduction orders belong to the nest. A simple heuristic fills it in here.

use we3_ir::{Func, Op};

use crate::facts::TargetFacts;

/// How one nest (a `build` with all its domain axes) is arranged.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct NestSchedule {
    /// Domain axes from the outermost loop to the innermost.
    pub order: Vec<u32>,
    /// Axes whose loops may run on several threads (or make up a GPU grid).
    pub parallel: Vec<u32>,
    /// Tile sizes by axis: the axis is cut into blocks of this many iterations.
    pub tiles: Vec<(u32, u32)>,
    /// The axis to run in vector lanes, with the number of lanes.
    pub vector: Option<(u32, u32)>,
    /// Unroll factors by axis.
    pub unroll: Vec<(u32, u32)>,
    /// For a build of dots: how many neighbours along the last axis advance together when they read
    /// neighbouring elements, and when they do not; none: each element by itself.
    pub dot_tile: Option<(u32, u32)>,
}

/// As many vectors side by side as hide the latency of `fma`.
const DOT_TILE_VECTORS: u32 = 8;
/// As many streams as hardware prefetchers follow.
const DOT_TILE_STRIDED: u32 = 16;

/// The heuristic for a build: axes in source order (the last one is contiguous in the result); the
/// axes of an outermost nest are parallel.
pub fn schedule_build(
    func: &Func,
    op: Op,
    rank: usize,
    in_parallel: bool,
    facts: &TargetFacts,
) -> NestSchedule {
    let order: Vec<u32> = (0..rank as u32).collect();
    let parallel = if in_parallel { Vec::new() } else { order.clone() };
    // A thread of a GPU is one lane already.
    let elem = func.ops[op].results.first().map_or(4, |result| func.ty(*result).element().bytes());
    let contiguous = (DOT_TILE_VECTORS * facts.vector_bytes.max(16) / elem).max(DOT_TILE_STRIDED);
    let dot_tile = (!facts.grid).then_some((contiguous, DOT_TILE_STRIDED));
    NestSchedule { order, parallel, dot_tile, ..NestSchedule::default() }
}
