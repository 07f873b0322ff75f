//! Parallel loops for threads: the body becomes a function of a range of iterations (`soft/run_loop.rs` calls it).
//! What it captures goes into a record on the stack of the entry.

use std::rc::Rc;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, Block as ClifBlock, BlockArg, Function, InstBuilder, MemFlagsData, Signature, StackSlotData,
    StackSlotKind, Type as ClifType, types,
};
use cranelift_module::{FuncId, Module as _};
use cranelift_object::ObjectModule;
use we3_backend_api::estimate::{Estimate, Step};
use we3_backend_api::{STATUS_OK, Unsupported};
use we3_ir::{BinaryOp, Op, OpData, Opcode, Value};

use crate::bug;
use crate::emit::{Clif, Emitter, Flow};
use crate::entry::{Shared, with_emitter};
use crate::home::Home;
use crate::object::Assembler;
use crate::soft::Routine;

/// log₂ of the alignment of a record: that of a vector register.
const RECORD_ALIGN_SHIFT: u8 = 4;

/// A body that is called and still has to be emitted.
pub struct LoopBody {
    /// Its function.
    pub id: FuncId,
    op: Op,
    fields: Vec<(Value, Vec<Place>)>,
    /// Captured constants and tables: made anew in the body.
    fixed: Vec<Op>,
    /// For a step other than 1, where the first index and the step lie: `lo` and `hi` then count iterations.
    counts: Option<[Place; 2]>,
    ops: Vec<Op>,
}

/// Where a captured piece lies in the record.
#[derive(Clone, Copy)]
struct Place {
    ty: ClifType,
    offset: i32,
}

/// A record in the making.
#[derive(Default)]
struct Record {
    bytes: u32,
    stores: Vec<(Clif, i32)>,
}

impl Record {
    fn add(&mut self, piece: Clif, ty: ClifType) -> Place {
        let offset = self.bytes.next_multiple_of(ty.bytes().max(1));
        self.bytes = offset + ty.bytes();
        let offset = offset.cast_signed();
        self.stores.push((piece, offset));
        Place { ty, offset }
    }
}

/// The iterations of a loop as its body counts them.
struct Range {
    lo: Clif,
    hi: Clif,
}

/// `(context, environment, lo, hi) -> status`.
pub fn signature(object: &ObjectModule) -> Signature {
    let mut signature = object.make_signature();
    signature.params.extend([AbiParam::new(types::I64); 4]);
    signature.returns.push(AbiParam::new(types::I32));
    signature
}

impl Emitter<'_, '_> {
    /// Calls the body of a parallel loop.
    pub fn emit_outlined_loop(&mut self, op: Op, data: &OpData) -> Result<Flow, Unsupported> {
        let outlines = Rc::clone(&self.outlines);
        let outline = outlines.get(&op).ok_or_else(|| bug("a loop that is not outlined"))?;
        let mut record = Record::default();
        let (mut fields, mut fixed) = (Vec::new(), Vec::new());
        for value in &outline.captures {
            match self.func.def_op(*value) {
                Some(op) if matches!(self.func.ops[op].opcode, Opcode::Const(_) | Opcode::Data { .. }) => {
                    fixed.push(op);
                }
                Some(_) | None => {
                    let pieces = self.pieces(*value)?;
                    fields.push((*value, self.capture(&mut record, &pieces)));
                }
            }
        }
        let (range, counts) = self.range(data, &mut record)?;
        let id = self.assembler.loop_body(&self.func.name, self.bodies.len())?;
        let environment = self.fill(&record);
        let work = self.estimate(&outline.work)?;
        self.call_body(id, environment, &range, work)?;
        self.bodies.push(LoopBody { id, op, fields, fixed, counts, ops: outline.ops.clone() });
        Ok(Flow::Next)
    }

    fn capture(&mut self, record: &mut Record, pieces: &[Clif]) -> Vec<Place> {
        pieces.iter().map(|piece| record.add(*piece, self.builder.func.dfg.value_type(*piece))).collect()
    }

    /// With a step of 1 the body takes indices, else numbers of iterations.
    fn range(
        &mut self,
        data: &OpData,
        record: &mut Record,
    ) -> Result<(Range, Option<[Place; 2]>), Unsupported> {
        let [low, high, step] =
            [self.piece(data.args[0])?, self.piece(data.args[1])?, self.piece(data.args[2])?];
        if self.func.as_const(data.args[2]).is_some_and(|constant| constant.bits == 1) {
            return Ok((Range { lo: low, hi: high }, None));
        }
        let zero = self.builder.ins().iconst(types::I64, 0);
        let any = self.builder.ins().icmp(IntCC::SignedLessThan, low, high);
        let span = self.builder.ins().isub(high, low);
        let one = self.builder.ins().iconst(types::I64, 1);
        let step = self.builder.ins().smax(step, one);
        let last = self.builder.ins().isub(span, one);
        let full = self.builder.ins().udiv(last, step);
        let count = self.builder.ins().iadd(full, one);
        let trips = self.builder.ins().select(any, count, zero);
        let counts = [record.add(low, types::I64), record.add(step, types::I64)];
        Ok((Range { lo: zero, hi: trips }, Some(counts)))
    }

    fn fill(&mut self, record: &Record) -> Clif {
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, record.bytes.max(1), RECORD_ALIGN_SHIFT);
        let slot = self.builder.create_sized_stack_slot(data);
        let environment = self.builder.ins().stack_addr(types::I64, slot, 0);
        for (piece, offset) in &record.stores {
            self.builder.ins().store(MemFlagsData::trusted(), *piece, environment, *offset);
        }
        environment
    }

    fn estimate(&mut self, estimate: &Estimate) -> Result<Clif, Unsupported> {
        let mut vals: Vec<Clif> = Vec::new();
        for step in &estimate.steps {
            vals.push(match *step {
                Step::Number(number) => self.builder.ins().iconst(types::I64, number),
                Step::Outside(value) => self.piece(value)?,
                Step::Binary(op, left, right) => self.estimate_step(op, vals[left], vals[right])?,
            });
        }
        Ok(vals[estimate.result])
    }

    /// Shifts are in range and divisors above 0.
    fn estimate_step(&mut self, op: BinaryOp, left: Clif, right: Clif) -> Result<Clif, Unsupported> {
        let ins = self.builder.ins();
        Ok(match op {
            BinaryOp::Add => ins.iadd(left, right),
            BinaryOp::Sub => ins.isub(left, right),
            BinaryOp::Mul => ins.imul(left, right),
            BinaryOp::And => ins.band(left, right),
            BinaryOp::Shr => ins.sshr(left, right),
            BinaryOp::Div => ins.sdiv(left, right),
            BinaryOp::Min => ins.smin(left, right),
            BinaryOp::Max => ins.smax(left, right),
            BinaryOp::Rem
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::RotateLeft
            | BinaryOp::MulHi
            | BinaryOp::CopySign
            | BinaryOp::AddSat
            | BinaryOp::SubSat
            | BinaryOp::MulSat => return Err(bug("an estimate with other operations")),
        })
    }

    /// Runs the iterations, and ends the kernel with what a failed one says.
    fn call_body(
        &mut self,
        id: FuncId,
        environment: Clif,
        range: &Range,
        work: Clif,
    ) -> Result<(), Unsupported> {
        let body = self.assembler.object.declare_func_in_func(id, self.builder.func);
        let address = self.builder.ins().func_addr(types::I64, body);
        let args = [self.context, address, environment, range.lo, range.hi, work];
        let status = self.call_routine(Routine::RunLoop, &args)?;
        let failed = match self.loop_failed {
            Some(block) => block,
            None => self.loop_failed_block(),
        };
        let next = self.builder.create_block();
        self.builder.ins().brif(status, failed, &[BlockArg::Value(status)], next, &[]);
        self.enter(next);
        Ok(())
    }

    fn loop_failed_block(&mut self) -> ClifBlock {
        let block = self.cold_block();
        self.builder.append_block_param(block, types::I32);
        self.loop_failed = Some(block);
        block
    }

    /// The loop of a body over its range.
    fn chunk(&mut self, body: &LoopBody, environment: Clif, lo: Clif, hi: Clif) -> Result<(), Unsupported> {
        let func = self.func;
        let region = func.ops[body.op].regions[0];
        let _ = self.hold(&[region])?;
        let counts = body.counts.map(|places| places.map(|place| self.captured(environment, place)));
        let [inside, after] = [(); 2].map(|()| self.builder.create_block());
        let counter = self.builder.append_block_param(inside, types::I64);
        let any = self.builder.ins().icmp(IntCC::SignedLessThan, lo, hi);
        self.builder.ins().brif(any, inside, &[BlockArg::Value(lo)], after, &[]);
        self.builder.switch_to_block(inside);
        let index = match counts {
            None => counter,
            Some([first, step]) => {
                let distance = self.builder.ins().imul(counter, step);
                self.builder.ins().iadd(first, distance)
            }
        };
        self.set(func.blocks[region].params[0], &[index]);
        if self.region(region)?.is_some() {
            let one = self.builder.ins().iconst(types::I64, 1);
            // counter < hi, so adding 1 cannot overflow.
            let following = self.builder.ins().iadd(counter, one);
            let more = self.builder.ins().icmp(IntCC::SignedLessThan, following, hi);
            self.builder.ins().brif(more, inside, &[BlockArg::Value(following)], after, &[]);
        }
        self.builder.seal_block(inside);
        self.enter(after);
        Ok(())
    }

    fn captured(&mut self, environment: Clif, place: Place) -> Clif {
        // The entry filled the record before the call and waits.
        let flags = MemFlagsData::trusted().with_readonly();
        self.builder.ins().load(place.ty, flags, environment, place.offset)
    }
}

/// Emits the function of a body.
pub fn emit(
    body: &LoopBody,
    shared: &Shared<'_>,
    code: &mut Function,
    assembler: &mut Assembler,
) -> Result<(), Unsupported> {
    with_emitter(shared, code, assembler, |emitter| {
        let start = emitter.builder.create_block();
        emitter.builder.append_block_params_for_function_params(start);
        emitter.builder.switch_to_block(start);
        let params = emitter.builder.block_params(start);
        let [context, environment, lo, hi] = [params[0], params[1], params[2], params[3]];
        emitter.context = context;
        for (value, places) in &body.fields {
            let pieces = places.iter().map(|place| (place.ty, place.offset)).collect();
            emitter.homes.insert(*value, Home { record: environment, pieces });
        }
        for op in &body.fixed {
            let _ = emitter.op(*op)?;
        }
        emitter.reserve_large_stacks(body.ops.iter().copied());
        emitter.chunk(body, environment, lo, hi)?;
        let reserved: Vec<Clif> = emitter.large_stacks.values().copied().collect();
        reserved.into_iter().for_each(|address| emitter.give_back(address));
        emitter.return_status(STATUS_OK);
        Ok(())
    })
}
