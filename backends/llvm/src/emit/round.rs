//! `floor ceil trunc round_even`: one instruction where the target has it; on x86 before SSE4.1,
//! where LLVM would call libm, a short exact sequence.

use we3_ir::UnaryOp;

use super::Emitter;
use crate::text::{Lane, Val};

impl Emitter<'_, '_> {
    /// Rounds an `f32` or `f64` (or vector) to an integral value.
    pub(super) fn round(&mut self, op: UnaryOp, operand: &Val) -> Val {
        let name = match op {
            UnaryOp::Floor => "llvm.floor",
            UnaryOp::Ceil => "llvm.ceil",
            UnaryOp::RoundEven => "llvm.roundeven",
            UnaryOp::Trunc
            | UnaryOp::Neg
            | UnaryOp::Not
            | UnaryOp::Abs
            | UnaryOp::Sqrt
            | UnaryOp::CountOnes
            | UnaryOp::LeadingZeros
            | UnaryOp::TrailingZeros => "llvm.trunc",
        };
        if self.facts.rounds {
            self.text.lanewise(name, &[operand])
        } else {
            self.round_by_hand(name, operand)
        }
    }

    /// Values of 2^23 (2^52) and more are integral already; NaN fails the comparison and stays.
    fn round_by_hand(&mut self, name: &str, operand: &Val) -> Val {
        let ty = operand.ty;
        let (limit, int) =
            if ty.lane == Lane::Float { (8_388_608.0, 32) } else { (4_503_599_627_370_496.0, 64) };
        let limit = Val::number(ty, limit);
        let zero = Val::number(ty, 0.0);
        let text = &mut self.text;
        let magnitude = text.lanewise("llvm.fabs", &[operand]);
        let has_fraction = text.fcmp("olt", &magnitude, &limit);
        let rounded = if name == "llvm.roundeven" {
            // Adding and taking away 2^23 rounds at the unit, to even.
            let shifted = text.binary("fadd", &magnitude, &limit);
            text.binary("fsub", &shifted, &limit)
        } else {
            let safe = text.select(&has_fraction, operand, &zero);
            let whole = text.cast("fptosi", &safe, ty.with(Lane::Int(int)));
            let truncated = text.cast("sitofp", &whole, ty);
            let one = Val::number(ty, 1.0);
            match name {
                "llvm.floor" => {
                    let above = text.fcmp("ogt", &truncated, &safe);
                    let step = text.select(&above, &one, &zero);
                    text.binary("fsub", &truncated, &step)
                }
                "llvm.ceil" => {
                    let below = text.fcmp("olt", &truncated, &safe);
                    let step = text.select(&below, &one, &zero);
                    text.binary("fadd", &truncated, &step)
                }
                _ => truncated,
            }
        };
        // −0.3 rounds to −0.
        let signed = text.lanewise("llvm.copysign", &[&rounded, operand]);
        text.select(&has_fraction, &signed, operand)
    }
}
