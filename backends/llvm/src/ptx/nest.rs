//! A nest of parallel loops as one kernel: the iterations of perfectly nested loops are numbered
//! row by row, and grid iteration t is the t-th of them.

use std::collections::HashSet;

use we3_backend_api::Unsupported;
use we3_backend_api::launch::{Amount, BufferVar};
use we3_ir::{BinaryOp, Block, CompareOp, ForKind, Func, FuncBuilder, Op, Opcode, Scalar, Type, Value};

use super::kernel::Kernel;
use super::map_to_grid::Mapper;

/// One loop of a nest: first index and step, and its number of iterations.
struct Axis {
    param: Value,
    lo: Value,
    step: Value,
    count: Value,
}

impl Mapper<'_> {
    /// The number of iterations is computed by the sequential kernel before (for the launch) and
    /// again by every thread (from the same values).
    pub(super) fn parallel_nest(&mut self, op: Op) -> Result<(), Unsupported> {
        let Nest { loops, between, body } = Nest::of(self.func, op);
        let total = self.total(&loops)?;
        self.flush()?;
        let mut kernel = self.new_kernel();
        self.import_free(&mut kernel, op)?;
        let axes = self.axes(&mut kernel, &loops)?;
        let mut builder = kernel.builder();
        let count = product(&mut builder, &axes);
        let (zero, one) = (builder.i64(0), builder.i64(1));
        let t = builder.begin_region(&[Type::I64])[0];
        let indices = indices(&mut builder, &axes, t);
        let region = builder.block();
        for (axis, index) in axes.iter().zip(indices) {
            kernel.rename(axis.param, index);
        }
        kernel.append_ops(self.func, &between, region);
        kernel.append_ops(self.func, &self.func.blocks[body].ops, region);
        FuncBuilder::at(&mut kernel.func, region).append(Opcode::Yield, vec![], vec![], &[]);
        kernel.builder().append(Opcode::For(ForKind::Grid), vec![zero, count, one], vec![region], &[]);
        self.launch(kernel, total)
    }

    /// The number of iterations for the launch.
    fn total(&mut self, loops: &[Op]) -> Result<Amount, Unsupported> {
        if let [only] = loops {
            let args = &self.func.ops[*only].args;
            let number = |value| self.func.as_const(value).map(|constant| constant.bits as i64);
            if number(args[0]) == Some(0) && number(args[2]) == Some(1) {
                return self.amount(args[1]);
            }
        }
        let mut kernel = self.take_pending();
        let axes = self.axes(&mut kernel, loops)?;
        let total = product(&mut kernel.builder(), &axes);
        let cell = self.fresh_cell();
        kernel.store(cell, total);
        self.put_pending(kernel);
        self.flush()?;
        Ok(Amount::InCell(cell))
    }

    fn axes(&mut self, kernel: &mut Kernel, loops: &[Op]) -> Result<Vec<Axis>, Unsupported> {
        let mut axes = Vec::new();
        for op in loops {
            let data = &self.func.ops[*op];
            let lo = self.local(kernel, data.args[0])?;
            let hi = self.local(kernel, data.args[1])?;
            let step = self.local(kernel, data.args[2])?;
            let count = iterations(&mut kernel.builder(), lo, hi, step);
            axes.push(Axis { param: self.func.blocks[data.regions[0]].params[0], lo, step, count });
        }
        Ok(axes)
    }

    /// A copy that the host meets: a kernel with one grid iteration per element.
    pub(super) fn parallel_copy(&mut self, op: Op) -> Result<(), Unsupported> {
        let args = &self.func.ops[op].args;
        let elem = self.func.ty(args[0]).element();
        let threads = self.amount(args[2])?;
        self.flush()?;
        let mut kernel = self.new_kernel();
        let dest = self.local(&mut kernel, args[0])?;
        let source = self.local(&mut kernel, args[1])?;
        let count = self.local(&mut kernel, args[2])?;
        copy_elements(&mut kernel, elem, dest, source, count);
        self.launch(kernel, threads)
    }

    /// Fills device memory with a table of constants.
    pub(super) fn copy_table(&mut self, table: Value, to: BufferVar, len: i64) -> Result<(), Unsupported> {
        let elem = self.func.ty(table).element();
        let mut kernel = self.new_kernel();
        let source = self.local(&mut kernel, table)?;
        let dest = kernel.buffer(to, elem);
        let count = kernel.builder().i64(len);
        copy_elements(&mut kernel, elem, dest, source, count);
        self.launch(kernel, Amount::Known(len.max(1)))
    }

    /// Puts a local value of the pending kernel into the cell of a value of the entry.
    pub(super) fn store_local(&mut self, value: Value, local: Value) -> Result<(), Unsupported> {
        let cell = self.cell_of(value)?;
        let mut kernel = self.take_pending();
        kernel.store(cell, local);
        self.put_pending(kernel);
        Ok(())
    }
}

fn copy_elements(kernel: &mut Kernel, elem: Scalar, dest: Value, source: Value, count: Value) {
    let mut builder = kernel.builder();
    let (zero, one) = (builder.i64(0), builder.i64(1));
    let t = builder.begin_region(&[Type::I64])[0];
    let value = builder.value(Opcode::Load, vec![source, t], vec![], Type::Scalar(elem));
    builder.append(Opcode::Store, vec![dest, t, value], vec![], &[]);
    let region = builder.end_region(vec![]);
    builder.append(Opcode::For(ForKind::Grid), vec![zero, count, one], vec![region], &[]);
}

/// Whether an operation is a loop with independent iterations.
pub fn is_parallel(func: &Func, op: Op) -> bool {
    matches!(func.ops[op].opcode, Opcode::For(ForKind::Parallel | ForKind::Grid))
}

/// Parallel loops, each alone in the body of the one around but for scalar operations before it, with
/// bounds that are constants or come from outside.
pub struct Nest {
    /// The loops, outermost first.
    pub loops: Vec<Op>,
    /// The operations before inner loops, in order.
    pub between: Vec<Op>,
    /// The body of the innermost loop.
    pub body: Block,
}

impl Nest {
    /// The largest nest that starts with this loop.
    pub fn of(func: &Func, op: Op) -> Nest {
        let body = func.ops[op].regions[0];
        let mut nest = Nest { loops: vec![op], between: Vec::new(), body };
        let mut inside: HashSet<Value> = func.blocks[body].params.iter().copied().collect();
        while let Some((before, inner)) = only_loop(func, nest.body) {
            inside.extend(before.iter().flat_map(|op| func.ops[*op].results.iter().copied()));
            let args = &func.ops[inner].args;
            if args.iter().any(|arg| inside.contains(arg) && func.as_const(*arg).is_none()) {
                break;
            }
            nest.loops.push(inner);
            nest.between.extend(before);
            nest.body = func.ops[inner].regions[0];
            inside.extend(&func.blocks[nest.body].params);
        }
        nest
    }
}

/// The parallel loop that a body consists of, and the scalar operations before it.
fn only_loop(func: &Func, body: Block) -> Option<(Vec<Op>, Op)> {
    let (end, rest) = func.blocks[body].ops.split_last()?;
    let (inner, before) = rest.split_last()?;
    let ends = func.ops[*end].opcode == Opcode::Yield && is_parallel(func, *inner);
    let scalar =
        before.iter().all(|op| is_scalar(&func.ops[*op].opcode) || func.ops[*op].opcode == Opcode::Offset);
    (ends && scalar).then(|| (before.to_vec(), *inner))
}

/// Whether an operation only computes a value from values.
pub fn is_scalar(opcode: &Opcode) -> bool {
    matches!(
        opcode,
        Opcode::Const(_)
            | Opcode::Unary(_)
            | Opcode::Binary(_)
            | Opcode::Compare(_)
            | Opcode::Select
            | Opcode::Fma
            | Opcode::Convert(_)
            | Opcode::Bitcast(_)
    )
}

/// `ceil((hi − lo) / step)`, or 0; the subtraction is right as unsigned when `lo < hi`.
pub fn iterations(builder: &mut FuncBuilder<'_>, lo: Value, hi: Value, step: Value) -> Value {
    let constant =
        |builder: &FuncBuilder<'_>, value| builder.func.as_const(value).map(|constant| constant.bits);
    if constant(builder, lo) == Some(0) && constant(builder, step) == Some(1) {
        let zero = builder.i64(0);
        return builder.binary(BinaryOp::Max, hi, zero);
    }
    let any = builder.compare(CompareOp::Lt, lo, hi);
    let span = builder.binary(BinaryOp::Sub, hi, lo);
    let span = builder.convert(Scalar::U64, span);
    let one = builder.constant(Scalar::U64, 1);
    let last = builder.binary(BinaryOp::Sub, span, one);
    let step = builder.convert(Scalar::U64, step);
    let full = builder.binary(BinaryOp::Div, last, step);
    let count = builder.binary(BinaryOp::Add, full, one);
    let count = builder.convert(Scalar::I64, count);
    let zero = builder.i64(0);
    builder.select(any, count, zero)
}

fn product(builder: &mut FuncBuilder<'_>, axes: &[Axis]) -> Value {
    let mut total: Option<Value> = None;
    for axis in axes {
        total = Some(match total {
            None => axis.count,
            Some(so_far) => builder.binary(BinaryOp::MulSat, so_far, axis.count),
        });
    }
    total.unwrap_or_else(|| builder.i64(1))
}

/// The index of every loop in iteration `t`; the last loop runs fastest.
fn indices(builder: &mut FuncBuilder<'_>, axes: &[Axis], t: Value) -> Vec<Value> {
    let mut rest = t;
    let mut indices = Vec::new();
    for (number, axis) in axes.iter().enumerate().rev() {
        let position = if number == 0 { rest } else { builder.binary(BinaryOp::Rem, rest, axis.count) };
        if number > 0 {
            rest = builder.binary(BinaryOp::Div, rest, axis.count);
        }
        let distance = builder.binary(BinaryOp::Mul, position, axis.step);
        indices.push(builder.binary(BinaryOp::Add, axis.lo, distance));
    }
    indices.reverse();
    indices
}
