//! Building a function: a cursor that appends operations to the innermost open region.

use crate::entity::{Block, Op, Value};
use crate::module::Func;
use crate::op::{BinaryOp, CompareOp, Const, Opcode, UnaryOp};
use crate::span::Span;
use crate::types::{Scalar, Type};

/// Appends operations to a function. Regions are opened, filled and closed before the op that owns them.
pub struct FuncBuilder<'func> {
    /// The function being built.
    pub func: &'func mut Func,
    open: Vec<Block>,
    /// Given to every operation appended from now on.
    pub span: Span,
}

impl<'func> FuncBuilder<'func> {
    /// Starts in the function's body.
    pub fn new(func: &'func mut Func) -> FuncBuilder<'func> {
        let body = func.body;
        FuncBuilder { func, open: vec![body], span: Span::default() }
    }

    /// Starts in a given block of the function.
    pub fn at(func: &'func mut Func, block: Block) -> FuncBuilder<'func> {
        FuncBuilder { func, open: vec![block], span: Span::default() }
    }

    /// The block that operations are appended to.
    pub fn block(&self) -> Block {
        // The list starts with one block and `end_region` never removes the first.
        self.open[self.open.len() - 1]
    }

    /// Opens a region with parameters of these types (none may name another parameter of it; use
    /// `add_region_param` for that).
    pub fn begin_region(&mut self, params: &[Type]) -> Vec<Value> {
        let block = self.func.make_block();
        self.open.push(block);
        params.iter().map(|ty| self.func.add_param(block, ty.clone())).collect()
    }

    /// Adds a parameter to the open region.
    pub fn add_region_param(&mut self, ty: Type) -> Value {
        let block = self.block();
        self.func.add_param(block, ty)
    }

    /// Closes the open region with `yield`.
    pub fn end_region(&mut self, yields: Vec<Value>) -> Block {
        self.append(Opcode::Yield, yields, vec![], &[]);
        self.end_region_open()
    }

    /// Closes the open region, whose terminator is already there (`break`, `continue`).
    pub fn end_region_open(&mut self) -> Block {
        let block = self.block();
        if self.open.len() > 1 {
            self.open.pop();
        }
        block
    }

    /// Appends an operation whose result types name none of its own results.
    pub fn append(&mut self, opcode: Opcode, args: Vec<Value>, regions: Vec<Block>, results: &[Type]) -> Op {
        let op = self.func.make_op(opcode, args, regions, self.span);
        for ty in results {
            self.func.add_result(op, ty.clone());
        }
        let block = self.block();
        self.func.blocks[block].ops.push(op);
        op
    }

    /// Appends an operation with one result.
    pub fn value(&mut self, opcode: Opcode, args: Vec<Value>, regions: Vec<Block>, ty: Type) -> Value {
        let op = self.append(opcode, args, regions, &[ty]);
        self.func.ops[op].results[0]
    }

    /// A constant from its bits.
    pub fn constant(&mut self, ty: Scalar, bits: u64) -> Value {
        self.value(Opcode::Const(Const { ty, bits }), vec![], vec![], Type::Scalar(ty))
    }

    /// An `i64` constant.
    pub fn i64(&mut self, number: i64) -> Value {
        self.constant(Scalar::I64, number as u64)
    }

    /// A `bool` constant.
    pub fn bool(&mut self, truth: bool) -> Value {
        self.constant(Scalar::Bool, u64::from(truth))
    }

    /// A unary scalar (or lane-wise) operation.
    pub fn unary(&mut self, op: UnaryOp, operand: Value) -> Value {
        let ty = self.func.ty(operand).clone();
        self.value(Opcode::Unary(op), vec![operand], vec![], ty)
    }

    /// A binary scalar (or lane-wise) operation.
    pub fn binary(&mut self, op: BinaryOp, left: Value, right: Value) -> Value {
        let ty = self.func.ty(left).clone();
        self.value(Opcode::Binary(op), vec![left, right], vec![], ty)
    }

    /// A comparison.
    pub fn compare(&mut self, op: CompareOp, left: Value, right: Value) -> Value {
        let ty = self.with_element(left, Scalar::Bool);
        self.value(Opcode::Compare(op), vec![left, right], vec![], ty)
    }

    /// `select(condition, if_true, if_false)`.
    pub fn select(&mut self, condition: Value, if_true: Value, if_false: Value) -> Value {
        let ty = self.func.ty(if_true).clone();
        self.value(Opcode::Select, vec![condition, if_true, if_false], vec![], ty)
    }

    /// `a * b + c`, rounded once.
    pub fn fma(&mut self, a: Value, b: Value, c: Value) -> Value {
        let ty = self.func.ty(a).clone();
        self.value(Opcode::Fma, vec![a, b, c], vec![], ty)
    }

    /// A numeric conversion.
    pub fn convert(&mut self, to: Scalar, operand: Value) -> Value {
        let ty = self.with_element(operand, to);
        self.value(Opcode::Convert(to), vec![operand], vec![], ty)
    }

    /// The same bits under another type of the same width.
    pub fn bitcast(&mut self, to: Scalar, operand: Value) -> Value {
        let ty = self.with_element(operand, to);
        self.value(Opcode::Bitcast(to), vec![operand], vec![], ty)
    }

    /// One element of an array.
    pub fn index(&mut self, array: Value, subscripts: &[Value]) -> Value {
        let elem = self.func.ty(array).element();
        let mut args = vec![array];
        args.extend_from_slice(subscripts);
        self.value(Opcode::Index, args, vec![], Type::Scalar(elem))
    }

    /// `check cond, site` with values for its message.
    pub fn check(&mut self, condition: Value, site: u32, notes: &[Value]) {
        let mut args = vec![condition];
        args.extend_from_slice(notes);
        self.append(Opcode::Check { site }, args, vec![], &[]);
    }

    /// Ends the function's body.
    pub fn ret(&mut self, values: Vec<Value>) {
        self.append(Opcode::Return, values, vec![], &[]);
    }

    fn with_element(&self, value: Value, elem: Scalar) -> Type {
        match self.func.ty(value) {
            Type::Vector(_, lanes) => Type::Vector(elem, *lanes),
            Type::Scalar(_) | Type::Array(..) | Type::Buffer(_) => Type::Scalar(elem),
        }
    }
}
