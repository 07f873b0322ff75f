//! Memory: `alloc`, `output`, `stack`, `free`, `offset`, `load`, `store`, `copy`.

use we3_backend_api::{Unsupported, context_offset};
use we3_ir::{Op, Opcode, Scalar, Type};

use super::regions::Region;
use super::{Emitter, Exit, unsupported};
use crate::text::{Lane, Ty, Val};

/// Scratch larger than this is allocated when the entry starts, so that stacks do not overflow.
const LARGE_SCRATCH: u64 = 1 << 14;
/// What a GPU thread may have of its own.
const GPU_SCRATCH_LIMIT: u64 = 1 << 18;

impl Emitter<'_, '_> {
    /// A null address, or more bytes than there are numbers for, is "out of memory".
    pub(super) fn emit_alloc(&mut self, op: Op, elem: Scalar) -> Result<(), Unsupported> {
        self.host_memory_only("alloc")?;
        let count = self.get(self.func.ops[op].args[0])?;
        let count = self.clamped(&count);
        let size = i128::from(elem.bytes());
        if size > 1 {
            let fits = self.text.icmp_const("ule", &count, i128::from(i64::MAX) / size);
            self.require(&fits, Exit::OutOfMemory);
        }
        let bytes = self.text.binary_const("mul", &count, size);
        let address = self.ask_memory(&bytes);
        self.regions.insert(&address, Region::Allocation);
        self.define_result(op, address);
        Ok(())
    }

    fn ask_memory(&mut self, bytes: &Val) -> Val {
        let address = self.callback(context_offset::ALLOC, "noalias align 64 ptr", &[bytes]);
        self.not_null(&address);
        address
    }

    /// Allocates the large scratch among these operations; called once, at the start of a function.
    /// Returns the addresses.
    pub(super) fn allocate_large_scratch(&mut self, ops: impl Iterator<Item = Op>) -> Vec<Val> {
        let func = self.func;
        let mut addresses = Vec::new();
        for op in ops {
            if let Opcode::Stack { elem, len } = func.ops[op].opcode
                && scratch_bytes(elem, len) > LARGE_SCRATCH
            {
                let bytes = Val::int(Ty::I64, i128::from(scratch_bytes(elem, len)));
                let address = self.ask_memory(&bytes);
                self.large_scratch.insert(op, address.clone());
                addresses.push(address);
            }
        }
        addresses
    }

    pub(super) fn emit_output(&mut self, op: Op, index: u32) -> Result<(), Unsupported> {
        self.host_memory_only("output")?;
        let count = self.get(self.func.ops[op].args[0])?;
        let count = self.clamped(&count);
        let number = Val::int(Ty::I64, i128::from(index));
        let address = self.callback(context_offset::OUTPUT, "ptr", &[&number, &count]);
        self.not_null(&address);
        self.regions.insert(&address, Region::Output(index));
        self.define_result(op, address);
        Ok(())
    }

    pub(super) fn emit_free(&mut self, op: Op) -> Result<(), Unsupported> {
        self.host_memory_only("free")?;
        let address = self.get(self.func.ops[op].args[0])?;
        self.give_back(&address);
        Ok(())
    }

    /// `probe`: tells the context.
    pub(super) fn emit_probe(&mut self, op: Op, nest: u32, leave: bool) -> Result<(), Unsupported> {
        self.host_memory_only("probe")?;
        let mut list = format!("{}, i64 {nest}", self.context);
        for arg in &self.func.ops[op].args {
            let amount = self.get(*arg)?;
            list.push_str(&format!(", {amount}"));
        }
        let slot = if leave { context_offset::LEAVE } else { context_offset::ENTER };
        let function = self.context_field(slot, Ty::PTR);
        self.text.line(format_args!("call void {}({list})", function.text));
        Ok(())
    }

    pub(super) fn give_back(&mut self, address: &Val) {
        let function = self.context_field(context_offset::FREE, Ty::PTR);
        let context = self.context.clone();
        self.text.line(format_args!("call void {}({context}, {address})", function.text));
    }

    fn host_memory_only(&self, what: &str) -> Result<(), Unsupported> {
        if self.facts.gpu { Err(unsupported(format!("`{what}` inside a GPU kernel"))) } else { Ok(()) }
    }

    fn clamped(&mut self, count: &Val) -> Val {
        self.text.lanewise("llvm.smax", &[count, &Val::int(Ty::I64, 0)])
    }

    /// A field of the call context.
    pub(super) fn context_field(&mut self, offset: i32, ty: Ty) -> Val {
        let context = self.context.clone();
        let slot = self.text.element(&context, Ty::I8, &Val::int(Ty::I64, offset.into()), true);
        self.text.inst(ty, format_args!("load {ty}, {slot}, align 8"))
    }

    fn callback(&mut self, offset: i32, result: &str, args: &[&Val]) -> Val {
        let function = self.context_field(offset, Ty::PTR);
        let mut list = self.context.to_string();
        for arg in args {
            list.push_str(&format!(", {arg}"));
        }
        self.text.inst(Ty::PTR, format_args!("call {result} {}({list})", function.text))
    }

    fn not_null(&mut self, address: &Val) {
        let null = Val::new(Ty::PTR, "null");
        let there = self.text.icmp("ne", address, &null);
        self.require(&there, Exit::OutOfMemory);
    }

    /// A table in read-only memory, as integers so that every bit stays.
    pub(super) fn emit_data(&mut self, op: Op, elem: Scalar, bits: &[u64]) {
        let name = self.text.module.table(elem.bytes() * 8, bits);
        self.define_result(op, Val::new(Ty::PTR, name));
    }

    pub(super) fn emit_stack(&mut self, op: Op, elem: Scalar, len: u32) -> Result<(), Unsupported> {
        if let Some(address) = self.large_scratch.get(&op).cloned() {
            self.define_result(op, address);
            return Ok(());
        }
        self.scratch_bytes += scratch_bytes(elem, len);
        if self.facts.gpu && self.scratch_bytes > GPU_SCRATCH_LIMIT {
            return Err(unsupported(format!(
                "more than {GPU_SCRATCH_LIMIT} bytes of scratch for a GPU thread"
            )));
        }
        let address = self.text.alloca(Ty::of(&elem.into()).in_memory(), len);
        self.define_result(op, address);
        Ok(())
    }

    /// May be computed before it is known to be in range, so nothing is promised of it.
    pub(super) fn emit_offset(&mut self, op: Op) -> Result<(), Unsupported> {
        let args = &self.func.ops[op].args;
        let (base, offset) = (self.get(args[0])?, self.get(args[1])?);
        let elem = self.memory_element(args[0]);
        let address = self.text.element(&base, elem, &offset, false);
        if let Some(region) = self.regions.of(&base) {
            self.regions.insert(&address, region);
        }
        self.define_result(op, address);
        Ok(())
    }

    fn memory_element(&self, buffer: we3_ir::Value) -> Ty {
        Ty::of(&Type::Scalar(self.element(buffer))).in_memory()
    }

    /// The address of an element, and the metadata of an access to it. All iterations share the
    /// memory of a `stack`, so it (and what might be it) is left out of claims of independence.
    fn address(
        &mut self,
        buffer: we3_ir::Value,
        offset: we3_ir::Value,
    ) -> Result<(Val, String), Unsupported> {
        let (base, offset) = (self.get(buffer)?, self.get(offset)?);
        let elem = self.memory_element(buffer);
        let address = self.text.element(&base, elem, &offset, true);
        Ok((address, self.access_to(&base)))
    }

    /// The metadata of an access to memory that starts at `base`.
    pub(super) fn access_to(&self, base: &Val) -> String {
        match self.regions.of(base) {
            Some(region) => format!("{}{}", self.access, self.regions.metadata(region)),
            None => String::new(),
        }
    }

    pub(super) fn emit_load(&mut self, op: Op) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let ty = self.ty(data.results[0]);
        let (address, access) = self.address(data.args[0], data.args[1])?;
        let loaded = self.text.load(ty.in_memory(), &address, &access);
        let val = if ty.lane == Lane::Int(1) { self.text.icmp_const("ne", &loaded, 0) } else { loaded };
        self.define_result(op, val);
        Ok(())
    }

    pub(super) fn emit_store(&mut self, op: Op) -> Result<(), Unsupported> {
        let args = &self.func.ops[op].args;
        let val = self.moved_into(args[2], args[0])?;
        let (address, access) = self.address(args[0], args[1])?;
        let stored = self.text.cast("zext", &val, val.ty.in_memory());
        self.text.store(&stored, &address, &access);
        Ok(())
    }

    /// A store that goes past the caches if that is wanted and its address allows it: with one of another
    /// alignment the processor stops. (LLVM takes the first question out of the loop.)
    pub(super) fn emit_stream(&mut self, op: Op) -> Result<(), Unsupported> {
        let args = &self.func.ops[op].args;
        let held = self.ty(args[2]).in_memory();
        let bytes = u32::from(held.lanes) * held.bits() / 8;
        if !self.facts.streams.contains(&bytes) {
            return self.emit_store(op);
        }
        let val = self.moved_into(args[2], args[0])?;
        let (address, access) = self.address(args[0], args[1])?;
        let stored = self.text.cast("zext", &val, held);
        let past = self.get(args[3])?;
        let number = self.text.inst(Ty::I64, format_args!("ptrtoint {address} to i64"));
        let rest = self.text.binary_const("and", &number, i128::from(bytes) - 1);
        let aligned = self.text.icmp_const("eq", &rest, 0);
        let both = self.text.inst(past.ty, format_args!("and {past}, {}", aligned.text));
        let [plain, stream, join] = [0; 3].map(|_| self.text.make_block());
        self.text.branch(&both, stream, plain);
        self.text.start(stream);
        let hint = self.text.module.metadata("!{i32 1}");
        self.text
            .line(format_args!("store {stored}, {address}, align {bytes}, !nontemporal !{hint}{access}"));
        self.text.jump(join);
        self.text.start(plain);
        self.text.store(&stored, &address, &access);
        self.text.jump(join);
        self.text.start(join);
        self.streams = true;
        Ok(())
    }

    /// A loop over elements as integers: LLVM vectorises it; a call of memcpy would be an import.
    pub(super) fn emit_copy(&mut self, op: Op) -> Result<(), Unsupported> {
        let args = &self.func.ops[op].args;
        let (dest, source, count) = (self.get(args[0])?, self.get(args[1])?, self.get(args[2])?);
        let elem = self.memory_element(args[0]).as_int();
        let [head, exit] = [self.text.make_block(), self.text.make_block()];
        let any = self.text.icmp_const("sgt", &count, 0);
        let group = self.text.module.metadata("distinct !{}");
        let accesses = self.text.module.metadata(&format!("!{{!\"llvm.loop.parallel_accesses\", !{group}}}"));
        let node = self.text.module.metadata(&format!("distinct !{{SELF, !{accesses}}}"));
        let (index, phi) = self.text.phi(head, Ty::I64);
        self.text.incoming(phi, &Val::int(Ty::I64, 0));
        self.text.branch(&any, head, exit);
        self.text.start(head);
        let access = format!(", !llvm.access.group !{group}");
        let from = self.text.element(&source, elem, &index, true);
        let val = self.text.load(elem, &from, &access);
        let to = self.text.element(&dest, elem, &index, true);
        self.text.store(&val, &to, &access);
        let next = self.text.binary_const("add nsw", &index, 1);
        let again = self.text.icmp("slt", &next, &count);
        self.text.incoming(phi, &next);
        self.text.branch_back(&again, head, exit, Some(node));
        self.text.start(exit);
        Ok(())
    }
}

fn scratch_bytes(elem: Scalar, len: u32) -> u64 {
    u64::from(len) * u64::from(elem.bytes())
}
