//! Loop IR to LLVM IR text, one operation at a time. This file holds the state and the dispatch;
//! each family of operations has a file beside it, and what each must return is `we3_ir::eval`.

mod compare;
mod constant;
mod control;
mod convert;
mod float;
mod fma;
mod integer;
mod jump;
mod masked;
mod memory;
mod narrow;
mod outline;
pub mod regions;
mod round;
mod vector;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use we3_backend_api::{Outline, Unsupported};
use we3_ir::{BinaryOp, Block, Func, Op, Opcode, Scalar, UnaryOp, Value};

pub use self::outline::LoopBody;
use self::regions::Regions;
use crate::facts::Facts;
use crate::finite::is_finite;
use crate::payloads::Payloads;
use crate::text::{FuncText, Label, Lane, ModuleText, Ty, Val};

/// Whether control reaches the point after what was emitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// It does.
    Falls,
    /// A jump or return ended it.
    Ended,
}

/// How a kernel ends early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// A check failed.
    CheckFailed,
    /// No memory.
    OutOfMemory,
}

/// The state while one function is emitted.
pub struct Emitter<'a, 'module> {
    /// The function.
    pub func: &'a Func,
    /// What the target can do.
    pub facts: &'a Facts,
    /// Where the text goes.
    pub text: FuncText<'module>,
    /// The `CallContext` (CPU only).
    pub context: Val,
    /// Blocks that end the kernel early, made on first use.
    pub exits: Vec<(Exit, Label)>,
    /// Parallel loops whose bodies become functions.
    pub outlines: Rc<BTreeMap<Op, Outline>>,
    /// Those met so far.
    pub bodies: Vec<LoopBody>,
    symbol: Rc<str>,
    payloads: Rc<Payloads>,
    values: HashMap<Value, Val>,
    targets: Vec<jump::Target>,
    /// Metadata nodes of the parallel loops around the current point.
    access_groups: Vec<usize>,
    /// The metadata of a memory access here.
    access: String,
    /// Where addresses point.
    pub regions: Regions,
    scratch_bytes: u64,
    large_scratch: HashMap<Op, Val>,
    /// Some store goes past the caches.
    streams: bool,
}

impl<'a, 'module> Emitter<'a, 'module> {
    /// A state with nothing emitted. `disjoint`: parameters and outputs do not overlap.
    pub fn new(
        func: &'a Func,
        facts: &'a Facts,
        module: &'module mut ModuleText,
        disjoint: bool,
    ) -> Emitter<'a, 'module> {
        let regions = Regions::new(func, disjoint, module);
        Emitter::with(func, facts, module, regions, Rc::new(Payloads::of(func)))
    }

    fn with(
        func: &'a Func,
        facts: &'a Facts,
        module: &'module mut ModuleText,
        regions: Regions,
        payloads: Rc<Payloads>,
    ) -> Emitter<'a, 'module> {
        Emitter {
            regions,
            func,
            facts,
            text: FuncText::new(module),
            context: Val::new(Ty::PTR, "%context"),
            exits: Vec::new(),
            outlines: Rc::new(BTreeMap::new()),
            bodies: Vec::new(),
            symbol: Rc::from(""),
            payloads,
            values: HashMap::new(),
            targets: Vec::new(),
            access_groups: Vec::new(),
            access: String::new(),
            scratch_bytes: 0,
            large_scratch: HashMap::new(),
            streams: false,
        }
    }

    /// Says what an IR value is in LLVM IR.
    pub fn define(&mut self, value: Value, val: Val) {
        self.values.insert(value, val);
    }

    /// An operand whose NaN payload does not matter.
    pub fn get(&self, value: Value) -> Result<Val, Unsupported> {
        self.values.get(&value).cloned().ok_or_else(|| unsupported("a value used before its definition"))
    }

    /// An operand with exact bits.
    pub fn exact(&mut self, value: Value) -> Result<Val, Unsupported> {
        let val = self.get(value)?;
        let exact = self.payloads.is_moved(value) || is_finite(self.func, value);
        if exact { Ok(val) } else { Ok(self.canonical(&val)) }
    }

    /// An operand that becomes (part of) `into` without being computed with.
    pub fn moved_into(&mut self, value: Value, into: Value) -> Result<Val, Unsupported> {
        if self.payloads.is_moved(into) { self.exact(value) } else { self.get(value) }
    }

    /// The value with the canonical NaN in place of any NaN.
    pub fn canonical(&mut self, val: &Val) -> Val {
        match val.ty.lane {
            Lane::Float | Lane::Double => {
                let is_nan = self.text.fcmp("uno", val, val);
                let nan = Val::nan(val.ty);
                self.text.select(&is_nan, &nan, val)
            }
            Lane::Int(_) | Lane::Half | Lane::Ptr => val.clone(),
        }
    }

    /// The type in which a value is held.
    pub fn ty(&self, value: Value) -> Ty {
        Ty::of(self.func.ty(value))
    }

    /// The element type of a value.
    pub fn element(&self, value: Value) -> Scalar {
        self.func.ty(value).element()
    }

    /// Emits the operations of a block up to its terminator, and that too unless it is a `yield`.
    pub fn block(&mut self, block: Block) -> Result<Flow, Unsupported> {
        let func = self.func;
        for op in &func.blocks[block].ops {
            if self.op(*op)? == Flow::Ended {
                return Ok(Flow::Ended);
            }
        }
        Ok(Flow::Falls)
    }

    fn op(&mut self, op: Op) -> Result<Flow, Unsupported> {
        let func = self.func;
        let data = &func.ops[op];
        self.text.at(op);
        match &data.opcode {
            Opcode::Const(constant) => self.emit_const(op, *constant),
            Opcode::Unary(unary) => self.emit_unary(op, *unary)?,
            Opcode::Binary(binary) => self.emit_binary(op, *binary)?,
            Opcode::Compare(compare) => self.emit_compare(op, *compare)?,
            Opcode::Select => self.emit_select(op)?,
            Opcode::Fma => self.emit_fma(op)?,
            Opcode::Convert(to) => self.emit_convert(op, *to)?,
            Opcode::Bitcast(_) => self.emit_bitcast(op)?,
            Opcode::If => self.emit_if(op)?,
            Opcode::While => self.emit_while(op)?,
            Opcode::For(kind) => self.emit_for(op, *kind)?,
            Opcode::Block => self.emit_block(op)?,
            Opcode::Forever => self.emit_forever(op)?,
            Opcode::Break(levels) => return self.emit_break(op, *levels),
            Opcode::Continue(levels) => return self.emit_continue(op, *levels),
            Opcode::Check { .. } => self.emit_check(op)?,
            Opcode::Yield => {}
            Opcode::Return => return self.emit_return(op),
            Opcode::Data { elem, bits } => self.emit_data(op, *elem, bits),
            Opcode::Alloc(elem) => self.emit_alloc(op, *elem)?,
            Opcode::Stack { elem, len } => self.emit_stack(op, *elem, *len)?,
            Opcode::Free => self.emit_free(op)?,
            Opcode::Output { index, .. } => self.emit_output(op, *index)?,
            Opcode::Offset => self.emit_offset(op)?,
            Opcode::Load => self.emit_load(op)?,
            Opcode::Store => self.emit_store(op)?,
            Opcode::Stream => self.emit_stream(op)?,
            Opcode::Copy => self.emit_copy(op)?,
            Opcode::Splat(lanes) => self.emit_splat(op, *lanes)?,
            Opcode::Iota { elem, lanes } => self.emit_iota(op, *elem, *lanes),
            Opcode::Extract(lane) => self.emit_extract(op, *lane)?,
            Opcode::Insert(lane) => self.emit_insert(op, *lane)?,
            Opcode::Shuffle(picks) => self.emit_shuffle(op, picks)?,
            Opcode::LoadLanes => self.emit_load_lanes(op)?,
            Opcode::StoreLanes => self.emit_store_lanes(op)?,
            Opcode::AnyLane => self.emit_lanes_to_one(op, "or")?,
            Opcode::AllLanes => self.emit_lanes_to_one(op, "and")?,
            Opcode::Barrier => self.emit_barrier()?,
            Opcode::Probe { nest, leave } => self.emit_probe(op, *nest, *leave)?,
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
            | Opcode::Resize => return Err(unsupported("an array-level operation in loop IR")),
        }
        Ok(Flow::Falls)
    }

    fn emit_unary(&mut self, op: Op, unary: UnaryOp) -> Result<(), Unsupported> {
        let arg = self.func.ops[op].args[0];
        let elem = self.element(arg);
        let operand = self.get(arg)?;
        let val = if elem.is_float() {
            self.float_unary(unary, elem, &operand)?
        } else {
            self.int_unary(unary, elem, &operand)?
        };
        self.define_result(op, val);
        Ok(())
    }

    fn emit_binary(&mut self, op: Op, binary: BinaryOp) -> Result<(), Unsupported> {
        let args = &self.func.ops[op].args;
        let elem = self.element(args[0]);
        let left = self.get(args[0])?;
        // The sign of a NaN shows in a copysign.
        let right = if binary == BinaryOp::CopySign { self.exact(args[1])? } else { self.get(args[1])? };
        let val = if elem.is_float() {
            self.float_binary(binary, elem, &left, &right)?
        } else {
            let divisor = self.func.as_const(args[1]).map(|constant| constant.bits);
            self.int_binary(binary, elem, &left, &right, divisor)?
        };
        self.define_result(op, val);
        Ok(())
    }

    /// Defines the op's only result.
    fn define_result(&mut self, op: Op, val: Val) {
        if let Some(result) = self.func.ops[op].results.first() {
            self.define(*result, val);
        }
    }
}

/// A limit in words.
pub fn unsupported(what: impl Into<String>) -> Unsupported {
    Unsupported { what: what.into(), instead: None }
}
