//! Parallel loops as functions of their own: which loops, and what their bodies capture. Analysis only,
//! shared so that both CPU backends decide alike; the code is theirs.

use std::collections::BTreeMap;

use we3_ir::entity::SecondaryMap;
use we3_ir::{Block, ForKind, Func, Op, Opcode, Value};

use crate::estimate::{Estimate, Rates, work_of_iteration};

/// Loops that take less than this by estimate (in picoseconds) run where they are, unless the context says
/// otherwise. Estimates are low rather than high, so that what does not gain from threads stays there.
pub const PARALLEL_FROM: u64 = 40_000_000;
/// A chunk takes at least about this long.
pub const CHUNK_PICOSECONDS: i64 = 10_000_000;
/// A parallel loop that no other one encloses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outline {
    /// What the body uses and does not define, in order of first use.
    pub captures: Vec<Value>,
    /// Every operation inside.
    pub ops: Vec<Op>,
    /// About how many picoseconds an iteration takes.
    pub work: Estimate,
}

/// The loops of an entry whose bodies become functions: outermost parallel ones, unless it is known here
/// that threads will not pay.
pub fn outlines(func: &Func, rates: Rates) -> BTreeMap<Op, Outline> {
    let mut found = BTreeMap::new();
    collect(func, func.body, rates, &mut found);
    found
}

fn collect(func: &Func, block: Block, rates: Rates, found: &mut BTreeMap<Op, Outline>) {
    for op in &func.blocks[block].ops {
        let data = &func.ops[*op];
        if data.opcode == Opcode::For(ForKind::Parallel) {
            let outline = outline(func, *op, rates);
            if !is_small(func, *op, &outline) {
                found.insert(*op, outline);
            }
        } else {
            data.regions.iter().for_each(|region| collect(func, *region, rates, found));
        }
    }
}

/// Whether the number of iterations and their work are known and too little.
fn is_small(func: &Func, op: Op, outline: &Outline) -> bool {
    let args = &func.ops[op].args;
    let bounds = func.as_const(args[0]).zip(func.as_const(args[1]));
    let Some(((lo, hi), work)) = bounds.zip(outline.work.number()) else { return false };
    let span = (hi.bits as i64).saturating_sub(lo.bits as i64).max(0);
    span.unsigned_abs().saturating_mul(work.unsigned_abs()) < PARALLEL_FROM
}

fn outline(func: &Func, op: Op, rates: Rates) -> Outline {
    let body = func.ops[op].regions[0];
    let mut inside = Inside { func, defined: SecondaryMap::new(), ops: Vec::new() };
    inside.block(body);
    let mut seen: SecondaryMap<Value, bool> = SecondaryMap::new();
    let mut captures = Vec::new();
    for arg in inside.ops.iter().flat_map(|op| &func.ops[*op].args) {
        if !inside.defined[*arg] && !seen[*arg] {
            seen[*arg] = true;
            captures.push(*arg);
        }
    }
    let work = work_of_iteration(func, op, &inside.defined, rates);
    Outline { captures, ops: inside.ops, work }
}

/// What a region defines and holds.
struct Inside<'a> {
    func: &'a Func,
    defined: SecondaryMap<Value, bool>,
    ops: Vec<Op>,
}

impl Inside<'_> {
    fn block(&mut self, block: Block) {
        let func = self.func;
        func.blocks[block].params.iter().for_each(|param| self.defined[*param] = true);
        for op in &func.blocks[block].ops {
            self.ops.push(*op);
            func.ops[*op].results.iter().for_each(|result| self.defined[*result] = true);
            func.ops[*op].regions.iter().for_each(|region| self.block(*region));
        }
    }
}
