//! Array uses: where, in each block, an array value is used for the last time (a use inside a nested
//! region counts at the operation that owns the region). Ownership of memory is decided from this.

use std::collections::HashMap;

use we3_ir::entity::{PackedOption, SecondaryMap};
use we3_ir::{Block, Func, Op, Type, Value, ValueDef};

/// The facts.
#[derive(Debug, Default)]
pub struct ArrayUses {
    last: HashMap<(Block, Value), u32>,
    dying: HashMap<(Block, u32), Vec<Value>>,
}

impl ArrayUses {
    /// Computes them for a whole function; linear in uses times nesting depth.
    pub fn new(func: &Func) -> ArrayUses {
        let mut walk =
            Walk { func, owner: SecondaryMap::new(), place: SecondaryMap::new(), last: HashMap::new() };
        walk.block(func.body);
        let mut dying: HashMap<(Block, u32), Vec<Value>> = HashMap::new();
        let mut all: Vec<_> = walk.last.iter().map(|(key, index)| (*key, *index)).collect();
        all.sort_unstable();
        for ((block, value), index) in all {
            dying.entry((block, index)).or_default().push(value);
        }
        ArrayUses { last: walk.last, dying }
    }

    /// The position of the operation of `block` that uses `value` last, itself or in its regions.
    pub fn last(&self, block: Block, value: Value) -> Option<u32> {
        self.last.get(&(block, value)).copied()
    }

    /// The values whose last use in `block` is the operation at this position.
    pub fn dying(&self, block: Block, index: u32) -> &[Value] {
        self.dying.get(&(block, index)).map_or(&[], Vec::as_slice)
    }
}

struct Walk<'a> {
    func: &'a Func,
    /// The operation that a block belongs to.
    owner: SecondaryMap<Block, PackedOption<Op>>,
    /// The block and position of an operation that has regions.
    place: SecondaryMap<Op, Option<(Block, u32)>>,
    last: HashMap<(Block, Value), u32>,
}

impl Walk<'_> {
    fn block(&mut self, block: Block) {
        let func = self.func;
        for (index, op) in func.blocks[block].ops.iter().enumerate() {
            let data = &func.ops[*op];
            for arg in &data.args {
                if matches!(func.ty(*arg), Type::Array(..)) {
                    self.mark(block, index as u32, *arg);
                }
            }
            if !data.regions.is_empty() {
                self.place[*op] = Some((block, index as u32));
            }
            for region in &data.regions {
                self.owner[*region] = (*op).into();
                self.block(*region);
            }
        }
    }

    /// Marks the use here and at every enclosing operation up to the block of the definition.
    fn mark(&mut self, mut block: Block, mut index: u32, value: Value) {
        let home = self.home(value);
        loop {
            self.last.insert((block, value), index);
            if home == Some(block) {
                return;
            }
            let Some(owner) = self.owner[block].expand() else { return };
            let Some((outer, outer_index)) = self.place[owner] else { return };
            (block, index) = (outer, outer_index);
        }
    }

    /// The block of the definition if it is a parameter; results stop at the body, which is harmless
    /// (a block outside the definition's never asks).
    fn home(&self, value: Value) -> Option<Block> {
        match self.func.values[value].def {
            ValueDef::Param(block, _) => Some(block),
            ValueDef::Result(..) | ValueDef::ResultRef(_) => None,
        }
    }
}
