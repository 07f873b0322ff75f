//! Copying regions, within a function or into another one, under a renaming of values.

use crate::entity::{Block, Op, Value};
use crate::hash::IdMap;
use crate::module::Func;
use crate::types::Type;

/// What values of the source become in the destination. A value without an entry stays itself
/// (right within one function, for values defined outside what is copied).
pub type ValueMap = IdMap<Value, Value>;

/// The renamed value.
pub fn mapped(map: &ValueMap, value: Value) -> Value {
    map.get(&value).copied().unwrap_or(value)
}

/// The type with its sizes renamed.
pub fn mapped_type(map: &ValueMap, ty: &Type) -> Type {
    match ty {
        Type::Array(elem, sizes) => Type::Array(*elem, sizes.iter().map(|size| mapped(map, *size)).collect()),
        Type::Scalar(_) | Type::Buffer(_) | Type::Vector(..) => ty.clone(),
    }
}

/// Copies regions and operations into `dest`, from another function or (with no source) from itself.
pub struct Cloner<'a> {
    /// Where the originals are; `None`: in `dest`.
    pub source: Option<&'a Func>,
    /// Where the copies go.
    pub dest: &'a mut Func,
    /// Renaming, extended with every parameter and result that is copied.
    pub map: ValueMap,
}

impl<'a> Cloner<'a> {
    /// Copies within one function.
    pub fn within(func: &'a mut Func) -> Cloner<'a> {
        Cloner { source: None, dest: func, map: ValueMap::default() }
    }

    /// Copies from one function into another.
    pub fn between(source: &'a Func, dest: &'a mut Func) -> Cloner<'a> {
        Cloner { source: Some(source), dest, map: ValueMap::default() }
    }

    fn source(&self) -> &Func {
        self.source.unwrap_or(self.dest)
    }

    /// Copies an operation with its regions; its results enter the map. The copy stands in no block yet.
    pub fn op(&mut self, op: Op) -> Op {
        let data = &self.source().ops[op];
        let (opcode, results) = (data.opcode.clone(), data.results.clone());
        let args = data.args.iter().map(|arg| mapped(&self.map, *arg)).collect();
        let regions = data.regions.clone();
        let span = self.source().spans[op];
        let schedule = self.source().schedules.get(op).cloned().flatten();
        let regions = regions.into_iter().map(|region| self.block(region)).collect();
        let copy = self.dest.make_op(opcode, args, regions, span);
        if schedule.is_some() {
            self.dest.schedules[copy] = schedule;
        }
        for result in results {
            let ty = mapped_type(&self.map, self.source().ty(result));
            let value = self.dest.add_result(copy, ty);
            self.map.insert(result, value);
        }
        copy
    }

    /// Copies a block with everything in it.
    pub fn block(&mut self, block: Block) -> Block {
        let data = self.source().blocks[block].clone();
        let copy = self.dest.make_block();
        for param in data.params {
            let ty = mapped_type(&self.map, self.source().ty(param));
            let value = self.dest.add_param(copy, ty);
            self.map.insert(param, value);
        }
        self.ops(&data.ops, copy);
        copy
    }

    /// Copies a list of operations to the end of a block.
    pub fn ops(&mut self, ops: &[Op], into: Block) {
        for op in ops {
            let copy = self.op(*op);
            self.dest.blocks[into].ops.push(copy);
        }
    }
}
