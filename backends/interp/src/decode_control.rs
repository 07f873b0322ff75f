//! Decoding control flow, checks, calls and jumps.

use we3_ir::{FuncId, Op, OpData, Opcode, Type, Value};

use crate::decode::FuncDecoder;
use crate::program::{
    ArrayUse, CallCode, CheckCode, CountCode, Flow, IfCode, Inst, JumpCode, JumpTargetCode, Moves, Slot,
    WhileCode,
};

impl FuncDecoder<'_, '_> {
    pub(crate) fn if_else(&mut self, data: &OpData) -> Inst {
        let mut arm = |number: usize| {
            let region = data.regions[number];
            let block = self.block(region);
            (block, self.yield_moves(region, &data.results))
        };
        let (then, otherwise) = (arm(0), arm(1));
        Inst::If(Box::new(IfCode { cond: self.slot(data.args[0]), arms: [otherwise, then] }))
    }

    pub(crate) fn while_loop(&mut self, op: Op, data: &OpData) -> Inst {
        let func = self.func;
        let (cond, body) = (data.regions[0], data.regions[1]);
        // The carried values lie in the results all the time.
        self.define_as(&func.blocks[cond].params, &data.results);
        self.define_as(&func.blocks[body].params, &data.results);
        let init = self.moves(op, 0, &self.slots_of(&data.results));
        let cond_block = self.block(cond);
        let holds = self.slot(func.yields(cond)[0]);
        let body_block = self.block(body);
        let next = self.yield_moves(body, &data.results);
        Inst::While(Box::new(WhileCode { init, cond: cond_block, holds, body: body_block, next }))
    }

    pub(crate) fn count(&mut self, op: Op, data: &OpData, unordered: bool) -> Inst {
        let func = self.func;
        let body = data.regions[0];
        let (counter, carried) = match func.blocks[body].params.split_first() {
            Some((counter, carried)) => (*counter, carried),
            // The verifier asks for the parameter.
            None => return Inst::Barrier,
        };
        self.define(counter);
        self.define_as(carried, &data.results);
        let n_bounds = data.args.len() - data.results.len();
        let init = self.moves(op, n_bounds, &self.slots_of(&data.results));
        let (lo_step, hi) = if n_bounds == 3 {
            (Some((self.slot(data.args[0]), self.slot(data.args[2]))), data.args[1])
        } else {
            (None, data.args[0])
        };
        let block = self.block(body);
        let next = self.yield_moves(body, &data.results);
        let (hi, counter) = (self.slot(hi), self.slot(counter));
        Inst::Count(Box::new(CountCode { lo_step, hi, init, counter, body: block, next, unordered }))
    }

    pub(crate) fn check(&self, data: &OpData, site: u32) -> Inst {
        let note = |value: &Value| (self.func.ty(*value).element(), self.slot(*value));
        let notes = data.args[1..].iter().map(note).collect();
        Inst::Check(Box::new(CheckCode { cond: self.slot(data.args[0]), site, notes }))
    }

    pub(crate) fn call(&mut self, op: Op, callee: FuncId, insts: &mut Vec<Inst>) {
        let Some(code) = self.done.get(&callee) else { return };
        self.deepest = self.deepest.max(self.depth + code.depth);
        let params: Vec<Slot> = code.params.iter().map(|value| code.slots[*value]).collect();
        let args = self.moves(op, 0, &params);
        let mut results = Moves::default();
        let target = &self.module.funcs[callee];
        for ((value, take), result) in code.returns.iter().zip(&self.func.ops[op].results) {
            let (from, to) = (code.slots[*value], self.slot(*result));
            match target.ty(*value) {
                Type::Array(..) => results.arrays.push((ArrayUse { slot: from, take: *take }, to)),
                Type::Scalar(_) | Type::Vector(..) => results.scalars.push((from, to)),
                Type::Buffer(_) => results.buffers.push((from, to)),
            }
        }
        insts.push(Inst::Call(Box::new(CallCode { args, body: code.body, results })));
    }

    pub(crate) fn jump_target(&mut self, op: Op, data: &OpData) -> Inst {
        let func = self.func;
        let body = data.regions[0];
        let params = &func.blocks[body].params;
        self.define_all(params);
        let init = self.moves(op, 0, &self.slots_of(params));
        self.targets.push(op);
        let block = self.block(body);
        self.targets.pop();
        let is_block = matches!(data.opcode, Opcode::Block);
        let next = self.yield_moves(body, if is_block { &data.results } else { params });
        let code = Box::new(JumpTargetCode { init, body: block, next });
        if is_block { Inst::Block(code) } else { Inst::Forever(code) }
    }

    /// A jump moves its values to the results, or to the parameters, of the operation it leads to.
    pub(crate) fn jump(&mut self, op: Op, levels: u32, again: bool) -> Inst {
        let places = self.jump_places(levels, again);
        let moves = self.moves(op, 0, &places);
        let flow = if again { Flow::Again(levels) } else { Flow::Leave(levels) };
        Inst::Jump(Box::new(JumpCode { moves, flow }))
    }

    fn jump_places(&self, levels: u32, again: bool) -> Vec<Slot> {
        let target = self.targets.iter().rev().nth(levels as usize);
        let Some(data) = target.map(|op| &self.func.ops[*op]) else { return Vec::new() };
        let params = &self.func.blocks[data.regions[0]].params;
        self.slots_of(if again { params } else { &data.results })
    }
}
