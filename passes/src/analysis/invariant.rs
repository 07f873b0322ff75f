//! Reductions that may run before the loops around them, or although those do not run at all: they only read arrays
//! that are there, at places that exist whatever was checked before, and they end.

use we3_ir::entity::SecondaryMap;
use we3_ir::{BinaryOp, Block, Func, Op, Opcode, Value};

use super::effects::is_pure_scalar;

/// For each index parameter of a region that has been entered, the size it stays below.
#[derive(Default)]
pub struct Domains {
    below: SecondaryMap<Value, Option<Value>>,
}

impl Domains {
    /// Notes the index parameters of an operation's first region.
    pub fn enter(&mut self, func: &Func, op: Op) {
        let data = &func.ops[op];
        let Some(region) = data.regions.first() else { return };
        let sizes = domain_sizes(&data.opcode, &data.args);
        for (param, size) in func.blocks[*region].params.iter().zip(sizes) {
            self.below[*param] = Some(not_negative(func, *size));
        }
    }

    /// Whether a reduction may run earlier, as far as its operands are there, and also when nothing asks for it.
    pub fn is_movable(&mut self, func: &Func, op: Op) -> bool {
        let opcode = &func.ops[op].opcode;
        matches!(opcode, Opcode::Reduce { .. } | Opcode::Dot { .. } | Opcode::DotBy { .. })
            && self.only_reads(func, op)
    }

    fn only_reads(&mut self, func: &Func, op: Op) -> bool {
        self.enter(func, op);
        func.ops[op].regions.iter().all(|region| self.block_only_reads(func, *region))
    }

    fn block_only_reads(&mut self, func: &Func, block: Block) -> bool {
        func.blocks[block].ops.iter().all(|op| {
            let opcode = &func.ops[*op].opcode;
            let nested = matches!(
                opcode,
                Opcode::If | Opcode::Reduce { .. } | Opcode::Dot { .. } | Opcode::DotBy { .. }
            );
            matches!(opcode, Opcode::Yield)
                || is_pure_scalar(opcode)
                || (matches!(opcode, Opcode::Index) && self.is_in_range(func, *op))
                || (nested && self.only_reads(func, *op))
        })
    }

    /// Whether every subscript runs over just the axis it stands for.
    fn is_in_range(&self, func: &Func, op: Op) -> bool {
        let args = &func.ops[op].args;
        let sizes = func.ty(args[0]).sizes();
        sizes.len() + 1 == args.len()
            && args[1..]
                .iter()
                .zip(sizes)
                .all(|(index, size)| self.below[*index] == Some(not_negative(func, *size)))
    }
}

/// The sizes of the first region's leading parameters.
#[expect(clippy::wildcard_enum_match_arm, reason = "other regions have no domain")]
fn domain_sizes<'a>(opcode: &Opcode, args: &'a [Value]) -> &'a [Value] {
    match opcode {
        Opcode::Build { rank } | Opcode::Dot { rank } | Opcode::DotBy { rank } => &args[..*rank as usize],
        Opcode::Update { .. } => &args[1..],
        Opcode::Reduce { .. } | Opcode::Scan { .. } | Opcode::Scatter { .. } | Opcode::Loop => &args[..1],
        _ => &[],
    }
}

/// `n` for `max n, 0`: the size of an array is never less.
fn not_negative(func: &Func, size: Value) -> Value {
    let Some(op) = func.def_op(size) else { return size };
    let data = &func.ops[op];
    let zero = |value: Value| func.as_const(value).is_some_and(|constant| constant.bits == 0);
    match &data.args[..] {
        [a, b] if data.opcode == Opcode::Binary(BinaryOp::Max) && zero(*b) => *a,
        [a, b] if data.opcode == Opcode::Binary(BinaryOp::Max) && zero(*a) => *b,
        _ => size,
    }
}
