//! Literals: their types while they are open, their bits when these are known.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast;

use super::{Body, Pending, VarKind};
use crate::check::round::{float_bits, float_text, largest};
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
            Literal::Float { text, negative } => float_text(text, scalar).map(|bits| {
                if bits == float_bits(f64::INFINITY, scalar) {
                    self.too_large(scalar, span);
                }
                if *negative { bits | 1 << (scalar.bits() - 1) } else { bits }
            }),
            Literal::Named(name) => Some(match *name {
                "pi" if scalar == Scalar::F32 => u64::from(std::f32::consts::PI.to_bits()),
                "pi" => float_bits(std::f64::consts::PI, scalar),
                "inf" => float_bits(f64::INFINITY, scalar),
                _ => float_bits(f64::NAN, scalar),
            }),
        };
        if bits.is_none() {
            self.does_not_fit(scalar, span);
        }
        bits
    }

    fn does_not_fit(&mut self, scalar: Scalar, span: Span) {
        let text = self.cx.text(span);
        let message = format!("`{text}` does not fit into `{scalar}`");
        let error = Diagnostic::error(codes::LITERAL_DOES_NOT_FIT, span, message);
        self.cx.report(match range_of(scalar) {
            Some((lo, hi)) => error.with_note(format!("`{scalar}` holds {lo} to {hi}")),
            None => error.with_note(format!(
                "an integer literal must be exact as `{scalar}`; write a float literal to have it rounded"
            )),
        });
    }

    /// A float literal that would round to infinity.
    fn too_large(&mut self, scalar: Scalar, span: Span) {
        let text = self.cx.text(span);
        let largest = largest(scalar);
        let largest =
            if scalar == Scalar::F64 { format!("{largest:e}") } else { format!("{:e}", largest as f32) };
        let infinity = if text.starts_with('-') { "-inf" } else { "inf" };
        self.cx.report(
            Diagnostic::error(
                codes::LITERAL_DOES_NOT_FIT,
                span,
                format!("`{text}` is too large for `{scalar}`"),
            )
            .with_note(format!("the largest finite `{scalar}` is {largest}"))
            .with_fix("if infinity is meant", span, infinity),
        );
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
    let exact = (value == 0 || significant <= digits) && (scalar != Scalar::F16 || value <= 65504);
    let magnitude = value as f64;
    exact.then(|| float_bits(if negative { -magnitude } else { magnitude }, scalar))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_fit_exactly_or_not_at_all() {
        assert_eq!(int_bits(255, false, Scalar::U8), Some(255));
        assert_eq!(int_bits(128, true, Scalar::I8), Some(0x80));
        assert_eq!(int_bits(256, false, Scalar::U8), None);
        assert_eq!(int_bits(16_777_217, false, Scalar::F32), None);
        assert_eq!(int_bits(16_777_216, false, Scalar::F32), Some(0x4b80_0000));
    }
}
