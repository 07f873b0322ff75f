//! The state while one entry is emitted, and the dispatch from operations to the file of their family.

use std::collections::BTreeMap;
use std::rc::Rc;

use cranelift_codegen::entity::{EntityList, ListPool, SecondaryMap};
use cranelift_codegen::ir::{Block as ClifBlock, FuncRef, InstBuilder, Value as ClifValue};
use cranelift_frontend::FunctionBuilder;
use cranelift_module::Module as _;
use we3_backend_api::{Outline, Unsupported};
use we3_ir::{Block, Func, Op, Opcode, Value};

use crate::control::Frame;
use crate::entry::Shared;
use crate::home::Home;
use crate::machine::Machine;
use crate::nan::{NanState, NanStates};
use crate::object::Assembler;
use crate::outline::LoopBody;
use crate::packed::mask_only_values;
use crate::soft::Routine;
use crate::{bug, scalar};

/// A value of Cranelift.
pub type Clif = ClifValue;

/// Whether the operation after this one can be reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// It can.
    Next,
    /// A jump or a return came before.
    Left,
}

/// Everything known while one entry is emitted.
pub struct Emitter<'a, 'f> {
    /// The function in our IR.
    pub func: &'a Func,
    /// Where Cranelift's instructions go.
    pub builder: FunctionBuilder<'f>,
    /// What the target can do.
    pub machine: Machine,
    /// `*mut CallContext`.
    pub context: Clif,
    /// `*mut u64`.
    pub results: Clif,
    /// Enclosing `block` and `forever` regions, the innermost last.
    pub frames: Vec<Frame>,
    /// Where a failed `check` goes.
    pub check_failed: Option<ClifBlock>,
    /// Where an allocation that returned null goes.
    pub out_of_memory: Option<ClifBlock>,
    /// Where the status of a parallel loop that failed goes.
    pub loop_failed: Option<ClifBlock>,
    /// Scratch that is too large for the stack: allocated once, at the start.
    pub large_stacks: BTreeMap<Op, Clif>,
    /// Comparisons of vectors, and whether they may stay masks.
    pub masks: BTreeMap<Value, bool>,
    /// The object under construction.
    pub assembler: &'a mut Assembler,
    /// Parallel loops whose bodies become functions.
    pub outlines: Rc<BTreeMap<Op, Outline>>,
    /// Those met so far.
    pub bodies: Vec<LoopBody>,
    /// Values that lie in memory and are read where they are used.
    pub homes: BTreeMap<Value, Home>,
    states: &'a NanStates,
    pieces: SecondaryMap<Value, EntityList<Clif>>,
    pool: ListPool<Clif>,
    routines: BTreeMap<Routine, FuncRef>,
}

impl<'a, 'f> Emitter<'a, 'f> {
    /// Nothing emitted yet.
    pub fn new(
        shared: &'a Shared<'a>,
        builder: FunctionBuilder<'f>,
        assembler: &'a mut Assembler,
    ) -> Emitter<'a, 'f> {
        let func = shared.func;
        Emitter {
            func,
            builder,
            machine: assembler.machine,
            context: Clif::from_u32(0),
            results: Clif::from_u32(0),
            frames: Vec::new(),
            check_failed: None,
            out_of_memory: None,
            loop_failed: None,
            large_stacks: BTreeMap::new(),
            masks: mask_only_values(func),
            assembler,
            outlines: Rc::new(BTreeMap::new()),
            bodies: Vec::new(),
            homes: BTreeMap::new(),
            states: &shared.states,
            pieces: SecondaryMap::new(),
            pool: ListPool::new(),
            routines: BTreeMap::new(),
        }
    }

    /// Remembers what a value became: one piece for a scalar or buffer, several for a vector.
    pub fn set(&mut self, value: Value, pieces: &[Clif]) {
        self.pieces[value] = EntityList::from_slice(pieces, &mut self.pool);
    }

    /// Whether a value has pieces at hand.
    pub fn is_set(&self, value: Value) -> bool {
        !self.pieces[value].is_empty()
    }

    /// Forgets what a value became.
    pub fn unset(&mut self, value: Value) {
        self.pieces[value] = EntityList::new();
    }

    /// The pieces of a value; a NaN in them may still have any payload (`observed` settles it).
    pub fn pieces(&mut self, value: Value) -> Result<Vec<Clif>, Unsupported> {
        let pieces = self.pieces[value].as_slice(&self.pool);
        if pieces.is_empty() {
            return self.read_home(value);
        }
        Ok(pieces.to_vec())
    }

    /// The only piece of a scalar or buffer.
    pub fn piece(&mut self, value: Value) -> Result<Clif, Unsupported> {
        if let Some(piece) = self.pieces[value].first(&self.pool) {
            return Ok(piece);
        }
        self.read_home(value)?.first().copied().ok_or_else(|| bug(format!("{value} has no piece")))
    }

    /// The pieces of a value with the bits it has by definition.
    pub fn observed(&mut self, value: Value) -> Result<Vec<Clif>, Unsupported> {
        let pieces = self.pieces(value)?;
        if self.states.of_value(value) != NanState::Dirty {
            return Ok(pieces);
        }
        Ok(pieces.into_iter().map(|piece| self.canonical(piece)).collect())
    }

    /// The pieces of a value on their way into another one that merges several (a region's result,
    /// a carried value): canonical now if a payload that counts can meet them there.
    pub fn moved_into(&mut self, source: Value, target: Value) -> Result<Vec<Clif>, Unsupported> {
        if self.states.of_value(target) == NanState::Raw {
            return self.observed(source);
        }
        self.pieces(source)
    }

    /// The local function of a soft routine, callable from this entry.
    pub fn routine(&mut self, routine: Routine) -> Result<FuncRef, Unsupported> {
        if let Some(func_ref) = self.routines.get(&routine) {
            return Ok(*func_ref);
        }
        let id = self.assembler.routine(routine)?;
        let func_ref = self.assembler.object.declare_func_in_func(id, self.builder.func);
        self.routines.insert(routine, func_ref);
        Ok(func_ref)
    }

    /// Calls a soft routine with one result.
    pub fn call_routine(&mut self, routine: Routine, args: &[Clif]) -> Result<Clif, Unsupported> {
        let func_ref = self.routine(routine)?;
        let call = self.builder.ins().call(func_ref, args);
        Ok(self.builder.inst_results(call)[0])
    }

    /// Emits the operations of a region. `Some`: the end was reached and yields these values.
    pub fn region(&mut self, block: Block) -> Result<Option<&'a [Value]>, Unsupported> {
        let func = self.func;
        for op in &func.blocks[block].ops {
            if matches!(func.ops[*op].opcode, Opcode::Yield) {
                return Ok(Some(&func.ops[*op].args));
            }
            if self.op(*op)? == Flow::Left {
                return Ok(None);
            }
        }
        Ok(Some(&[]))
    }

    /// Emits one operation.
    pub fn op(&mut self, op: Op) -> Result<Flow, Unsupported> {
        let func = self.func;
        let data = &func.ops[op];
        match &data.opcode {
            Opcode::Const(constant) => {
                let piece = scalar::constant(&mut self.builder, *constant);
                self.set(data.results[0], &[piece]);
            }
            Opcode::Unary(_)
            | Opcode::Binary(_)
            | Opcode::Compare(_)
            | Opcode::Select
            | Opcode::Fma
            | Opcode::Convert(_)
            | Opcode::Bitcast(_) => self.emit_lanewise(data)?,
            Opcode::If => return self.emit_if(data),
            Opcode::While => return self.around_loop(data, |emitter| emitter.emit_while(data)),
            Opcode::For(_) => return self.around_loop(data, |emitter| emitter.emit_for(op, data)),
            Opcode::Block => return self.emit_block(data),
            Opcode::Forever => return self.around_loop(data, |emitter| emitter.emit_forever(data)),
            Opcode::Break(levels) => return self.emit_break(*levels, &data.args),
            Opcode::Continue(levels) => return self.emit_continue(*levels, &data.args),
            Opcode::Check { .. } => self.emit_check(data.args[0])?,
            Opcode::Return => {
                self.emit_return(&data.args)?;
                return Ok(Flow::Left);
            }
            Opcode::Data { elem, bits } => self.emit_data(*elem, bits, data.results[0])?,
            Opcode::Alloc(elem) => self.emit_alloc(*elem, data)?,
            Opcode::Stack { elem, len } => self.emit_stack(op, *elem, *len, data.results[0])?,
            Opcode::Free => self.emit_free(data.args[0])?,
            Opcode::Output { index, .. } => self.emit_output(*index, data)?,
            Opcode::Offset => self.emit_offset(data)?,
            Opcode::Load => self.emit_load(data)?,
            // It has no store that goes past the caches.
            Opcode::Store | Opcode::Stream => self.emit_store(data)?,
            Opcode::Copy => self.emit_copy(data)?,
            Opcode::Splat(_)
            | Opcode::Iota { .. }
            | Opcode::Extract(_)
            | Opcode::Insert(_)
            | Opcode::Shuffle(_) => self.emit_lane_op(data)?,
            Opcode::LoadLanes => self.emit_load_lanes(data)?,
            Opcode::StoreLanes => self.emit_store_lanes(data)?,
            Opcode::AnyLane | Opcode::AllLanes => self.emit_lanes_to_one(data)?,
            // One thread runs everything here.
            Opcode::Barrier => {}
            Opcode::Probe { nest, leave } => self.emit_probe(*nest, *leave, &data.args)?,
            Opcode::Yield => return Err(bug("a yield outside a region")),
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
            | Opcode::Resize => {
                return Err(bug(format!("{:?} stands at the loop level", data.opcode)));
            }
        }
        Ok(Flow::Next)
    }
}
