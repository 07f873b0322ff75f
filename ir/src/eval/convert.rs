//! Conversions between number formats (`as` in the language) on bit patterns: one rounding to nearest
//! even into floats, truncation with saturation into integers, NaN to the canonical NaN or to 0.

use super::{f32 as single, half, int};

/// A binary interchange format: field widths, and what a NaN becomes.
struct Format {
    exponent_bits: u32,
    fraction_bits: u32,
    nan: u64,
}

const F16: Format = Format { exponent_bits: 5, fraction_bits: 10, nan: half::NAN_F16 as u64 };
const BF16: Format = Format { exponent_bits: 8, fraction_bits: 7, nan: half::NAN_BF16 as u64 };
const F32: Format = Format { exponent_bits: 8, fraction_bits: 23, nan: single::NAN as u64 };
const F64: Format = Format { exponent_bits: 11, fraction_bits: 52, nan: super::f64::NAN };

/// Rounds a number once from a format to one with no more exponent or fraction bits.
const fn narrow(from: &Format, to: &Format, bits: u64) -> u64 {
    let magnitude = bits & ((1 << (from.exponent_bits + from.fraction_bits)) - 1);
    let sign = (bits >> (from.exponent_bits + from.fraction_bits)) & 1;
    let sign = sign << (to.exponent_bits + to.fraction_bits);
    let from_infinity = ((1 << from.exponent_bits) - 1) << from.fraction_bits;
    let to_infinity = ((1 << to.exponent_bits) - 1) << to.fraction_bits;
    if magnitude > from_infinity {
        return to.nan;
    }
    if magnitude == from_infinity {
        return sign | to_infinity;
    }

    let bias_difference = (1 << (from.exponent_bits - 1)) - (1 << (to.exponent_bits - 1));
    let field = (magnitude >> from.fraction_bits) as i32;
    let fraction = magnitude & ((1 << from.fraction_bits) - 1);
    // A denormal has the scale of field 1 and no implicit bit.
    let scale = if field == 0 { 1 } else { field };
    let significand = if field == 0 { fraction } else { fraction | (1 << from.fraction_bits) };
    let to_scale = scale - bias_difference;
    // Below the target's smallest normal exponent, bits go from the significand instead.
    let lost = if to_scale < 1 { 1 - to_scale } else { 0 };
    let dropped = (from.fraction_bits - to.fraction_bits) as i32 + lost;
    let kept = round_shift_right(significand, dropped);
    // The implicit bit, if there, adds one to the field; so does a carry from rounding.
    let base = if to_scale < 1 { 0 } else { (to_scale - 1) as u64 };
    let result = (base << to.fraction_bits) + kept;
    sign | if result > to_infinity { to_infinity } else { result }
}

/// `value / 2^amount` to the nearest integer, ties to even; `value` is below 2^63.
const fn round_shift_right(value: u64, amount: i32) -> u64 {
    if amount == 0 {
        return value;
    }
    if amount > 63 {
        return 0;
    }
    let rest = value & ((1 << amount) - 1);
    let half = 1 << (amount - 1);
    let kept = value >> amount;
    kept + (rest > half || (rest == half && kept & 1 == 1)) as u64
}

/// Exact, but that NaN becomes canonical.
pub const fn f16_to_f32(a: u16) -> u32 {
    let sign = ((a & 0x8000) as u32) << 16;
    let magnitude = (a & 0x7fff) as u32;
    if magnitude > 0x7c00 {
        single::NAN
    } else if magnitude == 0x7c00 {
        sign | 0x7f80_0000
    } else if magnitude >= 0x0400 {
        sign | ((magnitude << 13) + ((127 - 15) << 23))
    } else if magnitude == 0 {
        sign
    } else {
        // Denormal: the top bit becomes the implicit one.
        let top = 31 - magnitude.leading_zeros();
        let fraction = (magnitude << (23 - top)) & 0x007f_ffff;
        sign | ((top + 127 - 24) << 23) | fraction
    }
}

/// Exact, but that NaN becomes canonical.
pub const fn bf16_to_f32(a: u16) -> u32 {
    single::canonical((a as u32) << 16)
}

/// Exact, but that NaN becomes canonical.
pub fn f32_to_f64(a: u32) -> u64 {
    super::f64::canonical(f64::from(f32::from_bits(a)).to_bits())
}

/// One rounding.
pub const fn f64_to_f32(a: u64) -> u32 {
    narrow(&F64, &F32, a) as u32
}

/// One rounding.
pub const fn f64_to_f16(a: u64) -> u16 {
    narrow(&F64, &F16, a) as u16
}

/// One rounding.
pub const fn f64_to_bf16(a: u64) -> u16 {
    narrow(&F64, &BF16, a) as u16
}

/// One rounding.
pub const fn f32_to_f16(a: u32) -> u16 {
    narrow(&F32, &F16, a as u64) as u16
}

/// One rounding; denormals are kept.
pub const fn f32_to_bf16(a: u32) -> u16 {
    narrow(&F32, &BF16, a as u64) as u16
}

/// Truncates to a signed integer of `width` bits, saturating; NaN gives 0.
pub fn f64_to_signed(width: u32, a: u64) -> u64 {
    let most = (int::mask(width) >> 1) as i64;
    let value = f64::from_bits(a) as i64;
    int::wrap(width, value.clamp(-most - 1, most))
}

/// Truncates to an unsigned integer of `width` bits, saturating; NaN gives 0.
pub fn f64_to_unsigned(width: u32, a: u64) -> u64 {
    (f64::from_bits(a) as u64).clamp(0, int::mask(width))
}

/// One rounding.
pub fn signed_to_f32(value: i64) -> u32 {
    (value as f32).to_bits()
}

/// One rounding.
pub fn unsigned_to_f32(value: u64) -> u32 {
    (value as f32).to_bits()
}

/// One rounding.
pub fn signed_to_f64(value: i64) -> u64 {
    (value as f64).to_bits()
}

/// One rounding.
pub fn unsigned_to_f64(value: u64) -> u64 {
    (value as f64).to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::samples::{Random, f32_edges, f64_edges};

    /// Value of any half pattern, straight from the definition of the format.
    fn half_value(a: u16, fraction_bits: u32, bias: i32) -> f64 {
        let exponent = i32::from((a & 0x7fff) >> fraction_bits);
        let fraction = f64::from(a & ((1 << fraction_bits) - 1));
        let one = f64::from(1u32 << fraction_bits);
        let power = |e: i32| f64::from_bits(((e + 1023) as u64) << 52);
        let magnitude = if exponent == 0 {
            fraction / one * power(1 - bias)
        } else {
            (1.0 + fraction / one) * power(exponent - bias)
        };
        if a & 0x8000 != 0 { -magnitude } else { magnitude }
    }

    #[test]
    fn widening_is_exact_for_every_pattern() {
        for a in 0..=u16::MAX {
            let ours = f64::from(f32::from_bits(f16_to_f32(a)));
            match a & 0x7fff {
                0x7c01.. => assert_eq!(f16_to_f32(a), single::NAN),
                0x7c00 => assert!(ours.is_infinite() && (ours < 0.0) == (a >= 0x8000)),
                _ => assert_eq!(ours.to_bits(), half_value(a, 10, 15).to_bits(), "{a:#x}"),
            }
            let ours = f64::from(f32::from_bits(bf16_to_f32(a)));
            match a & 0x7fff {
                0x7f81.. => assert_eq!(bf16_to_f32(a), single::NAN),
                0x7f80 => assert!(ours.is_infinite() && (ours < 0.0) == (a >= 0x8000)),
                _ => assert_eq!(ours.to_bits(), half_value(a, 7, 127).to_bits(), "{a:#x}"),
            }
        }
    }

    /// Between neighbours of a half format: the midpoint goes to the even one, and anything off the
    /// midpoint to the nearer one, from `f64` and, where it is exact, from `f32`.
    fn check_midpoints(
        infinity: u16,
        value: impl Fn(u16) -> f64,
        from_f64: impl Fn(u64) -> u16,
        from_f32: impl Fn(u32) -> u16,
    ) {
        for low in 0..infinity {
            let high = low + 1;
            let even = if low & 1 == 0 { low } else { high };
            // Overflow starts where a next value would round to even from.
            let top = if high == infinity { 2.0 * value(low) - value(low - 1) } else { value(high) };
            let middle = (value(low) + top) / 2.0;
            for (number, expected) in
                [(value(low), low), (middle.next_down(), low), (middle, even), (middle.next_up(), high)]
            {
                assert_eq!(from_f64(number.to_bits()), expected, "{number:e}");
                assert_eq!(from_f64((-number).to_bits()), expected | 0x8000, "-{number:e}");
            }
            let single_middle = middle as f32;
            assert_eq!(f64::from(single_middle), middle);
            for (number, expected) in
                [(single_middle.next_down(), low), (single_middle, even), (single_middle.next_up(), high)]
            {
                assert_eq!(from_f32(number.to_bits()), expected, "{number:e}");
                assert_eq!(from_f32((-number).to_bits()), expected | 0x8000, "-{number:e}");
            }
        }
    }

    #[test]
    fn narrowing_rounds_to_nearest_even_around_every_half() {
        check_midpoints(0x7c00, |a| half_value(a, 10, 15), f64_to_f16, f32_to_f16);
        check_midpoints(0x7f80, |a| half_value(a, 7, 127), f64_to_bf16, f32_to_bf16);
        assert_eq!(f32_to_bf16(0xffff_ffff), half::NAN_BF16);
        assert_eq!(f64_to_f16(f64::MAX.to_bits()), 0x7c00);
        assert_eq!(f64_to_bf16((-f64::MAX).to_bits()), 0xff80);
        assert_eq!(f64_to_f16(1), 0);
    }

    #[test]
    fn single_to_bf16_is_the_usual_integer_formula() {
        let mut random = Random::new("bf16");
        for a in f32_edges().into_iter().chain((0..200_000).map(|_| random.f32_bits())) {
            if !single::is_nan(a) {
                let formula = ((u64::from(a) + 0x7fff + u64::from((a >> 16) & 1)) >> 16) as u16;
                assert_eq!(f32_to_bf16(a), formula, "{a:#x}");
            }
        }
    }

    #[test]
    fn double_to_single_agrees_with_the_host() {
        let mut random = Random::new("f64 to f32");
        let near = (0..200_000).map(|_| f64::from(f32::from_bits(random.f32_bits())).to_bits());
        let near: Vec<u64> = near.flat_map(|a| [a.wrapping_sub(1), a, a + 1, a + (1 << 28)]).collect();
        let any = (0..200_000).map(|_| random.f64_bits());
        for a in f64_edges().into_iter().chain(near).chain(any) {
            let expected = single::canonical((f64::from_bits(a) as f32).to_bits());
            assert_eq!(f64_to_f32(a), expected, "{a:#x}");
        }
    }

    #[test]
    fn floats_to_integers_saturate() {
        let mut random = Random::new("to int");
        for a in f64_edges().into_iter().chain((0..200_000).map(|_| random.f64_bits())) {
            let value = f64::from_bits(a);
            assert_eq!(f64_to_signed(8, a), u64::from(value as i8 as u8), "{value}");
            assert_eq!(f64_to_signed(16, a), u64::from(value as i16 as u16), "{value}");
            assert_eq!(f64_to_signed(32, a), u64::from(value as i32 as u32), "{value}");
            assert_eq!(f64_to_signed(64, a), value as i64 as u64, "{value}");
            assert_eq!(f64_to_unsigned(8, a), u64::from(value as u8), "{value}");
            assert_eq!(f64_to_unsigned(16, a), u64::from(value as u16), "{value}");
            assert_eq!(f64_to_unsigned(32, a), u64::from(value as u32), "{value}");
            assert_eq!(f64_to_unsigned(64, a), value as u64, "{value}");
        }
        assert_eq!(f64_to_signed(8, (-300.0f64).to_bits()), 0x80);
        assert_eq!(f64_to_signed(64, super::super::f64::NAN), 0);
        assert_eq!(f64_to_unsigned(16, (-0.9f64).to_bits()), 0);
        assert_eq!(f64_to_unsigned(16, 65535.9f64.to_bits()), 65535);
    }

    #[test]
    fn integers_to_floats_round_once() {
        // 2^24 + 1 ties to even; 2^60 + 2^36 + 1 would round twice through f64.
        assert_eq!(f32::from_bits(unsigned_to_f32(0x0100_0001)), 16_777_216.0);
        let awkward = (1i64 << 60) + (1 << 36) + 1;
        let expected = f32::from_bits(0x5d80_0001);
        assert_eq!(f32::from_bits(signed_to_f32(awkward)), expected);
        assert_eq!(f64::from_bits(unsigned_to_f64(u64::MAX)), 18_446_744_073_709_551_616.0);
        assert_eq!(f64::from_bits(signed_to_f64(i64::MIN)), -9_223_372_036_854_775_808.0);
    }
}
