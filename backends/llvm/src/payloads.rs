//! Analysis: which float values must keep the bits of a NaN. A value that some *move* (a load, a
//! parameter, a bitcast, or a select or loop over such a value) may define carries a payload that
//! the program can see again. Every other float is the result of arithmetic: if it is a NaN it is
//! the canonical one, and the canonicalising select may wait until an output, a bitcast or a moved
//! value takes it. So chains of arithmetic, and accumulators, pay nothing. Memory takes part: a
//! buffer stands for its contents, which are exact in parameters, outputs and tables, and in an allocation
//! only if a moved value is stored there or if it might be the same memory as one of these.

use std::collections::{HashMap, HashSet};

use we3_ir::{Block, Func, Op, Opcode, Scalar, Type, Value};

/// The result of the analysis.
pub struct Payloads {
    moved: HashSet<Value>,
}

impl Payloads {
    /// Analyses a function at loop level.
    pub fn of(func: &Func) -> Payloads {
        let mut flow = Flow { func, edges: HashMap::new(), seeds: Vec::new(), targets: Vec::new() };
        flow.seeds.extend(func.blocks[func.body].params.iter().copied());
        flow.block(func.body);
        let mut moved = HashSet::new();
        let mut work = flow.seeds;
        while let Some(value) = work.pop() {
            if moved.insert(value)
                && let Some(next) = flow.edges.get(&value)
            {
                work.extend(next);
            }
        }
        Payloads { moved }
    }

    /// Whether this value holds exact bits (rather than "some NaN" for the canonical one).
    pub fn is_moved(&self, value: Value) -> bool {
        self.moved.contains(&value)
    }
}

/// Collects where values are moved to.
struct Flow<'a> {
    func: &'a Func,
    edges: HashMap<Value, Vec<Value>>,
    seeds: Vec<Value>,
    /// Enclosing `block` and `forever` ops.
    targets: Vec<Op>,
}

impl Flow<'_> {
    fn edges(&mut self, from: &[Value], to: &[Value]) {
        for (from, to) in from.iter().zip(to) {
            self.edges.entry(*from).or_default().push(*to);
            // Two names of one memory.
            let is_buffer = |value| matches!(self.func.ty(value), Type::Buffer(_));
            if is_buffer(*from) && is_buffer(*to) {
                self.edges.entry(*to).or_default().push(*from);
            }
        }
    }

    fn block(&mut self, block: Block) {
        let func = self.func;
        for op in &func.blocks[block].ops {
            self.op(*op);
        }
    }

    fn op(&mut self, op: Op) {
        let func = self.func;
        let data = &func.ops[op];
        match &data.opcode {
            Opcode::Bitcast(_) | Opcode::Output { .. } | Opcode::Data { .. } => {
                self.seeds.extend(&data.results)
            }
            Opcode::Load | Opcode::LoadLanes | Opcode::Offset => {
                self.edges(&data.args[..1], &data.results);
            }
            Opcode::Stream => self.edges(&data.args[2..3], &data.args[..1]),
            Opcode::Store => self.edges(&data.args[2..], &data.args[..1]),
            Opcode::StoreLanes => self.edges(&data.args[3..], &data.args[..1]),
            Opcode::Copy => self.edges(&data.args[1..2], &data.args[..1]),
            Opcode::Const(constant) => {
                if is_other_nan(constant.ty, constant.bits) {
                    self.seeds.extend(&data.results);
                }
            }
            Opcode::Select => self.flow_to_result(&data.args[1..], data.results[0]),
            // To the same type is a move; any other conversion is arithmetic.
            Opcode::Convert(to) if *to == func.ty(data.args[0]).element() => {
                self.flow_to_result(&data.args, data.results[0]);
            }
            Opcode::Splat(_) | Opcode::Extract(_) | Opcode::Insert(_) | Opcode::Shuffle(_) => {
                self.flow_to_result(&data.args, data.results[0]);
            }
            Opcode::If => {
                for region in &data.regions {
                    self.block(*region);
                    self.yields_to(*region, &data.results);
                }
            }
            Opcode::While => self.while_loop(op),
            Opcode::For(_) => self.for_loop(op),
            Opcode::Block | Opcode::Forever => self.jump_target(op),
            Opcode::Break(levels) => {
                if let Some(target) = self.target(*levels) {
                    self.edges(&data.args, &func.ops[target].results);
                }
            }
            Opcode::Continue(levels) => {
                if let Some(target) = self.target(*levels)
                    && let Some(region) = func.ops[target].regions.first()
                {
                    self.edges(&data.args, &func.blocks[*region].params);
                }
            }
            // Arithmetic gives canonical NaNs; the rest gives no float at all.
            Opcode::Unary(_)
            | Opcode::Binary(_)
            | Opcode::Compare(_)
            | Opcode::Fma
            | Opcode::Convert(_)
            | Opcode::Check { .. }
            | Opcode::Yield
            | Opcode::Return
            | Opcode::Alloc(_)
            | Opcode::Stack { .. }
            | Opcode::Free
            | Opcode::Iota { .. }
            | Opcode::AnyLane
            | Opcode::AllLanes
            | Opcode::Barrier
            | Opcode::Probe { .. } => {}
            // Not at this level; the emitter refuses them.
            Opcode::Call(_)
            | Opcode::Build { .. }
            | Opcode::Index
            | Opcode::Reduce { .. }
            | Opcode::Dot { .. }
            | Opcode::DotBy { .. }
            | Opcode::Scan { .. }
            | Opcode::Loop
            | Opcode::Scatter { .. }
            | Opcode::Update { .. }
            | Opcode::Reshape
            | Opcode::Resize => {}
        }
    }

    fn flow_to_result(&mut self, args: &[Value], result: Value) {
        for arg in args {
            self.edges(&[*arg], &[result]);
        }
    }

    fn yields_to(&mut self, region: Block, to: &[Value]) {
        let func = self.func;
        if let Some(last) = func.terminator(region)
            && func.ops[last].opcode == Opcode::Yield
        {
            self.edges(&func.ops[last].args, to);
        }
    }

    fn while_loop(&mut self, op: Op) {
        let data = &self.func.ops[op];
        let (cond, body) = (data.regions[0], data.regions[1]);
        self.block(cond);
        self.block(body);
        for to in [&self.func.blocks[cond].params, &self.func.blocks[body].params, &data.results] {
            self.edges(&data.args, to);
            self.yields_to(body, to);
        }
    }

    fn for_loop(&mut self, op: Op) {
        let data = &self.func.ops[op];
        let body = data.regions[0];
        self.block(body);
        for to in [&self.func.blocks[body].params[1..], &data.results] {
            self.edges(&data.args[3..], to);
            self.yields_to(body, to);
        }
    }

    fn jump_target(&mut self, op: Op) {
        let data = &self.func.ops[op];
        let body = data.regions[0];
        self.targets.push(op);
        self.block(body);
        self.targets.pop();
        if data.opcode == Opcode::Block {
            self.yields_to(body, &data.results);
        } else {
            let params = &self.func.blocks[body].params;
            self.edges(&data.args, params);
            self.yields_to(body, params);
        }
    }

    fn target(&self, levels: u32) -> Option<Op> {
        let index = self.targets.len().checked_sub(levels as usize + 1)?;
        self.targets.get(index).copied()
    }
}

/// A NaN constant other than the canonical one.
fn is_other_nan(ty: Scalar, bits: u64) -> bool {
    match ty {
        Scalar::F32 => f32::from_bits(bits as u32).is_nan() && bits != 0x7fc0_0000,
        Scalar::F64 => f64::from_bits(bits).is_nan() && bits != 0x7ff8_0000_0000_0000,
        Scalar::Bool
        | Scalar::I8
        | Scalar::I16
        | Scalar::I32
        | Scalar::I64
        | Scalar::U8
        | Scalar::U16
        | Scalar::U32
        | Scalar::U64
        | Scalar::F16
        | Scalar::Bf16 => false,
    }
}
