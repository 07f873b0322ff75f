//! Integers and `bool`: wrapping arithmetic, total division, masked shifts, bit counts, comparisons.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Type as ClifType, types};
use we3_backend_api::Unsupported;
use we3_ir::{BinaryOp, CompareOp, Const, Scalar, UnaryOp};

use crate::bug;
use crate::emit::{Clif, Emitter};
use crate::scalar::{clif_type, integer_constant, resize_signed, resize_unsigned};

/// The condition of a comparison. `bool` compares as 0 and 1.
fn condition(op: CompareOp, signed: bool) -> IntCC {
    match (op, signed) {
        (CompareOp::Eq, _) => IntCC::Equal,
        (CompareOp::Ne, _) => IntCC::NotEqual,
        (CompareOp::Lt, true) => IntCC::SignedLessThan,
        (CompareOp::Lt, false) => IntCC::UnsignedLessThan,
        (CompareOp::Le, true) => IntCC::SignedLessThanOrEqual,
        (CompareOp::Le, false) => IntCC::UnsignedLessThanOrEqual,
        (CompareOp::Gt, true) => IntCC::SignedGreaterThan,
        (CompareOp::Gt, false) => IntCC::UnsignedGreaterThan,
        (CompareOp::Ge, true) => IntCC::SignedGreaterThanOrEqual,
        (CompareOp::Ge, false) => IntCC::UnsignedGreaterThanOrEqual,
    }
}

impl Emitter<'_, '_> {
    /// A comparison of integers.
    pub fn integer_compare(&mut self, op: CompareOp, elem: Scalar, x: Clif, y: Clif) -> Clif {
        self.builder.ins().icmp(condition(op, elem.is_signed_int()), x, y)
    }

    /// A unary operation on integers or `bool`.
    pub fn integer_unary(&mut self, op: UnaryOp, elem: Scalar, x: Clif) -> Result<Clif, Unsupported> {
        Ok(match op {
            UnaryOp::Neg => self.builder.ins().ineg(x),
            UnaryOp::Not if elem == Scalar::Bool => self.builder.ins().bxor_imm_u(x, 1),
            UnaryOp::Not => self.builder.ins().bnot(x),
            UnaryOp::Abs if elem.is_signed_int() => self.builder.ins().iabs(x),
            UnaryOp::Abs => x,
            UnaryOp::CountOnes => self.count_ones(x),
            UnaryOp::LeadingZeros => self.leading_zeros(x),
            UnaryOp::TrailingZeros => self.trailing_zeros(x),
            // An integer is integral already.
            UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc | UnaryOp::RoundEven => x,
            UnaryOp::Sqrt => return Err(bug("sqrt of an integer")),
        })
    }

    /// A binary operation on integers or `bool`; `right` is the second operand when it is constant.
    pub fn integer_binary(
        &mut self,
        op: BinaryOp,
        elem: Scalar,
        x: Clif,
        y: Clif,
        right: Option<Const>,
    ) -> Result<Clif, Unsupported> {
        let signed = elem.is_signed_int();
        Ok(match op {
            BinaryOp::Add => self.builder.ins().iadd(x, y),
            BinaryOp::Sub => self.builder.ins().isub(x, y),
            BinaryOp::Mul => self.builder.ins().imul(x, y),
            BinaryOp::Div => self.divide(elem, x, y, right),
            BinaryOp::Rem => self.remainder(elem, x, y, right),
            BinaryOp::Min if signed => self.builder.ins().smin(x, y),
            BinaryOp::Min => self.builder.ins().umin(x, y),
            BinaryOp::Max if signed => self.builder.ins().smax(x, y),
            BinaryOp::Max => self.builder.ins().umax(x, y),
            BinaryOp::And => self.builder.ins().band(x, y),
            BinaryOp::Or => self.builder.ins().bor(x, y),
            BinaryOp::Xor => self.builder.ins().bxor(x, y),
            // Cranelift takes amounts modulo the width, as we do.
            BinaryOp::Shl => self.builder.ins().ishl(x, y),
            BinaryOp::Shr if signed => self.builder.ins().sshr(x, y),
            BinaryOp::Shr => self.builder.ins().ushr(x, y),
            BinaryOp::RotateLeft => self.builder.ins().rotl(x, y),
            BinaryOp::MulHi => self.multiply_high(elem, x, y),
            BinaryOp::AddSat => self.add_saturating(x, y),
            BinaryOp::SubSat => self.subtract_saturating(x, y),
            BinaryOp::MulSat => self.multiply_saturating(x, y),
            BinaryOp::CopySign => return Err(bug("copysign of an integer")),
        })
    }

    /// `x / y` with x / 0 = 0 and MIN / −1 = MIN, without a trap.
    fn divide(&mut self, elem: Scalar, x: Clif, y: Clif, right: Option<Const>) -> Clif {
        let ty = clif_type(elem);
        if let Some(plain) = plain_divisor(elem, right) {
            if !plain {
                return self.divide_by_special(elem, x, right);
            }
            return self.hardware_divide(elem, x, y);
        }
        let zero = integer_constant(&mut self.builder, ty, 0);
        let one = integer_constant(&mut self.builder, ty, 1);
        let is_zero = self.builder.ins().icmp(IntCC::Equal, y, zero);
        if !elem.is_signed_int() {
            let divisor = self.builder.ins().select(is_zero, one, y);
            let quotient = self.hardware_divide(elem, x, divisor);
            return self.builder.ins().select(is_zero, zero, quotient);
        }
        // Dividing by −1 is negation, which wraps as wanted where the instruction would trap.
        let minus_one = integer_constant(&mut self.builder, ty, u64::MAX);
        let is_minus_one = self.builder.ins().icmp(IntCC::Equal, y, minus_one);
        let special = self.builder.ins().bor(is_zero, is_minus_one);
        let divisor = self.builder.ins().select(special, one, y);
        let quotient = self.hardware_divide(elem, x, divisor);
        let negated = self.builder.ins().ineg(x);
        let quotient = self.builder.ins().select(is_minus_one, negated, quotient);
        self.builder.ins().select(is_zero, zero, quotient)
    }

    /// `x % y` with the sign of x, x % 0 = 0 and MIN % −1 = 0: in both cases the remainder by 1.
    fn remainder(&mut self, elem: Scalar, x: Clif, y: Clif, right: Option<Const>) -> Clif {
        let ty = clif_type(elem);
        match plain_divisor(elem, right) {
            Some(true) => return self.hardware_remainder(elem, x, y),
            Some(false) => return integer_constant(&mut self.builder, ty, 0),
            None => {}
        }
        let zero = integer_constant(&mut self.builder, ty, 0);
        let one = integer_constant(&mut self.builder, ty, 1);
        let mut special = self.builder.ins().icmp(IntCC::Equal, y, zero);
        if elem.is_signed_int() {
            let minus_one = integer_constant(&mut self.builder, ty, u64::MAX);
            let is_minus_one = self.builder.ins().icmp(IntCC::Equal, y, minus_one);
            special = self.builder.ins().bor(special, is_minus_one);
        }
        let divisor = self.builder.ins().select(special, one, y);
        self.hardware_remainder(elem, x, divisor)
    }

    fn divide_by_special(&mut self, elem: Scalar, x: Clif, right: Option<Const>) -> Clif {
        match right {
            Some(constant) if constant.bits != 0 => self.builder.ins().ineg(x),
            Some(_) | None => integer_constant(&mut self.builder, clif_type(elem), 0),
        }
    }

    fn hardware_divide(&mut self, elem: Scalar, x: Clif, y: Clif) -> Clif {
        if elem.is_signed_int() { self.builder.ins().sdiv(x, y) } else { self.builder.ins().udiv(x, y) }
    }

    fn hardware_remainder(&mut self, elem: Scalar, x: Clif, y: Clif) -> Clif {
        if elem.is_signed_int() { self.builder.ins().srem(x, y) } else { self.builder.ins().urem(x, y) }
    }

    /// The upper half of the double-width product.
    fn multiply_high(&mut self, elem: Scalar, x: Clif, y: Clif) -> Clif {
        let ty = clif_type(elem);
        let signed = elem.is_signed_int();
        if ty == types::I64 {
            return if signed { self.builder.ins().smulhi(x, y) } else { self.builder.ins().umulhi(x, y) };
        }
        // Every narrower product fits in 64 bits.
        let [x, y] = [self.extend(signed, x, types::I64), self.extend(signed, y, types::I64)];
        let product = self.builder.ins().imul(x, y);
        let high = self.builder.ins().ushr_imm_u(product, i64::from(ty.bits()));
        self.builder.ins().ireduce(ty, high)
    }

    fn extend(&mut self, signed: bool, value: Clif, to: ClifType) -> Clif {
        if signed {
            resize_signed(&mut self.builder, value, to)
        } else {
            resize_unsigned(&mut self.builder, value, to)
        }
    }

    /// `i64::MAX` when the sign bit of `like` is clear, else `i64::MIN`.
    fn limit_with_sign_of(&mut self, like: Clif) -> Clif {
        let sign = self.builder.ins().sshr_imm_u(like, 63);
        self.builder.ins().bxor_imm_s(sign, i64::MAX)
    }

    fn add_saturating(&mut self, x: Clif, y: Clif) -> Clif {
        let sum = self.builder.ins().iadd(x, y);
        // Overflow: the sum's sign differs from both operands' signs.
        let left = self.builder.ins().bxor(x, sum);
        let right = self.builder.ins().bxor(y, sum);
        let overflow = self.builder.ins().band(left, right);
        self.saturate_if_negative(overflow, x, sum)
    }

    fn subtract_saturating(&mut self, x: Clif, y: Clif) -> Clif {
        let difference = self.builder.ins().isub(x, y);
        // Overflow: the operands differ in sign and the result has not the first one's.
        let operands = self.builder.ins().bxor(x, y);
        let result = self.builder.ins().bxor(x, difference);
        let overflow = self.builder.ins().band(operands, result);
        self.saturate_if_negative(overflow, x, difference)
    }

    fn saturate_if_negative(&mut self, overflow: Clif, like: Clif, result: Clif) -> Clif {
        let limit = self.limit_with_sign_of(like);
        let zero = self.builder.ins().iconst(types::I64, 0);
        let overflows = self.builder.ins().icmp(IntCC::SignedLessThan, overflow, zero);
        self.builder.ins().select(overflows, limit, result)
    }

    fn multiply_saturating(&mut self, x: Clif, y: Clif) -> Clif {
        let low = self.builder.ins().imul(x, y);
        let high = self.builder.ins().smulhi(x, y);
        // The product fits when the upper half only repeats the sign of the lower one.
        let sign = self.builder.ins().sshr_imm_u(low, 63);
        let overflows = self.builder.ins().icmp(IntCC::NotEqual, high, sign);
        let signs = self.builder.ins().bxor(x, y);
        let limit = self.limit_with_sign_of(signs);
        self.builder.ins().select(overflows, limit, low)
    }
}

/// Whether a constant divisor is one the instruction takes as it is; `None`: not constant.
fn plain_divisor(elem: Scalar, right: Option<Const>) -> Option<bool> {
    let bits = right?.bits;
    let all_ones = u64::MAX >> (64 - elem.bits());
    Some(bits != 0 && !(elem.is_signed_int() && bits & all_ones == all_ones))
}
