//! Integer (and `bool`) arithmetic. Everything wraps; division is total; shift amounts are masked.

use we3_backend_api::Unsupported;
use we3_ir::{BinaryOp, Scalar, UnaryOp};

use super::{Emitter, unsupported};
use crate::text::{FuncText, Lane, Ty, Val};

impl Emitter<'_, '_> {
    pub(super) fn int_unary(&mut self, op: UnaryOp, elem: Scalar, operand: &Val) -> Result<Val, Unsupported> {
        let off = Val::int(Ty::I1, 0);
        let text = &mut self.text;
        let with_flag = |text: &mut FuncText<'_>, name: &str| {
            text.intrinsic(name, &[operand.ty], operand.ty, &[operand, &off])
        };
        Ok(match op {
            UnaryOp::Neg => text.binary("sub", &Val::int(operand.ty, 0), operand),
            UnaryOp::Not => text.binary_const("xor", operand, -1),
            UnaryOp::Abs if elem.is_signed_int() => with_flag(text, "llvm.abs"),
            UnaryOp::Abs => operand.clone(),
            UnaryOp::CountOnes => text.lanewise("llvm.ctpop", &[operand]),
            UnaryOp::LeadingZeros => with_flag(text, "llvm.ctlz"),
            UnaryOp::TrailingZeros => with_flag(text, "llvm.cttz"),
            // Integral values are what they are.
            UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc | UnaryOp::RoundEven => operand.clone(),
            UnaryOp::Sqrt => return Err(unsupported("sqrt of an integer")),
        })
    }

    pub(super) fn int_binary(
        &mut self,
        op: BinaryOp,
        elem: Scalar,
        left: &Val,
        right: &Val,
        constant: Option<u64>,
    ) -> Result<Val, Unsupported> {
        let signed = elem.is_signed_int();
        let pick = |if_signed: &'static str, if_not: &'static str| if signed { if_signed } else { if_not };
        let text = &mut self.text;
        Ok(match op {
            BinaryOp::Add => text.binary("add", left, right),
            BinaryOp::Sub => text.binary("sub", left, right),
            BinaryOp::Mul => text.binary("mul", left, right),
            BinaryOp::And => text.binary("and", left, right),
            BinaryOp::Or => text.binary("or", left, right),
            BinaryOp::Xor => text.binary("xor", left, right),
            BinaryOp::Min => text.lanewise(pick("llvm.smin", "llvm.umin"), &[left, right]),
            BinaryOp::Max => text.lanewise(pick("llvm.smax", "llvm.umax"), &[left, right]),
            BinaryOp::Div => self.divide(signed, true, left, right, constant),
            BinaryOp::Rem => self.divide(signed, false, left, right, constant),
            BinaryOp::Shl => self.shift("shl", left, right),
            BinaryOp::Shr => self.shift(pick("ashr", "lshr"), left, right),
            BinaryOp::RotateLeft => text.lanewise("llvm.fshl", &[left, left, right]),
            BinaryOp::MulHi => self.upper_product(signed, left, right),
            BinaryOp::AddSat => text.lanewise(pick("llvm.sadd.sat", "llvm.uadd.sat"), &[left, right]),
            BinaryOp::SubSat => text.lanewise(pick("llvm.ssub.sat", "llvm.usub.sat"), &[left, right]),
            BinaryOp::MulSat => self.saturating_product(signed, left, right),
            BinaryOp::CopySign => return Err(unsupported("copysign of integers")),
        })
    }

    fn shift(&mut self, name: &str, left: &Val, right: &Val) -> Val {
        let amount = self.text.binary_const("and", right, i128::from(left.ty.bits() - 1));
        self.text.binary(name, left, &amount)
    }

    /// `div` or `rem` with x / 0 = 0, x % 0 = 0, MIN / −1 = MIN, MIN % −1 = 0.
    fn divide(
        &mut self,
        signed: bool,
        quotient: bool,
        left: &Val,
        right: &Val,
        constant: Option<u64>,
    ) -> Val {
        let name = match (signed, quotient) {
            (true, true) => "sdiv",
            (true, false) => "srem",
            (false, true) => "udiv",
            (false, false) => "urem",
        };
        let ty = left.ty;
        let all_ones = u64::MAX >> (64 - ty.bits());
        if constant.is_some_and(|bits| bits != 0 && !(signed && bits & all_ones == all_ones)) {
            return self.text.binary(name, left, right);
        }
        let text = &mut self.text;
        let is_zero = text.icmp_const("eq", right, 0);
        let is_minus_one = signed.then(|| text.icmp_const("eq", right, -1));
        let odd = match &is_minus_one {
            Some(flag) => text.binary("or", &is_zero, flag),
            None => is_zero.clone(),
        };
        let safe = text.select(&odd, &Val::int(ty, 1), right);
        let mut result = text.binary(name, left, &safe);
        if let Some(flag) = &is_minus_one {
            let wrapped = if quotient { text.binary("sub", &Val::int(ty, 0), left) } else { Val::int(ty, 0) };
            result = text.select(flag, &wrapped, &result);
        }
        text.select(&is_zero, &Val::int(ty, 0), &result)
    }

    fn upper_product(&mut self, signed: bool, left: &Val, right: &Val) -> Val {
        let bits = left.ty.bits();
        let wide = left.ty.with(Lane::Int(2 * bits));
        let extend = if signed { "sext" } else { "zext" };
        let text = &mut self.text;
        let (left_wide, right_wide) = (text.cast(extend, left, wide), text.cast(extend, right, wide));
        let product = text.binary("mul", &left_wide, &right_wide);
        let upper = text.binary_const("lshr", &product, i128::from(bits));
        text.cast("trunc", &upper, left.ty)
    }

    fn saturating_product(&mut self, signed: bool, left: &Val, right: &Val) -> Val {
        let upper = self.upper_product(signed, left, right);
        let ty = left.ty;
        let text = &mut self.text;
        let lower = text.binary("mul", left, right);
        if !signed {
            let fits = text.icmp_const("eq", &upper, 0);
            return text.select(&fits, &lower, &Val::int(ty, -1));
        }
        // It fits when the upper half is the sign of the lower half.
        let shift = i128::from(ty.bits() - 1);
        let sign_of_lower = text.binary_const("ashr", &lower, shift);
        let fits = text.icmp("eq", &upper, &sign_of_lower);
        let signs = text.binary("xor", left, right);
        let negative = text.binary_const("ashr", &signs, shift);
        let limit = text.binary_const("xor", &negative, (1 << shift) - 1);
        text.select(&fits, &lower, &limit)
    }
}
