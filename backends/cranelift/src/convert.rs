//! `convert`: between integers, between floats, and from one to the other (floats saturate, NaN gives 0).

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, types};
use we3_backend_api::Unsupported;
use we3_ir::Scalar;

use crate::emit::{Clif, Emitter};
use crate::scalar::{Family, clif_type, family, integer_constant, resize_signed, resize_unsigned};

impl Emitter<'_, '_> {
    /// The conversion `as`; to the same type it is a move.
    pub fn convert(&mut self, from: Scalar, to: Scalar, x: Clif) -> Result<Clif, Unsupported> {
        if from == to {
            return Ok(x);
        }
        Ok(match (family(from), family(to)) {
            (Family::Integer, Family::Integer) => self.integer_to_integer(from, to, x),
            (Family::Integer, Family::Float) => self.integer_to_float(from, to, x),
            // Through f32, by definition.
            (Family::Integer, Family::Half) => {
                let single = self.integer_to_float(from, Scalar::F32, x);
                self.narrow_to_half(to, single)
            }
            (Family::Float, Family::Integer) => self.float_to_integer(to, x),
            (Family::Half, Family::Integer) => {
                let wide = self.widen_half(from, x);
                self.float_to_integer(to, wide)
            }
            (Family::Float, Family::Float) => self.float_to_float(to, x),
            (Family::Half, Family::Float) => {
                let wide = self.widen_half(from, x);
                self.float_to_float(to, wide)
            }
            (Family::Float, Family::Half) if from == Scalar::F64 => self.narrow_f64_to_half(to, x),
            (Family::Float, Family::Half) => self.narrow_to_half(to, x),
            (Family::Half, Family::Half) => {
                let wide = self.widen_half(from, x);
                self.narrow_to_half(to, wide)
            }
        })
    }

    fn integer_to_integer(&mut self, from: Scalar, to: Scalar, x: Clif) -> Clif {
        if to == Scalar::Bool {
            let zero = integer_constant(&mut self.builder, clif_type(from), 0);
            return self.builder.ins().icmp(IntCC::NotEqual, x, zero);
        }
        if from.is_signed_int() {
            resize_signed(&mut self.builder, x, clif_type(to))
        } else {
            resize_unsigned(&mut self.builder, x, clif_type(to))
        }
    }

    fn integer_to_float(&mut self, from: Scalar, to: Scalar, x: Clif) -> Clif {
        let to = clif_type(to);
        let ty = self.builder.func.dfg.value_type(x);
        if ty.is_vector() {
            // Lanes of one width: `i32` to `f32`.
            return self.builder.ins().fcvt_from_sint(to.by(ty.lane_count()).unwrap_or(to), x);
        }
        if from == Scalar::U64 {
            return self.builder.ins().fcvt_from_uint(to, x);
        }
        // Every other type fits in i64 exactly.
        let wide = if from.is_signed_int() {
            resize_signed(&mut self.builder, x, types::I64)
        } else {
            resize_unsigned(&mut self.builder, x, types::I64)
        };
        self.builder.ins().fcvt_from_sint(to, wide)
    }

    fn float_to_integer(&mut self, to: Scalar, x: Clif) -> Clif {
        if to == Scalar::Bool {
            let ty = self.builder.func.dfg.value_type(x);
            let zero = self.float_like(ty, 0.0);
            return self.builder.ins().fcmp(FloatCC::NotEqual, x, zero);
        }
        if to == Scalar::U64 {
            return self.builder.ins().fcvt_to_uint_sat(types::I64, x);
        }
        let wide = self.builder.ins().fcvt_to_sint_sat(types::I64, x);
        self.clamp_to(to, wide)
    }

    /// An `i64` clamped to the range of a narrower type.
    fn clamp_to(&mut self, to: Scalar, wide: Clif) -> Clif {
        let ty = clif_type(to);
        if ty == types::I64 {
            return wide;
        }
        let (low, high) = if to.is_signed_int() {
            (-(1_i64 << (to.bits() - 1)), (1_i64 << (to.bits() - 1)) - 1)
        } else {
            (0, (1_i64 << to.bits()) - 1)
        };
        let low = self.builder.ins().iconst(types::I64, low);
        let high = self.builder.ins().iconst(types::I64, high);
        let raised = self.builder.ins().smax(wide, low);
        let clamped = self.builder.ins().smin(raised, high);
        self.builder.ins().ireduce(ty, clamped)
    }

    fn float_to_float(&mut self, to: Scalar, x: Clif) -> Clif {
        let to = clif_type(to);
        match (self.builder.func.dfg.value_type(x), to) {
            (types::F32, types::F64) => self.builder.ins().fpromote(to, x),
            (types::F64, types::F32) => self.builder.ins().fdemote(to, x),
            _ => x,
        }
    }
}
