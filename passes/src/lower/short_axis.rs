//! Short axes of builds: where the index of an axis of a few elements only chooses what the rest of the body
//! has computed, one turn of the innermost loop makes all of them, and the rest is done once.
//!
//! `[{ let s = x[p, q] + y[p, q]; let d = x[p, q] - y[p, q]; if c == 0 { s } else { d } } for p, c in 0..2, q]`
//! reads both and stores two.

use we3_ir::{Block, Func, Op, Opcode, Value};

use super::build::Nest;
use super::schedule::NestSchedule;
use super::state::Lower;

/// The longest axis that counts as short.
const SHORT: i64 = 8;
/// At least so many operations of the body are done once instead of for each element.
const SHARED: usize = 4;
/// The innermost loop may get so many operations.
const WRITTEN: usize = 240;

/// The axis to write out, and its length.
pub(super) fn short_axis(func: &Func, op: Op, schedule: &NestSchedule) -> Option<(u32, i64)> {
    let data = &func.ops[op];
    let (last, _) = schedule.vector?;
    let body = data.regions[0];
    (0..last).find_map(|axis| {
        let size = func.as_const(data.args[axis as usize])?.bits as i64;
        if !(2..=SHORT).contains(&size) {
            return None;
        }
        let follows = followers(func, body, func.blocks[body].params[axis as usize]);
        let weigh = |wanted: bool| -> usize {
            let ops = func.blocks[body].ops.iter().zip(&follows);
            ops.filter(|(_, follows)| **follows == wanted).map(|(op, _)| n_ops(func, *op)).sum()
        };
        let (shared, own) = (weigh(false), weigh(true));
        (shared >= SHARED && shared + own * size as usize <= WRITTEN).then_some((axis, size))
    })
}

/// Makes the axis the innermost one.
pub(super) fn write_out(schedule: &mut NestSchedule, (axis, size): (u32, i64), in_parallel: bool) {
    schedule.order.retain(|other| *other != axis);
    schedule.order.push(axis);
    schedule.written_out = Some((axis, size as u32));
    if !in_parallel {
        let outer = schedule.order.len() - 2;
        schedule.parallel = schedule.order[..outer.max(1)].to_vec();
    }
}

/// For each operation of the body, whether it follows from the parameter.
fn followers(func: &Func, body: Block, param: Value) -> Vec<bool> {
    let mut known = vec![param];
    let mut follows = Vec::new();
    for op in &func.blocks[body].ops {
        let uses = uses_any(func, *op, &known);
        if uses {
            known.extend_from_slice(&func.ops[*op].results);
        }
        follows.push(uses);
    }
    follows
}

fn uses_any(func: &Func, op: Op, values: &[Value]) -> bool {
    let data = &func.ops[op];
    let nested = |region: &Block| func.blocks[*region].ops.iter().any(|op| uses_any(func, *op, values));
    data.args.iter().any(|arg| values.contains(arg)) || data.regions.iter().any(nested)
}

fn n_ops(func: &Func, op: Op) -> usize {
    let data = &func.ops[op];
    let nested = data.regions.iter().flat_map(|region| &func.blocks[*region].ops);
    usize::from(!matches!(data.opcode, Opcode::Const(_) | Opcode::Yield))
        + nested.map(|op| n_ops(func, *op)).sum::<usize>()
}

impl Lower<'_> {
    /// All elements along the innermost, short axis: what does not follow it first, then each, then the stores.
    pub(super) fn short_row(
        &mut self,
        nest: &Nest<'_>,
        (axis, size): (usize, u32),
        subscripts: &mut [Option<Value>],
    ) {
        let src = self.src;
        let params = &src.blocks[nest.body].params;
        self.enter(nest.body);
        for (param, subscript) in params.iter().zip(subscripts.iter()) {
            if let Some(subscript) = subscript {
                self.set_scalar(*param, *subscript);
            }
        }
        let follows = followers(src, nest.body, params[axis]);
        self.some_ops(nest.body, &follows, false);
        let mut elements = Vec::new();
        for number in 0..size {
            let index = self.i64(i64::from(number));
            self.set_scalar(params[axis], index);
            self.some_ops(nest.body, &follows, true);
            elements.push((index, self.scalars(src.yields(nest.body))));
        }
        self.leave(&[]);
        for (index, values) in elements {
            subscripts[axis] = Some(index);
            let place: Vec<Value> = subscripts.iter().flatten().copied().collect();
            for (target, value) in nest.places.iter().zip(values) {
                let offset = self.row_offset(target, &place);
                self.store(target.buffer, offset, value);
            }
        }
    }

    /// The operations of the innermost frame that follow, or do not, but the terminator.
    fn some_ops(&mut self, body: Block, follows: &[bool], wanted: bool) {
        let src = self.src;
        let frame = self.frame();
        let ops = &src.blocks[body].ops;
        for (index, op) in ops.iter().enumerate().take(ops.len().saturating_sub(1)) {
            if follows[index] == wanted {
                self.frames[frame].index = index as u32;
                self.b.span = src.spans[*op];
                self.op(*op);
            }
        }
    }
}
