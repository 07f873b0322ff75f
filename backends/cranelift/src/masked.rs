//! Loads and stores of some lanes, and questions to all lanes: lane by lane, without branches. A lane
//! that is masked out reads and writes scratch of the entry instead.

use cranelift_codegen::ir::{InstBuilder, MemFlagsData, StackSlotData, StackSlotKind, types};
use we3_backend_api::Unsupported;
use we3_ir::{OpData, Opcode, Type, Value};

use crate::emit::{Clif, Emitter};
use crate::scalar::clif_type;

/// log₂ of the scratch's alignment and size: the widest lane.
const SCRATCH_SHIFT: u8 = 3;

impl Emitter<'_, '_> {
    /// `load_lanes`: lanes that are not loaded are zero.
    pub fn emit_load_lanes(&mut self, data: &OpData) -> Result<(), Unsupported> {
        let ty = self.func.ty(data.results[0]).clone();
        let lane = clif_type(ty.element());
        let aside = self.scratch_lane();
        let zero = self.builder.ins().iconst(types::I64, 0);
        self.builder.ins().store(MemFlagsData::trusted(), zero, aside, 0);
        let mut lanes = Vec::new();
        for (address, present) in self.lane_addresses(data, &ty)? {
            let address = self.builder.ins().select(present, address, aside);
            lanes.push(self.builder.ins().load(lane, MemFlagsData::trusted(), address, 0));
        }
        let pieces = self.pack(&ty, lanes);
        self.set(data.results[0], &pieces);
        Ok(())
    }

    /// `store_lanes`, lane 0 first.
    pub fn emit_store_lanes(&mut self, data: &OpData) -> Result<(), Unsupported> {
        let ty = self.func.ty(data.args[3]).clone();
        let pieces = self.observed(data.args[3])?;
        let lanes = self.unpack(pieces);
        let aside = self.scratch_lane();
        let places = self.lane_addresses(data, &ty)?;
        for ((address, present), lane) in places.into_iter().zip(lanes) {
            let address = self.builder.ins().select(present, address, aside);
            self.builder.ins().store(MemFlagsData::trusted(), lane, address, 0);
        }
        Ok(())
    }

    /// `any_lane`, `all_lanes`.
    pub fn emit_lanes_to_one(&mut self, data: &OpData) -> Result<(), Unsupported> {
        let any = matches!(data.opcode, Opcode::AnyLane);
        let lanes = self.lanes_of(data.args[0])?;
        let joined = lanes.into_iter().reduce(|left, right| {
            let ins = self.builder.ins();
            if any { ins.bor(left, right) } else { ins.band(left, right) }
        });
        self.set(data.results[0], joined.as_slice());
        Ok(())
    }

    fn lanes_of(&mut self, value: Value) -> Result<Vec<Clif>, Unsupported> {
        let pieces = self.pieces(value)?;
        Ok(self.unpack(pieces))
    }

    /// Address and mask of each lane.
    fn lane_addresses(&mut self, data: &OpData, ty: &Type) -> Result<Vec<(Clif, Clif)>, Unsupported> {
        let masks = self.lanes_of(data.args[2])?;
        let bytes = i64::from(ty.element().bytes());
        let mut places = Vec::new();
        if matches!(self.func.ty(data.args[1]), Type::Vector(..)) {
            let base = self.piece(data.args[0])?;
            for (offset, mask) in self.lanes_of(data.args[1])?.into_iter().zip(masks) {
                let distance = self.builder.ins().ishl_imm_u(offset, i64::from(bytes.trailing_zeros()));
                places.push((self.builder.ins().iadd(base, distance), mask));
            }
        } else {
            let (base, start) = self.element_address(data.args[0], data.args[1])?;
            for (number, mask) in (0i64..).zip(masks) {
                let distance = i64::from(start) + number * bytes;
                places.push((self.builder.ins().iadd_imm_s(base, distance), mask));
            }
        }
        Ok(places)
    }

    /// The address of memory for one lane that nobody reads.
    fn scratch_lane(&mut self) -> Clif {
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, 1 << SCRATCH_SHIFT, SCRATCH_SHIFT);
        let slot = self.builder.create_sized_stack_slot(data);
        self.builder.ins().stack_addr(types::I64, slot, 0)
    }
}
