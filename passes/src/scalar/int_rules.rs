//! Identities of integers and `bool`. Arithmetic wraps, so that these hold for all values.

use we3_ir::op::Const;
use we3_ir::{BinaryOp, CompareOp, Func, Opcode, Scalar, Value, eval};

use super::simplify::Rewrite;

/// Rewrites `left op right` on integers or `bool`.
pub fn binary(func: &Func, op: BinaryOp, ty: Scalar, left: Value, right: Value) -> Option<Rewrite> {
    let (left_const, right_const) = (func.as_const(left), func.as_const(right));
    if left_const.is_some() && right_const.is_none() && commutes(op) {
        return Some(Rewrite::Become(Opcode::Binary(op), vec![right, left]));
    }
    if let Some(constant) = right_const {
        if let Some(rewrite) = with_constant(op, ty, left, right, constant.bits) {
            return Some(rewrite);
        }
        return chain(func, op, ty, left, constant);
    }
    (left == right).then(|| same(op, ty, left)).flatten()
}

fn commutes(op: BinaryOp) -> bool {
    match op {
        BinaryOp::Add
        | BinaryOp::Mul
        | BinaryOp::Min
        | BinaryOp::Max
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
        | BinaryOp::MulHi
        | BinaryOp::AddSat
        | BinaryOp::MulSat => true,
        BinaryOp::Sub
        | BinaryOp::Div
        | BinaryOp::Rem
        | BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::RotateLeft
        | BinaryOp::CopySign
        | BinaryOp::SubSat => false,
    }
}

/// `left op constant`.
fn with_constant(op: BinaryOp, ty: Scalar, left: Value, right: Value, bits: u64) -> Option<Rewrite> {
    let ones = u64::MAX >> (64 - ty.bits());
    let keep = Some(Rewrite::Value(left));
    let zero = Some(Rewrite::Const(Const { ty, bits: 0 }));
    match (op, bits) {
        (
            BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::Shr
            | BinaryOp::RotateLeft
            | BinaryOp::AddSat
            | BinaryOp::SubSat,
            0,
        ) => keep,
        (BinaryOp::Mul | BinaryOp::And | BinaryOp::MulSat, 0) => zero,
        (BinaryOp::Mul | BinaryOp::Div | BinaryOp::MulSat, 1) => keep,
        (BinaryOp::Rem, 1) => zero,
        (BinaryOp::And, mask) if mask == ones => keep,
        (BinaryOp::Or, mask) if mask == ones => Some(Rewrite::Value(right)),
        (
            BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::Rem
            | BinaryOp::Min
            | BinaryOp::Max
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::Shr
            | BinaryOp::RotateLeft
            | BinaryOp::MulHi
            | BinaryOp::CopySign
            | BinaryOp::AddSat
            | BinaryOp::SubSat
            | BinaryOp::MulSat,
            _,
        ) => None,
    }
}

/// `(x + a) + b` is `x + (a + b)`, and the like.
fn chain(func: &Func, op: BinaryOp, ty: Scalar, left: Value, right: Const) -> Option<Rewrite> {
    let inner = &func.ops[func.def_op(left)?];
    let Opcode::Binary(inner_op) = inner.opcode else { return None };
    let inner_const = func.as_const(*inner.args.get(1)?)?;
    let joined = match (inner_op, op) {
        (BinaryOp::Add, BinaryOp::Add) => {
            (BinaryOp::Add, eval::binary(BinaryOp::Add, ty, inner_const.bits, right.bits))
        }
        (BinaryOp::Add, BinaryOp::Sub) => {
            (BinaryOp::Add, eval::binary(BinaryOp::Sub, ty, inner_const.bits, right.bits))
        }
        (BinaryOp::Sub, BinaryOp::Add) => {
            (BinaryOp::Add, eval::binary(BinaryOp::Sub, ty, right.bits, inner_const.bits))
        }
        (BinaryOp::Sub, BinaryOp::Sub) => {
            (BinaryOp::Sub, eval::binary(BinaryOp::Add, ty, inner_const.bits, right.bits))
        }
        (BinaryOp::Mul, BinaryOp::Mul) => {
            (BinaryOp::Mul, eval::binary(BinaryOp::Mul, ty, inner_const.bits, right.bits))
        }
        _ => return None,
    };
    Some(Rewrite::WithConst(Opcode::Binary(joined.0), inner.args[0], Const { ty, bits: joined.1 }))
}

/// `x op x`.
fn same(op: BinaryOp, ty: Scalar, value: Value) -> Option<Rewrite> {
    match op {
        BinaryOp::Sub | BinaryOp::Xor | BinaryOp::SubSat => Some(Rewrite::Const(Const { ty, bits: 0 })),
        BinaryOp::And | BinaryOp::Or | BinaryOp::Min | BinaryOp::Max => Some(Rewrite::Value(value)),
        BinaryOp::Add
        | BinaryOp::Mul
        | BinaryOp::Div
        | BinaryOp::Rem
        | BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::RotateLeft
        | BinaryOp::MulHi
        | BinaryOp::CopySign
        | BinaryOp::AddSat
        | BinaryOp::MulSat => None,
    }
}

/// Rewrites a comparison of integers or `bool`.
pub fn compare(func: &Func, op: CompareOp, ty: Scalar, left: Value, right: Value) -> Option<Rewrite> {
    if left == right {
        let truth = matches!(op, CompareOp::Eq | CompareOp::Le | CompareOp::Ge);
        return Some(Rewrite::Const(Const { ty: Scalar::Bool, bits: u64::from(truth) }));
    }
    if ty != Scalar::Bool {
        return None;
    }
    let constant = func.as_const(right)?;
    match (op, constant.bits) {
        (CompareOp::Eq, 1) | (CompareOp::Ne, 0) => Some(Rewrite::Value(left)),
        (CompareOp::Eq, _) | (CompareOp::Ne, _) => {
            Some(Rewrite::Become(Opcode::Unary(we3_ir::UnaryOp::Not), vec![left]))
        }
        (CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge, _) => None,
    }
}
