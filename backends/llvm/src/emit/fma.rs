//! `a · b + c` with one rounding. With the instruction: `llvm.fma` (never `fmuladd`). Without it:
//! `f32` through `f64` with rounding to odd; `f64` by a support routine in integers.

use we3_backend_api::Unsupported;
use we3_ir::Op;

use super::Emitter;
use crate::text::{Lane, Ty, Val};

const FMA_F64: &str = include_str!("../support/fma_f64.ll");

impl Emitter<'_, '_> {
    pub(super) fn emit_fma(&mut self, op: Op) -> Result<(), Unsupported> {
        let args = &self.func.ops[op].args;
        let (a, b, c) = (self.get(args[0])?, self.get(args[1])?, self.get(args[2])?);
        let val = match a.ty.lane {
            Lane::Float | Lane::Double if self.facts.fma => self.text.lanewise("llvm.fma", &[&a, &b, &c]),
            Lane::Float => self.soft_fma_f32(&a, &b, &c),
            Lane::Double => self.soft_fma_f64(&a, &b, &c),
            Lane::Int(_) | Lane::Half | Lane::Ptr => {
                let product = self.text.binary("mul", &a, &b);
                self.text.binary("add", &product, &c)
            }
        };
        self.define_result(op, val);
        Ok(())
    }

    /// The product of two `f32` is exact in `f64`. The sum is rounded to odd there (its error, found
    /// exactly by two-sum, says in which direction), so that rounding to `f32` rounds once.
    fn soft_fma_f32(&mut self, a: &Val, b: &Val, c: &Val) -> Val {
        let double = a.ty.with(Lane::Double);
        let text = &mut self.text;
        let (a, b, c) =
            (text.cast("fpext", a, double), text.cast("fpext", b, double), text.cast("fpext", c, double));
        let product = text.binary("fmul", &a, &b);
        let sum = text.binary("fadd", &product, &c);
        let error = self.two_sum_error(&product, &c, &sum);
        let text = &mut self.text;
        let zero = Val::number(double, 0.0);
        // Infinities and NaNs give a NaN error, which is not "one".
        let inexact = text.fcmp("one", &error, &zero);
        let bits = text.bits_of(&sum);
        let odd = text.cast("trunc", &bits, bits.ty.with(Lane::Int(1)));
        let even = text.binary_const("xor", &odd, 1);
        let adjust = text.binary("and", &inexact, &even);
        let error_bits = text.bits_of(&error);
        let signs = text.binary("xor", &error_bits, &bits);
        let away = text.icmp_const("sge", &signs, 0);
        let step = text.select(&away, &Val::int(bits.ty, 1), &Val::int(bits.ty, -1));
        let moved = text.binary("add", &bits, &step);
        let chosen = text.select(&adjust, &moved, &bits);
        let chosen = text.cast("bitcast", &chosen, double);
        text.cast("fptrunc", &chosen, double.with(Lane::Float))
    }

    /// What `sum = a + b` lost, exactly (Knuth's two-sum).
    fn two_sum_error(&mut self, a: &Val, b: &Val, sum: &Val) -> Val {
        let text = &mut self.text;
        let b_virtual = text.binary("fsub", sum, a);
        let a_virtual = text.binary("fsub", sum, &b_virtual);
        let b_error = text.binary("fsub", b, &b_virtual);
        let a_error = text.binary("fsub", a, &a_virtual);
        text.binary("fadd", &a_error, &b_error)
    }

    fn soft_fma_f64(&mut self, a: &Val, b: &Val, c: &Val) -> Val {
        let text = &mut self.text;
        text.module.require(FMA_F64);
        text.module.declare("llvm.ctlz", &[Ty::I64], "i64", &[Ty::I64, Ty::I1]);
        text.module.declare("llvm.ctlz", &[Ty::int(128)], "i128", &[Ty::int(128), Ty::I1]);
        text.each_lane(&[a, b, c], |text, args| text.call("we3.fma.f64", args[0].ty, args))
    }
}
