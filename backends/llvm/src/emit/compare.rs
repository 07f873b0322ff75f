//! Comparisons and `select`.

use we3_backend_api::Unsupported;
use we3_ir::{CompareOp, Op};

use super::Emitter;
use crate::text::Val;

impl Emitter<'_, '_> {
    pub(super) fn emit_compare(&mut self, op: Op, compare: CompareOp) -> Result<(), Unsupported> {
        let args = &self.func.ops[op].args;
        let elem = self.element(args[0]);
        let (left, right) = (self.get(args[0])?, self.get(args[1])?);
        let val = if elem.is_float() {
            let (left, right) = (self.widen_to_f32(elem, &left), self.widen_to_f32(elem, &right));
            self.text.fcmp(float_predicate(compare), &left, &right)
        } else {
            self.text.icmp(int_predicate(compare, elem.is_signed_int()), &left, &right)
        };
        self.define_result(op, val);
        Ok(())
    }

    pub(super) fn emit_select(&mut self, op: Op) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let result = data.results[0];
        let condition = self.get(data.args[0])?;
        let if_true = self.moved_into(data.args[1], result)?;
        let if_false = self.moved_into(data.args[2], result)?;
        let val: Val = self.text.select(&condition, &if_true, &if_false);
        self.define(result, val);
        Ok(())
    }
}

fn float_predicate(compare: CompareOp) -> &'static str {
    match compare {
        CompareOp::Eq => "oeq",
        CompareOp::Ne => "une",
        CompareOp::Lt => "olt",
        CompareOp::Le => "ole",
        CompareOp::Gt => "ogt",
        CompareOp::Ge => "oge",
    }
}

fn int_predicate(compare: CompareOp, signed: bool) -> &'static str {
    match (compare, signed) {
        (CompareOp::Eq, _) => "eq",
        (CompareOp::Ne, _) => "ne",
        (CompareOp::Lt, true) => "slt",
        (CompareOp::Le, true) => "sle",
        (CompareOp::Gt, true) => "sgt",
        (CompareOp::Ge, true) => "sge",
        (CompareOp::Lt, false) => "ult",
        (CompareOp::Le, false) => "ule",
        (CompareOp::Gt, false) => "ugt",
        (CompareOp::Ge, false) => "uge",
    }
}
