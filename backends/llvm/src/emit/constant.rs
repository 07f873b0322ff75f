//! Constants.

use we3_ir::{Const, Op};

use super::Emitter;
use crate::text::{Lane, Ty, Val};

impl Emitter<'_, '_> {
    pub(super) fn emit_const(&mut self, op: Op, constant: Const) {
        let ty = Ty::of(&constant.ty.into());
        let val = match ty.lane {
            Lane::Int(_) => Val::int(ty, i128::from(constant.bits)),
            Lane::Float | Lane::Double => Val::float(ty, constant.bits),
            Lane::Half | Lane::Ptr => Val::poison(ty),
        };
        self.define_result(op, val);
    }
}
