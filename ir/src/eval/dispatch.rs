//! From an IR operation and a type to the function that defines it. Combinations that the verifier
//! refuses (a square root of an integer) return 0 rather than panic.

use super::{convert as conversions, f32 as single, f64 as double, half, int};
use crate::op::{BinaryOp, CompareOp, UnaryOp};
use crate::types::Scalar;

/// `op a`.
pub fn unary(op: UnaryOp, ty: Scalar, a: u64) -> u64 {
    match ty {
        Scalar::Bool => u64::from(op == UnaryOp::Not && a == 0),
        Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64 => int_unary(op, ty.bits(), true, a),
        Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 => int_unary(op, ty.bits(), false, a),
        Scalar::F16 => half::f16_unary(|a| single_unary(op, a), a as u16).into(),
        Scalar::Bf16 => half::bf16_unary(|a| single_unary(op, a), a as u16).into(),
        Scalar::F32 => single_unary(op, a as u32).into(),
        Scalar::F64 => double_unary(op, a),
    }
}

/// `a op b`.
pub fn binary(op: BinaryOp, ty: Scalar, a: u64, b: u64) -> u64 {
    match ty {
        Scalar::Bool => bool_binary(op, a, b),
        Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64 => signed_binary(op, ty.bits(), a, b),
        Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 => unsigned_binary(op, ty.bits(), a, b),
        Scalar::F16 => half::f16_binary(|a, b| single_binary(op, a, b), a as u16, b as u16).into(),
        Scalar::Bf16 => half::bf16_binary(|a, b| single_binary(op, a, b), a as u16, b as u16).into(),
        Scalar::F32 => single_binary(op, a as u32, b as u32).into(),
        Scalar::F64 => double_binary(op, a, b),
    }
}

/// `a op b` as a truth value; ordered on floats but for `Ne`.
pub fn compare(op: CompareOp, ty: Scalar, a: u64, b: u64) -> bool {
    let equal = || match float_kind(ty) {
        Some(widen) => double::eq(widen(a), widen(b)),
        None => a == b,
    };
    let less = |a: u64, b: u64| match float_kind(ty) {
        Some(widen) => double::lt(widen(a), widen(b)),
        None if ty.is_signed_int() => int::less_signed(ty.bits(), a, b),
        None => a < b,
    };
    match op {
        CompareOp::Eq => equal(),
        CompareOp::Ne => !equal(),
        CompareOp::Lt => less(a, b),
        CompareOp::Le => less(a, b) || equal(),
        CompareOp::Gt => less(b, a),
        CompareOp::Ge => less(b, a) || equal(),
    }
}

/// `a * b + c`: one rounding for `f32` and `f64`, wrapping for integers. Halves have none of their
/// own (`docs/semantics.md`): theirs is the `f32` one, rounded again.
pub fn fma(ty: Scalar, a: u64, b: u64, c: u64) -> u64 {
    match ty {
        Scalar::Bool => (a & b) ^ c,
        Scalar::F64 => double::fma(a, b, c),
        Scalar::F32 => single::fma(a as u32, b as u32, c as u32).into(),
        Scalar::F16 | Scalar::Bf16 => {
            let wide = |x| convert(ty, Scalar::F32, x);
            convert(Scalar::F32, ty, fma(Scalar::F32, wide(a), wide(b), wide(c)))
        }
        Scalar::I8
        | Scalar::I16
        | Scalar::I32
        | Scalar::I64
        | Scalar::U8
        | Scalar::U16
        | Scalar::U32
        | Scalar::U64 => int::add(ty.bits(), int::mul(ty.bits(), a, b), c),
    }
}

/// `bits as to`. A conversion to the same type is a move.
pub fn convert(from: Scalar, to: Scalar, bits: u64) -> u64 {
    if from == to {
        return bits;
    }
    match from {
        Scalar::F16 | Scalar::Bf16 | Scalar::F32 | Scalar::F64 => from_float(from, to, bits),
        Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64 => {
            let value = int::signed(from.bits(), bits);
            from_int(to, value as u64, conversions::signed_to_f32(value), || {
                conversions::signed_to_f64(value)
            })
        }
        Scalar::Bool | Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 => {
            from_int(to, bits, conversions::unsigned_to_f32(bits), || conversions::unsigned_to_f64(bits))
        }
    }
}

/// The same bits under a type of the same width.
pub const fn bitcast(bits: u64) -> u64 {
    bits
}

/// The pattern itself, or the canonical NaN for any NaN of a float type.
pub fn canonical(ty: Scalar, bits: u64) -> u64 {
    match ty {
        Scalar::F16 => half::f16_unary(|a| a, bits as u16).into(),
        Scalar::Bf16 => half::bf16_unary(|a| a, bits as u16).into(),
        Scalar::F32 => single::canonical(bits as u32).into(),
        Scalar::F64 => double::canonical(bits),
        Scalar::Bool
        | Scalar::I8
        | Scalar::I16
        | Scalar::I32
        | Scalar::I64
        | Scalar::U8
        | Scalar::U16
        | Scalar::U32
        | Scalar::U64 => bits,
    }
}

/// The exact widening to `f64` of a float type, `None` for the others.
fn float_kind(ty: Scalar) -> Option<fn(u64) -> u64> {
    match ty {
        Scalar::F16 => Some(|a| conversions::f32_to_f64(conversions::f16_to_f32(a as u16))),
        Scalar::Bf16 => Some(|a| conversions::f32_to_f64(conversions::bf16_to_f32(a as u16))),
        Scalar::F32 => Some(|a| conversions::f32_to_f64(a as u32)),
        Scalar::F64 => Some(|a| a),
        Scalar::Bool
        | Scalar::I8
        | Scalar::I16
        | Scalar::I32
        | Scalar::I64
        | Scalar::U8
        | Scalar::U16
        | Scalar::U32
        | Scalar::U64 => None,
    }
}

fn from_float(from: Scalar, to: Scalar, bits: u64) -> u64 {
    let wide = match float_kind(from) {
        Some(widen) => widen(bits),
        None => bits,
    };
    match to {
        Scalar::Bool => u64::from(!double::eq(wide, 0)),
        Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64 => conversions::f64_to_signed(to.bits(), wide),
        Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 => conversions::f64_to_unsigned(to.bits(), wide),
        Scalar::F16 => conversions::f64_to_f16(wide).into(),
        Scalar::Bf16 => conversions::f64_to_bf16(wide).into(),
        Scalar::F32 => conversions::f64_to_f32(wide).into(),
        Scalar::F64 => wide,
    }
}

/// From an integer, given as its 64-bit extension and its `f32` and `f64` roundings. Halves are
/// reached through `f32` by definition.
fn from_int(to: Scalar, bits: u64, as_f32: u32, as_f64: impl Fn() -> u64) -> u64 {
    match to {
        Scalar::Bool => u64::from(bits != 0),
        Scalar::F16 => conversions::f32_to_f16(as_f32).into(),
        Scalar::Bf16 => conversions::f32_to_bf16(as_f32).into(),
        Scalar::F32 => as_f32.into(),
        Scalar::F64 => as_f64(),
        Scalar::I8
        | Scalar::I16
        | Scalar::I32
        | Scalar::I64
        | Scalar::U8
        | Scalar::U16
        | Scalar::U32
        | Scalar::U64 => bits & int::mask(to.bits()),
    }
}

fn int_unary(op: UnaryOp, width: u32, signed: bool, a: u64) -> u64 {
    match op {
        UnaryOp::Neg => int::neg(width, a),
        UnaryOp::Not => !a & int::mask(width),
        UnaryOp::Abs if signed => int::abs_signed(width, a),
        UnaryOp::Abs | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc | UnaryOp::RoundEven => a,
        UnaryOp::CountOnes => int::count_ones(a),
        UnaryOp::LeadingZeros => int::leading_zeros(width, a),
        UnaryOp::TrailingZeros => int::trailing_zeros(width, a),
        UnaryOp::Sqrt => 0,
    }
}

fn single_unary(op: UnaryOp, a: u32) -> u32 {
    match op {
        UnaryOp::Neg => single::neg(a),
        UnaryOp::Abs => single::abs(a),
        UnaryOp::Sqrt => single::sqrt(a),
        UnaryOp::Floor => single::floor(a),
        UnaryOp::Ceil => single::ceil(a),
        UnaryOp::Trunc => single::trunc(a),
        UnaryOp::RoundEven => single::round_even(a),
        UnaryOp::Not | UnaryOp::CountOnes | UnaryOp::LeadingZeros | UnaryOp::TrailingZeros => 0,
    }
}

fn double_unary(op: UnaryOp, a: u64) -> u64 {
    match op {
        UnaryOp::Neg => double::neg(a),
        UnaryOp::Abs => double::abs(a),
        UnaryOp::Sqrt => double::sqrt(a),
        UnaryOp::Floor => double::floor(a),
        UnaryOp::Ceil => double::ceil(a),
        UnaryOp::Trunc => double::trunc(a),
        UnaryOp::RoundEven => double::round_even(a),
        UnaryOp::Not | UnaryOp::CountOnes | UnaryOp::LeadingZeros | UnaryOp::TrailingZeros => 0,
    }
}

fn bool_binary(op: BinaryOp, a: u64, b: u64) -> u64 {
    match op {
        BinaryOp::And | BinaryOp::Mul | BinaryOp::Min => a & b,
        BinaryOp::Or | BinaryOp::Max => a | b,
        BinaryOp::Xor | BinaryOp::Add | BinaryOp::Sub => a ^ b,
        BinaryOp::Div
        | BinaryOp::Rem
        | BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::RotateLeft
        | BinaryOp::MulHi
        | BinaryOp::CopySign
        | BinaryOp::AddSat
        | BinaryOp::SubSat
        | BinaryOp::MulSat => 0,
    }
}

fn signed_binary(op: BinaryOp, width: u32, a: u64, b: u64) -> u64 {
    match op {
        BinaryOp::Div => int::div_signed(width, a, b),
        BinaryOp::Rem => int::rem_signed(width, a, b),
        BinaryOp::Min => {
            if int::less_signed(width, b, a) {
                b
            } else {
                a
            }
        }
        BinaryOp::Max => {
            if int::less_signed(width, a, b) {
                b
            } else {
                a
            }
        }
        BinaryOp::Shr => int::shr_signed(width, a, b),
        BinaryOp::MulHi => int::mulhi_signed(width, a, b),
        BinaryOp::AddSat => int::add_saturating(a, b),
        BinaryOp::SubSat => int::sub_saturating(a, b),
        BinaryOp::MulSat => int::mul_saturating(a, b),
        BinaryOp::Add
        | BinaryOp::Sub
        | BinaryOp::Mul
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
        | BinaryOp::Shl
        | BinaryOp::RotateLeft
        | BinaryOp::CopySign => unsigned_binary(op, width, a, b),
    }
}

fn unsigned_binary(op: BinaryOp, width: u32, a: u64, b: u64) -> u64 {
    match op {
        BinaryOp::Add => int::add(width, a, b),
        BinaryOp::Sub => int::sub(width, a, b),
        BinaryOp::Mul => int::mul(width, a, b),
        BinaryOp::Div => int::div_unsigned(a, b),
        BinaryOp::Rem => int::rem_unsigned(a, b),
        BinaryOp::Min => {
            if b < a {
                b
            } else {
                a
            }
        }
        BinaryOp::Max => {
            if a < b {
                b
            } else {
                a
            }
        }
        BinaryOp::And => a & b,
        BinaryOp::Or => a | b,
        BinaryOp::Xor => a ^ b,
        BinaryOp::Shl => int::shl(width, a, b),
        BinaryOp::Shr => int::shr_unsigned(width, a, b),
        BinaryOp::RotateLeft => int::rotate_left(width, a, b),
        BinaryOp::MulHi => int::mulhi_unsigned(width, a, b),
        BinaryOp::CopySign | BinaryOp::AddSat | BinaryOp::SubSat | BinaryOp::MulSat => 0,
    }
}

fn single_binary(op: BinaryOp, a: u32, b: u32) -> u32 {
    match op {
        BinaryOp::Add => single::add(a, b),
        BinaryOp::Sub => single::sub(a, b),
        BinaryOp::Mul => single::mul(a, b),
        BinaryOp::Div => single::div(a, b),
        BinaryOp::Rem => single::rem(a, b),
        BinaryOp::Min => single::min(a, b),
        BinaryOp::Max => single::max(a, b),
        BinaryOp::CopySign => single::copysign(a, b),
        BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
        | BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::RotateLeft
        | BinaryOp::MulHi
        | BinaryOp::AddSat
        | BinaryOp::SubSat
        | BinaryOp::MulSat => 0,
    }
}

fn double_binary(op: BinaryOp, a: u64, b: u64) -> u64 {
    match op {
        BinaryOp::Add => double::add(a, b),
        BinaryOp::Sub => double::sub(a, b),
        BinaryOp::Mul => double::mul(a, b),
        BinaryOp::Div => double::div(a, b),
        BinaryOp::Rem => double::rem(a, b),
        BinaryOp::Min => double::min(a, b),
        BinaryOp::Max => double::max(a, b),
        BinaryOp::CopySign => double::copysign(a, b),
        BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
        | BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::RotateLeft
        | BinaryOp::MulHi
        | BinaryOp::AddSat
        | BinaryOp::SubSat
        | BinaryOp::MulSat => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f16(value: f64) -> u64 {
        convert(Scalar::F64, Scalar::F16, value.to_bits())
    }

    #[test]
    fn operations_reach_the_type_they_were_asked_for() {
        assert_eq!(binary(BinaryOp::Add, Scalar::U8, 200, 100), 44);
        assert_eq!(binary(BinaryOp::Div, Scalar::I8, 0x80, 0xff), 0x80);
        assert_eq!(binary(BinaryOp::Max, Scalar::I16, 0xffff, 1), 1);
        assert_eq!(binary(BinaryOp::Max, Scalar::U16, 0xffff, 1), 0xffff);
        assert_eq!(binary(BinaryOp::Shr, Scalar::I32, 0x8000_0000, 33), 0xc000_0000);
        assert_eq!(binary(BinaryOp::Mul, Scalar::F16, f16(1.5), f16(3.0)), f16(4.5));
        assert_eq!(unary(UnaryOp::Sqrt, Scalar::F16, f16(4.0)), f16(2.0));
        assert_eq!(unary(UnaryOp::LeadingZeros, Scalar::U16, 1), 15);
        assert_eq!(unary(UnaryOp::Not, Scalar::Bool, 0), 1);
        assert_eq!(unary(UnaryOp::Not, Scalar::Bool, 1), 0);
        assert_eq!(fma(Scalar::I8, 100, 3, 1), 45);
    }

    #[test]
    fn comparisons_know_signs_and_nan() {
        assert!(compare(CompareOp::Lt, Scalar::I8, 0xff, 0));
        assert!(!compare(CompareOp::Lt, Scalar::U8, 0xff, 0));
        for ty in [Scalar::F16, Scalar::Bf16, Scalar::F32, Scalar::F64] {
            let nan = convert(Scalar::F64, ty, double::NAN);
            let one = convert(Scalar::I32, ty, 1);
            for op in [CompareOp::Eq, CompareOp::Lt, CompareOp::Le, CompareOp::Gt, CompareOp::Ge] {
                assert!(!compare(op, ty, nan, one) && !compare(op, ty, one, nan), "{ty} {op:?}");
            }
            assert!(compare(CompareOp::Ne, ty, nan, nan));
            assert!(compare(CompareOp::Ge, ty, one, one));
            let minus_zero = unary(UnaryOp::Neg, ty, 0);
            assert!(compare(CompareOp::Eq, ty, minus_zero, 0));
        }
    }

    #[test]
    fn every_conversion_of_small_integers_goes_there_and_back() {
        for from in Scalar::ALL {
            for to in Scalar::ALL {
                for value in [0, 1, 5, 100] {
                    let value = if from == Scalar::Bool || to == Scalar::Bool { value & 1 } else { value };
                    let bits = convert(Scalar::U8, from, value);
                    let there = convert(from, to, bits);
                    assert_eq!(convert(to, Scalar::U8, there), value, "{from} {to}");
                }
            }
        }
    }

    #[test]
    fn conversions_follow_the_definition() {
        assert_eq!(convert(Scalar::I8, Scalar::I64, 0xff), u64::MAX);
        assert_eq!(convert(Scalar::U8, Scalar::I64, 0xff), 0xff);
        assert_eq!(convert(Scalar::I64, Scalar::U8, u64::MAX), 0xff);
        assert_eq!(convert(Scalar::F64, Scalar::U8, (-1.0f64).to_bits()), 0);
        assert_eq!(convert(Scalar::F64, Scalar::Bool, double::NAN), 1);
        assert_eq!(convert(Scalar::Bool, Scalar::F32, 1), 0x3f80_0000);
        // Through f32: 2^24 + 1 loses its last bit there, and f16 overflows.
        assert_eq!(convert(Scalar::U32, Scalar::F16, 0xffff_ffff), 0x7c00);
        // 65519.99… rounds to 65520 in f32 and so to infinity in f16.
        let tie = 65519u64 * 1024 + 1023;
        assert_eq!(convert(Scalar::U64, Scalar::F16, tie >> 10), 0x7bff);
        assert_eq!(convert(Scalar::F32, Scalar::F32, 0x7f80_0001), 0x7f80_0001);
        assert_eq!(convert(Scalar::F32, Scalar::F64, 0xffff_ffff), double::NAN);
        assert_eq!(canonical(Scalar::Bf16, 0xffff), 0x7fc0);
        assert_eq!(bitcast(0x7f80_0001), 0x7f80_0001);
    }
}
