//! `reduce-remainders`: remainders of 64-bit numbers in lanes by a constant below 2³² become multiplications of 32-bit
//! halves, which vectors have; there is no division in lanes, nor a multiplication of 64 bits that gives the upper half.
//!
//! Before: `%r = rem %x, splat(c)` · after: `%q = ((%x >> a) · m) >> b`, which is the quotient or a little less, and
//! `%r = %x − %q · c`, which is less than 2 c, made exact by `min(%r, %r − c)` (unsigned).
//! (Granlund and Montgomery, "Division by invariant integers using multiplication", PLDI 1994; Barrett, CRYPTO 1986.)
//!
//! With `2^(k−1) < c ≤ 2^k`, `m = ⌊2^(31+k) / c⌋` has 32 bits, and `b = 31 + k − a`. What is cut off `%x` and off `m` makes
//! the quotient at most `2^(a−k+2)` too small before it is rounded down. Of a number of `n` bits the upper 32 are taken
//! (`a = n − 32`), so one step is exact up to the last subtraction if `a ≤ k − 2`; else its rest is a smaller number,
//! and a second step follows.
//!
//! Where lanes convert between `u64` and `f64`, the quotient is `fma(x, 1 / c, 2⁵²)`, whose lowest bits are it rounded to
//! nearest: of a quotient below 2⁵⁰ it is off by less than 3/4, and `min(%r, %r + c)` makes the rest exact.

use std::collections::HashSet;
use std::mem;

use we3_ir::{BinaryOp, Block, Func, FuncBuilder, Module, Op, Opcode, Scalar, Type, Value};

use crate::manager::{Pass, PassContext};

/// The pass.
pub const REDUCE_REMAINDERS: Pass = Pass {
    name: "reduce-remainders",
    about: "remainders by constants in lanes become multiplications",
    from: Some(we3_ir::Level::Loop),
    to: Some(we3_ir::Level::Loop),
    run,
};

/// Divisors have more bits, so that two steps are enough.
const LEAST_BITS: u32 = 5;
/// Where floats compute them, quotients are below 2 to this power.
const QUOTIENT_BITS: u32 = 50;
/// Deeper expressions are not looked into for how large they can be.
const MOST_DEPTH: u32 = 8;

fn run(mut module: Module, ctx: &PassContext) -> Module {
    if ctx.facts.vector_bytes > 0 && !ctx.facts.compact {
        for func in module.funcs.values_mut() {
            let converts = ctx.facts.masks.then(|| used_whole(func, func.body));
            let body = func.body;
            walk(func, body, converts.as_ref());
        }
    }
    module
}

/// `converts`: lanes convert to and from floats; these numbers are used otherwise than cut to 32 bits.
fn walk(func: &mut Func, block: Block, converts: Option<&HashSet<Value>>) {
    for op in mem::take(&mut func.blocks[block].ops) {
        if let Some((divisor, lanes)) = divisor_of(func, op) {
            let width = width_of(func, func.ops[op].args[0], MOST_DEPTH);
            match converts.filter(|_| width < n_bits(divisor) + QUOTIENT_BITS) {
                Some(whole) => {
                    let whole = whole.contains(&func.ops[op].results[0]) || divisor > 1 << 31;
                    by_floats(func, block, op, (divisor, lanes), whole);
                }
                None => reduce(func, block, op, u64::from(divisor), lanes),
            }
        }
        for region in func.ops[op].regions.clone() {
            walk(func, region, converts);
        }
        func.blocks[block].ops.push(op);
    }
}

/// The vectors of `u64` that some operation takes which does not cut them to 32 bits or fewer.
fn used_whole(func: &Func, block: Block) -> HashSet<Value> {
    let mut whole = HashSet::new();
    for op in &func.blocks[block].ops {
        let data = &func.ops[*op];
        if !matches!(data.opcode, Opcode::Convert(to) if !to.is_float() && to.bytes() <= 4) {
            let vectors =
                data.args.iter().filter(|arg| matches!(func.ty(**arg), Type::Vector(Scalar::U64, _)));
            whole.extend(vectors);
        }
        for region in &data.regions {
            whole.extend(used_whole(func, *region));
        }
    }
    whole
}

/// The constant by which a vector of `u64` is divided for its rest.
fn divisor_of(func: &Func, op: Op) -> Option<(u32, u16)> {
    let data = &func.ops[op];
    if data.opcode != Opcode::Binary(BinaryOp::Rem) {
        return None;
    }
    let Type::Vector(Scalar::U64, lanes) = *func.ty(data.results[0]) else { return None };
    let divisor = u32::try_from(splat_of(func, data.args[1])?).ok()?;
    (!divisor.is_power_of_two() && n_bits(divisor) >= LEAST_BITS).then_some((divisor, lanes))
}

/// The constant in all lanes.
fn splat_of(func: &Func, value: Value) -> Option<u64> {
    let data = &func.ops[func.def_op(value)?];
    matches!(data.opcode, Opcode::Splat(_))
        .then(|| func.as_const(data.args[0]))?
        .map(|constant| constant.bits)
}

/// The least `k` with `number ≤ 2^k`, for one that is no power of two.
fn n_bits(number: u32) -> u32 {
    u32::BITS - number.leading_zeros()
}

/// A step of the reduction.
struct Steps<'a> {
    b: FuncBuilder<'a>,
    lanes: u16,
    divisor: u64,
    bits: u32,
}

/// Writes the steps to the end of the block; the operation becomes the last subtraction's choice.
fn reduce(func: &mut Func, block: Block, op: Op, divisor: u64, lanes: u16) {
    let mut number = func.ops[op].args[0];
    let mut width = width_of(func, number, MOST_DEPTH);
    let mut b = FuncBuilder::at(func, block);
    b.span = b.func.spans[op];
    let bits = 64 - divisor.leading_zeros();
    let mut steps = Steps { b, lanes, divisor, bits };
    loop {
        let cut = width.saturating_sub(32);
        number = steps.step(number, cut);
        if cut + 2 <= bits {
            break;
        }
        // The quotient was too small by at most 2^(cut − bits + 2).
        width = (cut + 2).max(bits) + 1;
    }
    let divisor = steps.splat(divisor);
    let less = steps.b.binary(BinaryOp::Sub, number, divisor);
    let data = &mut steps.b.func.ops[op];
    data.opcode = Opcode::Binary(BinaryOp::Min);
    data.args = vec![number, less];
}

/// The same with a quotient by floats; not `whole`: only the lower 32 bits of the rest are wanted.
fn by_floats(func: &mut Func, block: Block, op: Op, (divisor, lanes): (u32, u16), whole: bool) {
    let number = func.ops[op].args[0];
    let mut b = FuncBuilder::at(func, block);
    b.span = b.func.spans[op];
    let mut steps = Steps { b, lanes, divisor: u64::from(divisor), bits: n_bits(divisor) };
    let float = steps.b.convert(Scalar::F64, number);
    let factor = steps.splat_bits(Scalar::F64, (1.0 / f64::from(divisor)).to_bits());
    let shift = steps.splat_bits(Scalar::F64, ((1u64 << 52) as f64).to_bits());
    let shifted = steps.b.fma(float, factor, shift);
    let bits = steps.b.bitcast(Scalar::U64, shifted);
    let mask = steps.splat((1 << 52) - 1);
    let quotient = steps.b.binary(BinaryOp::And, bits, mask);
    let taken = steps.splat(u64::from(divisor));
    let taken = steps.b.binary(BinaryOp::Mul, quotient, taken);
    let mut rest = steps.b.binary(BinaryOp::Sub, number, taken);
    let elem = if whole { Scalar::U64 } else { Scalar::U32 };
    if !whole {
        rest = steps.b.convert(elem, rest);
    }
    let divisor = steps.splat_bits(elem, u64::from(divisor));
    let more = steps.b.binary(BinaryOp::Add, rest, divisor);
    let (opcode, args) = if whole {
        (Opcode::Binary(BinaryOp::Min), vec![rest, more])
    } else {
        (Opcode::Convert(Scalar::U64), vec![steps.b.binary(BinaryOp::Min, rest, more)])
    };
    let data = &mut steps.b.func.ops[op];
    data.opcode = opcode;
    data.args = args;
}

impl Steps<'_> {
    fn splat_bits(&mut self, elem: Scalar, bits: u64) -> Value {
        let number = self.b.constant(elem, bits);
        self.b.value(Opcode::Splat(self.lanes), vec![number], vec![], Type::Vector(elem, self.lanes))
    }

    fn splat(&mut self, number: u64) -> Value {
        self.splat_bits(Scalar::U64, number)
    }

    fn shr(&mut self, number: Value, bits: u32) -> Value {
        if bits == 0 {
            return number;
        }
        let bits = self.splat(u64::from(bits));
        self.b.binary(BinaryOp::Shr, number, bits)
    }

    /// What is left of a number of at most `cut + 32` bits when about the quotient is taken from it.
    fn step(&mut self, number: Value, cut: u32) -> Value {
        // 2^(31+k) has at most 64 bits, as the divisor has at most 32.
        let factor = ((1u128 << (31 + self.bits)) / u128::from(self.divisor)) as u64;
        // It has 32 bits; saying so once more, the backend takes the short multiplication.
        let upper = self.shr(number, cut);
        let mask = self.splat(u64::from(u32::MAX));
        let upper = self.b.binary(BinaryOp::And, upper, mask);
        let factor = self.splat(factor);
        let product = self.b.binary(BinaryOp::Mul, upper, factor);
        let quotient = self.shr(product, 31 + self.bits - cut);
        let divisor = self.splat(self.divisor);
        let taken = self.b.binary(BinaryOp::Mul, quotient, divisor);
        self.b.binary(BinaryOp::Sub, number, taken)
    }
}

/// How many bits a number can have, at most 64.
fn width_of(func: &Func, value: Value, depth: u32) -> u32 {
    let Some(op) = func.def_op(value).filter(|_| depth > 0) else { return own_width(func, value) };
    let data = &func.ops[op];
    let arg = |number: usize| width_of(func, data.args[number], depth - 1);
    #[expect(clippy::wildcard_enum_match_arm, reason = "of other operations the type is all that is known")]
    let width = match &data.opcode {
        Opcode::Const(constant) => 64 - constant.bits.leading_zeros(),
        Opcode::Splat(_) => arg(0),
        Opcode::Convert(_) if is_unsigned(func, data.args[0]) => arg(0),
        Opcode::Select => arg(1).max(arg(2)),
        Opcode::Binary(BinaryOp::Add) => arg(0).max(arg(1)) + 1,
        Opcode::Binary(BinaryOp::Mul) => arg(0) + arg(1),
        Opcode::Binary(BinaryOp::And | BinaryOp::Min) => arg(0).min(arg(1)),
        Opcode::Binary(BinaryOp::Max | BinaryOp::Or | BinaryOp::Xor) => arg(0).max(arg(1)),
        Opcode::Binary(BinaryOp::Rem) => arg(1),
        _ => return own_width(func, value),
    };
    width.min(own_width(func, value))
}

fn own_width(func: &Func, value: Value) -> u32 {
    if is_unsigned(func, value) { func.ty(value).element().bits() } else { 64 }
}

fn is_unsigned(func: &Func, value: Value) -> bool {
    matches!(func.ty(value).element(), Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 | Scalar::Bool)
}
