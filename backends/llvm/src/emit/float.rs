//! Float arithmetic. `f32` and `f64` map to one instruction each, never with a fast-math flag; the
//! 16-bit types are widened to `f32`, computed there and rounded once.

use we3_backend_api::Unsupported;
use we3_ir::{BinaryOp, Scalar, UnaryOp};

use super::{Emitter, unsupported};
use crate::text::{Lane, Ty, Val};

/// `fmod` of `f32` and `f64`: exact, by long division of the significands.
const FMOD_F32: &str = include_str!("../support/fmod_f32.ll");
const FMOD_F64: &str = include_str!("../support/fmod_f64.ll");

impl Emitter<'_, '_> {
    pub(super) fn float_unary(
        &mut self,
        op: UnaryOp,
        elem: Scalar,
        operand: &Val,
    ) -> Result<Val, Unsupported> {
        let sixteen = elem.bytes() == 2;
        match op {
            UnaryOp::Neg if sixteen => Ok(self.half_sign(elem, operand, "xor", 0x8000)),
            UnaryOp::Abs if sixteen => Ok(self.half_sign(elem, operand, "and", 0x7fff)),
            UnaryOp::Neg => Ok(self.text.inst(operand.ty, format_args!("fneg {operand}"))),
            UnaryOp::Abs => Ok(self.text.lanewise("llvm.fabs", &[operand])),
            UnaryOp::Sqrt | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc | UnaryOp::RoundEven => {
                let wide = self.widen_to_f32(elem, operand);
                let result = match op {
                    UnaryOp::Sqrt => self.square_root(&wide),
                    UnaryOp::Floor
                    | UnaryOp::Ceil
                    | UnaryOp::Trunc
                    | UnaryOp::RoundEven
                    | UnaryOp::Neg
                    | UnaryOp::Not
                    | UnaryOp::Abs
                    | UnaryOp::CountOnes
                    | UnaryOp::LeadingZeros
                    | UnaryOp::TrailingZeros => self.round(op, &wide),
                };
                Ok(self.narrow_from_f32(elem, &result))
            }
            UnaryOp::Not | UnaryOp::CountOnes | UnaryOp::LeadingZeros | UnaryOp::TrailingZeros => {
                Err(unsupported("a bit operation on a float"))
            }
        }
    }

    pub(super) fn float_binary(
        &mut self,
        op: BinaryOp,
        elem: Scalar,
        left: &Val,
        right: &Val,
    ) -> Result<Val, Unsupported> {
        if op == BinaryOp::CopySign {
            return Ok(self.copy_sign(elem, left, right));
        }
        let (left, right) = (self.widen_to_f32(elem, left), self.widen_to_f32(elem, right));
        let text = &mut self.text;
        let result = match op {
            BinaryOp::Add => text.binary("fadd", &left, &right),
            BinaryOp::Sub => text.binary("fsub", &left, &right),
            BinaryOp::Mul => text.binary("fmul", &left, &right),
            BinaryOp::Div => text.binary("fdiv", &left, &right),
            BinaryOp::Rem => self.float_remainder(&left, &right),
            BinaryOp::Min | BinaryOp::Max if self.facts.picks => self.picked(op, &left, &right),
            BinaryOp::Min => self.text.lanewise("llvm.minimum", &[&left, &right]),
            BinaryOp::Max => self.text.lanewise("llvm.maximum", &[&left, &right]),
            BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::Shr
            | BinaryOp::RotateLeft
            | BinaryOp::MulHi
            | BinaryOp::AddSat
            | BinaryOp::SubSat
            | BinaryOp::MulSat
            | BinaryOp::CopySign => return Err(unsupported("an integer operation on floats")),
        };
        Ok(self.narrow_from_f32(elem, &result))
    }

    /// LLVM 22's code generator drops `select(x < 0 or NaN, NaN, sqrt(x))` (its combiner thinks one
    /// NaN as good as another), and turns `sqrt(x) is NaN` into such a comparison. So the canonical
    /// NaN is put in here at once, by integer operations.
    fn square_root(&mut self, operand: &Val) -> Val {
        let text = &mut self.text;
        let root = text.lanewise("llvm.sqrt", &[operand]);
        let bits = text.bits_of(&root);
        let (sign, infinity, nan) = match operand.ty.lane {
            Lane::Double => (1 << 63, 0x7ff0_0000_0000_0000, 0x7ff8_0000_0000_0000),
            Lane::Float | Lane::Int(_) | Lane::Half | Lane::Ptr => (1 << 31, 0x7f80_0000, 0x7fc0_0000),
        };
        let magnitude = text.binary_const("and", &bits, sign - 1);
        let is_nan = text.icmp_const("sgt", &magnitude, infinity);
        let nan = Val::int(bits.ty, nan);
        let chosen = text.select(&is_nan, &nan, &bits);
        text.cast("bitcast", &chosen, operand.ty)
    }

    /// `minps(a, b)` is `a < b ? a : b`, so it and `minps(b, a)` differ where neither is less: of two zeros the bits of both
    /// make the right one, of a NaN and anything the disjunction is a NaN, too. Three instructions where LLVM's
    /// `minimum` takes six.
    fn picked(&mut self, op: BinaryOp, left: &Val, right: &Val) -> Val {
        let is_min = op == BinaryOp::Min;
        let (predicate, join) = if is_min { ("olt", "or") } else { ("ogt", "and") };
        let text = &mut self.text;
        let mut bits = Vec::new();
        for (a, b) in [(left, right), (right, left)] {
            let first = text.fcmp(predicate, a, b);
            let chosen = text.select(&first, a, b);
            bits.push(text.bits_of(&chosen));
        }
        let mut joined = text.binary(join, &bits[0], &bits[1]);
        if !is_min {
            let unordered = text.fcmp("uno", left, right);
            let nan = match left.ty.lane {
                Lane::Double => 0x7ff8_0000_0000_0000,
                Lane::Float | Lane::Int(_) | Lane::Half | Lane::Ptr => 0x7fc0_0000,
            };
            let nan = Val::int(joined.ty, nan);
            joined = text.select(&unordered, &nan, &joined);
        }
        text.cast("bitcast", &joined, left.ty)
    }

    fn float_remainder(&mut self, left: &Val, right: &Val) -> Val {
        let (name, definition) = match left.ty.lane {
            Lane::Double => ("we3.fmod.f64", FMOD_F64),
            Lane::Float | Lane::Int(_) | Lane::Half | Lane::Ptr => ("we3.fmod.f32", FMOD_F32),
        };
        let text = &mut self.text;
        text.module.require(definition);
        let bits = left.ty.scalar().as_int();
        text.module.declare("llvm.ctlz", &[bits], &bits.to_string(), &[bits, Ty::I1]);
        text.each_lane(&[left, right], |text, args| text.call(name, args[0].ty, args))
    }

    fn copy_sign(&mut self, elem: Scalar, magnitude: &Val, sign: &Val) -> Val {
        if elem.bytes() > 2 {
            let text = &mut self.text;
            let result = text.lanewise("llvm.copysign", &[magnitude, sign]);
            return result;
        }
        let sign = self.half_canonical(elem, sign);
        let sign_bit = self.text.binary_const("and", &sign, 0x8000);
        let rest = self.text.binary_const("and", magnitude, 0x7fff);
        let joined = self.text.binary("or", &sign_bit, &rest);
        self.half_canonical(elem, &joined)
    }

    fn half_sign(&mut self, elem: Scalar, operand: &Val, name: &str, mask: i128) -> Val {
        let result = self.text.binary_const(name, operand, mask);
        self.half_canonical(elem, &result)
    }

    /// A 16-bit float with the canonical NaN in place of any NaN.
    pub(super) fn half_canonical(&mut self, elem: Scalar, bits: &Val) -> Val {
        let (infinity, nan) = if elem == Scalar::F16 { (0x7c00, 0x7e00) } else { (0x7f80, 0x7fc0) };
        let magnitude = self.text.binary_const("and", bits, 0x7fff);
        let is_nan = self.text.icmp_const("ugt", &magnitude, infinity);
        let nan = Val::int(bits.ty, nan);
        self.text.select(&is_nan, &nan, bits)
    }
}
