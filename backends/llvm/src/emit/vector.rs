//! Lanes of vectors, and the GPU's barrier.

use we3_backend_api::Unsupported;
use we3_ir::{Op, Scalar, Type};

use super::{Emitter, unsupported};
use crate::text::{Ty, Val};

impl Emitter<'_, '_> {
    pub(super) fn emit_splat(&mut self, op: Op, lanes: u16) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let lane = self.moved_into(data.args[0], data.results[0])?;
        let val = self.text.splat(&lane, lanes);
        self.define_result(op, val);
        Ok(())
    }

    pub(super) fn emit_iota(&mut self, op: Op, elem: Scalar, lanes: u16) {
        let ty = Ty::of(&Type::Vector(elem, lanes));
        let numbers: Vec<String> =
            (0..lanes).map(|lane| Val::int(ty.scalar(), i128::from(lane)).to_string()).collect();
        self.define_result(op, Val::new(ty, format!("<{}>", numbers.join(", "))));
    }

    pub(super) fn emit_extract(&mut self, op: Op, lane: u16) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let vector = self.moved_into(data.args[0], data.results[0])?;
        let val = self.text.inst(vector.ty.scalar(), format_args!("extractelement {vector}, i32 {lane}"));
        self.define_result(op, val);
        Ok(())
    }

    pub(super) fn emit_insert(&mut self, op: Op, lane: u16) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let vector = self.moved_into(data.args[0], data.results[0])?;
        let element = self.moved_into(data.args[1], data.results[0])?;
        let val = self.text.inst(vector.ty, format_args!("insertelement {vector}, {element}, i32 {lane}"));
        self.define_result(op, val);
        Ok(())
    }

    pub(super) fn emit_shuffle(&mut self, op: Op, picks: &[u16]) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let left = self.moved_into(data.args[0], data.results[0])?;
        let right = self.moved_into(data.args[1], data.results[0])?;
        let ty = self.ty(data.results[0]);
        let picks: Vec<String> = picks.iter().map(|pick| format!("i32 {pick}")).collect();
        let mask = format!("<{} x i32> <{}>", picks.len(), picks.join(", "));
        let val = self.text.inst(ty, format_args!("shufflevector {left}, {right}, {mask}"));
        self.define_result(op, val);
        Ok(())
    }

    pub(super) fn emit_barrier(&mut self) -> Result<(), Unsupported> {
        if !self.facts.gpu {
            return Err(unsupported("`barrier` outside a GPU kernel"));
        }
        let name =
            self.text.module.declare("llvm.nvvm.barrier.cta.sync.aligned.all", &[], "void", &[Ty::I32]);
        self.text.line(format_args!("call void @{name}(i32 0)"));
        Ok(())
    }
}
