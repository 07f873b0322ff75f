//! What lowering made of an entry, in numbers: that fusion happened, without freezing text.

use we3_driver::ir::{Block, Func, Opcode};

/// Counts of one kind in the loop IR of an entry: `nest`, `copie` (of `copies`), `alloc`, `check`, `dot`.
pub fn count(func: &Func, what: &str) -> Option<usize> {
    match what {
        "nest" => Some(nests(func, func.body)),
        "copie" | "copy" => Some(everywhere(func, &|opcode| matches!(opcode, Opcode::Copy))),
        "alloc" => Some(everywhere(func, &|opcode| matches!(opcode, Opcode::Alloc(_)))),
        "check" => Some(everywhere(func, &|opcode| matches!(opcode, Opcode::Check { .. }))),
        "loop" => Some(everywhere(func, &|opcode| matches!(opcode, Opcode::For(_)))),
        "load" => Some(everywhere(func, &|opcode| matches!(opcode, Opcode::Load))),
        "store" => Some(everywhere(func, &|opcode| matches!(opcode, Opcode::Store))),
        _ => None,
    }
}

/// Outermost loops.
fn nests(func: &Func, block: Block) -> usize {
    let ops = func.blocks[block].ops.iter().map(|op| &func.ops[*op]);
    ops.map(|op| match op.opcode {
        Opcode::For(_) | Opcode::Forever | Opcode::While => 1,
        _ => op.regions.iter().map(|region| nests(func, *region)).sum(),
    })
    .sum()
}

fn everywhere(func: &Func, wanted: &dyn Fn(&Opcode) -> bool) -> usize {
    fn walk(func: &Func, block: Block, wanted: &dyn Fn(&Opcode) -> bool) -> usize {
        let ops = func.blocks[block].ops.iter().map(|op| &func.ops[*op]);
        ops.map(|op| {
            let inner: usize = op.regions.iter().map(|region| walk(func, *region, wanted)).sum();
            inner + usize::from(wanted(&op.opcode))
        })
        .sum()
    }
    walk(func, func.body, wanted)
}
