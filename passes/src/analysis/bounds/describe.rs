//! Facts from definitions: what an operation says about its result.

use std::collections::BTreeSet;

use we3_ir::{BinaryOp, Func, Opcode, Scalar, Value};

use super::Bounds;
use crate::analysis::forms::Form;

impl Bounds {
    /// Turns what is known from the definitions of the values in a form into facts.
    pub(super) fn describe(&mut self, func: &Func, form: &Form, depth: u32) {
        if depth == 0 {
            return;
        }
        let values: BTreeSet<Value> =
            form.monomials().flat_map(|monomial| monomial.iter().copied()).collect();
        for value in values {
            if self.described.insert(value) {
                self.describing.push(value);
                for inner in self.describe_value(func, value) {
                    self.describe(func, &inner, depth - 1);
                }
            }
        }
    }

    /// Learns from one definition; returns the forms of its operands.
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing is known of other values")]
    fn describe_value(&mut self, func: &Func, value: Value) -> Vec<Form> {
        let own = Form::atom(value);
        if let Some((lo, hi)) = range_of(func.ty(value).element()) {
            self.learn(own.plus(-1, &Form::constant(lo)));
            self.learn(Form::constant(hi).plus(-1, &own));
        }
        let Some(op) = func.def_op(value) else { return Vec::new() };
        let data = &func.ops[op];
        match &data.opcode {
            Opcode::Convert(Scalar::I64) => {
                if let Some((lo, hi)) = range_of(func.ty(data.args[0]).element()) {
                    self.learn(own.plus(-1, &Form::constant(lo)));
                    self.learn(Form::constant(hi).plus(-1, &own));
                    // As an `i64` it is the same number, so what is known of the one holds for the other.
                    let narrow = Form::atom(data.args[0]);
                    self.learn(own.plus(-1, &narrow));
                    self.learn(narrow.plus(-1, &own));
                    return vec![narrow];
                }
                Vec::new()
            }
            Opcode::Select => data.args[1..].iter().map(|arg| self.exact(func, *arg)).collect(),
            Opcode::Binary(kind) => {
                let left = self.exact(func, data.args[0]);
                let right = self.exact(func, data.args[1]);
                self.describe_binary(func, *kind, &own, &left, &right);
                vec![left, right]
            }
            _ => Vec::new(),
        }
    }

    fn describe_binary(&mut self, func: &Func, kind: BinaryOp, own: &Form, left: &Form, right: &Form) {
        let one = Form::constant(1);
        match kind {
            BinaryOp::Min => {
                self.learn(left.plus(-1, own));
                self.learn(right.plus(-1, own));
            }
            BinaryOp::Max => {
                self.learn(own.plus(-1, left));
                self.learn(own.plus(-1, right));
            }
            BinaryOp::Rem => {
                if self.prove(func, &right.plus(-1, &one)) {
                    self.learn(right.plus(-1, own).plus(-1, &one));
                    self.learn(right.plus(1, own).plus(-1, &one));
                }
                if self.prove(func, left) {
                    self.learn(own.clone());
                    self.learn(left.plus(-1, own));
                }
            }
            BinaryOp::Div => {
                if self.prove(func, &right.plus(-1, &one)) && self.prove(func, left) {
                    self.learn(own.clone());
                    self.learn(left.plus(-1, own));
                    self.learn(left.plus(-1, &own.times(right)));
                    self.learn(own.times(right).plus(1, right).plus(-1, left).plus(-1, &one));
                }
            }
            BinaryOp::And => {
                for side in [left, right] {
                    if self.prove(func, side) {
                        self.learn(own.clone());
                        self.learn(side.plus(-1, own));
                    }
                }
            }
            BinaryOp::Shr => {
                let amount = right.as_constant().and_then(|amount| u32::try_from(amount).ok());
                if let Some(amount) = amount.filter(|amount| *amount < 63)
                    && self.prove(func, left)
                {
                    self.learn(own.clone());
                    self.learn(left.plus(-(1 << amount), own));
                }
            }
            BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::RotateLeft
            | BinaryOp::MulHi
            | BinaryOp::CopySign
            | BinaryOp::AddSat
            | BinaryOp::SubSat
            | BinaryOp::MulSat => {}
        }
    }
}

/// The least and the greatest value of a type narrower than `i64`.
pub(super) fn range_of(ty: Scalar) -> Option<(i128, i128)> {
    match ty {
        Scalar::Bool => Some((0, 1)),
        Scalar::I8 | Scalar::I16 | Scalar::I32 => {
            let half = 1i128 << (ty.bits() - 1);
            Some((-half, half - 1))
        }
        Scalar::U8 | Scalar::U16 | Scalar::U32 => Some((0, (1 << ty.bits()) - 1)),
        Scalar::I64 | Scalar::U64 | Scalar::F16 | Scalar::Bf16 | Scalar::F32 | Scalar::F64 => None,
    }
}
