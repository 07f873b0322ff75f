//! The text of a float literal as bits of a format, rounded once from what is written.

use std::cmp::Ordering;

use we3_ir::types::Scalar;

/// The parts of an IEEE format.
#[derive(Clone, Copy)]
struct Format {
    exponent_bits: u32,
    fraction_bits: u32,
}

impl Format {
    fn of(scalar: Scalar) -> Option<Format> {
        let (exponent_bits, fraction_bits) = match scalar {
            Scalar::F16 => (5, 10),
            Scalar::Bf16 => (8, 7),
            Scalar::F32 => (8, 23),
            Scalar::F64 => (11, 52),
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
        Some(Format { exponent_bits, fraction_bits })
    }

    fn bias(self) -> i64 {
        (1 << (self.exponent_bits - 1)) - 1
    }

    fn infinity(self) -> u64 {
        ((1 << self.exponent_bits) - 1) << self.fraction_bits
    }
}

/// The bits of the positive number a literal's text stands for; infinity if it is too large.
/// `None`: the type is no float, or the text no number.
pub fn float_text(text: &str, scalar: Scalar) -> Option<u64> {
    let format = Format::of(scalar)?;
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let (mantissa, exponent) = read_hex(hex)?;
        return Some(pack(mantissa, exponent, format));
    }
    if scalar == Scalar::F32 {
        return text.parse::<f32>().ok().map(|value| u64::from(value.to_bits()));
    }
    let value: f64 = text.parse().ok()?;
    Some(if scalar == Scalar::F64 { value.to_bits() } else { narrow_decimal(text, value, format) })
}

/// The bits of a number in a format, rounded to nearest even.
pub fn float_bits(value: f64, scalar: Scalar) -> u64 {
    let Some(format) = Format::of(scalar) else { return 0 };
    let sign = u64::from(value.is_sign_negative()) << (scalar.bits() - 1);
    if value.is_nan() {
        return format.infinity() | 1 << (format.fraction_bits - 1);
    }
    if value.is_infinite() {
        return sign | format.infinity();
    }
    let (mantissa, exponent) = take_apart(value);
    sign | pack(mantissa, exponent, format)
}

/// The largest finite number of a format.
pub fn largest(scalar: Scalar) -> f64 {
    match Format::of(scalar) {
        Some(format) => {
            let ones = ((2u64 << format.fraction_bits) - 1) as f64;
            scale(ones, format.bias() - i64::from(format.fraction_bits))
        }
        None => 0.0,
    }
}

/// `value * 2^exponent` where that is exact.
fn scale(value: f64, exponent: i64) -> f64 {
    // Two steps: 2^1023 is the largest power of two there is.
    let power = |exponent: i64| f64::from_bits(((1023 + exponent) as u64) << 52);
    let half = exponent / 2;
    value * power(half) * power(exponent - half)
}

/// A finite number as `mantissa * 2^exponent`, without its sign.
fn take_apart(value: f64) -> (u64, i64) {
    let bits = value.to_bits() & !(1 << 63);
    let fraction = bits & ((1 << 52) - 1);
    match (bits >> 52) as i64 {
        0 => (fraction, -1074),
        exponent => (fraction | 1 << 52, exponent - 1075),
    }
}

/// `value` is the decimal text rounded to `f64`. Rounding that once more is wrong only where it lies
/// exactly between two neighbours of the format: there the text decides.
fn narrow_decimal(text: &str, value: f64, format: Format) -> u64 {
    if value.is_infinite() || value == 0.0 {
        return if value == 0.0 { 0 } else { format.infinity() };
    }
    let (mantissa, exponent) = take_apart(value);
    let at = |offset: i64| pack((mantissa << 2).wrapping_add_signed(offset), exponent - 2, format);
    let (below, above) = (at(-1), at(1));
    if below == above {
        return above;
    }
    match compare(text, value) {
        Ordering::Less => below,
        Ordering::Equal => at(0),
        Ordering::Greater => above,
    }
}

/// Compares a decimal text with a positive number, exactly.
fn compare(text: &str, value: f64) -> Ordering {
    // No `f64` has more than 767 digits.
    let exact = format!("{value:.800e}");
    let ((digits, exponent), (other, other_exponent)) = (normal(text), normal(&exact));
    exponent.cmp(&other_exponent).then_with(|| digits.cmp(&other))
}

/// The digits of a decimal without zeros at both ends, and the power of ten of the first.
fn normal(text: &str) -> (Vec<u8>, i64) {
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let mut exponent: i64 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    exponent += whole.len() as i64 - 1;
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.drain(..zeros);
    exponent -= zeros as i64;
    let kept = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    digits.truncate(kept);
    (digits, exponent)
}

/// Reads `1.8p3` as `mantissa * 2^exponent`; digits that do not fit only set the last bit.
fn read_hex(text: &str) -> Option<(u64, i64)> {
    let (digits, exponent) = text.split_once(['p', 'P']).unwrap_or((text, "0"));
    // An exponent beyond `i64` is as good as a very large one.
    let far = if exponent.starts_with('-') { -i64::MAX / 4 } else { i64::MAX / 4 };
    let mut exponent = exponent.parse::<i64>().unwrap_or(far).clamp(-i64::MAX / 4, i64::MAX / 4);
    let (mut mantissa, mut sticky, mut after_dot) = (0u64, false, false);
    for c in digits.chars() {
        if c == '.' {
            after_dot = true;
            continue;
        }
        let digit = u64::from(c.to_digit(16)?);
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
            exponent -= if after_dot { 4 } else { 0 };
        } else {
            sticky |= digit != 0;
            exponent += if after_dot { 0 } else { 4 };
        }
    }
    Some((mantissa | u64::from(sticky), exponent))
}

/// `mantissa * 2^exponent` in a format, rounded to nearest even.
fn pack(mantissa: u64, exponent: i64, format: Format) -> u64 {
    if mantissa == 0 {
        return 0;
    }
    let magnitude = i64::from(63 - mantissa.leading_zeros()) + exponent;
    if magnitude > format.bias() {
        return format.infinity();
    }
    let lowest = 1 - format.bias();
    let last_bit = magnitude.max(lowest) - i64::from(format.fraction_bits);
    let drop = last_bit - exponent;
    let kept = if drop <= 0 { mantissa << -drop } else { round_off(mantissa, drop) };
    let base = (magnitude.max(lowest) - lowest) as u64;
    // `kept` has the leading bit that the format leaves out; a carry into the exponent is right.
    (base << format.fraction_bits) + kept
}

/// The mantissa without its last `drop` > 0 bits, to nearest even.
fn round_off(mantissa: u64, drop: i64) -> u64 {
    if drop > 64 {
        return 0;
    }
    let wide = u128::from(mantissa);
    let (kept, rest, half) = (wide >> drop, wide & ((1 << drop) - 1), 1u128 << (drop - 1));
    (kept + u128::from(rest > half || rest == half && kept & 1 == 1)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(text: &str, scalar: Scalar) -> u64 {
        float_text(text, scalar).expect("the text is a number")
    }

    #[test]
    fn numbers_round_to_nearest_even() {
        assert_eq!(float_bits(1.0, Scalar::F16), 0x3c00);
        assert_eq!(float_bits(65520.0, Scalar::F16), 0x7c00);
        assert_eq!(float_bits(65519.9, Scalar::F16), 0x7bff);
        assert_eq!(float_bits(5.960_464_477_539_063e-8, Scalar::F16), 1);
        assert_eq!(float_bits(-2.0, Scalar::Bf16), 0xc000);
        assert_eq!(float_bits(1.003_906_25, Scalar::Bf16), 0x3f80);
        assert_eq!(float_bits(f64::NAN, Scalar::F16), 0x7e00);
        assert_eq!(float_bits(f64::NAN, Scalar::Bf16), 0x7fc0);
        assert_eq!(float_bits(f64::NAN, Scalar::F32), 0x7fc0_0000);
        assert_eq!(float_bits(f64::NAN, Scalar::F64), 0x7ff8_0000_0000_0000);
        assert_eq!(float_bits(-0.0, Scalar::F32), 0x8000_0000);
    }

    #[test]
    fn packing_agrees_with_the_hardware() {
        let mut state = 1u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(state ^ state >> 29);
            if value.is_nan() {
                continue;
            }
            assert_eq!(float_bits(value, Scalar::F64), value.to_bits());
            assert_eq!(float_bits(value, Scalar::F32), u64::from((value as f32).to_bits()), "{value:e}");
            let near = f64::from_bits(value.to_bits() & !(0x7f << 56) | 0x38 << 56);
            assert_eq!(float_bits(near, Scalar::F32), u64::from((near as f32).to_bits()), "{near:e}");
        }
    }

    #[test]
    fn halves_are_rounded_once() {
        // Just above and below the middle of 1 and the next f16, closer than an f64 can tell.
        assert_eq!(bits("1.00048828125", Scalar::F16), 0x3c00);
        assert_eq!(bits("1.00048828125000000000000000001", Scalar::F16), 0x3c01);
        assert_eq!(bits("1.00146484374999999999999999999", Scalar::F16), 0x3c01);
        assert_eq!(bits("1.00146484375", Scalar::F16), 0x3c02);
        assert_eq!(bits("100048828125000000000000000001e-29", Scalar::F16), 0x3c01);
        assert_eq!(bits("0.00000100390625000000000000000000001e6", Scalar::Bf16), 0x3f81);
        assert_eq!(bits("1.00390625", Scalar::Bf16), 0x3f80);
        // Half of the smallest number, and a little more.
        assert_eq!(bits("2.98023223876953125e-8", Scalar::F16), 0);
        assert_eq!(bits("2.980232238769531250000000000001e-8", Scalar::F16), 1);
    }

    #[test]
    fn bf16_numbers_and_the_middles_around_it_are_read_right() {
        for pattern in (1..0x7f7f_u64).step_by(13) {
            let exact = |bits: u64| f64::from(f32::from_bits((bits << 16) as u32));
            let middle = (exact(pattern) + exact(pattern + 1)) / 2.0;
            let text = format!("{middle:.200e}");
            let (mantissa, exponent) = text.split_once('e').expect("written with an exponent");
            let above = format!("{mantissa}1e{exponent}");
            assert_eq!(bits(&text, Scalar::Bf16), pattern + (pattern & 1), "{text}");
            assert_eq!(bits(&above, Scalar::Bf16), pattern + 1, "{above}");
        }
    }

    #[test]
    fn hexadecimal_floats_are_exact_or_rounded_once() {
        assert_eq!(bits("0x1.8p3", Scalar::F64), 12f64.to_bits());
        assert_eq!(bits("0x1.000001p0", Scalar::F32), 0x3f80_0000);
        assert_eq!(bits("0x1.000001000000000000000000001p0", Scalar::F32), 0x3f80_0001);
        assert_eq!(bits("0x0.0000000000001p-1022", Scalar::F64), 1);
        // More than half of the smallest subnormal; rounding to 53 digits first would change nothing here,
        assert_eq!(bits("0x1.0000000000000000001p-1075", Scalar::F64), 1);
        // but here it would make a tie.
        assert_eq!(bits("0x1.7ffffffffffffffp-1074", Scalar::F64), 1);
        assert_eq!(bits("0x1p99999999999999999999", Scalar::F64), f64::INFINITY.to_bits());
        assert_eq!(bits("0x1p-99999999999999999999", Scalar::F64), 0);
        assert_eq!(bits("0x1111111111111111111111p2147483647", Scalar::F64), f64::INFINITY.to_bits());
    }

    #[test]
    fn what_is_too_large_is_infinite() {
        assert_eq!(bits("1e999", Scalar::F64), f64::INFINITY.to_bits());
        assert_eq!(bits("1e39", Scalar::F32), 0x7f80_0000);
        assert_eq!(bits("65519.999999999999999999999999", Scalar::F16), 0x7bff);
        assert_eq!(bits("65520", Scalar::F16), 0x7c00);
        for scalar in [Scalar::F16, Scalar::Bf16, Scalar::F32, Scalar::F64] {
            let top = largest(scalar);
            assert_eq!(float_bits(top, scalar) + 1, float_bits(f64::INFINITY, scalar));
        }
        assert_eq!(largest(Scalar::F32), f64::from(f32::MAX));
        assert_eq!(largest(Scalar::F64), f64::MAX);
    }
}
