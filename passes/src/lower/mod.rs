//! `lower`: array IR to loop IR. Array values become buffers, every array operation becomes loops in
//! the order that `docs/semantics.md` fixes; how the loops are arranged is said by a `Schedule`.
//!
//! `state` holds what is known while walking, `memory` who owns which buffer, `emit` small helpers
//! that write loops; the other files lower one family of operations each.

mod block;
mod build;
mod carried_place;
mod chain;
mod columns;
mod control;
pub mod copies;
mod diagonals;
mod dot;
mod emit;
mod free;
mod guard;
mod lane_levels;
mod lanes;
mod memory;
mod micro;
pub mod nests;
mod operand;
mod pack;
mod probe;
pub mod product;
mod reduce;
mod reuse;
mod rows;
mod scan;
mod scan_levels;
mod scan_rows;
mod scatter;
mod scatter_tables;
pub mod schedule;
mod short_axis;
mod short_rows;
mod slices;
mod state;
mod tile;
mod time_tiles;
mod turns;
mod two_buffers;
mod update;
mod wavefront;

use we3_ir::span::Span;
use we3_ir::{EntryAbi, Func, Level, Module, Type};

use crate::manager::{Pass, PassContext};
use copies::CopyReason;
use state::{Dest, Lower};

/// The pass.
pub const LOWER: Pass = Pass {
    name: "lower",
    about: "array IR to loop IR, with a schedule for each nest",
    from: Some(Level::Array),
    to: Some(Level::Loop),
    run,
};

fn run(module: Module, ctx: &PassContext) -> Module {
    let mut lowered = Module::new(Level::Loop);
    for (_, func) in &module.funcs {
        lowered.funcs.push(lower_func(func, ctx).func);
    }
    lowered
}

/// A function, and what there is to report about it.
struct Outcome {
    func: Func,
    copies: Vec<(Span, CopyReason)>,
    nests: Vec<nests::PlacedNest>,
}

fn lower_func(source: &Func, ctx: &PassContext) -> Outcome {
    let mut func = Func::new(source.name.clone());
    let scalars: Vec<Type> = source.results.iter().filter(|ty| ty.as_scalar().is_some()).cloned().collect();
    let strides = source.entry.as_ref().map(|abi| abi.param_strides.clone()).unwrap_or_default();
    func.entry = source.entry.as_ref().map(|abi| EntryAbi {
        param_strides: abi.param_strides.clone(),
        result_strides: result_strides(source, scalars.len()),
    });
    for ty in scalars {
        func.declare_result(ty);
    }
    let mut lower = Lower::new(source, &mut func, ctx);
    lower.params(&strides);
    let dests = result_dests(source);
    let results = lower.function_body(&dests);
    lower.b.ret(results);
    let (copies, nests) = (lower.copies, lower.nests);
    Outcome { func, copies, nests }
}

/// The strides of the scalar results, then those of the outputs in the order of their numbers.
fn result_strides(source: &Func, n_scalars: usize) -> Vec<u32> {
    let outputs = result_dests(source).into_iter().filter_map(|dest| match dest {
        Some(Dest::Output { step, .. }) => Some(step),
        Some(_) | None => None,
    });
    std::iter::repeat_n(1, n_scalars).chain(outputs).collect()
}

/// Where the function's results go: array results to the outputs, numbered in order.
fn result_dests(source: &Func) -> Vec<Option<Dest>> {
    let mut n_arrays = 0;
    let mut dests = Vec::new();
    for (number, ty) in source.results.iter().enumerate() {
        let step = source.entry.as_ref().and_then(|abi| abi.result_strides.get(number)).copied().unwrap_or(1);
        match ty {
            Type::Array(..) => {
                dests.push(Some(Dest::Output { index: n_arrays, step }));
                n_arrays += 1;
            }
            Type::Scalar(_) | Type::Buffer(_) | Type::Vector(..) => dests.push(None),
        }
    }
    dests
}
