//! The 16-bit floats: widening to `f32` and rounding back, in integer code that gives the same bits
//! on every target. (LLVM's own `fptrunc` would call a library here and flush denormals there.)

use we3_ir::Scalar;

use super::Emitter;
use crate::text::{Lane, Val};

/// The bits of `f64` are built by hand: its `powi` is not the same on every host.
const TWO_TO_112: f64 = f64::from_bits((1023 + 112) << 52);
const TWO_TO_MINUS_110: f64 = f64::from_bits((1023 - 110) << 52);

impl Emitter<'_, '_> {
    /// A 16-bit float as `f32` (exact); wider floats stay. A NaN stays a NaN.
    pub(super) fn widen_to_f32(&mut self, elem: Scalar, val: &Val) -> Val {
        if elem == Scalar::Bf16 {
            let wide = self.text.resize_unsigned(val, 32);
            let bits = self.text.binary_const("shl", &wide, 16);
            return self.text.cast("bitcast", &bits, val.ty.with(Lane::Float));
        }
        if elem == Scalar::F16 { self.widen_f16(val) } else { val.clone() }
    }

    fn widen_f16(&mut self, val: &Val) -> Val {
        let float = val.ty.with(Lane::Float);
        let text = &mut self.text;
        if self.facts.converts_f16 {
            let half = text.cast("bitcast", val, val.ty.with(Lane::Half));
            return text.cast("fpext", &half, float);
        }
        // The fields moved to their place in an f32, then scaled by 2^112: exact, denormals too.
        let wide = text.resize_unsigned(val, 32);
        let magnitude = text.binary_const("and", &wide, 0x7fff);
        let sign = text.binary_const("and", &wide, 0x8000);
        let sign = text.binary_const("shl", &sign, 16);
        let fields = text.binary_const("shl", &magnitude, 13);
        let small = text.cast("bitcast", &fields, float);
        let scaled = text.binary("fmul", &small, &Val::number(float, TWO_TO_112));
        let scaled = text.bits_of(&scaled);
        let special = text.binary_const("or", &fields, 0x7f80_0000);
        let is_special = text.icmp_const("uge", &magnitude, 0x7c00);
        let bits = text.select(&is_special, &special, &scaled);
        let bits = text.binary("or", &bits, &sign);
        text.cast("bitcast", &bits, float)
    }

    /// An `f32` rounded to the 16-bit type, NaN canonical; other types stay.
    pub(super) fn narrow_from_f32(&mut self, elem: Scalar, val: &Val) -> Val {
        if elem == Scalar::Bf16 {
            return self.narrow_to_bf16(val);
        }
        if elem == Scalar::F16 { self.narrow_to_f16(val) } else { val.clone() }
    }

    fn narrow_to_bf16(&mut self, val: &Val) -> Val {
        let text = &mut self.text;
        let bits = text.bits_of(val);
        let upper = text.binary_const("lshr", &bits, 16);
        let odd = text.binary_const("and", &upper, 1);
        let half = text.binary_const("add", &odd, 0x7fff);
        let rounded = text.binary("add", &bits, &half);
        let rounded = text.binary_const("lshr", &rounded, 16);
        let is_nan = text.fcmp("uno", val, val);
        let result = text.select(&is_nan, &Val::int(bits.ty, 0x7fc0), &rounded);
        text.resize_unsigned(&result, 16)
    }

    fn narrow_to_f16(&mut self, val: &Val) -> Val {
        let text = &mut self.text;
        if self.facts.converts_f16 {
            let half = text.cast("fptrunc", val, val.ty.with(Lane::Half));
            let bits = text.bits_of(&half);
            return self.half_canonical(Scalar::F16, &bits);
        }
        // An addition whose exponent is that of the result rounds at the right place
        // (M. Dukhan, FP16: `fp16_ieee_from_fp32_value`).
        let ty = val.ty;
        let magnitude = text.lanewise("llvm.fabs", &[val]);
        let to_infinity = text.binary("fmul", &magnitude, &Val::number(ty, TWO_TO_112));
        let base = text.binary("fmul", &to_infinity, &Val::number(ty, TWO_TO_MINUS_110));
        let bits = text.bits_of(val);
        let without_sign = text.binary_const("shl", &bits, 1);
        let exponent = text.binary_const("and", &without_sign, 0xff00_0000);
        let exponent = text.lanewise("llvm.umax", &[&exponent, &Val::int(bits.ty, 0x7100_0000)]);
        let exponent = text.binary_const("lshr", &exponent, 1);
        let magic = text.binary_const("add", &exponent, 0x0780_0000);
        let magic = text.cast("bitcast", &magic, ty);
        let sum = text.binary("fadd", &magic, &base);
        let sum = text.bits_of(&sum);
        let result_exponent = text.binary_const("lshr", &sum, 13);
        let result_exponent = text.binary_const("and", &result_exponent, 0x7c00);
        let significand = text.binary_const("and", &sum, 0x0fff);
        let result = text.binary("add", &result_exponent, &significand);
        let sign = text.binary_const("lshr", &bits, 16);
        let sign = text.binary_const("and", &sign, 0x8000);
        let signed = text.binary("or", &result, &sign);
        let is_nan = text.fcmp("uno", val, val);
        let result = text.select(&is_nan, &Val::int(bits.ty, 0x7e00), &signed);
        text.resize_unsigned(&result, 16)
    }

    /// An `f64` rounded to `f32` *to odd*, so that rounding the result again rounds once. The
    /// neighbour with the odd significand is taken whenever the value lies between two.
    pub(super) fn round_to_odd(&mut self, val: &Val) -> Val {
        let ty = val.ty.with(Lane::Float);
        let text = &mut self.text;
        let nearest = text.cast("fptrunc", val, ty);
        let back = text.cast("fpext", &nearest, val.ty);
        let inexact = text.fcmp("one", &back, val);
        let back = text.lanewise("llvm.fabs", &[&back]);
        let magnitude = text.lanewise("llvm.fabs", &[val]);
        let too_large = text.fcmp("ogt", &back, &magnitude);
        let bits = text.bits_of(&nearest);
        let step = text.select(&too_large, &Val::int(bits.ty, -1), &Val::int(bits.ty, 1));
        let moved = text.binary("add", &bits, &step);
        let odd = text.cast("trunc", &bits, bits.ty.with(Lane::Int(1)));
        let even = text.binary_const("xor", &odd, 1);
        let adjust = text.binary("and", &inexact, &even);
        let result = text.select(&adjust, &moved, &bits);
        text.cast("bitcast", &result, ty)
    }
}
