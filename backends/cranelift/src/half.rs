//! `f16` and `bf16`, which Cranelift does not have: bits in a 16-bit register, widened to `f32` for
//! arithmetic and rounded back once, in integer code. Every result here is canonical already.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, types};
use we3_backend_api::Unsupported;
use we3_ir::{BinaryOp, Scalar, UnaryOp};

use crate::emit::{Clif, Emitter};

/// The canonical NaN of a half-width type.
fn canonical_nan(elem: Scalar) -> i64 {
    if elem == Scalar::F16 { 0x7e00 } else { 0x7fc0 }
}

/// The bits of +∞ of a half-width type.
fn infinity(elem: Scalar) -> i64 {
    if elem == Scalar::F16 { 0x7c00 } else { 0x7f80 }
}

impl Emitter<'_, '_> {
    /// A unary operation.
    pub fn half_unary(&mut self, op: UnaryOp, elem: Scalar, x: Clif) -> Result<Clif, Unsupported> {
        match op {
            UnaryOp::Neg => {
                let flipped = self.builder.ins().bxor_imm_u(x, 0x8000);
                Ok(self.half_unless_nan(elem, x, flipped))
            }
            UnaryOp::Abs => {
                let cleared = self.builder.ins().band_imm_u(x, 0x7fff);
                Ok(self.half_unless_nan(elem, x, cleared))
            }
            UnaryOp::Sqrt
            | UnaryOp::Floor
            | UnaryOp::Ceil
            | UnaryOp::Trunc
            | UnaryOp::RoundEven
            | UnaryOp::Not
            | UnaryOp::CountOnes
            | UnaryOp::LeadingZeros
            | UnaryOp::TrailingZeros => {
                let wide = self.widen_half(elem, x);
                let result = self.float_unary(op, wide)?;
                Ok(self.narrow_to_half(elem, result))
            }
        }
    }

    /// A binary operation.
    pub fn half_binary(&mut self, op: BinaryOp, elem: Scalar, x: Clif, y: Clif) -> Result<Clif, Unsupported> {
        if op == BinaryOp::CopySign {
            let magnitude = self.builder.ins().band_imm_u(x, 0x7fff);
            let sign = self.builder.ins().band_imm_u(y, 0x8000);
            // The sign of a NaN is that of the canonical one.
            let y_is_nan = self.half_is_nan(elem, y);
            let zero = self.builder.ins().iconst(types::I16, 0);
            let sign = self.builder.ins().select(y_is_nan, zero, sign);
            let joined = self.builder.ins().bor(magnitude, sign);
            return Ok(self.half_unless_nan(elem, x, joined));
        }
        let [x, y] = [self.widen_half(elem, x), self.widen_half(elem, y)];
        let result = self.float_binary(op, Scalar::F32, x, y)?;
        Ok(self.narrow_to_half(elem, result))
    }

    fn half_is_nan(&mut self, elem: Scalar, x: Clif) -> Clif {
        let magnitude = self.builder.ins().band_imm_u(x, 0x7fff);
        self.builder.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, magnitude, infinity(elem))
    }

    fn half_unless_nan(&mut self, elem: Scalar, x: Clif, result: Clif) -> Clif {
        let is_nan = self.half_is_nan(elem, x);
        let nan = self.builder.ins().iconst(types::I16, canonical_nan(elem));
        self.builder.ins().select(is_nan, nan, result)
    }

    /// The exact `f32`; a NaN stays some NaN.
    pub fn widen_half(&mut self, elem: Scalar, x: Clif) -> Clif {
        let wide = self.builder.ins().uextend(types::I32, x);
        if elem == Scalar::Bf16 {
            let bits = self.builder.ins().ishl_imm_u(wide, 16);
            return self.builder.ins().bitcast(types::F32, MemFlagsData::new(), bits);
        }
        let magnitude = self.builder.ins().band_imm_u(wide, 0x7fff);
        let bits = self.widen_f16_magnitude(magnitude);
        let sign = self.builder.ins().band_imm_u(wide, 0x8000);
        let sign = self.builder.ins().ishl_imm_u(sign, 16);
        let bits = self.builder.ins().bor(bits, sign);
        self.builder.ins().bitcast(types::F32, MemFlagsData::new(), bits)
    }

    fn widen_f16_magnitude(&mut self, magnitude: Clif) -> Clif {
        let shifted = self.builder.ins().ishl_imm_u(magnitude, 13);
        // The exponent's bias grows from 15 to 127.
        let normal = self.builder.ins().iadd_imm_u(shifted, 112 << 23);
        let special = self.builder.ins().bor_imm_u(shifted, 0x7f80_0000);
        // A denormal is its significand times 2^-24.
        let number = self.builder.ins().fcvt_from_sint(types::F32, magnitude);
        let unit = self.float_like(types::F32, 1.0 / 16_777_216.0);
        let small = self.builder.ins().fmul(number, unit);
        let small = self.builder.ins().bitcast(types::I32, MemFlagsData::new(), small);
        let is_small = self.builder.ins().icmp_imm_u(IntCC::UnsignedLessThan, magnitude, 0x400);
        let is_special = self.builder.ins().icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, magnitude, 0x7c00);
        let finite = self.builder.ins().select(is_small, small, normal);
        self.builder.ins().select(is_special, special, finite)
    }

    /// The nearest half-width float of an `f32`, ties to even.
    pub fn narrow_to_half(&mut self, elem: Scalar, x: Clif) -> Clif {
        let bits = self.builder.ins().bitcast(types::I32, MemFlagsData::new(), x);
        let rounded = if elem == Scalar::Bf16 {
            self.round_off(bits, 16)
        } else {
            let magnitude = self.builder.ins().band_imm_u(bits, 0x7fff_ffff);
            let magnitude = self.narrow_f16_magnitude(magnitude);
            let sign = self.builder.ins().ushr_imm_u(bits, 16);
            let sign = self.builder.ins().band_imm_u(sign, 0x8000);
            self.builder.ins().bor(magnitude, sign)
        };
        let narrow = self.builder.ins().ireduce(types::I16, rounded);
        let is_nan = self.builder.ins().fcmp(FloatCC::Unordered, x, x);
        let nan = self.builder.ins().iconst(types::I16, canonical_nan(elem));
        self.builder.ins().select(is_nan, nan, narrow)
    }

    /// Drops the low bits, rounding to nearest, ties to even; a carry goes into the exponent as it should.
    fn round_off(&mut self, bits: Clif, dropped: i64) -> Clif {
        let odd = self.builder.ins().ushr_imm_u(bits, dropped);
        let odd = self.builder.ins().band_imm_u(odd, 1);
        let half = self.builder.ins().iadd_imm_u(bits, (1 << (dropped - 1)) - 1);
        let sum = self.builder.ins().iadd(half, odd);
        self.builder.ins().ushr_imm_u(sum, dropped)
    }

    fn narrow_f16_magnitude(&mut self, magnitude: Clif) -> Clif {
        // Normal results: the bias shrinks from 127 to 15.
        let rebased = self.builder.ins().iadd_imm_s(magnitude, -(112 << 23));
        let normal = self.round_off(rebased, 13);
        // Below 2^-14: adding 0.5 rounds to multiples of 2^-24, the unit of f16's denormals.
        let number = self.builder.ins().bitcast(types::F32, MemFlagsData::new(), magnitude);
        let half = self.float_like(types::F32, 0.5);
        let sum = self.builder.ins().fadd(number, half);
        let sum = self.builder.ins().bitcast(types::I32, MemFlagsData::new(), sum);
        let small = self.builder.ins().iadd_imm_s(sum, -0x3f00_0000);
        let is_small = self.builder.ins().icmp_imm_u(IntCC::UnsignedLessThan, magnitude, 0x3880_0000);
        // From 2^16 on everything is infinite; just below, the rounding's carry makes it so.
        let is_large =
            self.builder.ins().icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, magnitude, 0x4780_0000);
        let infinite = self.builder.ins().iconst(types::I32, 0x7c00);
        let finite = self.builder.ins().select(is_small, small, normal);
        self.builder.ins().select(is_large, infinite, finite)
    }

    /// The nearest half-width float of an `f64`, rounded once: first to `f32` with the last bit set when
    /// that lost anything ("to odd"), which the second rounding cannot mistake for a tie.
    pub fn narrow_f64_to_half(&mut self, elem: Scalar, x: Clif) -> Clif {
        let nearest = self.builder.ins().fdemote(types::F32, x);
        let back = self.builder.ins().fpromote(types::F64, nearest);
        let [back_size, size] = [self.builder.ins().fabs(back), self.builder.ins().fabs(x)];
        let bits = self.builder.ins().bitcast(types::I32, MemFlagsData::new(), nearest);
        let below = self.builder.ins().iadd_imm_s(bits, -1);
        let too_large = self.builder.ins().fcmp(FloatCC::GreaterThan, back_size, size);
        let truncated = self.builder.ins().select(too_large, below, bits);
        let odd = self.builder.ins().bor_imm_u(truncated, 1);
        // Ordered: a NaN stays as it is.
        let inexact = self.builder.ins().fcmp(FloatCC::OrderedNotEqual, back, x);
        let bits = self.builder.ins().select(inexact, odd, bits);
        let single = self.builder.ins().bitcast(types::F32, MemFlagsData::new(), bits);
        self.narrow_to_half(elem, single)
    }
}
