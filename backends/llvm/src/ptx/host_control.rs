//! Control flow around parallel nests, as steps of the host: every loop becomes "again and again
//! until a break", with its condition and carried values in cells.

use we3_backend_api::Unsupported;
use we3_backend_api::launch::{Amount, Step};
use we3_ir::{BinaryOp, Block, CompareOp, Op, Value};

use super::map_to_grid::{Enclosing, Mapper};
use crate::emit::{Flow, unsupported};

impl Mapper<'_> {
    pub(super) fn host_if(&mut self, op: Op) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let condition = self.amount(data.args[0])?;
        let (then, otherwise) = (data.regions[0], data.regions[1]);
        let then = self.nested(|mapper| mapper.region(then, &data.results))?;
        let otherwise = self.nested(|mapper| mapper.region(otherwise, &data.results))?;
        if !then.is_empty() || !otherwise.is_empty() {
            self.push(Step::If(condition, then, otherwise));
        }
        Ok(())
    }

    /// Maps a region and moves what it yields.
    fn region(&mut self, region: Block, into: &[Value]) -> Result<(), Unsupported> {
        if self.block(region)? == Flow::Falls {
            self.pass(self.func.yields(region), into)?;
        }
        Ok(())
    }

    pub(super) fn host_while(&mut self, op: Op) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let (cond, body) = (data.regions[0], data.regions[1]);
        let params = &self.func.blocks[cond].params;
        self.pass(&data.args, params)?;
        self.same_places(&self.func.blocks[body].params, params);
        self.same_places(&data.results, params);
        self.enclosing.push(Enclosing { op: None, params: vec![] });
        let steps = self.nested(|mapper| {
            if mapper.block(cond)? == Flow::Falls {
                let goes_on = mapper.amount(mapper.func.yields(cond)[0])?;
                mapper.push(Step::If(goes_on, vec![], vec![Step::Break(0)]));
            }
            mapper.region(body, params)
        })?;
        self.enclosing.pop();
        self.push(Step::Loop(steps));
        Ok(())
    }

    /// The index and whether it is below the end live in cells; the first round's are computed
    /// before the loop, the next ones at the end of each round.
    pub(super) fn host_for(&mut self, op: Op) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let body = data.regions[0];
        let params = &self.func.blocks[body].params;
        let goes_on = self.fresh_cell();
        self.same_places(&data.results, &params[1..]);
        self.pass(&data.args[3..], &params[1..])?;
        self.pass(&data.args[..1], &params[..1])?;
        let mut kernel = self.take_pending();
        let (lo, hi) = (self.local(&mut kernel, data.args[0])?, self.local(&mut kernel, data.args[1])?);
        let any = kernel.builder().compare(CompareOp::Lt, lo, hi);
        kernel.store(goes_on, any);
        self.put_pending(kernel);
        self.enclosing.push(Enclosing { op: None, params: vec![] });
        let steps = self.nested(|mapper| {
            mapper.push(Step::If(Amount::InCell(goes_on), vec![], vec![Step::Break(0)]));
            if mapper.block(body)? == Flow::Falls {
                mapper.pass(mapper.func.yields(body), &params[1..])?;
                mapper.next_index(op, params[0], goes_on)?;
            }
            Ok(())
        })?;
        self.enclosing.pop();
        self.push(Step::Loop(steps));
        Ok(())
    }

    /// There is a next index when the step is less than what is left, which does not overflow.
    fn next_index(&mut self, op: Op, index: Value, goes_on: u32) -> Result<(), Unsupported> {
        let args = &self.func.ops[op].args;
        let mut kernel = self.take_pending();
        let current = self.local(&mut kernel, index)?;
        let (hi, step) = (self.local(&mut kernel, args[1])?, self.local(&mut kernel, args[2])?);
        let mut builder = kernel.builder();
        let next = builder.binary(BinaryOp::Add, current, step);
        let left = builder.binary(BinaryOp::Sub, hi, current);
        let left = builder.convert(we3_ir::Scalar::U64, left);
        let step = builder.convert(we3_ir::Scalar::U64, step);
        let again = builder.compare(CompareOp::Lt, step, left);
        kernel.store(goes_on, again);
        self.put_pending(kernel);
        self.store_local(index, next)
    }

    pub(super) fn host_block(&mut self, op: Op) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        self.enclosing.push(Enclosing { op: Some(op), params: vec![] });
        let steps = self.nested(|mapper| {
            mapper.region(data.regions[0], &data.results)?;
            mapper.step(Step::Break(0))
        })?;
        self.enclosing.pop();
        self.push(Step::Loop(steps));
        Ok(())
    }

    pub(super) fn host_forever(&mut self, op: Op) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let body = data.regions[0];
        let params = &self.func.blocks[body].params;
        self.pass(&data.args, params)?;
        self.enclosing.push(Enclosing { op: Some(op), params: params.clone() });
        let steps = self.nested(|mapper| mapper.region(body, params))?;
        self.enclosing.pop();
        self.push(Step::Loop(steps));
        Ok(())
    }

    pub(super) fn break_out(&mut self, op: Op, levels: u32) -> Result<Flow, Unsupported> {
        let (depth, target) = self.jump_target(levels)?;
        let Some(target) = self.enclosing[target].op else {
            return Err(unsupported("a jump out of nothing"));
        };
        self.pass(&self.func.ops[op].args, &self.func.ops[target].results)?;
        self.step(Step::Break(depth))?;
        Ok(Flow::Ended)
    }

    pub(super) fn next_round(&mut self, op: Op, levels: u32) -> Result<Flow, Unsupported> {
        let (depth, target) = self.jump_target(levels)?;
        let params = self.enclosing[target].params.clone();
        self.pass(&self.func.ops[op].args, &params)?;
        self.step(Step::Continue(depth))?;
        Ok(Flow::Ended)
    }

    /// How many loops of the plan lie between here and the target, and which one it is.
    fn jump_target(&self, levels: u32) -> Result<(u32, usize), Unsupported> {
        let mut left = levels;
        for (depth, enclosing) in self.enclosing.iter().rev().enumerate() {
            if enclosing.op.is_some() {
                if left == 0 {
                    return Ok((depth as u32, self.enclosing.len() - 1 - depth));
                }
                left -= 1;
            }
        }
        Err(unsupported("a jump out of nothing"))
    }
}
