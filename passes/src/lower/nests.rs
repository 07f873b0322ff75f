//! Which nests there are and how each is arranged, for `--emit schedule` and `--report`.

use we3_ir::span::Span;
use we3_ir::{Block, Func, Module, Op, Opcode};

use super::schedule::{NestSchedule, no_lanes};
use crate::analysis::effects::is_pure_scalar;
use crate::manager::PassContext;

/// A nest: one loop or several around the elements of a result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NestNote {
    /// The operation of the module.
    pub op: Op,
    /// The expression whose elements it computes.
    pub span: Span,
    /// The sizes of its axes where they are known.
    pub sizes: Vec<Option<i64>>,
    /// How it runs.
    pub schedule: NestSchedule,
    /// Whether the program asked for a schedule.
    pub asked: bool,
    /// Whether a loop of another nest is around it.
    pub inside: bool,
    /// Why its elements do not run in lanes, if they cannot.
    pub no_lanes: Option<&'static str>,
    /// What an element costs.
    pub work: Work,
}

/// What one element needs, as it is written: each operation once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Work {
    /// Operations on floats; a fused multiply-add is two.
    pub flops: u64,
    /// Other operations, subscripts left out.
    pub others: u64,
    /// Bytes of elements that are read.
    pub bytes_read: u64,
    /// Bytes of elements that are written.
    pub bytes_written: u64,
    /// Whether the element has loops of its own: a round of each counts here.
    pub loops: bool,
}

/// A nest as lowering notes it.
pub(super) struct PlacedNest {
    pub op: Op,
    pub rank: usize,
    pub schedule: NestSchedule,
    pub inside: bool,
}

/// The nests of each entry of an array-level module, in the order in which they are lowered. Give it what the pipeline
/// gives to `lower`.
pub fn nests(module: &Module, ctx: &PassContext) -> Vec<(String, Vec<NestNote>)> {
    let of =
        |func: &Func| super::lower_func(func, ctx).nests.into_iter().map(|nest| note(func, nest)).collect();
    module.funcs.values().map(|func| (func.name.clone(), of(func))).collect()
}

fn note(func: &Func, nest: PlacedNest) -> NestNote {
    let data = &func.ops[nest.op];
    let known = |size| func.as_const(size).map(|constant| constant.bits as i64);
    let is_build = matches!(data.opcode, Opcode::Build { .. });
    let mut work = Work::default();
    if let Some(body) = data.regions.first() {
        add_work(func, *body, &mut work);
        let bytes = |value: &we3_ir::Value| u64::from(func.ty(*value).element().bytes());
        work.bytes_written = func.yields(*body).iter().map(bytes).sum();
    }
    NestNote {
        op: nest.op,
        span: func.spans[nest.op],
        // (Those of an update are not operands.)
        sizes: (0..nest.rank)
            .map(|axis| data.args.get(axis).copied().filter(|_| is_build).and_then(known))
            .collect(),
        schedule: nest.schedule,
        asked: func.schedules[nest.op].is_some(),
        inside: nest.inside,
        no_lanes: data.regions.first().and_then(|body| no_lanes(func, *body)),
        work,
    }
}

fn add_work(func: &Func, block: Block, work: &mut Work) {
    for op in &func.blocks[block].ops {
        let data = &func.ops[*op];
        let Some(ty) = data.results.first().map(|result| func.ty(*result)) else { continue };
        let float = ty.element().is_float();
        let flops = flops(&data.opcode);
        work.flops += if float { flops } else { 0 };
        work.others += u64::from(!float && is_pure_scalar(&data.opcode) && flops > 0);
        if data.opcode == Opcode::Index {
            work.bytes_read += u64::from(ty.element().bytes());
        }
        let dots = matches!(data.opcode, Opcode::Dot { .. } | Opcode::DotBy { .. });
        let rounds = matches!(
            data.opcode,
            Opcode::Reduce { .. } | Opcode::Scan { .. } | Opcode::While | Opcode::Loop | Opcode::Build { .. }
        );
        work.loops |= dots || rounds;
        data.regions.iter().for_each(|region| add_work(func, *region, work));
    }
}

/// What an operation counts for; a round of a reduction for what it combines.
pub(super) fn flops(opcode: &Opcode) -> u64 {
    if matches!(opcode, Opcode::Fma | Opcode::Dot { .. } | Opcode::DotBy { .. }) {
        return 2;
    }
    let combines = matches!(opcode, Opcode::Reduce { .. } | Opcode::Scan { .. });
    u64::from(combines || (is_pure_scalar(opcode) && !matches!(opcode, Opcode::Const(_))))
}
