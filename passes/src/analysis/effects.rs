//! Effects: which operations do something besides returning values.

use we3_ir::{Block, Func, Op, Opcode};

/// Whether the operation itself (not its regions) must stay, and where it is: a check, a write, a jump.
pub fn has_own_effect(opcode: &Opcode) -> bool {
    match opcode {
        Opcode::Check { .. }
        | Opcode::Call(_)
        | Opcode::Free
        | Opcode::Output { .. }
        | Opcode::Store
        | Opcode::Stream
        | Opcode::StoreLanes
        | Opcode::Copy
        | Opcode::Break(_)
        | Opcode::Continue(_)
        | Opcode::Return
        | Opcode::Barrier
        | Opcode::Probe { .. } => true,
        Opcode::Yield
        | Opcode::If
        | Opcode::While
        | Opcode::Build { .. }
        | Opcode::Index
        | Opcode::Reduce { .. }
        | Opcode::Dot { .. }
        | Opcode::DotBy { .. }
        | Opcode::Scan { .. }
        | Opcode::Loop
        | Opcode::Scatter { .. }
        | Opcode::Update { .. }
        | Opcode::Reshape
        | Opcode::Resize
        | Opcode::Alloc(_)
        | Opcode::Stack { .. }
        | Opcode::Offset
        | Opcode::Load
        | Opcode::For(_)
        | Opcode::Block
        | Opcode::Forever
        | Opcode::Const(_)
        | Opcode::Data { .. }
        | Opcode::Unary(_)
        | Opcode::Binary(_)
        | Opcode::Compare(_)
        | Opcode::Select
        | Opcode::Fma
        | Opcode::Convert(_)
        | Opcode::Bitcast(_)
        | Opcode::Splat(_)
        | Opcode::Iota { .. }
        | Opcode::Extract(_)
        | Opcode::Insert(_)
        | Opcode::LoadLanes
        | Opcode::AnyLane
        | Opcode::AllLanes
        | Opcode::Shuffle(_) => false,
    }
}

/// Whether the operation only computes its results from its operands: it may run earlier, later,
/// more often, or not at all.
pub fn is_pure_scalar(opcode: &Opcode) -> bool {
    match opcode {
        Opcode::Const(_)
        | Opcode::Data { .. }
        | Opcode::Unary(_)
        | Opcode::Binary(_)
        | Opcode::Compare(_)
        | Opcode::Select
        | Opcode::Fma
        | Opcode::Convert(_)
        | Opcode::Bitcast(_)
        | Opcode::Splat(_)
        | Opcode::Iota { .. }
        | Opcode::Extract(_)
        | Opcode::Insert(_)
        | Opcode::AnyLane
        | Opcode::AllLanes
        | Opcode::Shuffle(_) => true,
        Opcode::If
        | Opcode::While
        | Opcode::Check { .. }
        | Opcode::Call(_)
        | Opcode::Yield
        | Opcode::Return
        | Opcode::Build { .. }
        | Opcode::Index
        | Opcode::Reduce { .. }
        | Opcode::Dot { .. }
        | Opcode::DotBy { .. }
        | Opcode::Scan { .. }
        | Opcode::Loop
        | Opcode::Scatter { .. }
        | Opcode::Update { .. }
        | Opcode::Reshape
        | Opcode::Resize
        | Opcode::Alloc(_)
        | Opcode::Stack { .. }
        | Opcode::Free
        | Opcode::Output { .. }
        | Opcode::Offset
        | Opcode::Load
        | Opcode::Store
        | Opcode::Stream
        | Opcode::LoadLanes
        | Opcode::StoreLanes
        | Opcode::Copy
        | Opcode::For(_)
        | Opcode::Block
        | Opcode::Forever
        | Opcode::Break(_)
        | Opcode::Continue(_)
        | Opcode::Barrier
        | Opcode::Probe { .. } => false,
    }
}

/// Whether the operation or anything in its regions has an effect.
pub fn has_effect(func: &Func, op: Op) -> bool {
    let data = &func.ops[op];
    has_own_effect(&data.opcode) || data.regions.iter().any(|region| block_has_effect(func, *region))
}

/// Whether anything in the region has an effect.
pub fn block_has_effect(func: &Func, block: Block) -> bool {
    func.blocks[block].ops.iter().any(|op| has_effect(func, *op))
}

/// Whether the regions of this operation run any number of times for one execution of it.
pub fn is_repeated(opcode: &Opcode) -> bool {
    match opcode {
        Opcode::While
        | Opcode::Build { .. }
        | Opcode::Reduce { .. }
        | Opcode::Dot { .. }
        | Opcode::DotBy { .. }
        | Opcode::Scan { .. }
        | Opcode::Loop
        | Opcode::Scatter { .. }
        | Opcode::Update { .. }
        | Opcode::For(_)
        | Opcode::Forever => true,
        Opcode::If | Opcode::Block => false,
        Opcode::Check { .. }
        | Opcode::Call(_)
        | Opcode::Yield
        | Opcode::Return
        | Opcode::Index
        | Opcode::Reshape
        | Opcode::Resize
        | Opcode::Alloc(_)
        | Opcode::Stack { .. }
        | Opcode::Free
        | Opcode::Output { .. }
        | Opcode::Offset
        | Opcode::Load
        | Opcode::Store
        | Opcode::Stream
        | Opcode::Copy
        | Opcode::Break(_)
        | Opcode::Continue(_)
        | Opcode::Barrier
        | Opcode::Probe { .. }
        | Opcode::Const(_)
        | Opcode::Data { .. }
        | Opcode::Unary(_)
        | Opcode::Binary(_)
        | Opcode::Compare(_)
        | Opcode::Select
        | Opcode::Fma
        | Opcode::Convert(_)
        | Opcode::Bitcast(_)
        | Opcode::Splat(_)
        | Opcode::Iota { .. }
        | Opcode::Extract(_)
        | Opcode::Insert(_)
        | Opcode::LoadLanes
        | Opcode::StoreLanes
        | Opcode::AnyLane
        | Opcode::AllLanes
        | Opcode::Shuffle(_) => false,
    }
}
