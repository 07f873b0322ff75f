//! `f16` and `bf16` operations on bit patterns: widen to `f32` (exact), operate there, round once.
//! For `+ - * / sqrt` this equals one direct rounding; for exact operations it changes nothing.

use super::convert;

/// The NaN that every `f16` operation returns.
pub const NAN_F16: u16 = 0x7e00;
/// The NaN that every `bf16` operation returns.
pub const NAN_BF16: u16 = 0x7fc0;

/// An `f32` operation of one operand, on `f16`.
pub fn f16_unary(op: impl Fn(u32) -> u32, a: u16) -> u16 {
    convert::f32_to_f16(op(convert::f16_to_f32(a)))
}

/// An `f32` operation of two operands, on `f16`.
pub fn f16_binary(op: impl Fn(u32, u32) -> u32, a: u16, b: u16) -> u16 {
    convert::f32_to_f16(op(convert::f16_to_f32(a), convert::f16_to_f32(b)))
}

/// An `f32` operation of one operand, on `bf16`.
pub fn bf16_unary(op: impl Fn(u32) -> u32, a: u16) -> u16 {
    convert::f32_to_bf16(op(convert::bf16_to_f32(a)))
}

/// An `f32` operation of two operands, on `bf16`.
pub fn bf16_binary(op: impl Fn(u32, u32) -> u32, a: u16, b: u16) -> u16 {
    convert::f32_to_bf16(op(convert::bf16_to_f32(a), convert::bf16_to_f32(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::f32;
    use crate::eval::samples::Random;

    /// Each operation in `f64`, where one operation on halves is exact or far more precise than
    /// needed, then rounded once: what a native instruction would give.
    fn check(
        ours: impl Fn(u16, u16) -> u16,
        reference: impl Fn(f64, f64) -> f64,
        widen: impl Fn(u16) -> u32,
        narrow: impl Fn(u64) -> u16,
    ) {
        let mut random = Random::new("half");
        for a in 0..=u16::MAX {
            for b in [random.next() as u16, 0, 1, 0x3c00, 0x3f80, 0x8000, 0xfbff] {
                let wide = |x| f64::from(core::primitive::f32::from_bits(widen(x)));
                let expected = narrow(reference(wide(a), wide(b)).to_bits());
                assert_eq!(ours(a, b), expected, "{a:#x} {b:#x}");
            }
        }
    }

    #[test]
    fn arithmetic_equals_one_direct_rounding() {
        type Case = (fn(u32, u32) -> u32, fn(f64, f64) -> f64);
        let cases: [Case; 6] = [
            (f32::add, |a, b| a + b),
            (f32::sub, |a, b| a - b),
            (f32::mul, |a, b| a * b),
            (f32::div, |a, b| a / b),
            (f32::rem, |a, b| a % b),
            (|a, _| f32::sqrt(a), |a, _| a.sqrt()),
        ];
        for (op, reference) in cases {
            check(|a, b| f16_binary(op, a, b), reference, convert::f16_to_f32, convert::f64_to_f16);
            check(|a, b| bf16_binary(op, a, b), reference, convert::bf16_to_f32, convert::f64_to_bf16);
        }
    }

    #[test]
    fn sign_operations_change_one_bit() {
        for a in 0..=u16::MAX {
            let nan16 = a & 0x7fff > 0x7c00;
            let expected = if nan16 { NAN_F16 } else { a ^ 0x8000 };
            assert_eq!(f16_unary(f32::neg, a), expected);
            let nan = a & 0x7fff > 0x7f80;
            let expected = if nan { NAN_BF16 } else { a & 0x7fff };
            assert_eq!(bf16_unary(f32::abs, a), expected);
        }
    }
}
