//! Whether a body is one long chain: a processor has some hundred instructions in flight, so that of short bodies many
//! runs overlap, and of bodies with longer chains of dependent operations not even two.

use std::collections::HashMap;

use we3_ir::{BinaryOp, Block, Func, Opcode, UnaryOp, Value};

/// Cycles of the longest chain from which on two runs side by side are faster than one after the other: half of the 224 to 512
/// instructions that large cores hold, as they start two vector instructions in each cycle.
const LONG: u32 = 192;

/// Whether the operations of a body wait for each other for that long.
pub(super) fn waits(func: &Func, body: Block) -> bool {
    cycles(func, body, 0, &mut HashMap::new()) >= LONG
}

/// When the last operation of a block, begun at `start`, is done.
fn cycles(func: &Func, block: Block, start: u32, ready: &mut HashMap<Value, u32>) -> u32 {
    let mut last = start;
    for op in &func.blocks[block].ops {
        let data = &func.ops[*op];
        let begin = data.args.iter().filter_map(|arg| ready.get(arg)).fold(start, |a, b| a.max(*b));
        let mut done = begin + latency(func, &data.opcode, data.results.first().copied());
        for region in &data.regions {
            done = done.max(cycles(func, *region, begin, ready));
        }
        for result in &data.results {
            ready.insert(*result, done);
        }
        last = last.max(done);
    }
    last
}

/// About how long a result takes in lanes.
fn latency(func: &Func, opcode: &Opcode, result: Option<Value>) -> u32 {
    let Some(result) = result else { return 0 };
    let float = func.ty(result).element().is_float();
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is no arithmetic takes about one cycle")]
    match opcode {
        Opcode::Const(_) | Opcode::Bitcast(_) => 0,
        Opcode::Binary(BinaryOp::Div) | Opcode::Unary(UnaryOp::Sqrt) if float => 20,
        Opcode::Index => 10,
        Opcode::Fma | Opcode::Convert(_) => 4,
        Opcode::Binary(_) if float => 4,
        _ => 1,
    }
}
