//! `f32` and `f64`, also as 128-bit vectors: arithmetic, sign operations, comparisons and the select
//! that makes a NaN canonical. Results may hold any NaN payload (`nan` says where that ends).

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type as ClifType, types};
use we3_backend_api::Unsupported;
use we3_ir::{BinaryOp, CompareOp, Scalar, UnaryOp};

use crate::bug;
use crate::emit::{Clif, Emitter};
use crate::soft::Routine;

impl Emitter<'_, '_> {
    /// A float constant in the shape of `ty` (scalar or vector), from an exactly representable number.
    pub fn float_like(&mut self, ty: ClifType, number: f64) -> Clif {
        let lane = match ty.lane_type() {
            // Callers pass numbers that `f32` holds exactly.
            types::F32 => self.builder.ins().f32const(Ieee32::with_float(number as f32)),
            _ => self.builder.ins().f64const(Ieee64::with_float(number)),
        };
        self.splat_like(ty, lane)
    }

    /// A scalar in every lane of `ty`, or itself when that is no vector.
    pub fn splat_like(&mut self, ty: ClifType, lane: Clif) -> Clif {
        if ty.is_vector() { self.builder.ins().splat(ty, lane) } else { lane }
    }

    /// Replaces every NaN by the canonical one.
    pub fn canonical(&mut self, x: Clif) -> Clif {
        let ty = self.builder.func.dfg.value_type(x);
        let lane = match ty.lane_type() {
            types::F32 => self.builder.ins().f32const(Ieee32::with_bits(0x7fc0_0000)),
            types::F64 => self.builder.ins().f64const(Ieee64::with_bits(0x7ff8_0000_0000_0000)),
            // Half-width floats are canonical when they are made.
            _ => return x,
        };
        if !ty.is_vector() {
            let is_nan = self.builder.ins().fcmp(FloatCC::Unordered, x, x);
            return self.builder.ins().select(is_nan, lane, x);
        }
        let nan = self.builder.ins().splat(ty, lane);
        let is_nan = self.builder.ins().fcmp(FloatCC::Unordered, x, x);
        let mask = self.builder.ins().bitcast(ty, vector_bits(), is_nan);
        self.builder.ins().bitselect(mask, nan, x)
    }

    /// A unary operation.
    pub fn float_unary(&mut self, op: UnaryOp, x: Clif) -> Result<Clif, Unsupported> {
        Ok(match op {
            UnaryOp::Neg => self.builder.ins().fneg(x),
            UnaryOp::Abs => self.builder.ins().fabs(x),
            UnaryOp::Sqrt => self.builder.ins().sqrt(x),
            UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc | UnaryOp::RoundEven => self.round(op, x),
            UnaryOp::Not | UnaryOp::CountOnes | UnaryOp::LeadingZeros | UnaryOp::TrailingZeros => {
                return Err(bug("a bit operation on a float"));
            }
        })
    }

    /// A binary operation.
    pub fn float_binary(
        &mut self,
        op: BinaryOp,
        elem: Scalar,
        x: Clif,
        y: Clif,
    ) -> Result<Clif, Unsupported> {
        Ok(match op {
            BinaryOp::Add => self.builder.ins().fadd(x, y),
            BinaryOp::Sub => self.builder.ins().fsub(x, y),
            BinaryOp::Mul => self.builder.ins().fmul(x, y),
            BinaryOp::Div => self.builder.ins().fdiv(x, y),
            BinaryOp::Rem => {
                let routine = if elem == Scalar::F64 { Routine::FmodF64 } else { Routine::FmodF32 };
                self.call_routine(routine, &[x, y])?
            }
            // IEEE 754-2019 minimum and maximum: a NaN wins, −0 is below +0.
            BinaryOp::Min => self.builder.ins().fmin(x, y),
            BinaryOp::Max => self.builder.ins().fmax(x, y),
            BinaryOp::CopySign => self.builder.ins().fcopysign(x, y),
            BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::Shr
            | BinaryOp::RotateLeft
            | BinaryOp::MulHi
            | BinaryOp::AddSat
            | BinaryOp::SubSat
            | BinaryOp::MulSat => return Err(bug("a bit operation on a float")),
        })
    }

    /// A comparison, ordered except `!=`.
    pub fn float_compare(&mut self, op: CompareOp, x: Clif, y: Clif) -> Clif {
        let condition = match op {
            CompareOp::Eq => FloatCC::Equal,
            CompareOp::Ne => FloatCC::NotEqual,
            CompareOp::Lt => FloatCC::LessThan,
            CompareOp::Le => FloatCC::LessThanOrEqual,
            CompareOp::Gt => FloatCC::GreaterThan,
            CompareOp::Ge => FloatCC::GreaterThanOrEqual,
        };
        self.builder.ins().fcmp(condition, x, y)
    }

    /// `a · b + c`, rounded once.
    pub fn float_fma(&mut self, elem: Scalar, a: Clif, b: Clif, c: Clif) -> Result<Clif, Unsupported> {
        if self.machine.fma {
            return Ok(self.builder.ins().fma(a, b, c));
        }
        let routine = if elem == Scalar::F64 { Routine::FmaF64 } else { Routine::FmaF32 };
        self.call_routine(routine, &[a, b, c])
    }
}

/// Flags of a bitcast between vectors: lanes as in memory.
pub fn vector_bits() -> MemFlagsData {
    MemFlagsData::new().with_endianness(cranelift_codegen::ir::Endianness::Little)
}
