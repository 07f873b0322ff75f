//! Operations on whole vector registers: which ones every machine with such registers has, and
//! comparisons that stay masks because only `select` reads them. The rest goes lane by lane.

use std::collections::BTreeMap;

use cranelift_codegen::ir::{InstBuilder, Type as ClifType};
use we3_backend_api::Unsupported;
use we3_ir::{BinaryOp, Func, OpData, Opcode, Scalar, Type, UnaryOp, Value};

use crate::emit::{Clif, Emitter};
use crate::machine::Machine;
use crate::vector::packs;

/// For each comparison of vectors that nothing but `select` reads, with lanes as wide as the compared
/// ones: it need not become `bool` lanes.
pub fn mask_only_values(func: &Func) -> BTreeMap<Value, bool> {
    let mut masks = BTreeMap::new();
    for data in func.ops.values().filter(|data| matches!(data.opcode, Opcode::Compare(_))) {
        if matches!(func.ty(data.results[0]), Type::Vector(..)) {
            masks.insert(data.results[0], true);
        }
    }
    if masks.is_empty() {
        return masks;
    }
    for data in func.ops.values() {
        for (position, value) in data.args.iter().enumerate() {
            if let Some(mask_only) = masks.get_mut(value) {
                *mask_only &= position == 0 && selects_lanes_of_width(func, data, *value);
            }
        }
    }
    masks
}

fn selects_lanes_of_width(func: &Func, data: &OpData, mask: Value) -> bool {
    let Some(comparison) = func.def_op(mask) else { return false };
    let compared = func.ty(func.ops[comparison].args[0]).element();
    let is_select = matches!(data.opcode, Opcode::Select);
    let arms = data.args.get(1).map(|arm| func.ty(*arm).element());
    is_select && arms.is_some_and(|arms| packs(arms) && arms.bits() == compared.bits())
}

/// Whether a unary operation takes whole registers of these lanes.
fn unary_packs(op: UnaryOp, elem: Scalar, machine: Machine) -> bool {
    match op {
        UnaryOp::Neg | UnaryOp::Abs => true,
        UnaryOp::Not => elem.is_int(),
        UnaryOp::Sqrt => elem.is_float(),
        UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc | UnaryOp::RoundEven => {
            elem.is_float() && machine.rounding
        }
        UnaryOp::CountOnes | UnaryOp::LeadingZeros | UnaryOp::TrailingZeros => false,
    }
}

/// Whether a binary operation takes whole registers of these lanes.
fn binary_packs(op: BinaryOp, elem: Scalar) -> bool {
    match op {
        BinaryOp::Add | BinaryOp::Sub => true,
        BinaryOp::Mul => elem.is_float() || elem.bits() > 8,
        BinaryOp::Div => elem.is_float(),
        BinaryOp::Min | BinaryOp::Max => elem.is_float() || elem.bits() < 64,
        BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => elem.is_int(),
        BinaryOp::Rem
        | BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::RotateLeft
        | BinaryOp::MulHi
        | BinaryOp::CopySign
        | BinaryOp::AddSat
        | BinaryOp::SubSat
        | BinaryOp::MulSat => false,
    }
}

impl Emitter<'_, '_> {
    /// Whether the pieces of this operation's operands are what its instructions take: scalars, or
    /// registers for which the machine has them.
    pub fn takes_pieces(&self, data: &OpData) -> bool {
        let result = self.func.ty(data.results[0]);
        if !matches!(result, Type::Vector(..)) {
            return true;
        }
        let elem = self.func.ty(data.args[0]).element();
        let operand = self.packed_type(self.func.ty(data.args[0]));
        #[expect(clippy::wildcard_enum_match_arm, reason = "called for scalar operations only")]
        match &data.opcode {
            Opcode::Unary(op) => operand.is_some() && unary_packs(*op, elem, self.machine),
            Opcode::Binary(op) => operand.is_some() && binary_packs(*op, elem),
            Opcode::Compare(_) => self.is_mask(data.results[0]),
            Opcode::Select => self.select_takes_pieces(data),
            Opcode::Fma => {
                let has = if elem.is_float() { self.machine.fma } else { binary_packs(BinaryOp::Mul, elem) };
                operand.is_some() && has
            }
            Opcode::Convert(to) => {
                elem == *to || (operand.is_some() && (elem, *to) == (Scalar::I32, Scalar::F32))
            }
            Opcode::Bitcast(_) => operand.is_some() == self.packed_type(result).is_some(),
            _ => false,
        }
    }

    /// Whether a comparison's result is kept as masks, one a register.
    pub fn is_mask(&self, value: Value) -> bool {
        let Some(comparison) = self.func.def_op(value) else { return false };
        let compared = self.func.ty(self.func.ops[comparison].args[0]);
        self.masks.get(&value) == Some(&true) && self.packed_type(compared).is_some()
    }

    fn select_takes_pieces(&self, data: &OpData) -> bool {
        let condition = data.args[0];
        let one_for_all = matches!(self.func.ty(condition), Type::Scalar(_));
        let packed = self.packed_type(self.func.ty(data.args[1])).is_some();
        one_for_all || !packed || self.is_mask(condition)
    }

    /// `select`: by a byte, or lane by lane by a mask.
    pub fn select(&mut self, condition: Clif, x: Clif, y: Clif) -> Clif {
        let mask: ClifType = self.builder.func.dfg.value_type(condition);
        if !mask.is_vector() {
            return self.builder.ins().select(condition, x, y);
        }
        let ty = self.builder.func.dfg.value_type(x);
        let mask = self.cast_register(ty, condition);
        self.builder.ins().bitselect(mask, x, y)
    }

    /// Lane by lane: every operand taken apart, every result put together.
    pub fn emit_by_lanes(&mut self, data: &OpData, columns: Vec<Vec<Clif>>) -> Result<(), Unsupported> {
        let columns: Vec<Vec<Clif>> = columns.into_iter().map(|column| self.unpack(column)).collect();
        let lanes = self.emit_rows(data, &columns)?;
        let pieces = self.pack(self.func.ty(data.results[0]), lanes);
        self.set(data.results[0], &pieces);
        Ok(())
    }
}
