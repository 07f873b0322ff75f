//! Literals: their types while they are open, their bits when these are known.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast;

use super::{Body, Pending, VarKind};
use crate::codes;
use crate::typed::{Expr, ExprKind, Type};

/// A literal whose type is not known yet.
#[derive(Clone, Debug)]
pub enum Literal {
    Int {
        value: u128,
        negative: bool,
    },
    Float {
        text: String,
        negative: bool,
    },
    /// `pi`, `inf`, `nan`: a float of every type.
    Named(&'static str),
}

impl Body<'_, '_, '_> {
    /// An integer literal, perhaps after a minus.
    pub fn int_literal(
        &mut self,
        literal: &ast::IntLit,
        negative: bool,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let value = Literal::Int { value: literal.value, negative };
        match literal.suffix.as_ref().and_then(|suffix| Scalar::from_name(&suffix.text)) {
            Some(scalar) => self.literal_of(&value, &Type::Scalar(scalar), span),
            None => self.open_literal(value, VarKind::Int, hint, span),
        }
    }

    /// A float literal, perhaps after a minus.
    pub fn float_literal(
        &mut self,
        literal: &ast::FloatLit,
        negative: bool,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let value = Literal::Float { text: literal.text.clone(), negative };
        match literal.suffix.as_ref().and_then(|suffix| Scalar::from_name(&suffix.text)) {
            Some(scalar) => self.literal_of(&value, &Type::Scalar(scalar), span),
            None => self.open_literal(value, VarKind::Float, hint, span),
        }
    }

    /// A literal that takes its type from its surroundings.
    pub fn open_literal(&mut self, value: Literal, kind: VarKind, hint: Option<&Type>, span: Span) -> Expr {
        if let Some(hint) = hint
            && let Type::Scalar(scalar) = self.shallow(hint)
            && scalar != Scalar::Bool
            && (kind == VarKind::Int || scalar.is_float())
        {
            return self.literal_of(&value, &Type::Scalar(scalar), span);
        }
        let ty = self.new_var(kind, span);
        self.pending.push(Pending::Literal(value));
        let kind = ExprKind::Pending(self.pending.len() as u32 - 1, Vec::new());
        Expr { kind, ty, span }
    }

    /// A literal of a known type.
    pub fn literal_of(&mut self, literal: &Literal, ty: &Type, span: Span) -> Expr {
        match ty {
            Type::Scalar(scalar) => match self.literal_bits(literal, *scalar, span) {
                Some(bits) => self.constant(*scalar, bits, span),
                None => self.error(span),
            },
            Type::Error => self.error(span),
            Type::Array { .. } | Type::Tuple(_) | Type::Record(_) | Type::Infer(_) | Type::Param(_) => {
                self.converted_literal(literal, ty, span)
            }
        }
    }

    /// A literal of a record or type parameter: through `from_int` or `from_f64`.
    fn converted_literal(&mut self, literal: &Literal, ty: &Type, span: Span) -> Expr {
        let (name, of, from) = match literal {
            Literal::Int { .. } => ("from_int", "Num", Scalar::I64),
            Literal::Float { .. } | Literal::Named(_) => ("from_f64", "Float", Scalar::F64),
        };
        let arg = self.literal_of(literal, &Type::Scalar(from), span);
        let of = self.cx.builtin_trait(of);
        self.pending.push(Pending::TraitFn { of, name: name.to_owned(), self_ty: ty.clone() });
        let kind = ExprKind::Pending(self.pending.len() as u32 - 1, vec![arg]);
        Expr { kind, ty: ty.clone(), span }
    }

    fn literal_bits(&mut self, literal: &Literal, scalar: Scalar, span: Span) -> Option<u64> {
        let bits = match literal {
            Literal::Int { value, negative } => int_bits(*value, *negative, scalar),
            Literal::Float { text, negative } => parse_float(text).map(|value| {
                float_bits(value, if scalar == Scalar::F32 { f32_of(text) } else { None }, *negative, scalar)
            }),
            Literal::Named(name) => {
                let (value, f32_value) = match *name {
                    "pi" => (std::f64::consts::PI, std::f32::consts::PI),
                    "inf" => (f64::INFINITY, f32::INFINITY),
                    _ => (f64::NAN, f32::NAN),
                };
                Some(float_bits(value, Some(f32_value), false, scalar))
            }
        };
        if bits.is_none() {
            let text = self.cx.text(span);
            let mut error = Diagnostic::error(
                codes::LITERAL_DOES_NOT_FIT,
                span,
                format!("`{text}` does not fit into `{scalar}`"),
            );
            error = match range_of(scalar) {
                Some((lo, hi)) => error.with_note(format!("`{scalar}` holds {lo} to {hi}")),
                None => error.with_note(format!(
                    "an integer literal must be exact as `{scalar}`; write a float literal to have it rounded"
                )),
            };
            self.cx.report(error);
        }
        bits
    }
}

fn range_of(scalar: Scalar) -> Option<(i128, i128)> {
    if !scalar.is_int() {
        return None;
    }
    let bits = scalar.bits();
    Some(if scalar.is_signed_int() {
        (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
    } else {
        (0, (1i128 << bits) - 1)
    })
}

/// How many bits of a float's value count, the leading 1 among them; `None` for what is no float.
pub fn significant_bits(scalar: Scalar) -> Option<u32> {
    match scalar {
        Scalar::F16 => Some(11),
        Scalar::Bf16 => Some(8),
        Scalar::F32 => Some(24),
        Scalar::F64 => Some(53),
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

fn int_bits(value: u128, negative: bool, scalar: Scalar) -> Option<u64> {
    let signed = i128::try_from(value).ok()?;
    let signed = if negative { -signed } else { signed };
    if let Some((lo, hi)) = range_of(scalar) {
        let mask = if scalar.bits() == 64 { u64::MAX } else { (1u64 << scalar.bits()) - 1 };
        return (lo <= signed && signed <= hi).then_some(signed as u64 & mask);
    }
    let digits = significant_bits(scalar)?;
    let significant = if value == 0 { 0 } else { 128 - value.leading_zeros() - value.trailing_zeros() };
    let magnitude = if value == 0 { 0.0 } else { value as f64 };
    let exact = (value == 0 || significant <= digits) && (scalar != Scalar::F16 || value <= 65504);
    exact.then(|| float_bits(magnitude, Some(value as f32), negative, scalar))
}

/// The bits of a float in a format; `as_f32` is the value rounded once to `f32`, where that matters.
pub fn float_bits(value: f64, as_f32: Option<f32>, negative: bool, scalar: Scalar) -> u64 {
    let nan = value.is_nan();
    let value = if negative { -value } else { value };
    match scalar {
        Scalar::F64 if nan => 0x7ff8_0000_0000_0000,
        Scalar::F64 => value.to_bits(),
        Scalar::F32 if nan => 0x7fc0_0000,
        Scalar::F32 => {
            let rounded = as_f32.map_or(value as f32, |v| if negative { -v } else { v });
            u64::from(rounded.to_bits())
        }
        Scalar::F16 if nan => 0x7e00,
        Scalar::F16 => u64::from(narrow(value, 5, 10)),
        Scalar::Bf16 if nan => 0x7fc0,
        Scalar::Bf16 => u64::from(narrow(value, 8, 7)),
        Scalar::Bool
        | Scalar::I8
        | Scalar::I16
        | Scalar::I32
        | Scalar::I64
        | Scalar::U8
        | Scalar::U16
        | Scalar::U32
        | Scalar::U64 => 0,
    }
}

/// Rounds to a small format with this many exponent and fraction bits, to nearest even.
fn narrow(value: f64, exponent_bits: u32, fraction_bits: u32) -> u16 {
    let bits = value.to_bits();
    let sign = ((bits >> 63) as u16) << 15;
    let infinity = ((1u16 << exponent_bits) - 1) << fraction_bits;
    if value.is_infinite() {
        return sign | infinity;
    }
    let bias = (1i32 << (exponent_bits - 1)) - 1;
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1023;
    let fraction = (bits & ((1 << 52) - 1)) | if exponent == -1023 { 0 } else { 1 << 52 };
    let lowest = 1 - bias;
    let drop = 52 - fraction_bits as i32 + (lowest - exponent).max(0);
    if drop > 63 {
        return sign;
    }
    let kept = fraction >> drop;
    let rest = fraction & ((1u64 << drop) - 1);
    let half = 1u64 << (drop - 1);
    let rounded = kept + u64::from(rest > half || rest == half && kept & 1 == 1);
    let base = if exponent < lowest { 0 } else { ((exponent + bias - 1) as u64) << fraction_bits };
    let packed = base + rounded;
    if packed >= u64::from(infinity) { sign | infinity } else { sign | packed as u16 }
}

fn f32_of(text: &str) -> Option<f32> {
    if text.starts_with("0x") || text.starts_with("0X") { None } else { text.parse().ok() }
}

/// The value of a float literal's text.
pub fn parse_float(text: &str) -> Option<f64> {
    let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) else {
        return text.parse().ok();
    };
    let (digits, exponent) = hex.split_once(['p', 'P']).unwrap_or((hex, "0"));
    let mut exponent: i32 = exponent.parse().ok()?;
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
    let mantissa = mantissa | u64::from(sticky);
    Some(scale(mantissa as f64, exponent))
}

fn scale(mut value: f64, mut exponent: i32) -> f64 {
    while exponent > 0 && value.is_finite() && value != 0.0 {
        let step = exponent.min(1000);
        value *= f64::from_bits(((1023 + step) as u64) << 52);
        exponent -= step;
    }
    while exponent < 0 && value != 0.0 {
        let step = (-exponent).min(1000);
        value *= f64::from_bits(((1023 - step) as u64) << 52);
        exponent += step;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_round_once_to_their_type() {
        assert_eq!(narrow(1.0, 5, 10), 0x3c00);
        assert_eq!(narrow(65520.0, 5, 10), 0x7c00);
        assert_eq!(narrow(5.960_464_477_539_063e-8, 5, 10), 1);
        assert_eq!(narrow(-2.0, 8, 7), 0xc000);
        assert_eq!(narrow(1.003_906_25, 8, 7), 0x3f80);
        assert_eq!(parse_float("0x1.8p3"), Some(12.0));
        assert_eq!(int_bits(255, false, Scalar::U8), Some(255));
        assert_eq!(int_bits(128, true, Scalar::I8), Some(0x80));
        assert_eq!(int_bits(256, false, Scalar::U8), None);
        assert_eq!(int_bits(16_777_217, false, Scalar::F32), None);
        assert_eq!(int_bits(16_777_216, false, Scalar::F32), Some(0x4b80_0000));
    }
}
