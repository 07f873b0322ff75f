//! What lowering made of an entry, in numbers: that fusion happened, without freezing text.

use we3_driver::ir::{Block, Func, Opcode};

/// Counts of one kind in the loop IR of an entry, their names without an `s` at the end.
pub fn count(func: &Func, what: &str) -> Option<usize> {
    match what {
        "nest" => Some(nests(func, func.body)),
        "loop copie" | "loop copy" => Some(in_loops(func, func.body, &is_copy)),
        "copie" | "copy" => Some(everywhere(func, &is_copy)),
        "alloc" => Some(everywhere(func, &|opcode| matches!(opcode, Opcode::Alloc(_)))),
        "check" => Some(everywhere(func, &|opcode| matches!(opcode, Opcode::Check { .. }))),
        "loop" => Some(everywhere(func, &|opcode| matches!(opcode, Opcode::For(_)))),
        "load" => Some(everywhere(func, &|opcode| matches!(opcode, Opcode::Load))),
        "store" => Some(everywhere(func, &|opcode| matches!(opcode, Opcode::Store))),
        _ => None,
    }
}

fn is_copy(opcode: &Opcode) -> bool {
    matches!(opcode, Opcode::Copy)
}

fn is_loop(opcode: &Opcode) -> bool {
    matches!(opcode, Opcode::For(_) | Opcode::Forever | Opcode::While)
}

/// Outermost loops.
fn nests(func: &Func, block: Block) -> usize {
    let ops = func.blocks[block].ops.iter().map(|op| &func.ops[*op]);
    ops.map(|op| {
        if is_loop(&op.opcode) {
            return 1;
        }
        op.regions.iter().map(|region| nests(func, *region)).sum()
    })
    .sum()
}

/// What stands in a loop, however deep.
fn in_loops(func: &Func, block: Block, wanted: &dyn Fn(&Opcode) -> bool) -> usize {
    let ops = func.blocks[block].ops.iter().map(|op| &func.ops[*op]);
    ops.map(|op| {
        let count = |region: &Block| {
            if is_loop(&op.opcode) { below(func, *region, wanted) } else { in_loops(func, *region, wanted) }
        };
        op.regions.iter().map(count).sum::<usize>()
    })
    .sum()
}

fn everywhere(func: &Func, wanted: &dyn Fn(&Opcode) -> bool) -> usize {
    below(func, func.body, wanted)
}

/// What stands in a block and the regions of its operations.
fn below(func: &Func, block: Block, wanted: &dyn Fn(&Opcode) -> bool) -> usize {
    let ops = func.blocks[block].ops.iter().map(|op| &func.ops[*op]);
    ops.map(|op| {
        let inner: usize = op.regions.iter().map(|region| below(func, *region, wanted)).sum();
        inner + usize::from(wanted(&op.opcode))
    })
    .sum()
}
