//! Replacing values by other values throughout a function. Passes collect replacements while they
//! walk and apply them once, so that a pass stays linear.

use we3_ir::clone::{Cloner, mapped_type};
use we3_ir::entity::{PackedOption, SecondaryMap};
use we3_ir::{Block, Func, Type, Value};

/// Which values are replaced by which. Chains are followed.
#[derive(Clone, Debug, Default)]
pub struct Replacements {
    map: SecondaryMap<Value, PackedOption<Value>>,
    any: bool,
}

impl Replacements {
    /// From now on `new` stands for `old`. `new` must not be, or lead back to, `old`.
    pub fn replace(&mut self, old: Value, new: Value) {
        let new = self.resolve(new);
        if new != old {
            self.map[old] = new.into();
            self.any = true;
        }
    }

    /// What stands for this value now.
    pub fn resolve(&self, value: Value) -> Value {
        let mut current = value;
        while let Some(next) = self.map.get(current).and_then(|next| next.expand()) {
            current = next;
        }
        current
    }

    /// Whether nothing was replaced.
    pub fn is_empty(&self) -> bool {
        !self.any
    }

    /// Rewrites operands and types, in every block and value.
    pub fn apply(&self, func: &mut Func) {
        if self.is_empty() {
            return;
        }
        for data in func.ops.values_mut() {
            for arg in &mut data.args {
                *arg = self.resolve(*arg);
            }
        }
        for data in func.values.values_mut() {
            self.apply_to_type(&mut data.ty);
        }
        for ty in &mut func.results {
            self.apply_to_type(ty);
        }
    }

    fn apply_to_type(&self, ty: &mut Type) {
        if let Type::Array(_, sizes) = ty {
            for size in sizes {
                *size = self.resolve(*size);
            }
        }
    }
}

/// Every block that hangs below `root`, it included, each before those nested in it, in program order.
pub fn blocks_in_order(func: &Func, root: Block) -> Vec<Block> {
    let mut order = Vec::new();
    let mut pending = vec![root];
    while let Some(block) = pending.pop() {
        order.push(block);
        let nested = func.blocks[block].ops.iter().rev();
        pending.extend(nested.flat_map(|op| func.ops[*op].regions.iter().rev()));
    }
    order
}

/// A copy without the operations, blocks and values that nothing reaches any more.
pub fn compact(func: &Func) -> Func {
    let mut fresh = Func::new(func.name.clone());
    fresh.entry = func.entry.clone();
    let body = fresh.body;
    let mut cloner = Cloner::between(func, &mut fresh);
    for param in func.params() {
        let ty = mapped_type(&cloner.map, func.ty(*param));
        let value = cloner.dest.add_param(body, ty);
        cloner.map.insert(*param, value);
    }
    cloner.ops(&func.blocks[func.body].ops, body);
    let mut map = cloner.map;
    for (number, ty) in func.results.iter().enumerate() {
        fresh.declare_result(mapped_type(&map, ty));
        if let Some(placeholder) = func.result_refs[number] {
            let value = fresh.result_ref(number);
            map.insert(placeholder, value);
        }
    }
    fresh
}
