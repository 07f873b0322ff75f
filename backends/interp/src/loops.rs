//! Executing control flow: branches, loops, jumps, at both levels.

use crate::machine::Machine;
use crate::program::{CountCode, Flow, IfCode, Inst, JumpTargetCode, WhileCode};
use crate::value::{Run, broken};

impl Machine<'_> {
    pub(crate) fn run_control(&mut self, inst: &Inst) -> Run<Flow> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the caller sends control flow only")]
        match inst {
            Inst::If(code) => self.if_else(code),
            Inst::While(code) => self.while_loop(code),
            Inst::Count(code) if code.unordered && self.backwards => self.count_backwards(code),
            Inst::Count(code) => self.count(code),
            Inst::Block(code) => self.jump_block(code),
            Inst::Forever(code) => self.forever(code),
            Inst::Jump(code) => {
                self.run_moves(&code.moves)?;
                Ok(code.flow)
            }
            _ => Ok(Flow::Next),
        }
    }

    fn if_else(&mut self, code: &IfCode) -> Run<Flow> {
        let (block, moves) = &code.arms[usize::from(self.get(code.cond) != 0)];
        let flow = self.run_block(*block)?;
        if flow == Flow::Next {
            self.run_moves(moves)?;
        }
        Ok(flow)
    }

    fn while_loop(&mut self, code: &WhileCode) -> Run<Flow> {
        self.run_moves(&code.init)?;
        loop {
            let flow = self.run_block(code.cond)?;
            if flow != Flow::Next || self.get(code.holds) == 0 {
                return Ok(flow);
            }
            let flow = self.run_block(code.body)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
            self.run_moves(&code.next)?;
        }
    }

    /// First and last bound and step of a counted loop.
    fn bounds(&self, code: &CountCode) -> Run<(i64, i64, i64)> {
        let (lo, step) = match code.lo_step {
            Some((lo, step)) => (self.get_i64(lo), self.get_i64(step)),
            None => (0, 1),
        };
        if step <= 0 {
            broken("the step of a loop is not positive")
        } else {
            Ok((lo, self.get_i64(code.hi), step))
        }
    }

    fn count(&mut self, code: &CountCode) -> Run<Flow> {
        let (mut counter, hi, step) = self.bounds(code)?;
        self.run_moves(&code.init)?;
        while counter < hi {
            self.set(code.counter, counter as u64);
            let flow = self.run_block(code.body)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
            self.run_moves(&code.next)?;
            match counter.checked_add(step) {
                Some(next) => counter = next,
                None => break,
            }
        }
        Ok(Flow::Next)
    }

    /// A loop that carries nothing, from its last iteration to its first.
    fn count_backwards(&mut self, code: &CountCode) -> Run<Flow> {
        let (lo, hi, step) = self.bounds(code)?;
        if lo >= hi {
            return Ok(Flow::Next);
        }
        let span = (i128::from(hi) - i128::from(lo) - 1) / i128::from(step);
        let mut counter = i128::from(lo) + span * i128::from(step);
        while counter >= i128::from(lo) {
            self.set(code.counter, counter as u64);
            let flow = self.run_block(code.body)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
            counter -= i128::from(step);
        }
        Ok(Flow::Next)
    }

    fn jump_block(&mut self, code: &JumpTargetCode) -> Run<Flow> {
        match self.run_block(code.body)? {
            Flow::Next => {
                self.run_moves(&code.next)?;
                Ok(Flow::Next)
            }
            flow @ (Flow::Leave(_) | Flow::Again(_)) => Ok(outwards(flow)),
        }
    }

    fn forever(&mut self, code: &JumpTargetCode) -> Run<Flow> {
        self.run_moves(&code.init)?;
        loop {
            match self.run_block(code.body)? {
                Flow::Next => self.run_moves(&code.next)?,
                Flow::Again(0) => {}
                flow @ (Flow::Leave(_) | Flow::Again(_)) => return Ok(outwards(flow)),
            }
        }
    }
}

/// A jump after it left one `block` or `forever`.
fn outwards(flow: Flow) -> Flow {
    match flow {
        Flow::Next | Flow::Leave(0) | Flow::Again(0) => Flow::Next,
        Flow::Leave(levels) => Flow::Leave(levels - 1),
        Flow::Again(levels) => Flow::Again(levels - 1),
    }
}
