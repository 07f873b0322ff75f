//! Identities of floats that keep every bit: the sign of zero, and the canonical NaN of an operation.
//! `x + 0.0` (−0 becomes +0), `x * 0` and reassociation are not among them.

use we3_ir::op::Const;
use we3_ir::{BinaryOp, Func, Opcode, Scalar, Value};

use super::simplify::Rewrite;

/// Rewrites `left op right` on floats.
pub fn binary(func: &Func, op: BinaryOp, ty: Scalar, left: Value, right: Value) -> Option<Rewrite> {
    let format = Format::of(ty)?;
    if let Some(constant) = func.as_const(right) {
        if format.right_neutral(op, constant.bits) && is_canonical(func, left) {
            return Some(Rewrite::Value(left));
        }
        if op == BinaryOp::Div
            && let Some(bits) = format.exact_reciprocal(constant.bits)
        {
            return Some(Rewrite::WithConst(Opcode::Binary(BinaryOp::Mul), left, Const { ty, bits }));
        }
    }
    let left_const = func.as_const(left)?;
    let commutes = matches!(op, BinaryOp::Add | BinaryOp::Mul);
    let neutral = commutes && format.right_neutral(op, left_const.bits) && is_canonical(func, right);
    neutral.then_some(Rewrite::Value(right))
}

/// `fma(a, b, −0.0)` is `a * b`: the product is rounded once, and a zero keeps its sign.
pub fn fma(func: &Func, a: Value, b: Value, c: Value) -> Option<Rewrite> {
    let constant = func.as_const(c)?;
    let format = Format::of(constant.ty)?;
    (constant.bits == format.sign()).then(|| Rewrite::Become(Opcode::Binary(BinaryOp::Mul), vec![a, b]))
}

/// Whether the value can only be a canonical NaN if it is one: an operation made it, not a move.
#[expect(clippy::wildcard_enum_match_arm, reason = "anything else may hand on bits it was given")]
fn is_canonical(func: &Func, value: Value) -> bool {
    let Some(op) = func.def_op(value) else { return false };
    let data = &func.ops[op];
    match &data.opcode {
        Opcode::Unary(_) | Opcode::Binary(_) | Opcode::Fma | Opcode::Convert(_) | Opcode::Dot { .. } => true,
        Opcode::Const(constant) => we3_ir::eval::canonical(constant.ty, constant.bits) == constant.bits,
        Opcode::Select => is_canonical(func, data.args[1]) && is_canonical(func, data.args[2]),
        _ => false,
    }
}

/// The layout of a float type.
struct Format {
    bits: u32,
    fraction: u32,
}

impl Format {
    fn of(ty: Scalar) -> Option<Format> {
        let fraction = match ty {
            Scalar::F16 => 10,
            Scalar::Bf16 => 7,
            Scalar::F32 => 23,
            Scalar::F64 => 52,
            Scalar::Bool
            | Scalar::I8
            | Scalar::I16
            | Scalar::I32
            | Scalar::I64
            | Scalar::U8
            | Scalar::U16
            | Scalar::U32
            | Scalar::U64 => return None,
        };
        Some(Format { bits: ty.bits(), fraction })
    }

    fn sign(&self) -> u64 {
        1 << (self.bits - 1)
    }

    fn bias(&self) -> u64 {
        (1 << (self.bits - self.fraction - 2)) - 1
    }

    fn one(&self) -> u64 {
        self.bias() << self.fraction
    }

    /// Whether `x op constant` is `x` for every x.
    fn right_neutral(&self, op: BinaryOp, bits: u64) -> bool {
        match op {
            BinaryOp::Add => bits == self.sign(),
            BinaryOp::Sub => bits == 0,
            BinaryOp::Mul | BinaryOp::Div => bits == self.one(),
            BinaryOp::Rem
            | BinaryOp::Min
            | BinaryOp::Max
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Xor
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

    /// `1 / x` when both are normal powers of two: dividing and multiplying then round the same number.
    fn exact_reciprocal(&self, bits: u64) -> Option<u64> {
        let fraction = bits & ((1 << self.fraction) - 1);
        let exponent = (bits & !self.sign()) >> self.fraction;
        if fraction != 0 || exponent == 0 || exponent >= 2 * self.bias() {
            return None;
        }
        Some((bits & self.sign()) | (2 * self.bias() - exponent) << self.fraction)
    }
}
