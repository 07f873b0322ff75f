//! Analysis: which floats cannot be NaN, because they are sums and products of integers and constants too small to
//! become infinite. They need no canonical NaN where their bits are seen.

use we3_ir::{BinaryOp, Func, Opcode, Scalar, Value, eval};

/// Deeper expressions are not looked into.
const MOST_DEPTH: u32 = 6;
/// Both `f32` and `f64` hold numbers below 2 to this power.
const MOST_BITS: i32 = 120;

/// Whether a float is finite whatever the program computes.
pub fn is_finite(func: &Func, value: Value) -> bool {
    let elem = func.ty(value).element();
    matches!(elem, Scalar::F32 | Scalar::F64) && bits(func, value, MOST_DEPTH).is_some()
}

/// A power of two that the size of a number is below, at most `MOST_BITS`.
fn bits(func: &Func, value: Value, depth: u32) -> Option<i32> {
    let data = &func.ops[func.def_op(value).filter(|_| depth > 0)?];
    let arg = |number: usize| bits(func, data.args[number], depth - 1);
    #[expect(clippy::wildcard_enum_match_arm, reason = "of other operations nothing is known")]
    let most = match &data.opcode {
        Opcode::Const(constant) => of_constant(constant.ty, constant.bits)?,
        Opcode::Splat(_) => arg(0)?,
        Opcode::Convert(_) if !func.ty(data.args[0]).element().is_float() => 65,
        Opcode::Select => arg(1)?.max(arg(2)?),
        Opcode::Binary(BinaryOp::Add | BinaryOp::Sub) => arg(0)?.max(arg(1)?) + 1,
        Opcode::Binary(BinaryOp::Mul) => arg(0)? + arg(1)?,
        Opcode::Fma => (arg(0)? + arg(1)?).max(arg(2)?) + 1,
        _ => return None,
    };
    (most <= MOST_BITS).then_some(most)
}

/// The same for a constant; numbers below one count as one.
fn of_constant(ty: Scalar, bits: u64) -> Option<i32> {
    if !matches!(ty, Scalar::F32 | Scalar::F64) {
        return None;
    }
    let size = eval::convert(ty, Scalar::F64, bits);
    let exponent = ((size >> 52) & 0x7ff) as i32 - 1022;
    (exponent <= MOST_BITS).then_some(exponent.max(1))
}
