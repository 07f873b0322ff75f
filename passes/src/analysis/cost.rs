//! Cost: about how much work a region is, to decide what may be computed twice.

use we3_ir::{BinaryOp, Block, Func, Opcode, UnaryOp};

/// The cost of anything with an inner loop.
pub const LOOP: u32 = 1000;

/// The work of one execution of a region: about 1 for a simple operation.
pub fn region_cost(func: &Func, block: Block) -> u32 {
    func.blocks[block].ops.iter().fold(0u32, |sum, op| {
        let data = &func.ops[*op];
        let nested = data.regions.iter().map(|region| region_cost(func, *region));
        sum.saturating_add(op_cost(&data.opcode)).saturating_add(nested.sum())
    })
}

/// Whether the region only says where its result is to be found: subscripts, loads, choices.
#[expect(clippy::wildcard_enum_match_arm, reason = "anything else computes")]
pub fn is_move(func: &Func, block: Block) -> bool {
    func.blocks[block].ops.iter().all(|op| {
        let data = &func.ops[*op];
        let integer = || data.results.iter().all(|result| !func.ty(*result).element().is_float());
        match &data.opcode {
            Opcode::Const(_) | Opcode::Index | Opcode::Select | Opcode::Yield => true,
            Opcode::Unary(_) | Opcode::Binary(_) | Opcode::Compare(_) => {
                integer() && op_cost(&data.opcode) <= 1
            }
            Opcode::Convert(_) => integer(),
            Opcode::If => data.regions.iter().all(|region| is_move(func, *region)),
            _ => false,
        }
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "everything else has loops or memory of its own")]
fn op_cost(opcode: &Opcode) -> u32 {
    match opcode {
        Opcode::Const(_) | Opcode::Yield | Opcode::Bitcast(_) | Opcode::Reshape | Opcode::Resize => 0,
        Opcode::Unary(UnaryOp::Sqrt) => 8,
        Opcode::Binary(BinaryOp::Div | BinaryOp::Rem) => 8,
        Opcode::Unary(_)
        | Opcode::Binary(_)
        | Opcode::Compare(_)
        | Opcode::Select
        | Opcode::Fma
        | Opcode::Convert(_)
        | Opcode::Index
        | Opcode::If => 1,
        _ => LOOP,
    }
}
