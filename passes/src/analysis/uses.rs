//! Uses: which operations use a value, and where each operation and region stands.

use we3_ir::entity::SecondaryMap;
use we3_ir::{Block, Func, Op, Value};

use crate::rewrite::blocks_in_order;

/// The facts. Kept up to date by whoever changes the function.
#[derive(Default)]
pub struct Uses {
    users: SecondaryMap<Value, Vec<Op>>,
    block_of: SecondaryMap<Op, Option<Block>>,
    owner: SecondaryMap<Block, Option<Op>>,
}

impl Uses {
    /// Computes them for a whole function.
    pub fn new(func: &Func) -> Uses {
        let mut uses = Uses::default();
        uses.add_block(func, func.body);
        uses
    }

    /// Takes in a block and everything nested in it.
    pub fn add_block(&mut self, func: &Func, root: Block) {
        for block in blocks_in_order(func, root) {
            for op in &func.blocks[block].ops {
                self.add_op(func, *op, block);
            }
        }
    }

    /// Takes in an operation that stands in `block`; its regions are taken in by themselves.
    pub fn add_op(&mut self, func: &Func, op: Op, block: Block) {
        self.block_of[op] = Some(block);
        for region in &func.ops[op].regions {
            self.owner[*region] = Some(op);
        }
        for arg in &func.ops[op].args {
            self.add_user(*arg, op);
        }
    }

    /// An operation uses a value from now on.
    pub fn add_user(&mut self, value: Value, op: Op) {
        let users = &mut self.users[value];
        if users.last() != Some(&op) && !(users.len() < 64 && users.contains(&op)) {
            users.push(op);
        }
    }

    /// Takes in an operation with everything in its regions.
    pub fn add_tree(&mut self, func: &Func, op: Op, block: Block) {
        self.add_op(func, op, block);
        for region in func.ops[op].regions.clone() {
            self.add_block(func, region);
        }
    }

    /// An operation is gone (its regions with it).
    pub fn remove_tree(&mut self, func: &Func, op: Op) {
        self.block_of[op] = None;
        for arg in func.ops[op].args.clone() {
            self.users[arg].retain(|user| *user != op);
        }
        for region in func.ops[op].regions.clone() {
            for nested in func.blocks[region].ops.clone() {
                self.remove_tree(func, nested);
            }
        }
    }

    /// The operations that use a value.
    pub fn users(&self, value: Value) -> &[Op] {
        &self.users[value]
    }

    /// The block that an operation stands in.
    pub fn block_of(&self, op: Op) -> Option<Block> {
        self.block_of[op]
    }

    /// The operation that owns a region; none for a function's body.
    pub fn owner(&self, block: Block) -> Option<Op> {
        self.owner[block]
    }

    /// The operations around `op`, innermost first, each with the region that `op` is in, up to the
    /// operation that stands in `block` itself. None when `op` is not below `block`.
    pub fn path_up(&self, op: Op, block: Block) -> Option<Vec<(Op, Block)>> {
        let mut path = Vec::new();
        let mut here = self.block_of(op)?;
        while here != block {
            let owner = self.owner(here)?;
            path.push((owner, here));
            here = self.block_of(owner)?;
        }
        Some(path)
    }
}
