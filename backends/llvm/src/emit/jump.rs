//! Structured jumps: `block`, `forever`, `break`, `continue`, and the early ends of a kernel.

use we3_backend_api::Unsupported;
use we3_ir::{Op, Value};

use super::{Emitter, Exit, Flow, unsupported};
use crate::text::{Label, PhiId, Val};

/// An enclosing `block` or `forever`.
pub struct Target {
    op: Op,
    exit: Label,
    exit_phis: Vec<PhiId>,
    /// The head of a `forever`.
    head: Option<(Label, Vec<PhiId>)>,
}

impl Emitter<'_, '_> {
    pub(super) fn emit_block(&mut self, op: Op) -> Result<(), Unsupported> {
        let target = self.jump_target(op, None);
        self.targets.push(target);
        let body = self.func.ops[op].regions[0];
        if self.block(body)? == Flow::Falls {
            let yields = self.func.yields(body);
            self.leave(0, yields)?;
        }
        self.end_target();
        Ok(())
    }

    pub(super) fn emit_forever(&mut self, op: Op) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let body = data.regions[0];
        let head = self.text.make_block();
        let params = &self.func.blocks[body].params;
        let phis = self.phis(head, params);
        self.pass(&data.args, params, &phis)?;
        self.text.jump(head);
        self.text.start(head);
        let target = self.jump_target(op, Some((head, phis)));
        self.targets.push(target);
        if self.block(body)? == Flow::Falls {
            let yields = self.func.yields(body);
            self.repeat(0, yields)?;
        }
        self.end_target();
        Ok(())
    }

    pub(super) fn emit_break(&mut self, op: Op, levels: u32) -> Result<Flow, Unsupported> {
        let args = &self.func.ops[op].args;
        self.leave(levels, args)?;
        Ok(Flow::Ended)
    }

    pub(super) fn emit_continue(&mut self, op: Op, levels: u32) -> Result<Flow, Unsupported> {
        let args = &self.func.ops[op].args;
        self.repeat(levels, args)?;
        Ok(Flow::Ended)
    }

    pub(super) fn emit_check(&mut self, op: Op) -> Result<(), Unsupported> {
        let condition = self.get(self.func.ops[op].args[0])?;
        self.require(&condition, Exit::CheckFailed);
        Ok(())
    }

    /// Goes on when the condition holds, else ends the kernel.
    pub(super) fn require(&mut self, condition: &Val, exit: Exit) {
        let failed = self.exit_label(exit);
        let passed = self.text.make_block();
        self.text.branch(condition, passed, failed);
        self.text.start(passed);
    }

    fn exit_label(&mut self, exit: Exit) -> Label {
        if let Some((_, label)) = self.exits.iter().find(|(kind, _)| *kind == exit) {
            return *label;
        }
        let label = self.text.make_block();
        self.exits.push((exit, label));
        label
    }

    /// Phis for these values at the head of a block, defined as such.
    pub(super) fn phis(&mut self, block: Label, values: &[Value]) -> Vec<PhiId> {
        let mut phis = Vec::new();
        for value in values {
            let (val, phi) = self.text.phi(block, self.ty(*value));
            self.define(*value, val);
            phis.push(phi);
        }
        phis
    }

    /// Passes values into phis that stand for `into`, from the current block.
    pub(super) fn pass(
        &mut self,
        values: &[Value],
        into: &[Value],
        phis: &[PhiId],
    ) -> Result<(), Unsupported> {
        for ((value, into), phi) in values.iter().zip(into).zip(phis) {
            let val = self.moved_into(*value, *into)?;
            self.text.incoming(*phi, &val);
        }
        Ok(())
    }

    fn jump_target(&mut self, op: Op, head: Option<(Label, Vec<PhiId>)>) -> Target {
        let exit = self.text.make_block();
        let results = &self.func.ops[op].results;
        let exit_phis = self.phis(exit, results);
        Target { op, exit, exit_phis, head }
    }

    fn end_target(&mut self) {
        if let Some(target) = self.targets.pop() {
            self.text.start(target.exit);
        }
    }

    fn target(&self, levels: u32) -> Result<&Target, Unsupported> {
        let index = self.targets.len().checked_sub(levels as usize + 1);
        index.and_then(|index| self.targets.get(index)).ok_or_else(|| unsupported("a jump out of nothing"))
    }

    fn leave(&mut self, levels: u32, values: &[Value]) -> Result<(), Unsupported> {
        let target = self.target(levels)?;
        let (op, exit, phis) = (target.op, target.exit, target.exit_phis.clone());
        let results = &self.func.ops[op].results;
        self.pass(values, results, &phis)?;
        self.text.jump(exit);
        Ok(())
    }

    fn repeat(&mut self, levels: u32, values: &[Value]) -> Result<(), Unsupported> {
        let target = self.target(levels)?;
        let op = target.op;
        let Some((head, phis)) = target.head.clone() else {
            return Err(unsupported("`continue` of a block"));
        };
        let params = &self.func.blocks[self.func.ops[op].regions[0]].params;
        self.pass(values, params, &phis)?;
        self.text.jump(head);
        Ok(())
    }
}
