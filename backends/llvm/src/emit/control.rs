//! `if`, `while`, `for` and the end of the function.

use we3_backend_api::{STATUS_OK, Unsupported};
use we3_ir::{ForKind, Op, Value};

use super::{Emitter, Flow, unsupported};
use crate::text::{Label, Lane, PhiId, Ty, Val};

impl Emitter<'_, '_> {
    pub(super) fn emit_if(&mut self, op: Op) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let condition = self.get(data.args[0])?;
        let arms = [self.text.make_block(), self.text.make_block()];
        let join = self.text.make_block();
        self.text.branch(&condition, arms[0], arms[1]);
        let phis = self.phis(join, &data.results);
        let mut reached = false;
        for (arm, region) in arms.into_iter().zip(&data.regions) {
            self.text.start(arm);
            if self.block(*region)? == Flow::Falls {
                self.pass(self.func.yields(*region), &data.results, &phis)?;
                self.text.jump(join);
                reached = true;
            }
        }
        self.text.start(join);
        if !reached {
            // What follows is dead; phis without incoming edges would not be valid.
            self.text.drop_phis(join);
            for result in &data.results {
                self.define(*result, Val::poison(self.ty(*result)));
            }
        }
        Ok(())
    }

    pub(super) fn emit_while(&mut self, op: Op) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let (cond, body) = (data.regions[0], data.regions[1]);
        let [head, inside, exit] = [self.text.make_block(), self.text.make_block(), self.text.make_block()];
        let params = &self.func.blocks[cond].params;
        let phis = self.phis(head, params);
        self.pass(&data.args, params, &phis)?;
        self.text.jump(head);
        self.text.start(head);
        self.same_values(params, &self.func.blocks[body].params)?;
        self.same_values(params, &data.results)?;
        if self.block(cond)? == Flow::Falls {
            let condition = self.get(self.func.yields(cond)[0])?;
            self.text.branch(&condition, inside, exit);
        }
        self.text.start(inside);
        if self.block(body)? == Flow::Falls {
            self.pass(self.func.yields(body), params, &phis)?;
            self.text.jump(head);
        }
        self.text.start(exit);
        Ok(())
    }

    /// The payload analysis treats these as one value, so no canonicalisation is needed.
    fn same_values(&mut self, from: &[Value], to: &[Value]) -> Result<(), Unsupported> {
        for (from, to) in from.iter().zip(to) {
            let val = self.get(*from)?;
            self.define(*to, val);
        }
        Ok(())
    }

    pub(super) fn emit_for(&mut self, op: Op, kind: ForKind) -> Result<(), Unsupported> {
        if self.outlines.contains_key(&op) {
            return self.emit_outlined_loop(op);
        }
        let data = &self.func.ops[op];
        let (lo, hi) = (self.get(data.args[0])?, self.get(data.args[1])?);
        let step = self.step_constant(data.args[2]);
        let node = (kind != ForKind::Serial && !self.facts.gpu).then(|| self.open_parallel());
        let any = self.text.icmp("slt", &lo, &hi);
        if kind == ForKind::Grid && self.facts.gpu {
            return self.grid_loop(op, &lo, &hi);
        }
        let shape = if step == Some(1) {
            Counting { start: lo.clone(), end: hi, first: lo, step: None }
        } else {
            self.count_iterations(&lo, &hi, data.args[2], &any)?
        };
        self.counted_loop(op, &any, shape, node)?;
        if node.is_some() {
            self.close_parallel();
        }
        Ok(())
    }

    /// One thread of the grid takes every so-manieth iteration, so that any number of threads is right.
    fn grid_loop(&mut self, op: Op, lo: &Val, hi: &Val) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        if self.step_constant(data.args[2]) != Some(1) {
            return Err(unsupported("`for.grid` with a step other than 1"));
        }
        let body = data.regions[0];
        let [threads, thread] = self.grid_position();
        let [head, inside, exit] = [self.text.make_block(), self.text.make_block(), self.text.make_block()];
        let first = self.text.binary("add", lo, &thread);
        let (index, phi) = self.text.phi(head, Ty::I64);
        self.text.incoming(phi, &first);
        self.text.jump(head);
        self.text.start(head);
        let there = self.text.icmp("slt", &index, hi);
        self.text.branch(&there, inside, exit);
        self.text.start(inside);
        self.define(self.func.blocks[body].params[0], index.clone());
        if self.block(body)? == Flow::Falls {
            let next = self.text.binary("add", &index, &threads);
            self.text.incoming(phi, &next);
            self.text.jump(head);
        }
        self.text.start(exit);
        Ok(())
    }

    /// The number of threads in the (one-dimensional) grid, and the number of this one.
    fn grid_position(&mut self) -> [Val; 2] {
        let [block_size, block, blocks, thread] = ["ntid", "ctaid", "nctaid", "tid"].map(|name| {
            let name = format!("llvm.nvvm.read.ptx.sreg.{name}.x");
            let narrow = self.text.intrinsic(&name, &[], Ty::I32, &[]);
            self.text.cast("zext", &narrow, narrow.ty.with(Lane::Int(64)))
        });
        let threads = self.text.binary("mul nuw nsw", &blocks, &block_size);
        let before = self.text.binary("mul nuw nsw", &block, &block_size);
        [threads, self.text.binary("add nuw nsw", &before, &thread)]
    }

    pub(super) fn step_constant(&self, step: Value) -> Option<i64> {
        self.func.as_const(step).map(|constant| constant.bits as i64)
    }

    /// `ceil((hi − lo) / step)` iterations; the subtraction is right as unsigned when `lo < hi`.
    pub(super) fn count_iterations(
        &mut self,
        lo: &Val,
        hi: &Val,
        step: Value,
        any: &Val,
    ) -> Result<Counting, Unsupported> {
        let step = self.get(step)?;
        let text = &mut self.text;
        let step = text.lanewise("llvm.smax", &[&step, &Val::int(Ty::I64, 1)]);
        let span = text.binary("sub", hi, lo);
        let last = text.binary_const("sub", &span, 1);
        let full = text.binary("udiv", &last, &step);
        let count = text.binary_const("add", &full, 1);
        let count = text.select(any, &count, &Val::int(Ty::I64, 0));
        Ok(Counting { start: Val::int(Ty::I64, 0), end: count, first: lo.clone(), step: Some(step) })
    }

    pub(super) fn counted_loop(
        &mut self,
        op: Op,
        any: &Val,
        shape: Counting,
        node: Option<usize>,
    ) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let body = data.regions[0];
        let params = &self.func.blocks[body].params;
        let [head, exit] = [self.text.make_block(), self.text.make_block()];
        let carried = &data.args[3..];
        let exit_phis = self.phis(exit, &data.results);
        let head_phis = self.phis(head, &params[1..]);
        self.pass(carried, &data.results, &exit_phis)?;
        self.pass(carried, &params[1..], &head_phis)?;
        let (counter, counter_phi) = self.text.phi(head, Ty::I64);
        self.text.incoming(counter_phi, &shape.start);
        self.text.branch(any, head, exit);
        self.text.start(head);
        let index = self.loop_index(&counter, &shape);
        self.define(params[0], index);
        if self.block(body)? == Flow::Falls {
            let yields = self.func.yields(body);
            self.pass(yields, &params[1..], &head_phis)?;
            self.pass(yields, &data.results, &exit_phis)?;
            self.loop_back(&counter, counter_phi, &shape, head, exit, node);
        }
        self.text.start(exit);
        Ok(())
    }

    fn loop_index(&mut self, counter: &Val, shape: &Counting) -> Val {
        match &shape.step {
            None => counter.clone(),
            Some(step) => {
                let distance = self.text.binary("mul", counter, step);
                self.text.binary("add", &shape.first, &distance)
            }
        }
    }

    /// `counter < end` holds here, so the increment does not wrap.
    fn loop_back(
        &mut self,
        counter: &Val,
        phi: PhiId,
        shape: &Counting,
        head: Label,
        exit: Label,
        node: Option<usize>,
    ) {
        let no_wrap = if shape.step.is_some() { "add nuw" } else { "add nsw" };
        let next = self.text.binary_const(no_wrap, counter, 1);
        let again = self.text.icmp(if shape.step.is_some() { "ult" } else { "slt" }, &next, &shape.end);
        self.text.incoming(phi, &next);
        self.text.branch_back(&again, head, exit, node);
    }

    /// Claims that iterations of the loop do not depend on each other through memory.
    pub(super) fn open_parallel(&mut self) -> usize {
        let group = self.text.module.metadata("distinct !{}");
        self.access_groups.push(group);
        self.access = self.access_suffix();
        let accesses = self.text.module.metadata(&format!("!{{!\"llvm.loop.parallel_accesses\", !{group}}}"));
        self.text.module.metadata(&format!("distinct !{{SELF, !{accesses}}}"))
    }

    pub(super) fn close_parallel(&mut self) {
        self.access_groups.pop();
        self.access = self.access_suffix();
    }

    fn access_suffix(&mut self) -> String {
        match self.access_groups.as_slice() {
            [] => String::new(),
            [group] => format!(", !llvm.access.group !{group}"),
            groups => {
                let list: Vec<String> = groups.iter().map(|group| format!("!{group}")).collect();
                let node = self.text.module.metadata(&format!("!{{{}}}", list.join(", ")));
                format!(", !llvm.access.group !{node}")
            }
        }
    }

    pub(super) fn emit_return(&mut self, op: Op) -> Result<Flow, Unsupported> {
        let args = &self.func.ops[op].args;
        if self.facts.gpu {
            if !args.is_empty() {
                return Err(unsupported("scalar results of a GPU kernel"));
            }
            self.text.line(format_args!("ret void"));
            return Ok(Flow::Ended);
        }
        for (number, arg) in args.iter().enumerate() {
            let val = self.exact(*arg)?;
            let bits = self.text.bits_of(&val);
            let slot = self.text.resize_unsigned(&bits, 64);
            let address = self.text.element(&Val::new(Ty::PTR, "%results"), Ty::I64, &index(number), true);
            self.text.store(&slot, &address, "");
        }
        self.leave_function(STATUS_OK);
        Ok(Flow::Ended)
    }
}

fn index(number: usize) -> Val {
    Val::int(Ty::I64, number as i128)
}

/// How a `for` counts: by its own index, or by iteration number with the index computed from it.
pub(super) struct Counting {
    pub(super) start: Val,
    pub(super) end: Val,
    pub(super) first: Val,
    pub(super) step: Option<Val>,
}
