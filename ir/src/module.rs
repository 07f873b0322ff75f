//! Modules and functions: arenas of values, operations and blocks. Plain data; `builder` makes it,
//! `verify` says whether it is well formed.

use cranelift_entity::{PrimaryMap, SecondaryMap};

use crate::entity::{Block, FuncId, Op, Value};
use crate::op::Opcode;
use crate::schedule::Schedule;
use crate::span::Span;
use crate::types::Type;

/// Which operations may stand in a function (`verify` holds the table).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Level {
    /// Pure array values.
    Array,
    /// Explicit loops and memory.
    Loop,
}

/// A set of functions at one level.
#[derive(Clone, Debug)]
pub struct Module {
    /// The level of every function in it.
    pub level: Level,
    /// The functions; a call names its callee by id.
    pub funcs: PrimaryMap<FuncId, Func>,
}

impl Module {
    /// An empty module.
    pub fn new(level: Level) -> Module {
        Module { level, funcs: PrimaryMap::new() }
    }

    /// The function with this name.
    pub fn find(&self, name: &str) -> Option<FuncId> {
        self.funcs.iter().find(|(_, func)| func.name == name).map(|(id, _)| id)
    }
}

/// What makes a function callable by a host: how array leaves of records lie in memory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EntryAbi {
    /// For each parameter, the distance between consecutive elements, in elements (1: dense;
    /// 1 for scalars too). A field of an array of records has the record's size over its own.
    pub param_strides: Vec<u32>,
    /// The same for each result.
    pub result_strides: Vec<u32>,
}

/// A function: a body block whose parameters are the function's, and result types that may name
/// parameters. An array result's sizes are parameters or earlier results (`result_sizes`).
#[derive(Clone, Debug)]
pub struct Func {
    /// Unique in its module.
    pub name: String,
    /// Present when a host may call it.
    pub entry: Option<EntryAbi>,
    /// Result types. Sizes name parameters, or stand for earlier results through `ResultRef`
    /// values: entry k of `result_refs` is a placeholder value for result k.
    pub results: Vec<Type>,
    /// Placeholder values (type `i64`, defined by `ValueDef::ResultRef`) for `i64` results that
    /// later result types name.
    pub result_refs: Vec<Option<Value>>,
    /// The body.
    pub body: Block,
    /// All blocks.
    pub blocks: PrimaryMap<Block, BlockData>,
    /// All operations.
    pub ops: PrimaryMap<Op, OpData>,
    /// All values.
    pub values: PrimaryMap<Value, ValueData>,
    /// Where each operation came from.
    pub spans: SecondaryMap<Op, Span>,
    /// How builds are to be arranged, where somebody asked.
    pub schedules: SecondaryMap<Op, Option<Box<Schedule>>>,
}

/// A region: parameters, then operations in order; the last is its terminator.
#[derive(Clone, Debug, Default)]
pub struct BlockData {
    /// Values the owning op defines for each execution.
    pub params: Vec<Value>,
    /// Operations in order.
    pub ops: Vec<Op>,
}

/// An operation with its operands, regions and results.
#[derive(Clone, Debug)]
pub struct OpData {
    /// What it does.
    pub opcode: Opcode,
    /// Operands.
    pub args: Vec<Value>,
    /// Regions, in the order `docs/ir.md` gives.
    pub regions: Vec<Block>,
    /// Results.
    pub results: Vec<Value>,
}

/// A value's type and where it is defined.
#[derive(Clone, Debug)]
pub struct ValueData {
    /// The type; may name other values as sizes.
    pub ty: Type,
    /// The definition.
    pub def: ValueDef,
}

/// Where a value is defined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueDef {
    /// Parameter number `.1` of a block.
    Param(Block, u32),
    /// Result number `.1` of an operation.
    Result(Op, u32),
    /// Stands for result number `.0` of the function inside its own result types.
    ResultRef(u32),
}

impl Func {
    /// An empty function with an empty body block.
    pub fn new(name: impl Into<String>) -> Func {
        let mut blocks = PrimaryMap::new();
        let body = blocks.push(BlockData::default());
        Func {
            name: name.into(),
            entry: None,
            results: Vec::new(),
            result_refs: Vec::new(),
            body,
            blocks,
            ops: PrimaryMap::new(),
            values: PrimaryMap::new(),
            spans: SecondaryMap::new(),
            schedules: SecondaryMap::new(),
        }
    }

    /// The function's parameters.
    pub fn params(&self) -> &[Value] {
        &self.blocks[self.body].params
    }

    /// A value's type.
    pub fn ty(&self, value: Value) -> &Type {
        &self.values[value].ty
    }

    /// The operation that defines a value, unless it is a parameter.
    pub fn def_op(&self, value: Value) -> Option<Op> {
        match self.values[value].def {
            ValueDef::Result(op, _) => Some(op),
            ValueDef::Param(..) | ValueDef::ResultRef(_) => None,
        }
    }

    /// The constant a value is, if its definition is one.
    pub fn as_const(&self, value: Value) -> Option<crate::op::Const> {
        let Opcode::Const(constant) = &self.ops[self.def_op(value)?].opcode else { return None };
        Some(*constant)
    }

    /// The last operation of a block.
    pub fn terminator(&self, block: Block) -> Option<Op> {
        self.blocks[block].ops.last().copied()
    }

    /// The values a finished region yields (or the function returns).
    pub fn yields(&self, block: Block) -> &[Value] {
        match self.terminator(block) {
            Some(op) => &self.ops[op].args,
            None => &[],
        }
    }

    /// Every operation that is reached, in the order of the text: an operation stands before those in its regions.
    pub fn ops_in_order(&self) -> Vec<Op> {
        let mut found = Vec::new();
        let mut open: Vec<Op> = self.blocks[self.body].ops.iter().rev().copied().collect();
        while let Some(op) = open.pop() {
            found.push(op);
            for region in self.ops[op].regions.iter().rev() {
                open.extend(self.blocks[*region].ops.iter().rev());
            }
        }
        found
    }

    /// A new, empty block.
    pub fn make_block(&mut self) -> Block {
        self.blocks.push(BlockData::default())
    }

    /// Adds a parameter to a block. The type may name earlier parameters.
    pub fn add_param(&mut self, block: Block, ty: Type) -> Value {
        let number = self.blocks[block].params.len() as u32;
        let value = self.values.push(ValueData { ty, def: ValueDef::Param(block, number) });
        self.blocks[block].params.push(value);
        value
    }

    /// A new operation that stands in no block yet.
    pub fn make_op(&mut self, opcode: Opcode, args: Vec<Value>, regions: Vec<Block>, span: Span) -> Op {
        let op = self.ops.push(OpData { opcode, args, regions, results: Vec::new() });
        self.spans[op] = span;
        op
    }

    /// Adds a result to an operation. The type may name earlier results of the same operation.
    pub fn add_result(&mut self, op: Op, ty: Type) -> Value {
        let number = self.ops[op].results.len() as u32;
        let value = self.values.push(ValueData { ty, def: ValueDef::Result(op, number) });
        self.ops[op].results.push(value);
        value
    }

    /// Declares the next result of the function.
    pub fn declare_result(&mut self, ty: Type) {
        self.results.push(ty);
        self.result_refs.push(None);
    }

    /// The placeholder for result `number` (an `i64`), to be named in later result types.
    pub fn result_ref(&mut self, number: usize) -> Value {
        if let Some(value) = self.result_refs[number] {
            return value;
        }
        let value = self.values.push(ValueData { ty: Type::I64, def: ValueDef::ResultRef(number as u32) });
        self.result_refs[number] = Some(value);
        value
    }
}
