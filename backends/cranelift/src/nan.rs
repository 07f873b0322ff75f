//! Which floats may still hold a NaN with a payload that is not the canonical one. Arithmetic leaves
//! payloads as the hardware makes them; the select that settles them is emitted only where a payload
//! can be seen. A forward analysis over the whole entry says which values need it.

use cranelift_codegen::entity::SecondaryMap;
use we3_ir::{BinaryOp, Block, Const, Func, Opcode, Scalar, Type, UnaryOp, Value};

/// What is known of the NaNs in a float value. The order is that of merging: the larger one wins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum NanState {
    /// Bits are exact, and NaNs are canonical.
    #[default]
    Clean,
    /// By definition canonical, but the register may hold another payload.
    Dirty,
    /// Bits are exact, and a payload from outside may be among them: nothing may touch it.
    Raw,
}

/// The state of every value of a function.
pub struct NanStates {
    states: SecondaryMap<Value, NanState>,
}

impl NanStates {
    /// The least states that agree with every operation (found by repetition; the order has height 3).
    pub fn of(func: &Func) -> NanStates {
        let mut analysis = Analysis { func, states: SecondaryMap::new(), frames: Vec::new(), changed: true };
        for param in func.params() {
            analysis.raise(*param, NanState::Raw);
        }
        while analysis.changed {
            analysis.changed = false;
            analysis.block(func.body);
        }
        NanStates { states: analysis.states }
    }

    /// The state of one value.
    pub fn of_value(&self, value: Value) -> NanState {
        self.states[value]
    }
}

struct Analysis<'a> {
    func: &'a Func,
    states: SecondaryMap<Value, NanState>,
    /// Enclosing `block`/`forever`: what `break` and `continue` write to.
    frames: Vec<(&'a [Value], &'a [Value])>,
    changed: bool,
}

impl<'a> Analysis<'a> {
    fn raise(&mut self, value: Value, state: NanState) {
        let float = match self.func.ty(value) {
            Type::Scalar(elem) | Type::Vector(elem, _) => elem.is_float(),
            Type::Array(..) | Type::Buffer(_) => false,
        };
        if float && state > self.states[value] {
            self.states[value] = state;
            self.changed = true;
        }
    }

    fn merge(&mut self, sources: &[Value], targets: &[Value]) {
        for (source, target) in sources.iter().zip(targets) {
            self.raise(*target, self.states[*source]);
        }
    }

    /// Several names of the same place: carried values, region parameters and results of one loop.
    fn unify(&mut self, left: &[Value], right: &[Value]) {
        self.merge(left, right);
        self.merge(right, left);
    }

    fn block(&mut self, block: Block) {
        let func = self.func;
        for op in &func.blocks[block].ops {
            self.op(*op);
        }
    }

    fn op(&mut self, op: we3_ir::Op) {
        let func = self.func;
        let data = &func.ops[op];
        match &data.opcode {
            Opcode::Const(constant) => self.raise(data.results[0], constant_state(*constant)),
            Opcode::Unary(op) => self.raise(data.results[0], unary_state(*op, func, data.args[0])),
            Opcode::Binary(op) => self.raise(data.results[0], binary_state(*op, func, data.args[0])),
            Opcode::Fma => self.raise(data.results[0], arithmetic_state(func, data.args[0])),
            Opcode::Convert(to) if func.ty(data.args[0]).element() == *to => {
                self.merge(&data.args, &data.results);
            }
            Opcode::Convert(to) => {
                let state = convert_state(func.ty(data.args[0]).element(), *to);
                self.raise(data.results[0], state);
            }
            Opcode::Bitcast(_) | Opcode::Load | Opcode::LoadLanes => {
                self.raise(data.results[0], NanState::Raw)
            }
            Opcode::Select => {
                self.merge(&data.args[1..2], &data.results);
                self.merge(&data.args[2..3], &data.results);
            }
            Opcode::Splat(_) | Opcode::Extract(_) => self.merge(&data.args, &data.results),
            Opcode::Insert(_) | Opcode::Shuffle(_) => {
                self.merge(&data.args[..1], &data.results);
                self.merge(&data.args[1..], &data.results);
            }
            Opcode::If => {
                for region in &data.regions {
                    self.block(*region);
                    self.merge(yielded(func, *region), &data.results);
                }
            }
            Opcode::While => self.while_loop(data),
            Opcode::For(_) => self.for_loop(data),
            Opcode::Block | Opcode::Forever => self.jump_target(data),
            Opcode::Break(levels) => {
                if let Some((results, _)) = self.frame(*levels) {
                    self.merge(&data.args, results);
                }
            }
            Opcode::Continue(levels) => {
                if let Some((_, params)) = self.frame(*levels) {
                    self.merge(&data.args, params);
                }
            }
            // No float results.
            Opcode::Compare(_)
            | Opcode::Check { .. }
            | Opcode::Yield
            | Opcode::Return
            | Opcode::Alloc(_)
            | Opcode::Data { .. }
            | Opcode::Stack { .. }
            | Opcode::Free
            | Opcode::Output { .. }
            | Opcode::Offset
            | Opcode::Store
            | Opcode::Stream
            | Opcode::StoreLanes
            | Opcode::AnyLane
            | Opcode::AllLanes
            | Opcode::Copy
            | Opcode::Iota { .. }
            | Opcode::Barrier
            | Opcode::Probe { .. } => {}
            // Not at this level; emission reports them.
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

    fn while_loop(&mut self, data: &'a we3_ir::OpData) {
        let func = self.func;
        let [cond, body] = [data.regions[0], data.regions[1]];
        let carried = &func.blocks[cond].params;
        self.merge(&data.args, carried);
        self.unify(carried, &func.blocks[body].params);
        self.block(cond);
        self.block(body);
        self.merge(yielded(func, body), carried);
        self.unify(carried, &func.blocks[body].params);
        self.unify(carried, &data.results);
    }

    fn for_loop(&mut self, data: &'a we3_ir::OpData) {
        let func = self.func;
        let body = data.regions[0];
        let carried = &func.blocks[body].params[1..];
        self.merge(&data.args[3..], carried);
        self.block(body);
        self.merge(yielded(func, body), carried);
        self.unify(carried, &data.results);
    }

    fn jump_target(&mut self, data: &'a we3_ir::OpData) {
        let func = self.func;
        let body = data.regions[0];
        let params: &[Value] = &func.blocks[body].params;
        self.merge(&data.args, params);
        self.frames.push((&data.results, params));
        self.block(body);
        self.frames.pop();
        let end = if matches!(data.opcode, Opcode::Forever) { params } else { &data.results };
        self.merge(yielded(func, body), end);
    }

    fn frame(&self, levels: u32) -> Option<(&'a [Value], &'a [Value])> {
        self.frames.iter().rev().nth(levels as usize).copied()
    }
}

/// What a region yields; nothing when it ends in a jump.
fn yielded(func: &Func, region: Block) -> &[Value] {
    let at_end = func.terminator(region).is_some_and(|op| matches!(func.ops[op].opcode, Opcode::Yield));
    if at_end { func.yields(region) } else { &[] }
}

fn constant_state(constant: Const) -> NanState {
    let (magnitude, infinity) = match constant.ty {
        Scalar::F16 => (constant.bits & 0x7fff, 0x7c00),
        Scalar::Bf16 => (constant.bits & 0x7fff, 0x7f80),
        Scalar::F32 => (constant.bits & 0x7fff_ffff, 0x7f80_0000),
        Scalar::F64 => (constant.bits & 0x7fff_ffff_ffff_ffff, 0x7ff0_0000_0000_0000),
        Scalar::Bool
        | Scalar::I8
        | Scalar::I16
        | Scalar::I32
        | Scalar::I64
        | Scalar::U8
        | Scalar::U16
        | Scalar::U32
        | Scalar::U64 => return NanState::Clean,
    };
    if magnitude > infinity { NanState::Raw } else { NanState::Clean }
}

/// Half-width results come out of integer code that writes the canonical NaN itself.
fn float_state(ty: Scalar) -> NanState {
    if matches!(ty, Scalar::F32 | Scalar::F64) { NanState::Dirty } else { NanState::Clean }
}

fn arithmetic_state(func: &Func, operand: Value) -> NanState {
    float_state(func.ty(operand).element())
}

fn unary_state(op: UnaryOp, func: &Func, operand: Value) -> NanState {
    match op {
        UnaryOp::Neg
        | UnaryOp::Abs
        | UnaryOp::Sqrt
        | UnaryOp::Floor
        | UnaryOp::Ceil
        | UnaryOp::Trunc
        | UnaryOp::RoundEven => arithmetic_state(func, operand),
        UnaryOp::Not | UnaryOp::CountOnes | UnaryOp::LeadingZeros | UnaryOp::TrailingZeros => NanState::Clean,
    }
}

fn binary_state(op: BinaryOp, func: &Func, operand: Value) -> NanState {
    match op {
        BinaryOp::Add
        | BinaryOp::Sub
        | BinaryOp::Mul
        | BinaryOp::Div
        | BinaryOp::Rem
        | BinaryOp::Min
        | BinaryOp::Max
        | BinaryOp::CopySign => arithmetic_state(func, operand),
        BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
        | BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::RotateLeft
        | BinaryOp::MulHi
        | BinaryOp::AddSat
        | BinaryOp::SubSat
        | BinaryOp::MulSat => NanState::Clean,
    }
}

fn convert_state(from: Scalar, to: Scalar) -> NanState {
    if from.is_float() { float_state(to) } else { NanState::Clean }
}
