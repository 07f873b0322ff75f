//! Multiply-add with one rounding on machines without the instruction.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::Ieee64;
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::FunctionBuilder;

/// `f32`: the product is exact in `f64`; the sum is rounded to odd there, and the rounding to `f32`
/// cannot mistake that for a tie.
pub fn single(builder: &mut FunctionBuilder<'_>, start: Block) {
    let params = builder.block_params(start).to_vec();
    let [a, b, c] = std::array::from_fn(|k| builder.ins().fpromote(types::F64, params[k]));
    let product = builder.ins().fmul(a, b);
    let sum = builder.ins().fadd(product, c);
    let error = rounding_error(builder, product, c, sum);
    let sum = to_odd(builder, sum, error);
    let result = builder.ins().fdemote(types::F32, sum);
    builder.ins().return_(&[result]);
}

/// What `sum` lost of `x + y`, exactly (Knuth's two-sum).
fn rounding_error(builder: &mut FunctionBuilder<'_>, x: Value, y: Value, sum: Value) -> Value {
    let y_part = builder.ins().fsub(sum, x);
    let x_part = builder.ins().fsub(sum, y_part);
    let y_lost = builder.ins().fsub(y, y_part);
    let x_lost = builder.ins().fsub(x, x_part);
    builder.ins().fadd(x_lost, y_lost)
}

/// Of the two neighbours of an inexact sum, the one with an odd last bit.
fn to_odd(builder: &mut FunctionBuilder<'_>, sum: Value, error: Value) -> Value {
    let bits = builder.ins().bitcast(types::I64, MemFlagsData::new(), sum);
    let error_bits = builder.ins().bitcast(types::I64, MemFlagsData::new(), error);
    // One away from zero when the error has the sum's sign, else one towards it.
    let signs = builder.ins().bxor(bits, error_bits);
    let towards = builder.ins().sshr_imm_u(signs, 63);
    let step = builder.ins().bor_imm_u(towards, 1);
    let neighbour = builder.ins().iadd(bits, step);
    let last = builder.ins().band_imm_u(bits, 1);
    let even = builder.ins().icmp_imm_u(IntCC::Equal, last, 0);
    let zero = builder.ins().f64const(Ieee64::with_bits(0));
    // Ordered: infinities and NaNs, whose error is a NaN, stay.
    let inexact = builder.ins().fcmp(FloatCC::OrderedNotEqual, error, zero);
    let step_needed = builder.ins().band(even, inexact);
    let bits = builder.ins().select(step_needed, neighbour, bits);
    builder.ins().bitcast(types::F64, MemFlagsData::new(), bits)
}

/// `f64`: integers of 128 bits.
pub fn double(builder: &mut FunctionBuilder<'_>, start: Block) {
    let params = builder.block_params(start).to_vec();
    let [a, b, c] = [params[0], params[1], params[2]];
    let [plain, compute, bare, exact] = std::array::from_fn(|_| builder.create_block());

    // With a zero, infinite or NaN factor the product is exact, and so two operations are one rounding.
    let [a_finite, b_finite, c_finite] = [a, b, c].map(|operand| is_finite(builder, operand));
    let factors_finite = builder.ins().band(a_finite, b_finite);
    let mut ordinary = builder.ins().band(factors_finite, c_finite);
    let zero = builder.ins().f64const(Ieee64::with_bits(0));
    for factor in [a, b] {
        let nonzero = builder.ins().fcmp(FloatCC::NotEqual, factor, zero);
        ordinary = builder.ins().band(ordinary, nonzero);
    }
    builder.ins().brif(ordinary, compute, &[], plain, &[]);
    builder.switch_to_block(plain);
    let product = builder.ins().fmul(a, b);
    let sum = builder.ins().fadd(product, c);
    // A product of finite factors may overflow; next to an infinite or NaN addend it does not count.
    let c_special = builder.ins().bxor_imm_u(c_finite, 1);
    let c_alone = builder.ins().band(factors_finite, c_special);
    let sum = builder.ins().select(c_alone, c, sum);
    builder.ins().return_(&[sum]);

    // Nothing to add: the product alone (adding a zero would lose the sign of an underflow).
    builder.switch_to_block(compute);
    let nothing = builder.ins().fcmp(FloatCC::Equal, c, zero);
    builder.ins().brif(nothing, bare, &[], exact, &[]);
    builder.switch_to_block(bare);
    let product = builder.ins().fmul(a, b);
    builder.ins().return_(&[product]);

    builder.switch_to_block(exact);
    let result = exact_sum(builder, a, b, c);
    builder.ins().return_(&[result]);
}

fn is_finite(builder: &mut FunctionBuilder<'_>, x: Value) -> Value {
    let difference = builder.ins().fsub(x, x);
    builder.ins().fcmp(FloatCC::Equal, difference, difference)
}

/// A finite, nonzero number: value = ± significand · 2^(exponent − 1075), the significand's top bit
/// being bit 52.
struct Parts {
    negative: Value,
    exponent: Value,
    significand: Value,
}

fn split(builder: &mut FunctionBuilder<'_>, x: Value) -> Parts {
    let bits = builder.ins().bitcast(types::I64, MemFlagsData::new(), x);
    let negative = builder.ins().ushr_imm_u(bits, 63);
    let field = builder.ins().ushr_imm_u(bits, 52);
    let field = builder.ins().band_imm_u(field, 0x7ff);
    let fraction = builder.ins().band_imm_u(bits, (1 << 52) - 1);
    let hidden = builder.ins().bor_imm_u(fraction, 1 << 52);
    let is_normal = builder.ins().icmp_imm_u(IntCC::NotEqual, field, 0);
    // A denormal's top bit moves up to bit 52, its exponent down as far from 1.
    let zeros = builder.ins().clz(fraction);
    let shift = builder.ins().iadd_imm_s(zeros, -11);
    let raised = builder.ins().ishl(fraction, shift);
    let one = builder.ins().iconst(types::I64, 1);
    let lowered = builder.ins().isub(one, shift);
    let significand = builder.ins().select(is_normal, hidden, raised);
    let exponent = builder.ins().select(is_normal, field, lowered);
    Parts { negative, exponent, significand }
}

/// All operands finite and nonzero.
fn exact_sum(builder: &mut FunctionBuilder<'_>, a: Value, b: Value, c: Value) -> Value {
    let [a, b, c] = [split(builder, a), split(builder, b), split(builder, c)];
    // The product with its top bit at 125 or 126: value = product · 2^(product_exponent − 2171).
    let left = builder.ins().ishl_imm_u(a.significand, 11);
    let right = builder.ins().ishl_imm_u(b.significand, 10);
    let low = builder.ins().imul(left, right);
    let high = builder.ins().umulhi(left, right);
    let product = builder.ins().iconcat(low, high);
    let product_exponent = builder.ins().iadd(a.exponent, b.exponent);
    let product_negative = builder.ins().bxor(a.negative, b.negative);
    // c with its top bit at 126: value = addend · 2^(c.exponent − 1075 − 74); on the product's scale
    // that is an exponent of c.exponent + 1022.
    let high = builder.ins().ishl_imm_u(c.significand, 10);
    let zero = builder.ins().iconst(types::I64, 0);
    let addend = builder.ins().iconcat(zero, high);
    let addend_exponent = builder.ins().iadd_imm_s(c.exponent, 1022);

    // The smaller scale moves to the larger one; bits that fall off leave a mark in the last bit.
    let exponent = builder.ins().smax(product_exponent, addend_exponent);
    let product_shift = builder.ins().isub(exponent, product_exponent);
    let addend_shift = builder.ins().isub(exponent, addend_exponent);
    let product = shift_down(builder, product, product_shift);
    let addend = shift_down(builder, addend, addend_shift);

    let subtract = builder.ins().bxor(product_negative, c.negative);
    let sum = builder.ins().iadd(product, addend);
    let difference = builder.ins().isub(product, addend);
    let (_, top) = builder.ins().isplit(difference);
    let turned = builder.ins().ushr_imm_u(top, 63);
    let reversed = builder.ins().isub(addend, product);
    let difference = builder.ins().select(turned, reversed, difference);
    let magnitude = builder.ins().select(subtract, difference, sum);
    let turned = builder.ins().band(turned, subtract);
    let negative = builder.ins().bxor(product_negative, turned);
    round(builder, magnitude, exponent, negative)
}

/// A 128-bit value shifted right by an `i64` ≥ 0; a lost bit sets the last one.
fn shift_down(builder: &mut FunctionBuilder<'_>, value: Value, shift: Value) -> Value {
    let limit = builder.ins().iconst(types::I64, 127);
    let shift = builder.ins().smin(shift, limit);
    let shifted = builder.ins().ushr(value, shift);
    let back = builder.ins().ishl(shifted, shift);
    let lost = builder.ins().icmp(IntCC::NotEqual, back, value);
    let lost = builder.ins().uextend(types::I64, lost);
    let (low, high) = builder.ins().isplit(shifted);
    let low = builder.ins().bor(low, lost);
    builder.ins().iconcat(low, high)
}

/// The nearest `f64` of ± magnitude · 2^(exponent − 2171).
fn round(builder: &mut FunctionBuilder<'_>, magnitude: Value, exponent: Value, negative: Value) -> Value {
    let (low, high) = builder.ins().isplit(magnitude);
    let either = builder.ins().bor(low, high);
    // Shift the top bit to bit 127, in 64-bit steps, so that the upper half holds all that counts.
    let high_zeros = builder.ins().clz(high);
    let low_zeros = builder.ins().clz(low);
    let high_empty = builder.ins().icmp_imm_u(IntCC::Equal, high, 0);
    let far = builder.ins().iadd_imm_u(low_zeros, 64);
    let zeros = builder.ins().select(high_empty, far, high_zeros);
    let normal = builder.ins().ishl(magnitude, zeros);
    let (low, high) = builder.ins().isplit(normal);
    let sticky = mark(builder, low);
    let top = builder.ins().bor(high, sticky);
    // value = top · 2^(exponent − zeros − 2171 + 64), so the biased exponent of bit 63 is:
    let biased = builder.ins().isub(exponent, zeros);
    let biased = builder.ins().iadd_imm_s(biased, 1023 + 63 + 64 - 2171);
    let bits = round_top(builder, top, biased);
    let sign = builder.ins().ishl_imm_u(negative, 63);
    let bits = builder.ins().bor(bits, sign);
    // Exact cancellation gives +0.
    let is_zero = builder.ins().icmp_imm_u(IntCC::Equal, either, 0);
    let zero = builder.ins().iconst(types::I64, 0);
    let bits = builder.ins().select(is_zero, zero, bits);
    builder.ins().bitcast(types::F64, MemFlagsData::new(), bits)
}

/// 1 when any bit is set.
fn mark(builder: &mut FunctionBuilder<'_>, value: Value) -> Value {
    let some = builder.ins().icmp_imm_u(IntCC::NotEqual, value, 0);
    builder.ins().uextend(types::I64, some)
}

/// Rounds a 64-bit significand (top bit set, last bit sticky) at a biased exponent to a magnitude.
fn round_top(builder: &mut FunctionBuilder<'_>, top: Value, biased: Value) -> Value {
    // Below exponent 1 the significand moves down: a denormal.
    let one = builder.ins().iconst(types::I64, 1);
    let down = builder.ins().isub(one, biased);
    let zero = builder.ins().iconst(types::I64, 0);
    let down = builder.ins().smax(down, zero);
    let limit = builder.ins().iconst(types::I64, 63);
    let down = builder.ins().smin(down, limit);
    let shifted = builder.ins().ushr(top, down);
    let back = builder.ins().ishl(shifted, down);
    let lost = builder.ins().bxor(back, top);
    let lost = mark(builder, lost);
    let shifted = builder.ins().bor(shifted, lost);
    let exponent = builder.ins().smax(biased, one);

    let significand = builder.ins().ushr_imm_u(shifted, 11);
    let odd = builder.ins().band_imm_u(significand, 1);
    // Of the 11 bits that go, more than half, or half with an odd significand, rounds up.
    let tail = builder.ins().band_imm_u(shifted, 0x7ff);
    let tail = builder.ins().iadd(tail, odd);
    let up = builder.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, tail, 0x400);
    let up = builder.ins().uextend(types::I64, up);
    // The hidden bit adds the last 1 to the exponent field; a carry does the same.
    let field = builder.ins().iadd_imm_s(exponent, -1);
    let field = builder.ins().ishl_imm_u(field, 52);
    let bits = builder.ins().iadd(field, significand);
    let bits = builder.ins().iadd(bits, up);
    let infinite = builder.ins().iconst(types::I64, 0x7ff0_0000_0000_0000);
    let overflow = builder.ins().icmp_imm_s(IntCC::SignedGreaterThan, exponent, 2046);
    builder.ins().select(overflow, infinite, bits)
}
