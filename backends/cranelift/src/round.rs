//! `floor`, `ceil`, `trunc` and `round_even` of `f32` and `f64`: one instruction, or, on machines without
//! one, a short exact sequence.

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::{InstBuilder, types};
use we3_ir::UnaryOp;

use crate::emit::{Clif, Emitter};

impl Emitter<'_, '_> {
    /// Rounds to an integral value in the direction that the operation names.
    pub fn round(&mut self, op: UnaryOp, x: Clif) -> Clif {
        if !self.machine.rounding {
            return self.round_by_parts(op, x);
        }
        if op == UnaryOp::Floor {
            self.builder.ins().floor(x)
        } else if op == UnaryOp::Ceil {
            self.builder.ins().ceil(x)
        } else if op == UnaryOp::Trunc {
            self.builder.ins().trunc(x)
        } else {
            self.builder.ins().nearest(x)
        }
    }

    /// Without a rounding instruction. From 2^23 (2^52 for `f64`) on every value is integral; below,
    /// the value fits an integer register.
    fn round_by_parts(&mut self, op: UnaryOp, x: Clif) -> Clif {
        let ty = self.builder.func.dfg.value_type(x);
        let integral = if ty == types::F32 { 8_388_608.0 } else { 4_503_599_627_370_496.0 };
        let integral = self.float_like(ty, integral);
        let magnitude = self.builder.ins().fabs(x);
        let rounded = if op == UnaryOp::RoundEven {
            // The addition itself rounds to an integral value, ties to even.
            let sum = self.builder.ins().fadd(magnitude, integral);
            self.builder.ins().fsub(sum, integral)
        } else {
            let whole = self.builder.ins().fcvt_to_sint_sat(types::I64, x);
            let whole = self.builder.ins().fcvt_from_sint(ty, whole);
            self.step_towards(op, x, whole)
        };
        // Zeros keep the sign of x, and other results have it already (or get it back).
        let signed = self.builder.ins().fcopysign(rounded, x);
        let small = self.builder.ins().fcmp(FloatCC::LessThan, magnitude, integral);
        self.builder.ins().select(small, signed, x)
    }

    /// From the truncated value one step down for `floor`, up for `ceil`, when it passed x.
    fn step_towards(&mut self, op: UnaryOp, x: Clif, whole: Clif) -> Clif {
        let (condition, step) = if op == UnaryOp::Floor {
            (FloatCC::GreaterThan, -1.0)
        } else if op == UnaryOp::Ceil {
            (FloatCC::LessThan, 1.0)
        } else {
            return whole;
        };
        let ty = self.builder.func.dfg.value_type(x);
        let step = self.float_like(ty, step);
        let stepped = self.builder.ins().fadd(whole, step);
        let passed = self.builder.ins().fcmp(condition, whole, x);
        self.builder.ins().select(passed, stepped, whole)
    }
}
