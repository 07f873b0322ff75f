//! `stream_stores`: what a parallel loop writes once, in whole vectors one after the other, and does not read
//! goes past the caches when there is more of it than a core's share of the last one: a cache would first fetch
//! what is overwritten, and drop it before anybody comes back for it. Whether there is that much is asked where
//! the program runs. A hint only: no value depends on it.
//!
//! Before: `store %out, %i, %v` in a parallel loop · after: `%past = ge %count, N` before the loop, and
//! `stream %out, %i, %v, %past`.

use std::collections::BTreeSet;
use std::mem;

use we3_ir::{BinaryOp, Block, CompareOp, ForKind, Func, FuncBuilder, Module, Op, Opcode, Type, Value};

use crate::facts::TargetFacts;
use crate::manager::{Pass, PassContext};

/// The pass.
pub const STREAM_STORES: Pass = Pass {
    name: "stream-stores",
    about: "large results that are not read again go past the caches",
    from: Some(we3_ir::Level::Loop),
    to: Some(we3_ir::Level::Loop),
    run,
};

/// Deeper sums of subscripts are not looked into.
const MOST_DEPTH: u32 = 10;

fn run(mut module: Module, ctx: &PassContext) -> Module {
    if let Some(streaming) = Streaming::of(&ctx.facts) {
        for func in module.funcs.values_mut() {
            let body = func.body;
            streaming.walk(func, body);
        }
    }
    module
}

/// What is worth it on a target.
struct Streaming {
    /// Memory of so many bytes.
    from_bytes: u64,
    /// Vectors of so many bytes: parts of a line cost more past the caches than in them.
    vector_bytes: u32,
}

/// What a parallel loop does to memory.
#[derive(Default)]
struct Accesses {
    /// Stores of vectors, with the loops around each from the parallel one on.
    stores: Vec<(Op, Vec<Op>)>,
    /// Memory that is read, and what each iteration has of its own.
    kept: BTreeSet<Value>,
}

/// From how many bytes on memory goes past the caches: three quarters of the last one, as what is read wants some of
/// it. `None` where no cache is known.
pub fn streaming_bytes(facts: &TargetFacts) -> Option<u64> {
    let from_bytes = facts.last_level_bytes / 4 * 3;
    (from_bytes > 0 && facts.vector_bytes > 0 && !facts.grid).then_some(from_bytes)
}

impl Streaming {
    fn of(facts: &TargetFacts) -> Option<Streaming> {
        let from_bytes = streaming_bytes(facts)?;
        Some(Streaming { from_bytes, vector_bytes: facts.vector_bytes })
    }

    /// Rewrites the outermost parallel loops of a block.
    fn walk(&self, func: &mut Func, block: Block) {
        for op in mem::take(&mut func.blocks[block].ops) {
            if func.ops[op].opcode == Opcode::For(ForKind::Parallel) {
                self.parallel_loop(func, block, op);
            } else {
                for region in func.ops[op].regions.clone() {
                    self.walk(func, region);
                }
            }
            func.blocks[block].ops.push(op);
        }
    }

    /// Writes the questions before the loop to the end of the block, and rewrites the stores in it.
    fn parallel_loop(&self, func: &mut Func, block: Block, nest: Op) {
        let mut accesses = Accesses::default();
        accesses.collect(func, nest, &mut Vec::new());
        let mut asked: Vec<(Value, Value)> = Vec::new();
        for (store, loops) in &accesses.stores {
            let args = &func.ops[*store].args;
            let (memory, offset, value) = (root(func, args[0]), args[1], args[2]);
            if accesses.kept.contains(&memory)
                || vector_bytes(func, value) != Some(self.vector_bytes)
                || !runs_through(func, offset, loops)
            {
                continue;
            }
            let known = asked.iter().find(|(other, _)| *other == memory).map(|(_, past)| *past);
            let past = match known {
                Some(past) => past,
                None => {
                    let Some(past) = self.ask(func, block, memory) else { continue };
                    asked.push((memory, past));
                    past
                }
            };
            func.ops[*store].opcode = Opcode::Stream;
            func.ops[*store].args.push(past);
        }
    }

    /// Whether this memory is large; `None` when it is known to be small, or nothing is known of it.
    fn ask(&self, func: &mut Func, block: Block, memory: Value) -> Option<Value> {
        let data = &func.ops[func.def_op(memory)?];
        if !matches!(data.opcode, Opcode::Output { .. } | Opcode::Alloc(_)) {
            return None;
        }
        let count = *data.args.first()?;
        let least = self.from_bytes.div_ceil(u64::from(func.ty(memory).element().bytes()));
        let least = i64::try_from(least).ok()?;
        let known = func.as_const(count).map(|count| count.bits as i64 >= least);
        let mut builder = FuncBuilder::at(func, block);
        match known {
            Some(false) => None,
            Some(true) => Some(builder.bool(true)),
            None => {
                let least = builder.i64(least);
                Some(builder.compare(CompareOp::Ge, count, least))
            }
        }
    }
}

impl Accesses {
    fn collect(&mut self, func: &Func, op: Op, loops: &mut Vec<Op>) {
        let data = &func.ops[op];
        #[expect(clippy::wildcard_enum_match_arm, reason = "everything else only holds more of these")]
        match data.opcode {
            Opcode::Store if !loops.is_empty() => self.stores.push((op, loops.clone())),
            Opcode::Load | Opcode::LoadLanes => {
                self.kept.insert(root(func, data.args[0]));
            }
            Opcode::Copy => {
                self.kept.insert(root(func, data.args[1]));
            }
            Opcode::Alloc(_) | Opcode::Output { .. } => self.kept.extend(&data.results),
            Opcode::For(_) => {
                loops.push(op);
                self.regions(func, op, loops);
                loops.pop();
                return;
            }
            // How often these run nobody knows: what they write is written again.
            Opcode::While | Opcode::Forever => {
                self.regions(func, op, &mut Vec::new());
                return;
            }
            _ => {}
        }
        self.regions(func, op, loops);
    }

    fn regions(&mut self, func: &Func, op: Op, loops: &mut Vec<Op>) {
        for region in &func.ops[op].regions {
            for inner in &func.blocks[*region].ops {
                self.collect(func, *inner, loops);
            }
        }
    }
}

/// The memory that a buffer is a part of.
fn root(func: &Func, mut buffer: Value) -> Value {
    while let Some(op) = func.def_op(buffer)
        && func.ops[op].opcode == Opcode::Offset
    {
        buffer = func.ops[op].args[0];
    }
    buffer
}

fn vector_bytes(func: &Func, value: Value) -> Option<u32> {
    match func.ty(value) {
        Type::Vector(elem, lanes) => Some(elem.bytes() * u32::from(*lanes)),
        Type::Scalar(_) | Type::Buffer(_) | Type::Array(..) => None,
    }
}

/// Whether an offset differs in every iteration of the loops, and follows the innermost one step by step.
fn runs_through(func: &Func, offset: Value, loops: &[Op]) -> bool {
    let index = |op: &Op| func.blocks[func.ops[*op].regions[0]].params[0];
    let Some((innermost, outer)) = loops.split_last() else { return false };
    follows(func, offset, index(innermost), MOST_DEPTH)
        && outer.iter().all(|op| {
            // The bounds of the innermost loop may be where the outer ones come in.
            let (outer, lo) = (index(op), func.ops[*innermost].args[0]);
            depends(func, offset, outer, MOST_DEPTH) || depends(func, lo, outer, MOST_DEPTH)
        })
}

/// Whether a value is the index plus or minus something that does not depend on it.
fn follows(func: &Func, value: Value, index: Value, depth: u32) -> bool {
    if value == index {
        return true;
    }
    let Some(op) = func.def_op(value).filter(|_| depth > 0) else { return false };
    let data = &func.ops[op];
    let moved = |moving: Value, by: Value| {
        follows(func, moving, index, depth - 1) && !depends(func, by, index, depth - 1)
    };
    match (&data.opcode, data.args.as_slice()) {
        (Opcode::Binary(BinaryOp::Add), [left, right]) => moved(*left, *right) || moved(*right, *left),
        (Opcode::Binary(BinaryOp::Sub), [left, right]) => moved(*left, *right),
        _ => false,
    }
}

/// Whether a value depends on an index (or might: what is too deep does).
fn depends(func: &Func, value: Value, index: Value, depth: u32) -> bool {
    if value == index {
        return true;
    }
    let Some(op) = func.def_op(value) else { return false };
    if depth == 0 {
        return true;
    }
    func.ops[op].args.iter().any(|arg| depends(func, *arg, index, depth - 1))
}
