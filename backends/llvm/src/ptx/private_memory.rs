//! A thread cannot allocate. Memory that each iteration of a parallel nest allocates for itself
//! becomes one allocation before the nest, of which iteration t takes the t-th part.
//!
//! ```text
//! before                              after
//!   for.parallel 0, %n {                %b = alloc.f32 (%m · %n)
//!   b(%i):                              for.parallel 0, %n {
//!     %a = alloc.f32 %m                 b(%i):
//!     …                                   %a = offset %b, %i · %m
//!     free %a                             …
//!   }                                   }
//!                                       free %b
//! ```
//!
//! Left alone (the host then steps through the loop): nests where the size depends on the iteration,
//! or where a loop inside hands an allocation on to its next round.

use std::collections::{HashMap, HashSet};

use we3_ir::{BinaryOp, Block, Func, FuncBuilder, Op, Opcode, Type, Value};

use super::nest::{self, is_parallel, is_scalar, iterations};

/// Rewrites every nest of a function that allows it.
pub fn share_private_memory(func: &mut Func) {
    let body = func.body;
    block(func, body);
}

fn block(func: &mut Func, at: Block) {
    for op in func.blocks[at].ops.clone() {
        if is_parallel(func, op) && Nest::of(func, op).is_some_and(|nest| nest.rewrite(func, at, op)) {
            continue;
        }
        for region in func.ops[op].regions.clone() {
            block(func, region);
        }
    }
}

/// What is in a nest of parallel loops.
struct Nest {
    loops: Vec<Op>,
    body: Block,
    allocs: Vec<Op>,
    frees: Vec<(Block, Op)>,
    inside: HashSet<Value>,
}

impl Nest {
    /// Looks through a nest; `None` if it holds nothing to rewrite or something in the way.
    fn of(func: &Func, op: Op) -> Option<Nest> {
        let nest::Nest { loops, body, .. } = nest::Nest::of(func, op);
        let mut nest = Nest { loops, body, allocs: vec![], frees: vec![], inside: HashSet::new() };
        let region = func.ops[op].regions[0];
        if !nest.collect(func, region) || nest.allocs.is_empty() {
            return None;
        }
        let escaping = escaping(func, region, &nest.allocs);
        let fixed = |op: &Op| nest.is_fixed(func, func.ops[*op].args[0]);
        (!escaping && nest.allocs.iter().all(fixed)).then_some(nest)
    }

    fn collect(&mut self, func: &Func, block: Block) -> bool {
        self.inside.extend(&func.blocks[block].params);
        func.blocks[block].ops.iter().all(|op| {
            let data = &func.ops[*op];
            self.inside.extend(&data.results);
            if matches!(data.opcode, Opcode::Alloc(_)) {
                self.allocs.push(*op);
            }
            if data.opcode == Opcode::Free {
                self.frees.push((block, *op));
            }
            let whole = !matches!(data.opcode, Opcode::Output { .. });
            whole && data.regions.iter().all(|region| self.collect(func, *region))
        })
    }

    /// Whether a value is the same for all iterations and can be computed before the nest.
    fn is_fixed(&self, func: &Func, value: Value) -> bool {
        if !self.inside.contains(&value) {
            return true;
        }
        let Some(op) = func.def_op(value) else { return false };
        let data = &func.ops[op];
        is_scalar(&data.opcode) && data.args.iter().all(|arg| self.is_fixed(func, *arg))
    }

    fn rewrite(&self, func: &mut Func, parent: Block, op: Op) -> bool {
        let before = func.make_block();
        let inside = func.make_block();
        let counts = self.counts(func, before);
        let number = self.iteration_number(func, inside, &counts);
        let mut shared = Vec::new();
        for alloc in &self.allocs {
            shared.push(self.share(func, *alloc, before, inside, &counts, number));
        }
        let after = func.make_block();
        for buffer in shared {
            FuncBuilder::at(func, after).append(Opcode::Free, vec![buffer], vec![], &[]);
        }
        for (block, free) in &self.frees {
            func.blocks[*block].ops.retain(|op| op != free);
        }
        self.splice(func, parent, op, before, inside, after);
        true
    }

    fn counts(&self, func: &mut Func, before: Block) -> Vec<Value> {
        let bounds: Vec<Vec<Value>> = self.loops.iter().map(|op| func.ops[*op].args.clone()).collect();
        let mut counts = Vec::new();
        for args in bounds {
            let mut copies = HashMap::new();
            let [lo, hi, step] =
                [args[0], args[1], args[2]].map(|arg| self.computed_before(func, arg, before, &mut copies));
            counts.push(iterations(&mut FuncBuilder::at(func, before), lo, hi, step));
        }
        counts
    }

    /// Which iteration of the nest this is, counted row by row.
    fn iteration_number(&self, func: &mut Func, inside: Block, counts: &[Value]) -> Value {
        let axes: Vec<(Value, Value, Value)> = self
            .loops
            .iter()
            .map(|op| {
                let data = &func.ops[*op];
                (func.blocks[data.regions[0]].params[0], data.args[0], data.args[2])
            })
            .collect();
        let mut builder = FuncBuilder::at(func, inside);
        let mut number: Option<Value> = None;
        for ((index, lo, step), count) in axes.into_iter().zip(counts) {
            let distance = builder.binary(BinaryOp::Sub, index, lo);
            let position = builder.binary(BinaryOp::Div, distance, step);
            number = Some(match number {
                None => position,
                Some(outer) => {
                    let rows = builder.binary(BinaryOp::Mul, outer, *count);
                    builder.binary(BinaryOp::Add, rows, position)
                }
            });
        }
        number.unwrap_or_else(|| builder.i64(0))
    }

    /// Allocates for all iterations in `before`; the old operation becomes the address of one part.
    fn share(
        &self,
        func: &mut Func,
        alloc: Op,
        before: Block,
        inside: Block,
        counts: &[Value],
        number: Value,
    ) -> Value {
        let (count, buffer) = (func.ops[alloc].args[0], func.ops[alloc].results[0]);
        let elem = func.ty(buffer).element();
        let mut copies = HashMap::new();
        let count = self.computed_before(func, count, before, &mut copies);
        let mut builder = FuncBuilder::at(func, before);
        let zero = builder.i64(0);
        let part = builder.binary(BinaryOp::Max, count, zero);
        let mut size = part;
        for count in counts {
            size = builder.binary(BinaryOp::MulSat, size, *count);
        }
        let shared = builder.value(Opcode::Alloc(elem), vec![size], vec![], Type::Buffer(elem));
        let start = FuncBuilder::at(func, inside).binary(BinaryOp::Mul, number, part);
        func.ops[alloc].opcode = Opcode::Offset;
        func.ops[alloc].args = vec![shared, start];
        shared
    }

    /// The value, or a copy of its computation in `before`.
    fn computed_before(
        &self,
        func: &mut Func,
        value: Value,
        before: Block,
        copies: &mut HashMap<Value, Value>,
    ) -> Value {
        if let Some(copy) = copies.get(&value) {
            return *copy;
        }
        let Some(op) = func.def_op(value).filter(|_| self.inside.contains(&value)) else { return value };
        let data = func.ops[op].clone();
        let args = data.args.iter().map(|arg| self.computed_before(func, *arg, before, copies)).collect();
        let ty = func.ty(value).clone();
        let copy = FuncBuilder::at(func, before).value(data.opcode, args, vec![], ty);
        copies.insert(value, copy);
        copy
    }

    fn splice(&self, func: &mut Func, parent: Block, op: Op, before: Block, inside: Block, after: Block) {
        let [before, inside, after] =
            [before, inside, after].map(|block| std::mem::take(&mut func.blocks[block].ops));
        func.blocks[self.body].ops.splice(0..0, inside);
        let ops = &mut func.blocks[parent].ops;
        if let Some(place) = ops.iter().position(|other| *other == op) {
            ops.splice(place + 1..place + 1, after);
            ops.splice(place..place, before);
        }
    }
}

/// Whether an allocation (or an address in it) leaves a round of a loop inside the nest, where the
/// same part of the shared memory could be needed twice at one time.
fn escaping(func: &Func, nest: Block, allocs: &[Op]) -> bool {
    let mut search = Escape { func, addresses: HashSet::new(), targets: Vec::new(), found: false };
    search.addresses.extend(allocs.iter().flat_map(|op| func.ops[*op].results.iter().copied()));
    search.block(nest);
    search.found
}

struct Escape<'a> {
    func: &'a Func,
    addresses: HashSet<Value>,
    targets: Vec<Op>,
    found: bool,
}

impl Escape<'_> {
    fn block(&mut self, block: Block) {
        for op in &self.func.blocks[block].ops {
            self.op(*op);
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "only the operations named hand buffers on")]
    fn op(&mut self, op: Op) {
        let data = &self.func.ops[op];
        let is_target = matches!(data.opcode, Opcode::Block | Opcode::Forever);
        if is_target {
            self.targets.push(op);
        }
        for region in &data.regions {
            self.block(*region);
        }
        if is_target {
            self.targets.pop();
        }
        match data.opcode {
            Opcode::Offset if self.addresses.contains(&data.args[0]) => self.addresses.extend(&data.results),
            Opcode::If | Opcode::Block => {
                for region in &data.regions {
                    let yields = self.func.yields(*region);
                    self.hand_on(yields, &data.results);
                }
            }
            // What a loop carries, and what leaves it.
            Opcode::For(_) | Opcode::While | Opcode::Forever => {
                let handed_on = data.regions.iter().flat_map(|region| self.func.yields(*region));
                self.found |= data.args.iter().chain(handed_on).any(|value| self.addresses.contains(value));
            }
            Opcode::Break(levels) => {
                let target = self.targets.iter().rev().nth(levels as usize).copied();
                self.found |= data.args.iter().any(|value| self.addresses.contains(value));
                if let Some(target) = target {
                    self.hand_on(&data.args, &self.func.ops[target].results);
                }
            }
            Opcode::Continue(_) => self.found |= data.args.iter().any(|value| self.addresses.contains(value)),
            _ => {}
        }
    }

    fn hand_on(&mut self, values: &[Value], results: &[Value]) {
        for (value, result) in values.iter().zip(results) {
            if self.addresses.contains(value) {
                self.addresses.insert(*result);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(text: &str) -> String {
        let mut module = we3_ir::text::parse_module(text).unwrap();
        for func in module.funcs.values_mut() {
            share_private_memory(func);
        }
        we3_ir::verify::verify(&module).unwrap();
        we3_ir::text::print_module(&module)
    }

    const ROWS: &str = "loop module

entry func @rows(%0: i64, %1: i64, %2: buffer f32) -> () {
  %3: i64 = const 0
  %4: i64 = const 1
  for.parallel %3, %0, %4 {
  b(%5: i64):
    %6: i64 = add %1, %4
    %7: buffer f32 = alloc.f32 %6
    %8: f32 = load %2, %5
    store %7, %3, %8
    free %7
    yield
  }
  return
}
";

    #[test]
    fn an_allocation_of_each_iteration_becomes_one_before_the_nest() {
        let text = shared(ROWS);
        let (nest, alloc, free) = (text.find("for.parallel"), text.find("alloc.f32"), text.find("free"));
        assert!(alloc < nest && nest < free, "{text}");
        assert_eq!(text.matches("alloc.f32").count(), 1, "{text}");
    }

    #[test]
    fn a_size_that_depends_on_the_iteration_stays() {
        let text = shared(&ROWS.replace("add %1, %4", "add %5, %4"));
        assert!(text.find("for.parallel") < text.find("alloc.f32"), "{text}");
    }
}
