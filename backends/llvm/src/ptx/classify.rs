//! Which operations of an entry the host must carry out (or step through), and who uses what.

use std::collections::{HashMap, HashSet};

use we3_ir::{Block, ForKind, Func, Op, Opcode, Type, Value};

/// Facts about the operations of one function.
pub struct Classes {
    host: HashSet<Op>,
    users: HashMap<Value, Vec<Op>>,
    parents: HashMap<Op, Op>,
}

/// What a subtree holds.
#[derive(Clone, Copy, Default)]
struct Content {
    /// Memory of the host's making, or a parallel nest.
    host: bool,
    /// How many targets further out the farthest jump goes (0: no jump leaves).
    jumps_out: u32,
}

impl Classes {
    /// Looks at every operation once.
    pub fn of(func: &Func) -> Classes {
        let mut classes = Classes { host: HashSet::new(), users: HashMap::new(), parents: HashMap::new() };
        classes.block(func, func.body, None);
        classes
    }

    /// Whether the host must carry this operation out or step into it.
    pub fn is_host(&self, op: Op) -> bool {
        self.host.contains(&op)
    }

    /// Whether the value is used by an operation that is not in the set, nor inside one of it.
    pub fn used_outside(&self, value: Value, inside: &HashSet<Op>) -> bool {
        let users = self.users.get(&value).map(Vec::as_slice).unwrap_or_default();
        users.iter().any(|user| {
            let mut op = *user;
            loop {
                if inside.contains(&op) {
                    return false;
                }
                match self.parents.get(&op) {
                    Some(parent) => op = *parent,
                    None => return true,
                }
            }
        })
    }

    fn block(&mut self, func: &Func, block: Block, parent: Option<Op>) -> Content {
        let mut content = Content::default();
        for op in &func.blocks[block].ops {
            if let Some(parent) = parent {
                self.parents.insert(*op, parent);
            }
            for arg in &func.ops[*op].args {
                self.users.entry(*arg).or_default().push(*op);
            }
            let inner = self.op(func, *op);
            content.host |= inner.host;
            content.jumps_out = content.jumps_out.max(inner.jumps_out);
        }
        content
    }

    fn op(&mut self, func: &Func, op: Op) -> Content {
        let data = &func.ops[op];
        let mut content = Content::default();
        for region in &data.regions {
            let inner = self.block(func, *region, Some(op));
            content.host |= inner.host;
            content.jumps_out = content.jumps_out.max(inner.jumps_out);
        }
        if matches!(data.opcode, Opcode::Block | Opcode::Forever) {
            content.jumps_out = content.jumps_out.saturating_sub(1);
        }
        if let Opcode::Break(levels) | Opcode::Continue(levels) = data.opcode {
            content.jumps_out = levels + 1;
        }
        if matches!(data.opcode, Opcode::Alloc(_) | Opcode::Output { .. } | Opcode::Free) {
            content.host = true;
        }
        if matches!(data.opcode, Opcode::For(ForKind::Parallel | ForKind::Grid)) {
            content.host = true;
        }
        // A copy is a kernel of its own where the host meets one, but no reason to step into a loop.
        // Which buffer a result is, the host must know.
        let chooses_buffer = data.results.iter().any(|result| matches!(func.ty(*result), Type::Buffer(_)));
        let whole = content.host || content.jumps_out > 0 || data.opcode == Opcode::Copy;
        if whole || (chooses_buffer && !data.regions.is_empty()) {
            self.host.insert(op);
        }
        content
    }

    /// Whether this parallel nest can be one kernel: nothing in it is the host's alone.
    pub fn is_kernel_nest(&self, func: &Func, op: Op) -> bool {
        matches!(func.ops[op].opcode, Opcode::For(ForKind::Parallel | ForKind::Grid))
            && func.ops[op].regions.iter().all(|region| self.without_memory(func, *region))
    }

    fn without_memory(&self, func: &Func, block: Block) -> bool {
        func.blocks[block].ops.iter().all(|op| {
            let data = &func.ops[*op];
            !matches!(data.opcode, Opcode::Alloc(_) | Opcode::Output { .. } | Opcode::Free)
                && data.regions.iter().all(|region| self.without_memory(func, *region))
        })
    }
}
