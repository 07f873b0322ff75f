//! Memory: allocations through the call context, scratch on the stack, loads, stores and copies.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, Inst, InstBuilder, MemFlagsData, Signature, StackSlotData, StackSlotKind, Type as ClifType,
    types,
};
use cranelift_module::Module as _;
use we3_backend_api::Unsupported;
use we3_backend_api::context_offset::{ALLOC, ENTER, FREE, LEAVE, OUTPUT};
use we3_ir::{Op, OpData, Opcode, Scalar, Value};

use crate::emit::{Clif, Emitter};
use crate::soft::Routine;

/// Scratch above this many bytes is allocated; so is what exceeds the second number together.
const LARGEST_STACK: u64 = 32 * 1024;
const ALL_STACKS: u64 = 256 * 1024;

/// Scratch starts on a cache line.
const STACK_ALIGN_SHIFT: u8 = 6;

impl Emitter<'_, '_> {
    /// Calls a function of the context. The context itself is the first argument.
    pub fn call_context(&mut self, slot: i32, args: &[Clif], returns: Option<ClifType>) -> Inst {
        let context = self.context;
        let mut signature = Signature::new(self.builder.func.signature.call_conv);
        signature.params.extend(vec![AbiParam::new(types::I64); args.len() + 1]);
        signature.returns.extend(returns.map(AbiParam::new));
        let signature = self.builder.import_signature(signature);
        // The host may put other functions there, but not during a call.
        let flags = MemFlagsData::trusted().with_readonly();
        let callee = self.builder.ins().load(types::I64, flags, context, slot);
        let mut all = vec![context];
        all.extend_from_slice(args);
        self.builder.ins().call_indirect(signature, callee, &all)
    }

    /// `probe`: tells the context.
    pub fn emit_probe(&mut self, nest: u32, leave: bool, args: &[Value]) -> Result<(), Unsupported> {
        let mut all = vec![self.builder.ins().iconst(types::I64, i64::from(nest))];
        for arg in args {
            all.push(self.piece(*arg)?);
        }
        self.call_context(if leave { LEAVE } else { ENTER }, &all, None);
        Ok(())
    }

    /// Asks the context for memory; null ends the kernel.
    fn ask_memory(&mut self, slot: i32, args: &[Clif]) -> Clif {
        let call = self.call_context(slot, args, Some(types::I64));
        let address = self.builder.inst_results(call)[0];
        let exit = match self.out_of_memory {
            Some(block) => block,
            None => self.cold_block(),
        };
        self.out_of_memory = Some(exit);
        self.go_on_if(address, exit);
        address
    }

    /// `alloc`: a count below 0 counts as 0, and a size that no `i64` holds asks for the largest one,
    /// which no machine has.
    pub fn emit_alloc(&mut self, elem: Scalar, data: &OpData) -> Result<(), Unsupported> {
        let count = self.piece(data.args[0])?;
        let zero = self.builder.ins().iconst(types::I64, 0);
        let count = self.builder.ins().smax(count, zero);
        let bytes = if elem.bytes() == 1 {
            count
        } else {
            let shift = elem.bytes().trailing_zeros();
            let limit = self.builder.ins().iconst(types::I64, i64::MAX >> shift);
            let fits = self.builder.ins().icmp(IntCC::SignedLessThanOrEqual, count, limit);
            let bytes = self.builder.ins().ishl_imm_u(count, i64::from(shift));
            let largest = self.builder.ins().iconst(types::I64, i64::MAX);
            self.builder.ins().select(fits, bytes, largest)
        };
        let address = self.ask_memory(ALLOC, &[bytes]);
        self.set(data.results[0], &[address]);
        Ok(())
    }

    /// `free`.
    pub fn emit_free(&mut self, buffer: Value) -> Result<(), Unsupported> {
        let address = self.piece(buffer)?;
        self.give_back(address);
        Ok(())
    }

    /// Gives memory back to the context.
    pub fn give_back(&mut self, address: Clif) {
        self.call_context(FREE, &[address], None);
    }

    /// `output`.
    pub fn emit_output(&mut self, index: u32, data: &OpData) -> Result<(), Unsupported> {
        let count = self.piece(data.args[0])?;
        let zero = self.builder.ins().iconst(types::I64, 0);
        let count = self.builder.ins().smax(count, zero);
        let number = self.builder.ins().iconst(types::I64, i64::from(index));
        let address = self.ask_memory(OUTPUT, &[number, count]);
        self.set(data.results[0], &[address]);
        Ok(())
    }

    /// Allocates the scratch among these operations that is too large for the stack, before everything
    /// else, so that a `stack` inside a loop does not allocate again and again.
    pub fn reserve_large_stacks(&mut self, ops: impl Iterator<Item = Op>) {
        let func = self.func;
        let mut on_stack = 0;
        for op in ops {
            if let Opcode::Stack { elem, len } = func.ops[op].opcode {
                let bytes = u64::from(len) * u64::from(elem.bytes());
                if bytes <= LARGEST_STACK && on_stack + bytes <= ALL_STACKS {
                    on_stack += bytes;
                } else {
                    // Below 2^35.
                    let bytes = self.builder.ins().iconst(types::I64, bytes as i64);
                    let address = self.ask_memory(ALLOC, &[bytes]);
                    self.large_stacks.insert(op, address);
                }
            }
        }
    }

    /// `data`: a table in the object's read-only section.
    pub fn emit_data(&mut self, elem: Scalar, bits: &[u64], result: Value) -> Result<(), Unsupported> {
        let table = self.assembler.table(elem, bits)?;
        let global = self.assembler.object.declare_data_in_func(table, self.builder.func);
        let address = self.builder.ins().symbol_value(types::I64, global);
        self.set(result, &[address]);
        Ok(())
    }

    /// `stack`.
    pub fn emit_stack(&mut self, op: Op, elem: Scalar, len: u32, result: Value) -> Result<(), Unsupported> {
        let address = match self.large_stacks.get(&op) {
            Some(address) => *address,
            None => {
                let data = StackSlotData::new(
                    StackSlotKind::ExplicitSlot,
                    len.saturating_mul(elem.bytes()).max(1),
                    STACK_ALIGN_SHIFT,
                );
                let slot = self.builder.create_sized_stack_slot(data);
                self.builder.ins().stack_addr(types::I64, slot, 0)
            }
        };
        self.set(result, &[address]);
        Ok(())
    }

    /// The address of an element, and a constant byte offset to add in the access itself.
    pub fn element_address(&mut self, buffer: Value, offset: Value) -> Result<(Clif, i32), Unsupported> {
        let base = self.piece(buffer)?;
        let size = self.func.ty(buffer).element().bytes();
        if let Some(constant) = self.func.as_const(offset) {
            let bytes = (constant.bits as i64).wrapping_mul(i64::from(size));
            // Room for the pieces of the widest vector.
            if let Ok(bytes) = i32::try_from(bytes)
                && bytes.checked_add(1 << 12).is_some()
            {
                return Ok((base, bytes));
            }
        }
        let offset = self.piece(offset)?;
        let bytes = if size == 1 {
            offset
        } else {
            self.builder.ins().ishl_imm_u(offset, i64::from(size.trailing_zeros()))
        };
        Ok((self.builder.ins().iadd(base, bytes), 0))
    }

    /// `offset`.
    pub fn emit_offset(&mut self, data: &OpData) -> Result<(), Unsupported> {
        let (base, bytes) = self.element_address(data.args[0], data.args[1])?;
        let address = if bytes == 0 { base } else { self.builder.ins().iadd_imm_s(base, i64::from(bytes)) };
        self.set(data.results[0], &[address]);
        Ok(())
    }

    /// `load` of an element, or of consecutive ones into a vector.
    pub fn emit_load(&mut self, data: &OpData) -> Result<(), Unsupported> {
        let (base, start) = self.element_address(data.args[0], data.args[1])?;
        let result = data.results[0];
        let mut offset = start;
        let mut pieces = Vec::new();
        for ty in self.piece_types(result) {
            pieces.push(self.builder.ins().load(ty, access_flags(ty), base, offset));
            offset = offset.wrapping_add(ty.bytes().cast_signed());
        }
        self.set(result, &pieces);
        Ok(())
    }

    /// `store` of an element or a vector.
    pub fn emit_store(&mut self, data: &OpData) -> Result<(), Unsupported> {
        let (base, start) = self.element_address(data.args[0], data.args[1])?;
        let mut offset = start;
        for piece in self.observed(data.args[2])? {
            let ty = self.builder.func.dfg.value_type(piece);
            self.builder.ins().store(access_flags(ty), piece, base, offset);
            offset = offset.wrapping_add(ty.bytes().cast_signed());
        }
        Ok(())
    }

    /// `copy`: bytes, by a local routine.
    pub fn emit_copy(&mut self, data: &OpData) -> Result<(), Unsupported> {
        let [dest, source] = [self.piece(data.args[0])?, self.piece(data.args[1])?];
        let count = self.piece(data.args[2])?;
        let elem = self.func.ty(data.args[0]).element();
        let zero = self.builder.ins().iconst(types::I64, 0);
        let count = self.builder.ins().smax(count, zero);
        let bytes = self.builder.ins().ishl_imm_u(count, i64::from(elem.bytes().trailing_zeros()));
        let routine = if self.machine.unaligned { Routine::CopyBytes } else { copy_of(elem) };
        let func_ref = self.routine(routine)?;
        self.builder.ins().call(func_ref, &[dest, source, bytes]);
        Ok(())
    }
}

/// A scalar lies at a multiple of its size; a vector at a multiple of its lane's.
fn access_flags(ty: ClifType) -> MemFlagsData {
    if ty.is_vector() { MemFlagsData::new().with_notrap() } else { MemFlagsData::trusted() }
}

/// Where unaligned accesses are slow: element by element.
fn copy_of(elem: Scalar) -> Routine {
    match elem {
        Scalar::Bool | Scalar::I8 | Scalar::U8 => Routine::CopyElements1,
        Scalar::I16 | Scalar::U16 | Scalar::F16 | Scalar::Bf16 => Routine::CopyElements2,
        Scalar::I32 | Scalar::U32 | Scalar::F32 => Routine::CopyElements4,
        Scalar::I64 | Scalar::U64 | Scalar::F64 => Routine::CopyElements8,
    }
}
