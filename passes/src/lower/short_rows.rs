//! Nests whose last axis may be much shorter than the lanes, because its size changes from turn to turn of a loop (the
//! passes of a transform, the levels of a pyramid): there is a second version whose lanes go along another axis,
//! and sizes choose between the two where the program runs.

use we3_ir::{Block, CompareOp, Func, Op, Opcode, Value, ValueDef};

use super::schedule::NestSchedule;
use super::state::Lower;

/// Bodies with more operations are not written twice.
const LARGEST: usize = 80;
/// Deeper expressions are not looked into.
const MOST_DEPTH: u32 = 6;

impl Lower<'_> {
    /// The schedule for when the last axis is shorter than its lanes, if that may be so at times, and whether it is.
    pub(super) fn along_other_axis(
        &mut self,
        op: Op,
        schedule: &NestSchedule,
        sizes: &[Value],
    ) -> Option<(Value, NestSchedule)> {
        let (last, lanes) = schedule.vector?;
        let plain = schedule.packed.is_none() && schedule.rows.is_none();
        let changes = self.changes_with_turns(self.src.ops[op].args[last as usize], MOST_DEPTH);
        let large = n_ops(self.src, self.src.ops[op].regions[0]) > LARGEST;
        if !plain || !changes || large || !self.facts.masks || self.facts.compact || self.rare {
            return None;
        }
        let mut order = schedule.order.clone();
        let at = order.iter().position(|axis| *axis == last)?;
        let before = at.checked_sub(1)?;
        order.swap(before, at);
        let other = order[at];
        let parallel = schedule.parallel.iter().copied().filter(|axis| *axis != other).collect();
        let short = self.compare_const(CompareOp::Lt, sizes[last as usize], i64::from(lanes));
        Some((short, NestSchedule { order, parallel, vector: Some((other, lanes)), ..schedule.clone() }))
    }

    /// Whether a size follows what an enclosing loop carries. (An index alone runs through all sizes.)
    fn changes_with_turns(&self, size: Value, depth: u32) -> bool {
        match self.src.values[size].def {
            ValueDef::Param(block, number) => {
                let Some(frame) = self.frames.iter().position(|frame| frame.block == block) else {
                    return false;
                };
                let Some(outer) = frame.checked_sub(1).map(|outer| &self.frames[outer]) else { return false };
                let owner = self.src.blocks[outer.block].ops.get(outer.index as usize);
                owner.map(|op| &self.src.ops[*op].opcode).is_some_and(|opcode| {
                    matches!(opcode, Opcode::While) || (matches!(opcode, Opcode::Loop) && number > 0)
                })
            }
            ValueDef::Result(op, _) => {
                let data = &self.src.ops[op];
                depth > 0
                    && matches!(data.opcode, Opcode::Unary(_) | Opcode::Binary(_) | Opcode::Select)
                    && data.args.iter().any(|arg| self.changes_with_turns(*arg, depth - 1))
            }
            ValueDef::ResultRef(_) => false,
        }
    }
}

fn n_ops(func: &Func, block: Block) -> usize {
    let ops = func.blocks[block].ops.iter();
    ops.map(|op| 1 + func.ops[*op].regions.iter().map(|region| n_ops(func, *region)).sum::<usize>()).sum()
}
