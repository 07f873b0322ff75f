//! Functions of the prelude's traits on built-in scalars: which IR operation, or which function of
//! `std::math`, each one is.

use we3_ir::op::{BinaryOp, CompareOp, UnaryOp};
use we3_ir::span::Span;
use we3_ir::types::Scalar;

use super::Body;
use super::literal::significant_bits;
use crate::check::defs::Def;
use crate::check::round::float_bits;
use crate::typed::{Expr, ExprKind, SiteKind, Type};

/// Functions that are one operation on one scalar.
fn unary(name: &str) -> Option<UnaryOp> {
    Some(match name {
        "neg" => UnaryOp::Neg,
        "not" => UnaryOp::Not,
        "abs" => UnaryOp::Abs,
        "sqrt" => UnaryOp::Sqrt,
        "floor" => UnaryOp::Floor,
        "ceil" => UnaryOp::Ceil,
        "trunc" => UnaryOp::Trunc,
        "round_even" => UnaryOp::RoundEven,
        "count_ones" => UnaryOp::CountOnes,
        "leading_zeros" => UnaryOp::LeadingZeros,
        "trailing_zeros" => UnaryOp::TrailingZeros,
        _ => return None,
    })
}

/// Functions that are one operation on two scalars.
fn binary(name: &str) -> Option<BinaryOp> {
    Some(match name {
        "add" => BinaryOp::Add,
        "sub" => BinaryOp::Sub,
        "mul" => BinaryOp::Mul,
        "div" => BinaryOp::Div,
        "rem" => BinaryOp::Rem,
        "min" => BinaryOp::Min,
        "max" => BinaryOp::Max,
        "and" => BinaryOp::And,
        "or" => BinaryOp::Or,
        "xor" => BinaryOp::Xor,
        "shl" => BinaryOp::Shl,
        "shr" => BinaryOp::Shr,
        "rotate_left" => BinaryOp::RotateLeft,
        "mulhi" => BinaryOp::MulHi,
        "copysign" => BinaryOp::CopySign,
        _ => return None,
    })
}

fn compare(name: &str) -> Option<CompareOp> {
    Some(match name {
        "eq" => CompareOp::Eq,
        "ne" => CompareOp::Ne,
        "lt" => CompareOp::Lt,
        "le" => CompareOp::Le,
        "gt" => CompareOp::Gt,
        "ge" => CompareOp::Ge,
        _ => return None,
    })
}

impl Body<'_, '_, '_> {
    /// A trait's function on a built-in scalar. `None`: this scalar does not have it.
    pub fn native(&mut self, name: &str, scalar: Scalar, args: &[Expr], span: Span) -> Option<Expr> {
        let ty = Type::Scalar(scalar);
        let boxed = |index: usize| args.get(index).cloned().map(Box::new);
        if !native_has(name, scalar) {
            return None;
        }
        let make = |kind| Some(Expr { kind, ty: ty.clone(), span });
        if let Some(op) = unary(name) {
            if name == "abs" && scalar.is_int() && !scalar.is_signed_int() {
                return args.first().cloned();
            }
            return make(ExprKind::Unary(op, boxed(0)?));
        }
        if let Some(op) = binary(name) {
            let divides = matches!(op, BinaryOp::Div | BinaryOp::Rem) && scalar.is_int();
            let nonzero = divides && args.get(1).is_some_and(is_nonzero);
            let site = (divides && !nonzero).then(|| self.site(span, SiteKind::DivisionByZero));
            return make(ExprKind::Binary(op, boxed(0)?, boxed(1)?, site));
        }
        if let Some(op) = compare(name) {
            let kind = ExprKind::Compare(op, boxed(0)?, boxed(1)?);
            return Some(Expr { kind, ty: Type::BOOL, span });
        }
        match name {
            "mul_add" | "fma" => self.native_fma(scalar, args, span),
            "from_int" | "from_f64" => make(ExprKind::Convert(boxed(0)?)),
            "is_nan" => {
                let mut pre = Vec::new();
                let value = self.hoist(&mut pre, args.first()?.clone(), "x");
                let kind = ExprKind::Compare(CompareOp::Ne, Box::new(value.clone()), Box::new(value));
                Some(self.wrap(pre, Expr { kind, ty: Type::BOOL, span }))
            }
            "is_finite" | "is_inf" => {
                let infinity = self.constant(scalar, float_bits(f64::INFINITY, scalar), span);
                let magnitude = Expr { kind: ExprKind::Unary(UnaryOp::Abs, boxed(0)?), ty, span };
                let op = if name == "is_inf" { CompareOp::Eq } else { CompareOp::Lt };
                let kind = ExprKind::Compare(op, Box::new(magnitude), Box::new(infinity));
                Some(Expr { kind, ty: Type::BOOL, span })
            }
            _ => self.library_math(name, scalar, args, span),
        }
    }

    /// A constant of the prelude's traits for a built-in scalar.
    pub fn native_const(&mut self, name: &str, scalar: Scalar, span: Span) -> Option<Expr> {
        let int = |value: i128| Some(value as u64 & (u64::MAX >> (64 - scalar.bits())));
        let top = 1i128 << (scalar.bits() - 1);
        let bits = match name {
            "zero" | "one" if scalar.is_float() => float_bits(if name == "one" { 1.0 } else { 0.0 }, scalar),
            "zero" => 0,
            "one" => 1,
            "epsilon" => {
                let digits = u64::from(significant_bits(scalar)?) - 1;
                float_bits(f64::from_bits((1023 - digits) << 52), scalar)
            }
            "min_value" if scalar.is_signed_int() => int(-top)?,
            "min_value" if scalar.is_int() => 0,
            "max_value" if scalar.is_signed_int() => int(top - 1)?,
            "max_value" if scalar.is_int() => int(2 * top - 1)?,
            _ => return None,
        };
        Some(self.constant(scalar, bits, span))
    }

    fn native_fma(&mut self, scalar: Scalar, args: &[Expr], span: Span) -> Option<Expr> {
        let [a, b, c] = args else { return None };
        let half = matches!(scalar, Scalar::F16 | Scalar::Bf16);
        let inner = if half { Scalar::F32 } else { scalar };
        let arg = |body: &Self, value: &Expr| Box::new(body.convert(value.clone(), inner));
        let kind = ExprKind::Fma(arg(self, a), arg(self, b), arg(self, c));
        let value = Expr { kind, ty: Type::Scalar(inner), span };
        Some(self.convert(value, scalar))
    }

    /// A function of `std::math` written for this type, for `f32` (halves go through it) or for integers.
    fn library_math(&mut self, name: &str, scalar: Scalar, args: &[Expr], span: Span) -> Option<Expr> {
        if scalar.is_int() {
            return self.library_int(name, scalar, args, span);
        }
        let half = matches!(scalar, Scalar::F16 | Scalar::Bf16);
        let inner = if half && !is_exact(name) { Scalar::F32 } else { scalar };
        let full_name = format!("{name}_{inner}");
        let module = self
            .cx
            .defs
            .modules
            .iter()
            .position(|module| module.path.iter().map(String::as_str).eq(["std", "math"]));
        let def = module
            .and_then(|module| self.cx.defs.modules[module].names.get(&full_name))
            .map(|entry| entry.def);
        let Some(Def::Fn(id)) = def else {
            self.cx.report(
                we3_ir::diagnostic::Diagnostic::error(
                    crate::codes::NOT_YET,
                    span,
                    format!("`{name}` is not available for `{scalar}` yet"),
                )
                .with_note(format!("`std::math` has no `{full_name}`")),
            );
            return Some(self.error(span));
        };
        let result = self.cx.signature(id).result.as_scalar().unwrap_or(inner);
        let params: Vec<Option<Scalar>> = self
            .cx
            .signature(id)
            .params
            .iter()
            .map(|param| match &param.ty {
                crate::check::defs::ParamType::Value(ty) => ty.as_scalar(),
                crate::check::defs::ParamType::Fn { .. } => None,
            })
            .collect();
        let args: Vec<Expr> = args
            .iter()
            .zip(params)
            .map(|(arg, want)| match want {
                Some(want) if arg.ty.as_scalar().is_some_and(|have| have != want) => {
                    self.convert(arg.clone(), want)
                }
                _ => arg.clone(),
            })
            .collect();
        if self.abstract_mode {
            return Some(Expr { kind: ExprKind::Error, ty: Type::Scalar(scalar), span });
        }
        let func = self.request(id, Vec::new(), Vec::new(), Vec::new(), span);
        let kind = ExprKind::Call { func, sizes: Vec::new(), args, fresh: Vec::new() };
        let value = Expr { kind, ty: Type::Scalar(result), span };
        Some(if result == inner { self.convert(value, scalar) } else { value })
    }

    /// A function on integers: the prelude's generic `int_…`.
    fn library_int(&mut self, name: &str, scalar: Scalar, args: &[Expr], span: Span) -> Option<Expr> {
        let prelude = self.cx.defs.prelude?;
        let Some(Def::Fn(id)) = self.cx.own_name(prelude, &format!("int_{name}")) else { return None };
        if self.abstract_mode {
            return Some(Expr { kind: ExprKind::Error, ty: Type::Scalar(scalar), span });
        }
        let func = self.request(id, vec![Type::Scalar(scalar)], Vec::new(), Vec::new(), span);
        let kind = ExprKind::Call { func, sizes: Vec::new(), args: args.to_vec(), fresh: Vec::new() };
        Some(Expr { kind, ty: Type::Scalar(scalar), span })
    }

    /// A scalar as another scalar type.
    pub fn convert(&self, value: Expr, to: Scalar) -> Expr {
        if value.ty == Type::Scalar(to) || value.ty == Type::Error {
            return value;
        }
        let span = value.span;
        Expr { kind: ExprKind::Convert(Box::new(value)), ty: Type::Scalar(to), span }
    }
}

/// Whether a function of the prelude's traits is made of IR operations on every scalar that has it.
pub fn is_operation(name: &str) -> bool {
    unary(name).is_some()
        || binary(name).is_some()
        || compare(name).is_some()
        || matches!(name, "mul_add" | "fma" | "from_int" | "from_f64" | "is_nan" | "is_finite" | "is_inf")
}

/// Functions of bits, which `std::math` has for halves too.
fn is_exact(name: &str) -> bool {
    matches!(name, "next_up" | "next_down")
}

/// Whether a divisor is a constant other than 0.
fn is_nonzero(expr: &Expr) -> bool {
    if let ExprKind::Size(size) = &expr.kind {
        size.as_constant().is_some_and(|value| value != 0)
    } else {
        matches!(&expr.kind, ExprKind::Const(value) if value.bits != 0)
    }
}

/// Whether a scalar has a function of the prelude's traits.
pub fn native_has(name: &str, scalar: Scalar) -> bool {
    let (int, float) = (scalar.is_int(), scalar.is_float());
    match name {
        "eq" | "ne" | "lt" | "le" | "gt" | "ge" => true,
        "min" | "max" | "add" | "mul" | "mul_add" | "sub" | "neg" | "from_int" | "div" | "rem" | "abs" => {
            int || float
        }
        "and" | "or" | "xor" | "not" => !float,
        "shl" | "shr" | "rotate_left" | "count_ones" | "leading_zeros" | "trailing_zeros" | "mulhi"
        | "isqrt" => int,
        "pow" => int || float,
        _ => float,
    }
}
