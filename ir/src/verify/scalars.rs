//! Typing of scalar operations, which work lane-wise on vectors too.

use super::walk::Checker;
use crate::module::OpData;
use crate::op::{BinaryOp, Const, UnaryOp};
use crate::types::{Scalar, Type};

/// Which element types an operation takes.
#[derive(Clone, Copy)]
enum Takes {
    Ints,
    Floats,
    Numbers,
    IntsAndBool,
    I64,
}

impl Takes {
    fn includes(self, scalar: Scalar) -> bool {
        match self {
            Takes::Ints => scalar.is_int(),
            Takes::Floats => scalar.is_float(),
            Takes::Numbers => scalar != Scalar::Bool,
            Takes::IntsAndBool => !scalar.is_float(),
            Takes::I64 => scalar == Scalar::I64,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Takes::Ints => "integers",
            Takes::Floats => "floats",
            Takes::Numbers => "numbers",
            Takes::IntsAndBool => "integers and bool",
            Takes::I64 => "i64",
        }
    }
}

fn unary_takes(op: UnaryOp) -> Takes {
    match op {
        UnaryOp::Neg | UnaryOp::Abs => Takes::Numbers,
        UnaryOp::Not => Takes::IntsAndBool,
        UnaryOp::Sqrt | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc | UnaryOp::RoundEven => Takes::Floats,
        UnaryOp::CountOnes | UnaryOp::LeadingZeros | UnaryOp::TrailingZeros => Takes::Ints,
    }
}

fn binary_takes(op: BinaryOp) -> Takes {
    match op {
        BinaryOp::Add
        | BinaryOp::Sub
        | BinaryOp::Mul
        | BinaryOp::Div
        | BinaryOp::Rem
        | BinaryOp::Min
        | BinaryOp::Max => Takes::Numbers,
        BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => Takes::IntsAndBool,
        BinaryOp::Shl | BinaryOp::Shr | BinaryOp::RotateLeft | BinaryOp::MulHi => Takes::Ints,
        BinaryOp::CopySign => Takes::Floats,
        BinaryOp::AddSat | BinaryOp::SubSat | BinaryOp::MulSat => Takes::I64,
    }
}

impl Checker<'_, '_> {
    pub(super) fn constant(&mut self, data: &OpData, constant: Const) {
        if !self.counts(data, Some(0), 0, 1) {
            return;
        }
        self.has_type("result", data.results[0], &Type::Scalar(constant.ty));
        let width = constant.ty.bits();
        if width < 64 && constant.bits >> width != 0 {
            self.report(format!("the bits {:#x} are more than a {} has", constant.bits, constant.ty));
        }
    }

    pub(super) fn unary(&mut self, data: &OpData, op: UnaryOp) {
        self.uniform(data, 1, unary_takes(op));
    }

    pub(super) fn binary(&mut self, data: &OpData, op: BinaryOp) {
        self.uniform(data, 2, binary_takes(op));
    }

    pub(super) fn fma(&mut self, data: &OpData) {
        self.uniform(data, 3, Takes::Numbers);
        let narrow = data.args.first().map(|value| self.ty(*value).element());
        if matches!(narrow, Some(Scalar::F16 | Scalar::Bf16)) {
            self.report("there is no fma of f16 or bf16");
        }
    }

    /// So many operands and the result, all of one type with an element the operation takes.
    fn uniform(&mut self, data: &OpData, n_args: usize, takes: Takes) {
        if !self.counts(data, Some(n_args), 0, 1) {
            return;
        }
        let ty = self.ty(data.args[0]);
        if !self.is_lanes(ty) {
            return;
        }
        if !takes.includes(ty.element()) {
            self.report(format!("takes {}, not {}", takes.words(), ty.element()));
        }
        for value in &data.args[1..] {
            self.has_type("operand", *value, ty);
        }
        self.has_type("result", data.results[0], ty);
    }

    /// Whether a type is a scalar or a vector; reports if not.
    fn is_lanes(&mut self, ty: &Type) -> bool {
        let fits = matches!(ty, Type::Scalar(_) | Type::Vector(..));
        if !fits {
            self.report(format!("takes scalars or vectors, not {}", self.show_type(ty)));
        }
        fits
    }

    pub(super) fn compare(&mut self, data: &OpData) {
        if !self.counts(data, Some(2), 0, 1) {
            return;
        }
        let ty = self.ty(data.args[0]);
        if self.is_lanes(ty) {
            self.has_type("operand", data.args[1], ty);
            self.has_type("result", data.results[0], &with_element(ty, Scalar::Bool));
        }
    }

    pub(super) fn select(&mut self, data: &OpData) {
        if !self.counts(data, Some(3), 0, 1) {
            return;
        }
        let ty = self.ty(data.args[1]);
        if !self.is_lanes(ty) {
            return;
        }
        if *self.ty(data.args[0]) != Type::BOOL {
            self.has_type("condition", data.args[0], &with_element(ty, Scalar::Bool));
        }
        self.has_type("operand", data.args[2], ty);
        self.has_type("result", data.results[0], ty);
    }

    pub(super) fn convert(&mut self, data: &OpData, to: Scalar) {
        if !self.counts(data, Some(1), 0, 1) {
            return;
        }
        let ty = self.ty(data.args[0]);
        if self.is_lanes(ty) {
            self.has_type("result", data.results[0], &with_element(ty, to));
        }
    }

    pub(super) fn bitcast(&mut self, data: &OpData, to: Scalar) {
        self.convert(data, to);
        if let Some(value) = data.args.first() {
            let from = self.ty(*value).element();
            if from.bits() != to.bits() {
                self.report(format!("{from} and {to} have different widths"));
            }
        }
    }
}

/// A scalar or vector type with another element.
fn with_element(ty: &Type, elem: Scalar) -> Type {
    match ty {
        Type::Vector(_, lanes) => Type::Vector(elem, *lanes),
        Type::Scalar(_) | Type::Array(..) | Type::Buffer(_) => Type::Scalar(elem),
    }
}
