//! Random programs: every operation, nested control with carried values, jumps, memory, vectors. They
//! always end, and never read what they have not written.

use we3_ir::{
    BinaryOp, Block, CompareOp, Const, EntryAbi, ForKind, Func, FuncBuilder, Level, Module, Opcode, Scalar,
    Type, Value,
};

use super::operations::Operation;
use super::values::{Random, pick};

/// Elements of every scratch buffer.
const SCRATCH: u32 = 16;

/// The parameters of every program.
pub const PARAMS: [Scalar; 10] = [
    Scalar::I64,
    Scalar::F64,
    Scalar::F32,
    Scalar::F32,
    Scalar::F64,
    Scalar::I32,
    Scalar::U8,
    Scalar::F16,
    Scalar::Bf16,
    Scalar::Bool,
];

/// Writes a program.
pub struct Author<'a> {
    builder: FuncBuilder<'a>,
    random: Random,
    operations: &'a [Operation],
    /// Values in scope.
    scope: Vec<Value>,
    buffers: Vec<Value>,
    /// What each enclosing `block` or `forever` takes from a `break`.
    targets: Vec<Vec<Type>>,
    budget: u32,
    lanes: u16,
}

/// A module with one entry `@f` that returns a number of scalars.
pub fn program(seed: u64, operations: &[Operation]) -> Module {
    let mut func = Func::new("f");
    let mut random = Random(seed);
    let params = PARAMS.map(|ty| func.add_param(func.body, Type::Scalar(ty)));
    let lanes = [2, 4, 8, 16][random.below(4)];
    let builder = FuncBuilder::new(&mut func);
    let mut author = Author {
        builder,
        random,
        operations,
        scope: params.to_vec(),
        buffers: Vec::new(),
        targets: Vec::new(),
        budget: 60,
        lanes,
    };
    author.scratch();
    author.statements(4);
    let returned = author.returned();
    for value in &returned {
        let ty = func.ty(*value).clone();
        func.declare_result(ty);
    }
    let ones = |n| vec![1; n];
    func.entry = Some(EntryAbi { param_strides: ones(PARAMS.len()), result_strides: ones(returned.len()) });
    let mut module = Module::new(Level::Loop);
    module.funcs.push(func);
    module
}

impl Author<'_> {
    /// Filled scratch memory of several types.
    fn scratch(&mut self) {
        for ty in [Scalar::F32, Scalar::F64, Scalar::I64, Scalar::U8, Scalar::F16, Scalar::Bool] {
            let opcode = Opcode::Stack { elem: ty, len: SCRATCH };
            let buffer = self.builder.value(opcode, vec![], vec![], Type::Buffer(ty));
            for index in 0..SCRATCH {
                let index = self.builder.i64(index.into());
                let value = self.constant(ty);
                self.builder.append(Opcode::Store, vec![buffer, index, value], vec![], &[]);
            }
            self.buffers.push(buffer);
        }
    }

    fn constant(&mut self, ty: Scalar) -> Value {
        let bits = pick(&mut self.random, ty);
        self.builder.value(Opcode::Const(Const { ty, bits }), vec![], vec![], Type::Scalar(ty))
    }

    /// A value of this type from the scope, or made now.
    fn any(&mut self, ty: &Type) -> Value {
        let known: Vec<Value> =
            self.scope.iter().copied().filter(|value| self.builder.func.ty(*value) == ty).collect();
        if !known.is_empty() && self.random.below(5) > 0 {
            // Recent ones more often.
            let back = self.random.below(known.len()).min(self.random.below(known.len()));
            return known[known.len() - 1 - back];
        }
        match ty {
            Type::Vector(elem, lanes) => {
                let lane = self.any(&Type::Scalar(*elem));
                self.builder.value(Opcode::Splat(*lanes), vec![lane], vec![], ty.clone())
            }
            _ => self.constant(ty.element()),
        }
    }

    fn any_type(&mut self) -> Type {
        let elem = if self.random.below(3) > 0 {
            [Scalar::F32, Scalar::F64, Scalar::F32, Scalar::I64, Scalar::F16][self.random.below(5)]
        } else {
            Scalar::ALL[self.random.below(13)]
        };
        if self.random.below(6) == 0 { Type::Vector(elem, self.lanes) } else { Type::Scalar(elem) }
    }

    fn some_types(&mut self) -> Vec<Type> {
        (0..self.random.below(4)).map(|_| self.any_type()).collect()
    }

    fn values_of(&mut self, types: &[Type]) -> Vec<Value> {
        types.iter().map(|ty| self.any(ty)).collect()
    }

    fn statements(&mut self, depth: u32) {
        for _ in 0..2 + self.random.below(7) {
            if self.budget == 0 {
                return;
            }
            self.budget -= 1;
            let choice = self.random.below(if depth == 0 { 9 } else { 15 });
            match choice {
                0..=5 => self.operation(),
                6 => self.lanes(),
                7 => self.load(),
                8 => self.store(),
                9 => self.branch(depth - 1),
                10 => self.counted(depth - 1),
                11 => self.repeated(depth - 1),
                12 => self.block(depth - 1),
                13 => self.forever(depth - 1),
                _ => self.leave_if(),
            }
        }
    }

    fn operation(&mut self) {
        let mut operation = self.operations[self.random.below(self.operations.len())];
        // Half of them on the types whose NaNs need care.
        while !matches!(operation.operand(), Scalar::F32 | Scalar::F64) && self.random.below(2) == 0 {
            operation = self.operations[self.random.below(self.operations.len())];
        }
        let wide = self.random.below(4) == 0;
        let shaped = |ty: Scalar, lanes| if wide { Type::Vector(ty, lanes) } else { Type::Scalar(ty) };
        let mut types: Vec<Type> =
            operation.operands().into_iter().map(|ty| shaped(ty, self.lanes)).collect();
        if matches!(operation, Operation::Select(_)) && self.random.below(2) == 0 {
            types[0] = Type::BOOL;
        }
        let args = self.values_of(&types);
        let result = shaped(operation.result(), self.lanes);
        let value = self.builder.value(operation.opcode(), args, vec![], result);
        self.scope.push(value);
    }

    fn lanes(&mut self) {
        let elem = self.any_type().element();
        let vector = Type::Vector(elem, self.lanes);
        let lane = self.random.below(usize::from(self.lanes)) as u16;
        let left = self.any(&vector);
        let (opcode, args, ty) = match self.random.below(4) {
            0 => (Opcode::Extract(lane), vec![left], Type::Scalar(elem)),
            1 => {
                let new = self.any(&Type::Scalar(elem));
                (Opcode::Insert(lane), vec![left, new], vector)
            }
            2 if elem.is_int() => (Opcode::Iota { elem, lanes: self.lanes }, vec![], vector),
            _ => {
                let right = self.any(&vector);
                let picks = (0..self.lanes).map(|_| self.random.below(2 * usize::from(self.lanes)) as u16);
                (Opcode::Shuffle(picks.collect()), vec![left, right], vector)
            }
        };
        let value = self.builder.value(opcode, args, vec![], ty);
        self.scope.push(value);
    }

    /// A buffer, an element type for an access, and an index that is in range for it.
    fn place(&mut self) -> (Value, Value, Type) {
        let buffer = self.buffers[self.random.below(self.buffers.len())];
        let elem = self.builder.func.ty(buffer).element();
        let wide = self.random.below(3) == 0;
        let ty = if wide { Type::Vector(elem, self.lanes) } else { Type::Scalar(elem) };
        let room = SCRATCH - if wide { u32::from(self.lanes) } else { 1 };
        if self.random.below(2) == 0 {
            let index = self.random.below(room as usize + 1) as i64;
            return (buffer, self.builder.i64(index), ty);
        }
        // min(max(any, 0), room)
        let index = self.any(&Type::I64);
        let zero = self.builder.i64(0);
        let index = self.builder.binary(BinaryOp::Max, index, zero);
        let room = self.builder.i64(room.into());
        (buffer, self.builder.binary(BinaryOp::Min, index, room), ty)
    }

    fn load(&mut self) {
        let (buffer, index, ty) = self.place();
        let value = self.builder.value(Opcode::Load, vec![buffer, index], vec![], ty);
        self.scope.push(value);
    }

    fn store(&mut self) {
        let (buffer, index, ty) = self.place();
        let value = self.any(&ty);
        self.builder.append(Opcode::Store, vec![buffer, index, value], vec![], &[]);
    }

    /// A region with these parameters that yields these types; `None`: the caller wrote the end.
    fn region(&mut self, params: &[Type], depth: u32, yields: &[Type]) -> (Block, Vec<Value>) {
        let mark = self.scope.len();
        let values = self.builder.begin_region(params);
        self.scope.extend(&values);
        self.statements(depth);
        let yielded = self.values_of(yields);
        self.scope.truncate(mark);
        (self.builder.end_region(yielded), values)
    }

    fn finish(&mut self, opcode: Opcode, args: Vec<Value>, regions: Vec<Block>, results: &[Type]) {
        let op = self.builder.append(opcode, args, regions, results);
        let results = self.builder.func.ops[op].results.clone();
        self.scope.extend(results);
    }

    fn branch(&mut self, depth: u32) {
        let results = self.some_types();
        let condition = self.any(&Type::BOOL);
        let regions = vec![self.region(&[], depth, &results).0, self.region(&[], depth, &results).0];
        self.finish(Opcode::If, vec![condition], regions, &results);
    }

    fn counted(&mut self, depth: u32) {
        let carried = self.some_types();
        let low = self.random.below(4) as i64 - 2;
        let high = low + self.random.below(4) as i64;
        let mut args = vec![self.builder.i64(low), self.builder.i64(high), self.builder.i64(1)];
        if self.random.below(2) == 0 {
            args[2] = self.builder.i64(2);
        }
        args.extend(self.values_of(&carried));
        let params: Vec<Type> = std::iter::once(Type::I64).chain(carried.clone()).collect();
        let (body, _) = self.region(&params, depth, &carried);
        self.finish(Opcode::For(ForKind::Serial), args, vec![body], &carried);
    }

    /// `while` with a counter as its first carried value.
    fn repeated(&mut self, depth: u32) {
        let mut carried = vec![Type::I64];
        carried.extend(self.some_types());
        let mut args = vec![self.builder.i64(0)];
        args.extend(self.values_of(&carried[1..]));
        let params = self.builder.begin_region(&carried);
        let limit = self.builder.i64(self.random.below(4) as i64);
        let more = self.builder.compare(CompareOp::Lt, params[0], limit);
        let cond = self.builder.end_region(vec![more]);
        let mark = self.scope.len();
        let params = self.builder.begin_region(&carried);
        self.scope.extend(&params[1..]);
        self.statements(depth);
        let one = self.builder.i64(1);
        let mut next = vec![self.builder.binary(BinaryOp::Add, params[0], one)];
        next.extend(self.values_of(&carried[1..]));
        self.scope.truncate(mark);
        let body = self.builder.end_region(next);
        self.finish(Opcode::While, args, vec![cond, body], &carried);
    }

    fn block(&mut self, depth: u32) {
        let results = self.some_types();
        self.targets.push(results.clone());
        let (body, _) = self.region(&[], depth, &results);
        self.targets.pop();
        self.finish(Opcode::Block, vec![], vec![body], &results);
    }

    /// `forever` with a counter as its first carried value; it leaves at the head of a round.
    fn forever(&mut self, depth: u32) {
        let results = self.some_types();
        let mut carried = vec![Type::I64];
        carried.extend(self.some_types());
        let mut args = vec![self.builder.i64(0)];
        args.extend(self.values_of(&carried[1..]));
        let mark = self.scope.len();
        let params = self.builder.begin_region(&carried);
        self.scope.extend(&params[1..]);
        let limit = self.builder.i64(self.random.below(4) as i64);
        let over = self.builder.compare(CompareOp::Ge, params[0], limit);
        self.builder.begin_region(&[]);
        let values = self.values_of(&results);
        self.builder.append(Opcode::Break(0), values, vec![], &[]);
        let leave = self.builder.end_region_open();
        self.builder.begin_region(&[]);
        let stay = self.builder.end_region(vec![]);
        self.builder.append(Opcode::If, vec![over], vec![leave, stay], &[]);
        let one = self.builder.i64(1);
        let next = self.builder.binary(BinaryOp::Add, params[0], one);
        self.targets.push(results.clone());
        self.statements(depth);
        self.targets.pop();
        let mut yields = vec![next];
        yields.extend(self.values_of(&carried[1..]));
        let body = if self.random.below(2) == 0 {
            self.builder.append(Opcode::Continue(0), yields, vec![], &[]);
            self.builder.end_region_open()
        } else {
            self.builder.end_region(yields)
        };
        self.scope.truncate(mark);
        self.finish(Opcode::Forever, args, vec![body], &results);
    }

    /// `if` with a jump out in one arm.
    fn leave_if(&mut self) {
        if self.targets.is_empty() {
            return self.operation();
        }
        let levels = self.random.below(self.targets.len());
        let types = self.targets[self.targets.len() - 1 - levels].clone();
        let condition = self.any(&Type::BOOL);
        let results = self.some_types();
        self.builder.begin_region(&[]);
        let mark = self.scope.len();
        let values = self.values_of(&types);
        self.builder.append(Opcode::Break(levels as u32), values, vec![], &[]);
        let leave = self.builder.end_region_open();
        self.scope.truncate(mark);
        let (stay, _) = self.region(&[], 0, &results);
        let regions = if self.random.below(2) == 0 { vec![leave, stay] } else { vec![stay, leave] };
        self.finish(Opcode::If, vec![condition], regions, &results);
    }

    /// The newest scalars, and every lane and cell that a few vectors and buffers hold.
    fn returned(mut self) -> Vec<Value> {
        let mut returned = Vec::new();
        for value in self.scope.clone().into_iter().rev().take(40) {
            match self.builder.func.ty(value).clone() {
                Type::Vector(elem, lanes) => {
                    for lane in 0..lanes {
                        let ty = Type::Scalar(elem);
                        returned.push(self.builder.value(Opcode::Extract(lane), vec![value], vec![], ty));
                    }
                }
                _ => returned.push(value),
            }
        }
        for buffer in self.buffers.clone() {
            let ty = Type::Scalar(self.builder.func.ty(buffer).element());
            for index in 0..SCRATCH {
                let index = self.builder.i64(index.into());
                returned.push(self.builder.value(Opcode::Load, vec![buffer, index], vec![], ty.clone()));
            }
        }
        self.builder.ret(returned.clone());
        returned
    }
}
