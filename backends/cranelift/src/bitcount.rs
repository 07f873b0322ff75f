//! Population counts and zero counts of integers of every width, in 32 or 64 bits where the machine's
//! instructions are.

use cranelift_codegen::ir::{InstBuilder, types};

use crate::emit::{Clif, Emitter};
use crate::scalar::resize_unsigned;

impl Emitter<'_, '_> {
    /// Population count.
    pub fn count_ones(&mut self, x: Clif) -> Clif {
        let (wide, ty) = self.at_least_32(x);
        let count = self.builder.ins().popcnt(wide);
        resize_unsigned(&mut self.builder, count, ty)
    }

    /// Leading zero bits; the width for 0.
    pub fn leading_zeros(&mut self, x: Clif) -> Clif {
        let (wide, ty) = self.at_least_32(x);
        let count = self.builder.ins().clz(wide);
        if ty.bits() >= 32 {
            return count;
        }
        let count = self.builder.ins().iadd_imm_s(count, i64::from(ty.bits()) - 32);
        self.builder.ins().ireduce(ty, count)
    }

    /// Trailing zero bits; the width for 0.
    pub fn trailing_zeros(&mut self, x: Clif) -> Clif {
        let (wide, ty) = self.at_least_32(x);
        if ty.bits() >= 32 {
            return self.builder.ins().ctz(wide);
        }
        // A bit just above the narrow value stops the count there.
        let guarded = self.builder.ins().bor_imm_u(wide, 1 << ty.bits());
        let count = self.builder.ins().ctz(guarded);
        self.builder.ins().ireduce(ty, count)
    }

    fn at_least_32(&mut self, x: Clif) -> (Clif, cranelift_codegen::ir::Type) {
        let ty = self.builder.func.dfg.value_type(x);
        let wide = if ty.bits() < 32 { resize_unsigned(&mut self.builder, x, types::I32) } else { x };
        (wide, ty)
    }
}
