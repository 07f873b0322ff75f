//! Constant folding: operations on constants, by the one evaluator that defines them.

use we3_ir::op::Const;
use we3_ir::{Func, Op, Opcode, Type, eval};

/// The constant that the operation returns, when all its operands are constants.
#[expect(clippy::wildcard_enum_match_arm, reason = "everything else is not folded")]
pub fn fold(func: &Func, op: Op) -> Option<Const> {
    let data = &func.ops[op];
    let [result] = data.results[..] else { return None };
    let Type::Scalar(ty) = *func.ty(result) else { return None };
    let arg = |number: usize| func.as_const(data.args[number]);
    let bits = match &data.opcode {
        Opcode::Unary(kind) => eval::unary(*kind, ty, arg(0)?.bits),
        Opcode::Binary(kind) => eval::binary(*kind, ty, arg(0)?.bits, arg(1)?.bits),
        Opcode::Compare(kind) => u64::from(eval::compare(*kind, arg(0)?.ty, arg(0)?.bits, arg(1)?.bits)),
        Opcode::Fma => eval::fma(ty, arg(0)?.bits, arg(1)?.bits, arg(2)?.bits),
        Opcode::Convert(to) => eval::convert(arg(0)?.ty, *to, arg(0)?.bits),
        Opcode::Bitcast(_) => arg(0)?.bits,
        _ => return None,
    };
    Some(Const { ty, bits })
}
