//! Constants as text: integers in decimal, floats as the shortest decimal that reads back, anything
//! else (payloads of NaN, bits past the width) as `bits(0x…)`.

use crate::eval::convert;
use crate::op::Const;
use crate::types::Scalar;

/// The shortest decimal that reads back as these finite bits of `f16` or `bf16`.
fn shortest_narrow(ty: Scalar, bits: u64) -> String {
    let exact = f64::from_bits(convert(ty, Scalar::F64, bits));
    for digits in 0..8 {
        let short: f64 = format!("{exact:.digits$e}").parse().unwrap_or(exact);
        if convert(Scalar::F64, ty, short.to_bits()) == bits {
            return format!("{short:?}");
        }
    }
    format!("{exact:?}")
}

fn infinity(ty: Scalar) -> Option<u64> {
    match ty {
        Scalar::F16 => Some(0x7c00),
        Scalar::Bf16 => Some(0x7f80),
        Scalar::F32 => Some(0x7f80_0000),
        Scalar::F64 => Some(0x7ff0_0000_0000_0000),
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

/// The canonical NaN of a float type.
fn canonical_nan(ty: Scalar) -> Option<u64> {
    infinity(ty).map(|bits| {
        let fraction = bits.trailing_zeros();
        bits | 1 << (fraction - 1)
    })
}

/// The text of a constant, without its type.
pub fn print_constant(constant: Const) -> String {
    let Const { ty, bits } = constant;
    let width = ty.bits();
    if width < 64 && bits >> width != 0 {
        return format!("bits({bits:#x})");
    }
    match ty {
        Scalar::Bool => String::from(if bits == 1 { "true" } else { "false" }),
        Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 => bits.to_string(),
        Scalar::I8 => (bits as i8).to_string(),
        Scalar::I16 => (bits as i16).to_string(),
        Scalar::I32 => (bits as i32).to_string(),
        Scalar::I64 => (bits as i64).to_string(),
        Scalar::F16 | Scalar::Bf16 | Scalar::F32 | Scalar::F64 => print_float(ty, bits),
    }
}

fn print_float(ty: Scalar, bits: u64) -> String {
    let sign = 1_u64 << (ty.bits() - 1);
    let magnitude = bits & !sign;
    let special = infinity(ty).unwrap_or(u64::MAX);
    if magnitude == special {
        return String::from(if bits & sign == 0 { "inf" } else { "-inf" });
    }
    if Some(bits) == canonical_nan(ty) {
        return String::from("nan");
    }
    if magnitude > special {
        return format!("bits({bits:#x})");
    }
    if ty == Scalar::F32 {
        format!("{:?}", f32::from_bits(bits as u32))
    } else if ty == Scalar::F64 {
        format!("{:?}", f64::from_bits(bits))
    } else {
        shortest_narrow(ty, bits)
    }
}

/// Reads the text of a constant of this type (all forms but `bits(…)`); `None` when it does not fit.
pub fn parse_constant(ty: Scalar, text: &str) -> Option<Const> {
    let bits = match ty {
        Scalar::Bool => match text {
            "true" => 1,
            "false" => 0,
            _ => return None,
        },
        Scalar::F16 | Scalar::Bf16 | Scalar::F32 | Scalar::F64 => parse_float(ty, text)?,
        Scalar::I8
        | Scalar::I16
        | Scalar::I32
        | Scalar::I64
        | Scalar::U8
        | Scalar::U16
        | Scalar::U32
        | Scalar::U64 => parse_integer(ty, text)?,
    };
    Some(Const { ty, bits })
}

fn parse_integer(ty: Scalar, text: &str) -> Option<u64> {
    let number: i128 = match text.strip_prefix("0x") {
        Some(digits) => i128::from(u64::from_str_radix(digits, 16).ok()?),
        None => text.parse().ok()?,
    };
    let width = ty.bits();
    let (least, largest) = if ty.is_signed_int() {
        (-(1_i128 << (width - 1)), (1_i128 << (width - 1)) - 1)
    } else {
        (0, (1_i128 << width) - 1)
    };
    if number < least || number > largest {
        return None;
    }
    Some(number as u64 & (u64::MAX >> (64 - width)))
}

fn parse_float(ty: Scalar, text: &str) -> Option<u64> {
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let sign = if negative { 1_u64 << (ty.bits() - 1) } else { 0 };
    match magnitude {
        "inf" => return Some(infinity(ty)? | sign),
        "nan" => return canonical_nan(ty),
        _ => {}
    }
    if !magnitude.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if ty == Scalar::F32 {
        return Some(u64::from(magnitude.parse::<f32>().ok()?.to_bits()) | sign);
    }
    // Narrow floats are written with few digits: the way through `f64` rounds as people expect.
    let value: f64 = magnitude.parse().ok()?;
    Some(convert(Scalar::F64, ty, value.to_bits()) | sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_narrow_float_reads_back() {
        for ty in [Scalar::F16, Scalar::Bf16] {
            for bits in 0..=0xffff_u64 {
                let constant = Const { ty, bits };
                let text = print_constant(constant);
                if !text.starts_with("bits") {
                    assert_eq!(parse_constant(ty, &text), Some(constant), "{ty} {bits:#x} {text}");
                }
            }
        }
    }

    #[test]
    fn constants_print_as_people_write_them() {
        let text = |ty, bits| print_constant(Const { ty, bits });
        assert_eq!(text(Scalar::F16, 0x2e66), "0.1");
        assert_eq!(text(Scalar::Bf16, 0x3f80), "1.0");
        assert_eq!(text(Scalar::F32, 0x3dcc_cccd), "0.1");
        assert_eq!(text(Scalar::F32, 0x8000_0000), "-0.0");
        assert_eq!(text(Scalar::F64, f64::MAX.to_bits()), "1.7976931348623157e308");
        assert_eq!(text(Scalar::F32, 0x7fc0_0000), "nan");
        assert_eq!(text(Scalar::F32, 0x7fc0_0001), "bits(0x7fc00001)");
        assert_eq!(text(Scalar::I8, 0xff), "-1");
        assert_eq!(text(Scalar::I8, 0x1ff), "bits(0x1ff)");
    }

    #[test]
    fn integers_out_of_range_are_refused() {
        assert_eq!(parse_constant(Scalar::U8, "256"), None);
        assert_eq!(parse_constant(Scalar::I8, "-129"), None);
        assert_eq!(parse_constant(Scalar::U64, "18446744073709551615").map(|c| c.bits), Some(u64::MAX));
        assert_eq!(parse_constant(Scalar::I64, "-9223372036854775808").map(|c| c.bits), Some(1 << 63));
        assert_eq!(parse_constant(Scalar::F32, "1e999").map(|c| c.bits), Some(0x7f80_0000));
    }
}
