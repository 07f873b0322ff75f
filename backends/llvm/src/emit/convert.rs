//! `convert` (the source's `as`) and `bitcast`.

use we3_backend_api::Unsupported;
use we3_ir::{Op, Scalar};

use super::Emitter;
use crate::text::{Lane, Ty, Val};

impl Emitter<'_, '_> {
    pub(super) fn emit_convert(&mut self, op: Op, to: Scalar) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let arg = data.args[0];
        let from = self.element(arg);
        let val = if from == to {
            self.moved_into(arg, data.results[0])?
        } else {
            let operand = self.get(arg)?;
            self.convert(from, to, &operand)
        };
        self.define_result(op, val);
        Ok(())
    }

    pub(super) fn emit_bitcast(&mut self, op: Op) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let ty = self.ty(data.results[0]);
        let operand = self.exact(data.args[0])?;
        let val = self.text.cast("bitcast", &operand, ty);
        self.define_result(op, val);
        Ok(())
    }

    fn convert(&mut self, from: Scalar, to: Scalar, operand: &Val) -> Val {
        let ty = Ty { lanes: operand.ty.lanes, ..Ty::of(&to.into()) };
        match (from.is_float(), to.is_float()) {
            (false, false) => self.int_to_int(from, to, operand, ty),
            (false, true) => self.int_to_float(from, to, operand, ty),
            (true, false) => self.float_to_int(from, to, operand, ty),
            (true, true) => self.float_to_float(from, to, operand, ty),
        }
    }

    fn int_to_int(&mut self, from: Scalar, to: Scalar, operand: &Val, ty: Ty) -> Val {
        if to == Scalar::Bool && from != Scalar::Bool {
            return self.text.icmp_const("ne", operand, 0);
        }
        let name = match (operand.ty.bits() < ty.bits(), from.is_signed_int()) {
            (true, true) => "sext",
            (true, false) => "zext",
            (false, _) => "trunc",
        };
        self.text.cast(name, operand, ty)
    }

    /// To the 16-bit types through `f32`, by definition.
    fn int_to_float(&mut self, from: Scalar, to: Scalar, operand: &Val, ty: Ty) -> Val {
        let wide = if to == Scalar::F64 { ty } else { ty.with(Lane::Float) };
        let name = if from.is_signed_int() { "sitofp" } else { "uitofp" };
        let result = self.text.cast(name, operand, wide);
        self.narrow_from_f32(to, &result)
    }

    /// Truncates and saturates; NaN gives 0.
    fn float_to_int(&mut self, from: Scalar, to: Scalar, operand: &Val, ty: Ty) -> Val {
        let wide = self.widen_to_f32(from, operand);
        if to == Scalar::Bool {
            let zero = Val::number(wide.ty, 0.0);
            return self.text.fcmp("une", &wide, &zero);
        }
        let name = if to.is_signed_int() { "llvm.fptosi.sat" } else { "llvm.fptoui.sat" };
        self.text.intrinsic(name, &[ty, wide.ty], ty, &[&wide])
    }

    fn float_to_float(&mut self, from: Scalar, to: Scalar, operand: &Val, ty: Ty) -> Val {
        match (from, to) {
            (Scalar::F64, Scalar::F16 | Scalar::Bf16) => {
                let odd = self.round_to_odd(operand);
                self.narrow_from_f32(to, &odd)
            }
            (Scalar::F64, _) if to == Scalar::F32 => self.text.cast("fptrunc", operand, ty),
            (Scalar::F64, _) => operand.clone(),
            (_, _) => {
                let wide = self.widen_to_f32(from, operand);
                if to == Scalar::F64 {
                    self.text.cast("fpext", &wide, ty)
                } else {
                    self.narrow_from_f32(to, &wide)
                }
            }
        }
    }
}
