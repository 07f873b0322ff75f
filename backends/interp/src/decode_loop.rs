//! Decoding loop-level memory and vector operations, lane by lane.

use we3_ir::{BinaryOp, OpData, Opcode, Scalar, Value};

use crate::decode::FuncDecoder;
use crate::program::{CopyCode, Inst, Slot};

impl FuncDecoder<'_, '_> {
    /// A loop-level operation whose results have slots.
    pub(crate) fn loop_operation(&mut self, data: &OpData, insts: &mut Vec<Inst>) {
        let arg = |number: usize| self.slot(data.args[number]);
        let dst = data.results.first().map_or(0, |value| self.slot(*value));
        #[expect(clippy::wildcard_enum_match_arm, reason = "the caller sends loop-level operations only")]
        match &data.opcode {
            Opcode::Alloc(elem) => insts.push(Inst::Alloc { dst, elem: *elem, count: arg(0) }),
            Opcode::Stack { elem, len } => {
                let number = self.program.n_stacks;
                self.program.n_stacks += 1;
                insts.push(Inst::Stack { dst, elem: *elem, len: *len, number });
            }
            Opcode::Free => insts.push(Inst::Free { buffer: arg(0) }),
            Opcode::Output { index, elem } => {
                insts.push(Inst::Output { dst, elem: *elem, count: arg(0), index: *index });
            }
            Opcode::Offset => insts.push(Inst::Offset { dst, buffer: arg(0), by: arg(1) }),
            Opcode::Load => {
                let elem = self.elem(data.args[0]);
                let lanes = 0..self.lanes(data.results[0]);
                let load = |lane| Inst::Load { dst: dst + lane, elem, buffer: arg(0), offset: arg(1), lane };
                insts.extend(lanes.map(load));
            }
            Opcode::Store | Opcode::Stream => {
                let elem = self.elem(data.args[0]);
                let lanes = 0..self.lanes(data.args[2]);
                let store =
                    |lane| Inst::Store { src: arg(2) + lane, elem, buffer: arg(0), offset: arg(1), lane };
                insts.extend(lanes.map(store));
            }
            Opcode::Copy => {
                let elem = self.elem(data.args[0]);
                let code = CopyCode { elem, dest: arg(0), source: arg(1), count: arg(2) };
                insts.push(Inst::Copy(Box::new(code)));
            }
            Opcode::Splat(_) => {
                let lanes = 0..self.lanes(data.results[0]);
                insts.extend(lanes.map(|lane| Inst::Move { dst: dst + lane, src: arg(0) }));
            }
            Opcode::Iota { elem, lanes } => {
                let mask = u64::MAX >> (64 - elem.bits());
                let lanes = 0..u32::from(*lanes);
                insts.extend(lanes.map(|lane| Inst::Const { dst: dst + lane, bits: u64::from(lane) & mask }));
            }
            Opcode::Extract(lane) => insts.push(Inst::Move { dst, src: arg(0) + u32::from(*lane) }),
            Opcode::Insert(lane) => {
                let lanes = 0..self.lanes(data.results[0]);
                let source = |number| if number == u32::from(*lane) { arg(1) } else { arg(0) + number };
                insts.extend(lanes.map(|number| Inst::Move { dst: dst + number, src: source(number) }));
            }
            Opcode::Shuffle(picks) => {
                let width = self.lanes(data.args[0]);
                let source = |pick: u32| if pick < width { arg(0) + pick } else { arg(1) + pick - width };
                let picks = (0..).zip(picks);
                insts.extend(
                    picks.map(|(number, pick)| Inst::Move {
                        dst: dst + number,
                        src: source(u32::from(*pick)),
                    }),
                );
            }
            Opcode::LoadLanes => {
                for lane in 0..self.lanes(data.results[0]) {
                    let (offset, after) = self.lane_offset(data.args[1], lane);
                    let elem = self.elem(data.args[0]);
                    let load = Inst::Load { dst: dst + lane, elem, buffer: arg(0), offset, lane: after };
                    insts.push(Inst::Masked { mask: arg(2) + lane, access: Box::new(load) });
                }
            }
            Opcode::StoreLanes => {
                for lane in 0..self.lanes(data.args[3]) {
                    let (offset, after) = self.lane_offset(data.args[1], lane);
                    let elem = self.elem(data.args[0]);
                    let store = Inst::Store { src: arg(3) + lane, elem, buffer: arg(0), offset, lane: after };
                    insts.push(Inst::Masked { mask: arg(2) + lane, access: Box::new(store) });
                }
            }
            Opcode::AnyLane => self.join_lanes(data, BinaryOp::Or, insts),
            Opcode::AllLanes => self.join_lanes(data, BinaryOp::And, insts),
            _ => insts.push(Inst::Barrier),
        }
    }

    /// The slot of a lane's offset, and how far behind it the element lies.
    fn lane_offset(&self, offset: Value, lane: u32) -> (Slot, u32) {
        if self.lanes(offset) == 1 { (self.slot(offset), lane) } else { (self.slot(offset) + lane, 0) }
    }

    fn join_lanes(&self, data: &OpData, op: BinaryOp, insts: &mut Vec<Inst>) {
        let (dst, lanes) = (self.slot(data.results[0]), self.slot(data.args[0]));
        insts.push(Inst::Move { dst, src: lanes });
        for lane in 1..self.lanes(data.args[0]) {
            insts.push(Inst::Binary { op, ty: Scalar::Bool, dst, a: dst, b: lanes + lane });
        }
    }

    fn elem(&self, value: Value) -> Scalar {
        self.func.ty(value).element()
    }
}
