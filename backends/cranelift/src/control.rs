//! Structured control: `if`, loops, `block`/`forever` with their jumps, and `check`. Every merge is a
//! Cranelift block with one parameter per piece of each merged value.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block as ClifBlock, BlockArg, InstBuilder};
use we3_backend_api::Unsupported;
use we3_ir::{Block, Op, OpData, Value};

use crate::bug;
use crate::emit::{Clif, Emitter, Flow};

/// An enclosing `block` or `forever`.
#[derive(Clone)]
pub struct Frame {
    after: ClifBlock,
    results: Vec<Value>,
    reached: bool,
    /// For `forever`: the head of the round and its carried values.
    again: Option<(ClifBlock, Vec<Value>)>,
}

impl Emitter<'_, '_> {
    /// A new block with a parameter for every piece of these values.
    fn merge_block(&mut self, values: &[Value]) -> ClifBlock {
        let block = self.builder.create_block();
        for value in values {
            for ty in self.piece_types(*value) {
                self.builder.append_block_param(block, ty);
            }
        }
        block
    }

    /// Gives values the block's parameters, skipping the first `skip` of them.
    fn bind_params(&mut self, block: ClifBlock, skip: usize, values: &[Value]) {
        let params = self.builder.block_params(block)[skip..].to_vec();
        let mut rest = &params[..];
        for value in values {
            let (pieces, tail) = rest.split_at(self.piece_types(*value).len());
            self.set(*value, pieces);
            rest = tail;
        }
    }

    /// What a jump carries so that `sources` become `targets`.
    fn edge_args(&mut self, sources: &[Value], targets: &[Value]) -> Result<Vec<BlockArg>, Unsupported> {
        if sources.len() != targets.len() {
            return Err(bug("an edge carries another number of values than its target takes"));
        }
        let mut args = Vec::new();
        for (source, target) in sources.iter().zip(targets) {
            args.extend(self.moved_into(*source, *target)?.into_iter().map(BlockArg::Value));
        }
        Ok(args)
    }

    fn jump_to(&mut self, block: ClifBlock, sources: &[Value], targets: &[Value]) -> Result<(), Unsupported> {
        let args = self.edge_args(sources, targets)?;
        self.builder.ins().jump(block, &args);
        Ok(())
    }

    /// Goes on in a block that nothing else leads to.
    pub fn enter(&mut self, block: ClifBlock) {
        self.builder.switch_to_block(block);
        self.builder.seal_block(block);
    }

    /// `if`: both regions meet in one block.
    pub fn emit_if(&mut self, data: &OpData) -> Result<Flow, Unsupported> {
        let condition = self.piece(data.args[0])?;
        let merge = self.merge_block(&data.results);
        let arms = [self.builder.create_block(), self.builder.create_block()];
        self.builder.ins().brif(condition, arms[0], &[], arms[1], &[]);
        let mut reached = false;
        for (arm, region) in arms.into_iter().zip(&data.regions) {
            self.enter(arm);
            if let Some(yields) = self.region(*region)? {
                self.jump_to(merge, yields, &data.results)?;
                reached = true;
            }
        }
        self.continue_at(merge, reached, &data.results)
    }

    /// Goes on after a merge, or tells that nothing leads there.
    fn continue_at(
        &mut self,
        merge: ClifBlock,
        reached: bool,
        results: &[Value],
    ) -> Result<Flow, Unsupported> {
        if !reached {
            return Ok(Flow::Left);
        }
        self.enter(merge);
        self.bind_params(merge, 0, results);
        Ok(Flow::Next)
    }

    /// `while`: the head holds the carried values and the condition.
    pub fn emit_while(&mut self, data: &OpData) -> Result<Flow, Unsupported> {
        let func = self.func;
        let [cond, body] = [data.regions[0], data.regions[1]];
        let [cond_params, body_params] = [&func.blocks[cond].params[..], &func.blocks[body].params[..]];
        let head = self.merge_block(cond_params);
        self.jump_to(head, &data.args, cond_params)?;
        self.builder.switch_to_block(head);
        self.bind_params(head, 0, cond_params);
        self.bind_params(head, 0, body_params);
        let Some(yields) = self.region(cond)? else {
            self.builder.seal_block(head);
            return Ok(Flow::Left);
        };
        let condition = self.piece(yields[0])?;
        let [inside, after] = [self.builder.create_block(), self.builder.create_block()];
        self.builder.ins().brif(condition, inside, &[], after, &[]);
        self.enter(inside);
        if let Some(yields) = self.region(body)? {
            self.jump_to(head, yields, cond_params)?;
        }
        self.builder.seal_block(head);
        self.enter(after);
        self.bind_params(head, 0, &data.results);
        Ok(Flow::Next)
    }

    /// `for`, tested at the bottom. `parallel` and `grid` loops that stay here run in order too: any order
    /// is right.
    pub fn emit_for(&mut self, op: Op, data: &OpData) -> Result<Flow, Unsupported> {
        if self.outlines.contains_key(&op) {
            return self.emit_outlined_loop(op, data);
        }
        let func = self.func;
        let [low, high, step] =
            [self.piece(data.args[0])?, self.piece(data.args[1])?, self.piece(data.args[2])?];
        let init = &data.args[3..];
        let body = data.regions[0];
        let (index, carried) = match func.blocks[body].params.split_first() {
            Some((index, carried)) => (*index, carried),
            None => return Err(bug("the body of a loop takes no index")),
        };
        let inside = self.merge_block(&func.blocks[body].params);
        let after = self.merge_block(&data.results);
        let any = self.builder.ins().icmp(IntCC::SignedLessThan, low, high);
        let mut first = vec![BlockArg::Value(low)];
        let entering = self.edge_args(init, carried)?;
        first.extend_from_slice(&entering);
        self.builder.ins().brif(any, inside, &first, after, &entering);
        self.builder.switch_to_block(inside);
        self.bind_params(inside, 0, &func.blocks[body].params);
        if let Some(yields) = self.region(body)? {
            let index = self.piece(index)?;
            let unit = func.as_const(data.args[2]).is_some_and(|constant| constant.bits == 1);
            let (next, more) = self.advance(index, high, step, unit);
            let leaving = self.edge_args(yields, carried)?;
            let mut round = vec![BlockArg::Value(next)];
            round.extend_from_slice(&leaving);
            self.builder.ins().brif(more, inside, &round, after, &leaving);
        }
        self.builder.seal_block(inside);
        self.continue_at(after, true, &data.results)
    }

    /// The next index and whether it is below `high`, for every `high` up to `i64::MAX`.
    fn advance(&mut self, index: Clif, high: Clif, step: Clif, unit: bool) -> (Clif, Clif) {
        let next = self.builder.ins().iadd(index, step);
        if unit {
            // index < high, so adding 1 cannot overflow.
            let more = self.builder.ins().icmp(IntCC::SignedLessThan, next, high);
            return (next, more);
        }
        // high − index is positive and may exceed `i64::MAX`; it is exact as an unsigned number.
        let rest = self.builder.ins().isub(high, index);
        let more = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, rest, step);
        (next, more)
    }

    /// `block`: `break` and the end of the body lead behind it.
    pub fn emit_block(&mut self, data: &OpData) -> Result<Flow, Unsupported> {
        let after = self.merge_block(&data.results);
        self.frames.push(Frame { after, results: data.results.clone(), reached: false, again: None });
        let yields = self.region(data.regions[0])?;
        let frame = self.pop_frame()?;
        if let Some(yields) = yields {
            self.jump_to(after, yields, &data.results)?;
        }
        self.continue_at(after, frame.reached || yields.is_some(), &data.results)
    }

    /// `forever`: the end of the body leads to the next round.
    pub fn emit_forever(&mut self, data: &OpData) -> Result<Flow, Unsupported> {
        let func = self.func;
        let body: Block = data.regions[0];
        let params = &func.blocks[body].params;
        let head = self.merge_block(params);
        let after = self.merge_block(&data.results);
        self.jump_to(head, &data.args, params)?;
        self.builder.switch_to_block(head);
        self.bind_params(head, 0, params);
        let again = Some((head, params.clone()));
        self.frames.push(Frame { after, results: data.results.clone(), reached: false, again });
        let yields = self.region(body)?;
        let frame = self.pop_frame()?;
        if let Some(yields) = yields {
            self.jump_to(head, yields, params)?;
        }
        self.builder.seal_block(head);
        self.continue_at(after, frame.reached, &data.results)
    }

    fn pop_frame(&mut self) -> Result<Frame, Unsupported> {
        self.frames.pop().ok_or_else(|| bug("jump targets are not nested"))
    }

    fn frame_at(&mut self, levels: u32) -> Result<&mut Frame, Unsupported> {
        self.frames.iter_mut().rev().nth(levels as usize).ok_or_else(|| bug("a jump leaves the function"))
    }

    /// `break N`.
    pub fn emit_break(&mut self, levels: u32, values: &[Value]) -> Result<Flow, Unsupported> {
        let frame = self.frame_at(levels)?;
        frame.reached = true;
        let (after, results) = (frame.after, frame.results.clone());
        self.jump_to(after, values, &results)?;
        Ok(Flow::Left)
    }

    /// `continue N`.
    pub fn emit_continue(&mut self, levels: u32, values: &[Value]) -> Result<Flow, Unsupported> {
        let frame = self.frame_at(levels)?;
        let Some((head, params)) = frame.again.clone() else {
            return Err(bug("continue names a block that is not a loop"));
        };
        self.jump_to(head, values, &params)?;
        Ok(Flow::Left)
    }

    /// `check`: leaves the kernel when false.
    pub fn emit_check(&mut self, condition: Value) -> Result<(), Unsupported> {
        let condition = self.piece(condition)?;
        let failed = match self.check_failed {
            Some(block) => block,
            None => self.cold_block(),
        };
        self.check_failed = Some(failed);
        self.go_on_if(condition, failed);
        Ok(())
    }

    /// A block that is seldom run.
    pub fn cold_block(&mut self) -> ClifBlock {
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        block
    }

    /// Branches to `otherwise` when the condition is zero and goes on in a new block.
    pub fn go_on_if(&mut self, condition: Clif, otherwise: ClifBlock) {
        let next = self.builder.create_block();
        self.builder.ins().brif(condition, next, &[], otherwise, &[]);
        self.enter(next);
    }
}
