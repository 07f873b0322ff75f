//! Decoding functions: slots for values, moves for terminators, scalar operations. Control is in
//! `decode_control`, array operations are in `decode_array`, memory in `decode_loop`.

use std::collections::BTreeMap;

use we3_ir::entity::SecondaryMap;
use we3_ir::{Block, Func, FuncId, Level, Module, Op, OpData, Opcode, Scalar, Type, Value};

use crate::last_use::LastUses;
use crate::program::{ArrayUse, BlockCode, BlockIndex, Body, Inst, Moves, Place, Program, Slot};
use crate::value::{Run, Stop};

/// Calls and regions nested deeper than this would overflow the stack.
const MAX_DEPTH: usize = 1000;

/// A decoded function.
pub(crate) struct FuncCode {
    pub(crate) params: Vec<Value>,
    pub(crate) slots: SecondaryMap<Value, Slot>,
    pub(crate) body: BlockIndex,
    /// The values that `return` gives, with whether an array is used for the last time.
    pub(crate) returns: Vec<(Value, bool)>,
    /// How deep execution nests in it, calls included.
    pub(crate) depth: usize,
}

impl FuncCode {
    /// Where a value of the function lies.
    pub(crate) fn place(&self, func: &Func, value: Value) -> Place {
        let slot = self.slots[value];
        match func.ty(value) {
            Type::Scalar(_) | Type::Vector(..) => Place::Scalar(slot),
            Type::Array(..) => Place::Array(slot),
            Type::Buffer(_) => Place::Buffer(slot),
        }
    }
}

/// Decodes an entry and everything it calls.
pub(crate) fn decode(module: &Module, entry: FuncId) -> Run<(Program, FuncCode)> {
    let mut decoder = Decoder { module, program: Program::default(), done: BTreeMap::new() };
    decoder.function(entry)?;
    match decoder.done.remove(&entry) {
        Some(code) if code.depth <= MAX_DEPTH => Ok((decoder.program, code)),
        Some(_) | None => Err(Box::new(Stop::OutOfMemory)),
    }
}

struct Decoder<'a> {
    module: &'a Module,
    program: Program,
    done: BTreeMap<FuncId, FuncCode>,
}

impl Decoder<'_> {
    /// Decodes callees before callers, without recursion: chains of calls may be long.
    fn function(&mut self, root: FuncId) -> Run<()> {
        let mut waiting = vec![root];
        while let Some(id) = waiting.last().copied() {
            let func = &self.module.funcs[id];
            let missing: Vec<FuncId> = func
                .ops
                .values()
                .filter_map(callee)
                .filter(|callee| !self.done.contains_key(callee))
                .collect();
            if missing.is_empty() {
                waiting.pop();
                if !self.done.contains_key(&id) {
                    let code = self.one(id);
                    self.done.insert(id, code);
                }
            } else {
                waiting.extend(missing);
            }
        }
        Ok(())
    }

    fn one(&mut self, id: FuncId) -> FuncCode {
        let func = &self.module.funcs[id];
        let last_uses = match self.module.level {
            Level::Array => LastUses::of(func),
            Level::Loop => LastUses::default(),
        };
        let mut decoder = FuncDecoder {
            module: self.module,
            func,
            program: &mut self.program,
            done: &self.done,
            slots: SecondaryMap::new(),
            last_uses,
            targets: Vec::new(),
            depth: 0,
            deepest: 0,
        };
        decoder.define_all(func.params());
        let body = decoder.block(func.body);
        let returns = match func.terminator(func.body) {
            Some(op) => {
                let args = func.ops[op].args.iter().enumerate();
                args.map(|(number, value)| (*value, decoder.last_uses.takes(op, number))).collect()
            }
            None => Vec::new(),
        };
        let (slots, depth) = (decoder.slots, decoder.deepest);
        FuncCode { params: func.params().to_vec(), slots, body, returns, depth }
    }
}

fn callee(data: &OpData) -> Option<FuncId> {
    if let Opcode::Call(callee) = data.opcode { Some(callee) } else { None }
}

/// Decodes one function.
pub(crate) struct FuncDecoder<'a, 'p> {
    pub(crate) module: &'a Module,
    pub(crate) func: &'a Func,
    pub(crate) program: &'p mut Program,
    pub(crate) done: &'p BTreeMap<FuncId, FuncCode>,
    slots: SecondaryMap<Value, Slot>,
    pub(crate) last_uses: LastUses,
    /// The `block` and `forever` operations around, outermost first.
    pub(crate) targets: Vec<Op>,
    pub(crate) depth: usize,
    pub(crate) deepest: usize,
}

impl<'a> FuncDecoder<'a, '_> {
    /// Gives a value its slot.
    pub(crate) fn define(&mut self, value: Value) {
        let (file, count) = match self.func.ty(value) {
            Type::Scalar(_) => (&mut self.program.n_scalars, 1),
            Type::Vector(_, lanes) => (&mut self.program.n_scalars, u32::from(*lanes)),
            Type::Array(..) => (&mut self.program.n_arrays, 1),
            Type::Buffer(_) => (&mut self.program.n_buffers, 1),
        };
        self.slots[value] = *file;
        *file += count;
    }

    pub(crate) fn define_all(&mut self, values: &[Value]) {
        for value in values {
            self.define(*value);
        }
    }

    /// Values that lie where others lie: a loop's parameters in its results.
    pub(crate) fn define_as(&mut self, values: &[Value], places: &[Value]) {
        for (value, place) in values.iter().zip(places) {
            self.slots[*value] = self.slots[*place];
        }
    }

    pub(crate) fn slot(&self, value: Value) -> Slot {
        self.slots[value]
    }

    pub(crate) fn slots_of(&self, values: &[Value]) -> Vec<Slot> {
        values.iter().map(|value| self.slot(*value)).collect()
    }

    /// Number of scalar slots of a value.
    pub(crate) fn lanes(&self, value: Value) -> u32 {
        match self.func.ty(value) {
            Type::Vector(_, lanes) => u32::from(*lanes),
            Type::Scalar(_) | Type::Array(..) | Type::Buffer(_) => 1,
        }
    }

    pub(crate) fn array_use(&self, op: Op, operand: usize) -> ArrayUse {
        ArrayUse { slot: self.slot(self.func.ops[op].args[operand]), take: self.last_uses.takes(op, operand) }
    }

    /// Moves operands of an operation, from one on, to slots given with the values that lie there.
    pub(crate) fn moves(&self, op: Op, first: usize, places: &[Slot]) -> Moves {
        let mut moves = Moves::default();
        let args = self.func.ops[op].args.get(first..).unwrap_or(&[]);
        for (number, (value, place)) in args.iter().zip(places).enumerate() {
            let from = self.slot(*value);
            match self.func.ty(*value) {
                Type::Scalar(_) | Type::Vector(..) => {
                    let lanes = 0..self.lanes(*value);
                    moves.scalars.extend(lanes.map(|lane| (from + lane, place + lane)));
                }
                Type::Array(..) => moves.arrays.push((self.array_use(op, first + number), *place)),
                Type::Buffer(_) => moves.buffers.push((from, *place)),
            }
        }
        moves.settle();
        moves
    }

    /// What a region's `yield` moves to these values; nothing when it ends with a jump.
    pub(crate) fn yield_moves(&self, region: Block, places: &[Value]) -> Moves {
        match self.func.terminator(region) {
            Some(op) if matches!(self.func.ops[op].opcode, Opcode::Yield) => {
                self.moves(op, 0, &self.slots_of(places))
            }
            Some(_) | None => Moves::default(),
        }
    }

    /// A region over a domain, whose parameters get slots here.
    pub(crate) fn body(&mut self, region: Block, masked: bool) -> Body {
        let func = self.func;
        self.define_all(&func.blocks[region].params);
        let block = self.block(region);
        let mut values = self.slots_of(func.yields(region));
        let present = if masked && !values.is_empty() { Some(values.remove(0)) } else { None };
        Body { block, subscripts: self.slots_of(&func.blocks[region].params), present, values }
    }

    /// Decodes a block whose parameters have slots.
    pub(crate) fn block(&mut self, block: Block) -> BlockIndex {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        let mut insts = Vec::new();
        let func = self.func;
        for op in &func.blocks[block].ops {
            self.operation(*op, &mut insts);
            for value in self.last_uses.kills(*op) {
                insts.push(Inst::Kill { array: self.slot(*value) });
            }
        }
        self.depth -= 1;
        let cost = insts.len() as u64 + 1;
        self.program.blocks.push(BlockCode { insts: insts.into_boxed_slice(), cost });
        (self.program.blocks.len() - 1) as BlockIndex
    }

    fn operation(&mut self, op: Op, insts: &mut Vec<Inst>) {
        let func = self.func;
        let data = &func.ops[op];
        self.define_all(&data.results);
        match &data.opcode {
            Opcode::Const(_)
            | Opcode::Unary(_)
            | Opcode::Binary(_)
            | Opcode::Compare(_)
            | Opcode::Select
            | Opcode::Fma
            | Opcode::Convert(_)
            | Opcode::Bitcast(_) => self.lane_wise(data, insts),
            Opcode::If => insts.push(self.if_else(data)),
            Opcode::While => insts.push(self.while_loop(op, data)),
            Opcode::Loop => insts.push(self.count(op, data, false)),
            Opcode::For(kind) => insts.push(self.count(op, data, *kind != we3_ir::ForKind::Serial)),
            Opcode::Check { site } => insts.push(self.check(data, *site)),
            Opcode::Call(callee) => self.call(op, *callee, insts),
            Opcode::Yield | Opcode::Return => {}
            Opcode::Block | Opcode::Forever => insts.push(self.jump_target(op, data)),
            Opcode::Break(levels) => insts.push(self.jump(op, *levels, false)),
            Opcode::Continue(levels) => insts.push(self.jump(op, *levels, true)),
            Opcode::Build { .. }
            | Opcode::Index
            | Opcode::Reduce { .. }
            | Opcode::Dot { .. }
            | Opcode::DotBy { .. }
            | Opcode::Scan { .. }
            | Opcode::Scatter { .. }
            | Opcode::Update { .. }
            | Opcode::Reshape
            | Opcode::Resize => insts.push(self.array_operation(op)),
            Opcode::Data { elem, bits } => self.data(data, *elem, bits, insts),
            Opcode::Alloc(_)
            | Opcode::Stack { .. }
            | Opcode::Free
            | Opcode::Output { .. }
            | Opcode::Offset
            | Opcode::Load
            | Opcode::Store
            | Opcode::Stream
            | Opcode::Copy
            | Opcode::Splat(_)
            | Opcode::Iota { .. }
            | Opcode::Extract(_)
            | Opcode::Insert(_)
            | Opcode::Shuffle(_)
            | Opcode::LoadLanes
            | Opcode::StoreLanes
            | Opcode::AnyLane
            | Opcode::AllLanes
            | Opcode::Barrier => self.loop_operation(data, insts),
            // Nobody profiles the interpreter.
            Opcode::Probe { .. } => {}
        }
    }

    /// A scalar operation, or one a lane.
    fn lane_wise(&mut self, data: &OpData, insts: &mut Vec<Inst>) {
        let result = data.results[0];
        let operand = |number: usize, lane: u32| {
            let value = data.args[number];
            // One bool may select for all lanes.
            self.slot(value) + if self.lanes(value) == 1 { 0 } else { lane }
        };
        let ty = data.args.first().map_or(Scalar::Bool, |value| self.func.ty(*value).element());
        for lane in 0..self.lanes(result) {
            let dst = self.slot(result) + lane;
            let arg = |number: usize| operand(number, lane);
            #[expect(clippy::wildcard_enum_match_arm, reason = "the caller sends lane-wise operations only")]
            insts.push(match &data.opcode {
                Opcode::Const(constant) => Inst::Const { dst, bits: constant.bits },
                Opcode::Unary(op) => Inst::Unary { op: *op, ty, dst, a: arg(0) },
                Opcode::Binary(op) => Inst::Binary { op: *op, ty, dst, a: arg(0), b: arg(1) },
                Opcode::Compare(op) => Inst::Compare { op: *op, ty, dst, a: arg(0), b: arg(1) },
                Opcode::Select => Inst::Select { dst, cond: arg(0), a: arg(1), b: arg(2) },
                Opcode::Fma => Inst::Fma { ty, dst, a: arg(0), b: arg(1), c: arg(2) },
                Opcode::Convert(to) => Inst::Convert { from: ty, to: *to, dst, a: arg(0) },
                // Bits are kept in 64-bit slots, zero-extended, whatever the type.
                _ => Inst::Move { dst, src: arg(0) },
            });
        }
    }
}

impl Moves {
    /// Drops moves to the same place and finds out whether the order matters.
    fn settle(&mut self) {
        self.scalars.retain(|(from, to)| from != to);
        self.buffers.retain(|(from, to)| from != to);
        let stay: Vec<Slot> =
            self.arrays.iter().filter(|(from, to)| from.slot == *to).map(|(_, to)| *to).collect();
        self.arrays.retain(|(from, to)| from.slot != *to);
        for (from, _) in &mut self.arrays {
            // An array that also stays where it is cannot move away.
            from.take &= !stay.contains(&from.slot);
        }
        let array_pairs: Vec<(Slot, Slot)> = self.arrays.iter().map(|(from, to)| (from.slot, *to)).collect();
        self.overlapping = overlap(&self.scalars) || overlap(&array_pairs) || overlap(&self.buffers);
    }
}

fn overlap(moves: &[(Slot, Slot)]) -> bool {
    let mut written = std::collections::BTreeSet::new();
    moves.iter().any(|(from, to)| {
        let read_late = written.contains(from);
        written.insert(*to);
        read_late
    })
}
