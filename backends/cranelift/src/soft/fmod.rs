//! The exact float remainder: long division of the significands, as many bits a round as fit in 64.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, Type as ClifType, Value, types};
use cranelift_frontend::FunctionBuilder;

/// The layout of a float format.
#[derive(Clone, Copy)]
pub struct Format {
    float: ClifType,
    bits: ClifType,
    /// Stored bits of the significand.
    fraction: i64,
}

/// `f32`.
pub const SINGLE: Format = Format { float: types::F32, bits: types::I32, fraction: 23 };
/// `f64`.
pub const DOUBLE: Format = Format { float: types::F64, bits: types::I64, fraction: 52 };

/// `(x, y) -> x − trunc(x / y) · y`. x = ±∞, y = 0 and NaNs give a NaN; y = ±∞ gives x.
pub fn emit(builder: &mut FunctionBuilder<'_>, start: Block, format: Format) {
    let params = builder.block_params(start).to_vec();
    let [x, y] = [params[0], params[1]];
    let [size_x, size_y] = [builder.ins().fabs(x), builder.ins().fabs(y)];
    let [keep, divide, invalid, compute] = std::array::from_fn(|_| builder.create_block());

    // |x| < |y|: x itself. NaNs fail the comparison.
    let smaller = builder.ins().fcmp(FloatCC::LessThan, size_x, size_y);
    builder.ins().brif(smaller, keep, &[], divide, &[]);
    builder.switch_to_block(keep);
    builder.ins().return_(&[x]);

    // Here x/y finite and y > 0 remain, or x = ∞, y = 0, NaN, for which (x·y)/(x·y) is NaN.
    builder.switch_to_block(divide);
    let zero = zero_of(builder, format);
    let some_divisor = builder.ins().fcmp(FloatCC::GreaterThan, size_y, zero);
    let difference = builder.ins().fsub(size_x, size_x);
    let finite = builder.ins().fcmp(FloatCC::Equal, difference, zero);
    let ordinary = builder.ins().band(some_divisor, finite);
    builder.ins().brif(ordinary, compute, &[], invalid, &[]);
    builder.switch_to_block(invalid);
    let product = builder.ins().fmul(x, y);
    let quotient = builder.ins().fdiv(product, product);
    builder.ins().return_(&[quotient]);

    builder.switch_to_block(compute);
    let [exp_x, part_x] = split(builder, size_x, format);
    let [exp_y, part_y] = split(builder, size_y, format);
    let rest = long_division(builder, part_x, part_y, exp_x, exp_y, format);
    let result = assemble(builder, rest, exp_y, format);
    let result = builder.ins().fcopysign(result, x);
    builder.ins().return_(&[result]);
}

fn zero_of(builder: &mut FunctionBuilder<'_>, format: Format) -> Value {
    let zero = builder.ins().iconst(format.bits, 0);
    builder.ins().bitcast(format.float, MemFlagsData::new(), zero)
}

/// A finite magnitude as (exponent, significand) with value = significand · 2^(exponent − constant);
/// denormals have exponent 1. Both are `i64`.
fn split(builder: &mut FunctionBuilder<'_>, size: Value, format: Format) -> [Value; 2] {
    let bits = builder.ins().bitcast(format.bits, MemFlagsData::new(), size);
    let bits = if format.bits == types::I64 { bits } else { builder.ins().uextend(types::I64, bits) };
    let field = builder.ins().ushr_imm_u(bits, format.fraction);
    let fraction = builder.ins().band_imm_u(bits, (1 << format.fraction) - 1);
    let hidden = builder.ins().bor_imm_u(fraction, 1 << format.fraction);
    let is_normal = builder.ins().icmp_imm_u(IntCC::NotEqual, field, 0);
    let significand = builder.ins().select(is_normal, hidden, fraction);
    let one = builder.ins().iconst(types::I64, 1);
    let exponent = builder.ins().umax(field, one);
    [exponent, significand]
}

/// (part_x · 2^(exp_x − exp_y)) mod part_y. |x| ≥ |y| makes the exponent difference ≥ 0.
fn long_division(
    builder: &mut FunctionBuilder<'_>,
    part_x: Value,
    part_y: Value,
    exp_x: Value,
    exp_y: Value,
    format: Format,
) -> Value {
    let first = builder.ins().urem(part_x, part_y);
    let distance = builder.ins().isub(exp_x, exp_y);
    let [head, body, after] = std::array::from_fn(|_| builder.create_block());
    let rest = builder.append_block_param(head, types::I64);
    let left = builder.append_block_param(head, types::I64);
    builder.ins().jump(head, &[BlockArg::Value(first), BlockArg::Value(distance)]);
    builder.switch_to_block(head);
    let more = builder.ins().icmp_imm_s(IntCC::SignedGreaterThan, left, 0);
    builder.ins().brif(more, body, &[], after, &[]);
    builder.switch_to_block(body);
    // The rest is below 2^(fraction + 1), so this many more bits fit.
    let room = builder.ins().iconst(types::I64, 63 - format.fraction);
    let step = builder.ins().smin(left, room);
    let shifted = builder.ins().ishl(rest, step);
    let next = builder.ins().urem(shifted, part_y);
    let left = builder.ins().isub(left, step);
    builder.ins().jump(head, &[BlockArg::Value(next), BlockArg::Value(left)]);
    builder.switch_to_block(after);
    rest
}

/// The float with this significand at the exponent of y. It is below y, so normalising never rounds.
fn assemble(builder: &mut FunctionBuilder<'_>, rest: Value, exponent: Value, format: Format) -> Value {
    // Shift up to the hidden bit, but not below exponent 1: what is left there is a denormal.
    let zeros = builder.ins().clz(rest);
    let wanted = builder.ins().iadd_imm_s(zeros, format.fraction - 63);
    let allowed = builder.ins().iadd_imm_s(exponent, -1);
    let shift = builder.ins().smin(wanted, allowed);
    let significand = builder.ins().ishl(rest, shift);
    let exponent = builder.ins().isub(exponent, shift);
    // The hidden bit, where it is set, adds the last 1 to the exponent field.
    let field = builder.ins().iadd_imm_s(exponent, -1);
    let field = builder.ins().ishl_imm_u(field, format.fraction);
    let bits = builder.ins().iadd(field, significand);
    let is_zero = builder.ins().icmp_imm_u(IntCC::Equal, rest, 0);
    let zero = builder.ins().iconst(types::I64, 0);
    let bits = builder.ins().select(is_zero, zero, bits);
    let bits = if format.bits == types::I64 { bits } else { builder.ins().ireduce(types::I32, bits) };
    builder.ins().bitcast(format.float, MemFlagsData::new(), bits)
}
