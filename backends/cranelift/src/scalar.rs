//! Scalar operations: how scalars lie in Cranelift's registers, and the choice of the family (integer,
//! float, half-width float) that emits an operation. Vectors run through here piece by piece.

use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type as ClifType, types};
use cranelift_frontend::FunctionBuilder;
use we3_backend_api::Unsupported;
use we3_ir::{BinaryOp, CompareOp, Const, OpData, Opcode, Scalar, UnaryOp};

use crate::bug;
use crate::emit::{Clif, Emitter};

/// How a family treats a scalar type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// `bool` and the integers.
    Integer,
    /// `f16`, `bf16`: bits in an integer register.
    Half,
    /// `f32`, `f64`.
    Float,
}

/// The family of a type.
pub fn family(elem: Scalar) -> Family {
    match elem {
        Scalar::Bool
        | Scalar::I8
        | Scalar::I16
        | Scalar::I32
        | Scalar::I64
        | Scalar::U8
        | Scalar::U16
        | Scalar::U32
        | Scalar::U64 => Family::Integer,
        Scalar::F16 | Scalar::Bf16 => Family::Half,
        Scalar::F32 | Scalar::F64 => Family::Float,
    }
}

/// The register type of a scalar.
pub fn clif_type(elem: Scalar) -> ClifType {
    match elem {
        Scalar::Bool | Scalar::I8 | Scalar::U8 => types::I8,
        Scalar::I16 | Scalar::U16 | Scalar::F16 | Scalar::Bf16 => types::I16,
        Scalar::I32 | Scalar::U32 => types::I32,
        Scalar::I64 | Scalar::U64 => types::I64,
        Scalar::F32 => types::F32,
        Scalar::F64 => types::F64,
    }
}

/// A constant in a register.
pub fn constant(builder: &mut FunctionBuilder<'_>, constant: Const) -> Clif {
    match constant.ty {
        Scalar::F32 => builder.ins().f32const(Ieee32::with_bits(constant.bits as u32)),
        Scalar::F64 => builder.ins().f64const(Ieee64::with_bits(constant.bits)),
        Scalar::Bool
        | Scalar::I8
        | Scalar::I16
        | Scalar::I32
        | Scalar::I64
        | Scalar::U8
        | Scalar::U16
        | Scalar::U32
        | Scalar::U64
        | Scalar::F16
        | Scalar::Bf16 => integer_constant(builder, clif_type(constant.ty), constant.bits),
    }
}

/// An integer constant from its low bits; Cranelift wants the others to be zero.
pub fn integer_constant(builder: &mut FunctionBuilder<'_>, ty: ClifType, bits: u64) -> Clif {
    let kept = if ty.bits() >= 64 { bits } else { bits & ((1 << ty.bits()) - 1) };
    builder.ins().iconst(ty, kept.cast_signed())
}

/// The same number, zero-extended or cut to another integer type.
pub fn resize_unsigned(builder: &mut FunctionBuilder<'_>, value: Clif, to: ClifType) -> Clif {
    let from = builder.func.dfg.value_type(value);
    match from.bits().cmp(&to.bits()) {
        std::cmp::Ordering::Less => builder.ins().uextend(to, value),
        std::cmp::Ordering::Equal => value,
        std::cmp::Ordering::Greater => builder.ins().ireduce(to, value),
    }
}

/// The same number, sign-extended or cut to another integer type.
pub fn resize_signed(builder: &mut FunctionBuilder<'_>, value: Clif, to: ClifType) -> Clif {
    let from = builder.func.dfg.value_type(value);
    match from.bits().cmp(&to.bits()) {
        std::cmp::Ordering::Less => builder.ins().sextend(to, value),
        std::cmp::Ordering::Equal => value,
        std::cmp::Ordering::Greater => builder.ins().ireduce(to, value),
    }
}

impl Emitter<'_, '_> {
    /// Emits a scalar operation on scalars or, piece by piece, on vectors.
    pub fn emit_lanewise(&mut self, data: &OpData) -> Result<(), Unsupported> {
        let mut columns = Vec::new();
        for (position, _) in data.args.iter().enumerate() {
            columns.push(self.operand(data, position)?);
        }
        if !self.takes_pieces(data) {
            return self.emit_by_lanes(data, columns);
        }
        let pieces = self.emit_rows(data, &columns)?;
        self.set(data.results[0], &pieces);
        Ok(())
    }

    /// The operation on the first of each column, on the second, and so on.
    pub fn emit_rows(&mut self, data: &OpData, columns: &[Vec<Clif>]) -> Result<Vec<Clif>, Unsupported> {
        let count = columns.iter().map(Vec::len).max().unwrap_or(0);
        let mut results = Vec::with_capacity(count);
        for lane in 0..count {
            // A scalar condition of a vector `select` stands for every piece.
            let row: Option<Vec<Clif>> =
                columns.iter().map(|column| column.get(lane).or(column.first()).copied()).collect();
            let row = row.ok_or_else(|| bug("an operand without pieces"))?;
            results.push(self.scalar_op(data, &row)?);
        }
        Ok(results)
    }

    /// The pieces of an operand, canonical where this operation can see a payload.
    fn operand(&mut self, data: &OpData, position: usize) -> Result<Vec<Clif>, Unsupported> {
        let value = data.args[position];
        let elem = self.func.ty(value).element();
        let is_move = matches!(data.opcode, Opcode::Convert(to) if to == elem)
            || (matches!(data.opcode, Opcode::Select) && position > 0);
        if is_move {
            return self.moved_into(value, data.results[0]);
        }
        // `copysign` sees the sign, which is part of a NaN's payload.
        let copies_sign = matches!(data.opcode, Opcode::Binary(BinaryOp::CopySign)) && position == 1;
        if copies_sign || matches!(data.opcode, Opcode::Bitcast(_)) {
            return self.observed(value);
        }
        self.pieces(value)
    }

    fn scalar_op(&mut self, data: &OpData, args: &[Clif]) -> Result<Clif, Unsupported> {
        let elem = self.func.ty(data.args[0]).element();
        match (&data.opcode, args) {
            (Opcode::Unary(op), [x]) => self.unary(*op, elem, *x),
            (Opcode::Binary(op), [x, y]) => {
                let divisor = self.func.as_const(data.args[1]);
                self.binary(*op, elem, *x, *y, divisor)
            }
            (Opcode::Compare(op), [x, y]) => self.compare(*op, elem, *x, *y),
            (Opcode::Select, [condition, x, y]) => Ok(self.select(*condition, *x, *y)),
            (Opcode::Fma, [a, b, c]) => self.fma(elem, *a, *b, *c),
            (Opcode::Convert(to), [x]) => self.convert(elem, *to, *x),
            (Opcode::Bitcast(to), [x]) => Ok(self.bitcast(*to, *x)),
            (opcode, _) => Err(bug(format!("{opcode:?} with {} operands", args.len()))),
        }
    }

    fn unary(&mut self, op: UnaryOp, elem: Scalar, x: Clif) -> Result<Clif, Unsupported> {
        match family(elem) {
            Family::Integer => self.integer_unary(op, elem, x),
            Family::Half => self.half_unary(op, elem, x),
            Family::Float => self.float_unary(op, x),
        }
    }

    fn binary(
        &mut self,
        op: BinaryOp,
        elem: Scalar,
        x: Clif,
        y: Clif,
        right: Option<Const>,
    ) -> Result<Clif, Unsupported> {
        match family(elem) {
            Family::Integer => self.integer_binary(op, elem, x, y, right),
            Family::Half => self.half_binary(op, elem, x, y),
            Family::Float => self.float_binary(op, elem, x, y),
        }
    }

    /// A comparison: 0 or 1 in a byte.
    fn compare(&mut self, op: CompareOp, elem: Scalar, x: Clif, y: Clif) -> Result<Clif, Unsupported> {
        match family(elem) {
            Family::Integer => Ok(self.integer_compare(op, elem, x, y)),
            Family::Half => {
                let [x, y] = [self.widen_half(elem, x), self.widen_half(elem, y)];
                Ok(self.float_compare(op, x, y))
            }
            Family::Float => Ok(self.float_compare(op, x, y)),
        }
    }

    fn fma(&mut self, elem: Scalar, a: Clif, b: Clif, c: Clif) -> Result<Clif, Unsupported> {
        match family(elem) {
            Family::Integer => {
                let product = self.builder.ins().imul(a, b);
                Ok(self.builder.ins().iadd(product, c))
            }
            Family::Half => Err(bug("fma of a half-width type (it has no single rounding)")),
            Family::Float => self.float_fma(elem, a, b, c),
        }
    }

    /// The same bits under another type of the same width.
    pub fn bitcast(&mut self, to: Scalar, x: Clif) -> Clif {
        let from = self.builder.func.dfg.value_type(x);
        let to = clif_type(to);
        if from.is_vector() {
            return self.cast_register(to.by(from.lane_count()).unwrap_or(from), x);
        }
        if from == to {
            return x;
        }
        self.builder.ins().bitcast(to, MemFlagsData::new(), x)
    }
}
