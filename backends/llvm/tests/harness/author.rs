//! Random kernels over arrays: parallel and serial loops, allocations inside and outside of them,
//! buffers that change names, in-place updates, copies, checks. No iteration of a parallel loop
//! touches what another one writes, and nothing is read before it is written.

use we3_ir::{
    BinaryOp, Block, CompareOp, Const, EntryAbi, ForKind, Func, FuncBuilder, Level, Module, Opcode, Scalar,
    Type, UnaryOp, Value,
};

use super::{Random, edges};

/// Element types of the kernels.
const TYPES: [Scalar; 3] = [Scalar::F32, Scalar::F64, Scalar::I64];

/// Number of array parameters; their elements are `TYPES` in turn.
pub const ARRAYS: usize = 3;

struct Author<'a> {
    builder: FuncBuilder<'a>,
    random: Random,
    n: Value,
    zero: Value,
    one: Value,
    /// Array parameters: read anywhere.
    inputs: Vec<Value>,
    /// Written buffers of `n` elements: read and written at the own index.
    written: Vec<Value>,
    /// Those among them that are not outputs.
    allocated: Vec<Value>,
    /// Scalars.
    scalars: Vec<Value>,
    outputs: Vec<Scalar>,
}

/// A kernel `@f(n, arrays…, f32, i64)`, and the element types of its array results.
pub fn kernel(seed: u64) -> (Module, Vec<Scalar>) {
    let mut func = Func::new("f");
    let n = func.add_param(func.body, Type::I64);
    let inputs: Vec<Value> =
        (0..ARRAYS).map(|number| func.add_param(func.body, Type::Buffer(TYPES[number % 3]))).collect();
    let scalars = [Scalar::F32, Scalar::I64].map(|ty| func.add_param(func.body, Type::Scalar(ty)));
    let mut builder = FuncBuilder::new(&mut func);
    let (zero, one) = (builder.i64(0), builder.i64(1));
    let mut author = Author {
        builder,
        random: Random(seed),
        n,
        zero,
        one,
        inputs,
        written: Vec::new(),
        allocated: Vec::new(),
        scalars: scalars.to_vec(),
        outputs: Vec::new(),
    };
    for _ in 0..2 {
        author.map(false);
    }
    for _ in 0..4 + author.below(6) {
        author.statement(2);
    }
    author.results();
    let returned: Vec<Value> = author.scalars.iter().rev().take(6).copied().collect();
    author.builder.ret(returned.clone());
    let outputs = author.outputs;
    for value in &returned {
        let ty = func.ty(*value).clone();
        func.declare_result(ty);
    }
    func.entry = Some(EntryAbi {
        param_strides: vec![1; func.params().len()],
        result_strides: vec![1; returned.len() + outputs.len()],
    });
    let mut module = Module::new(Level::Loop);
    module.funcs.push(func);
    (module, outputs)
}

impl Author<'_> {
    fn below(&mut self, limit: usize) -> usize {
        (self.random.next() % limit as u64) as usize
    }

    fn pick(&mut self, values: &[Value]) -> Value {
        let index = self.below(values.len());
        values[index]
    }

    fn element(&self, value: Value) -> Scalar {
        self.builder.func.ty(value).element()
    }

    fn statement(&mut self, depth: u32) {
        match self.below(if depth == 0 { 7 } else { 10 }) {
            0 => self.map(false),
            1 => self.map(true),
            2 => self.in_place(),
            3 => self.prefix(),
            4 => self.total(),
            5 => self.copied(),
            6 => self.rows(),
            7 => self.swapping(),
            8 => self.branch(depth - 1),
            _ => self.check(),
        }
    }

    /// A loop over all elements; at most the own index of written buffers may be touched in it.
    fn each(&mut self, fill: impl FnOnce(&mut Self, Value)) {
        let kind = if self.below(3) > 0 { ForKind::Parallel } else { ForKind::Serial };
        let scope = self.scalars.len();
        let index = self.builder.begin_region(&[Type::I64])[0];
        fill(self, index);
        self.scalars.truncate(scope);
        let body = self.builder.end_region(vec![]);
        let args = vec![self.zero, self.n, self.one];
        self.builder.append(Opcode::For(kind), args, vec![body], &[]);
    }

    fn load(&mut self, buffer: Value, index: Value) -> Value {
        let ty = Type::Scalar(self.element(buffer));
        self.builder.value(Opcode::Load, vec![buffer, index], vec![], ty)
    }

    fn store(&mut self, buffer: Value, index: Value, value: Value) {
        self.builder.append(Opcode::Store, vec![buffer, index, value], vec![], &[]);
    }

    fn constant(&mut self, ty: Scalar) -> Value {
        let edges = edges(ty);
        let bits = edges[self.below(edges.len())];
        self.builder.value(Opcode::Const(Const { ty, bits }), vec![], vec![], Type::Scalar(ty))
    }

    /// Something of this type to compute with, at this index.
    fn leaf(&mut self, ty: Scalar, index: Value) -> Value {
        let of_type = |author: &Self, list: &[Value]| -> Vec<Value> {
            list.iter().copied().filter(|value| author.element(*value) == ty).collect()
        };
        let (inputs, written) = (of_type(self, &self.inputs), of_type(self, &self.written));
        match self.below(6) {
            0 | 1 if !written.is_empty() => {
                let buffer = self.pick(&written);
                self.load(buffer, index)
            }
            2 | 3 => {
                let buffer = self.pick(&inputs);
                let at = self.anywhere(index);
                self.load(buffer, at)
            }
            4 => {
                let scalars = of_type(self, &self.scalars);
                if scalars.is_empty() { self.constant(ty) } else { self.pick(&scalars) }
            }
            _ => self.constant(ty),
        }
    }

    /// The own index or another one in range.
    fn anywhere(&mut self, index: Value) -> Value {
        if self.below(2) == 0 {
            return index;
        }
        let factor = self.builder.i64(5);
        let product = self.builder.binary(BinaryOp::Mul, index, factor);
        self.builder.binary(BinaryOp::Rem, product, self.n)
    }

    fn value(&mut self, ty: Scalar, index: Value, depth: u32) -> Value {
        if depth == 0 {
            return self.leaf(ty, index);
        }
        let float = ty.is_float();
        let left = self.value(ty, index, depth - 1);
        match self.below(8) {
            0 if float => self.builder.unary(UnaryOp::Sqrt, left),
            0 => self.builder.unary(UnaryOp::Neg, left),
            1 => {
                let from = TYPES[self.below(3)];
                let other = self.value(from, index, depth - 1);
                self.builder.convert(ty, other)
            }
            2 => {
                let right = self.value(ty, index, depth - 1);
                let less = self.builder.compare(CompareOp::Lt, left, right);
                let (first, second) = (self.leaf(ty, index), left);
                self.builder.select(less, first, second)
            }
            3 if float => {
                let (b, c) = (self.leaf(ty, index), self.leaf(ty, index));
                self.builder.fma(left, b, c)
            }
            4 if ty == Scalar::I64 => {
                let other = self.value(Scalar::F64, index, depth - 1);
                self.builder.bitcast(Scalar::I64, other)
            }
            4 if ty == Scalar::F64 => {
                let other = self.value(Scalar::I64, index, depth - 1);
                self.builder.bitcast(Scalar::F64, other)
            }
            _ => {
                let ops = [
                    BinaryOp::Add,
                    BinaryOp::Sub,
                    BinaryOp::Mul,
                    BinaryOp::Div,
                    BinaryOp::Min,
                    BinaryOp::Max,
                    BinaryOp::Rem,
                ];
                let op = ops[self.below(ops.len())];
                let right = self.value(ty, index, depth - 1);
                self.builder.binary(op, left, right)
            }
        }
    }

    fn allocate(&mut self, ty: Scalar) -> Value {
        let buffer = self.builder.value(Opcode::Alloc(ty), vec![self.n], vec![], Type::Buffer(ty));
        self.allocated.push(buffer);
        buffer
    }

    fn output(&mut self, ty: Scalar) -> Value {
        let opcode = Opcode::Output { index: self.outputs.len() as u32, elem: ty };
        self.outputs.push(ty);
        self.builder.value(opcode, vec![self.n], vec![], Type::Buffer(ty))
    }

    /// A new buffer, filled.
    fn map(&mut self, output: bool) {
        let ty = TYPES[self.below(3)];
        let buffer = if output && self.is_outermost() { self.output(ty) } else { self.allocate(ty) };
        self.each(|author, index| {
            let value = author.value(ty, index, 3);
            author.store(buffer, index, value);
        });
        self.written.push(buffer);
    }

    fn is_outermost(&self) -> bool {
        self.builder.block() == self.builder.func.body
    }

    fn in_place(&mut self) {
        let buffer = self.pick(&self.written.clone());
        let ty = self.element(buffer);
        self.each(|author, index| {
            let old = author.load(buffer, index);
            let new = author.value(ty, index, 2);
            let value = author.builder.binary(BinaryOp::Add, old, new);
            author.store(buffer, index, value);
        });
    }

    /// Each element from the one before.
    fn prefix(&mut self) {
        let buffer = self.pick(&self.written.clone());
        let ty = self.element(buffer);
        let scope = self.scalars.len();
        let index = self.builder.begin_region(&[Type::I64])[0];
        let before = self.builder.binary(BinaryOp::Sub, index, self.one);
        let before = self.load(buffer, before);
        let new = self.value(ty, index, 1);
        let value = self.builder.binary(BinaryOp::Add, before, new);
        self.store(buffer, index, value);
        self.scalars.truncate(scope);
        let body = self.builder.end_region(vec![]);
        let args = vec![self.one, self.n, self.one];
        self.builder.append(Opcode::For(ForKind::Serial), args, vec![body], &[]);
    }

    /// A scalar from all elements, in order.
    fn total(&mut self) {
        let ty = TYPES[self.below(3)];
        let start = self.constant(ty);
        let params = self.builder.begin_region(&[Type::I64, Type::Scalar(ty)]);
        let value = self.value(ty, params[0], 2);
        let next = self.builder.binary(BinaryOp::Add, params[1], value);
        let body = self.builder.end_region(vec![next]);
        let args = vec![self.zero, self.n, self.one, start];
        let total = self.builder.value(Opcode::For(ForKind::Serial), args, vec![body], Type::Scalar(ty));
        self.scalars.push(total);
    }

    fn copied(&mut self) {
        let source = self.pick(&self.written.clone());
        let dest = self.allocate(self.element(source));
        self.builder.append(Opcode::Copy, vec![dest, source, self.n], vec![], &[]);
        self.written.push(dest);
    }

    /// Each iteration fills a row of its own and adds it up.
    fn rows(&mut self) {
        let ty = TYPES[self.below(2)];
        let buffer = self.allocate(ty);
        let width = 1 + self.below(5) as i64;
        self.each(|author, index| {
            let len = author.builder.i64(width);
            let row = author.builder.value(Opcode::Alloc(ty), vec![len], vec![], Type::Buffer(ty));
            let column = author.builder.begin_region(&[Type::I64])[0];
            let value = author.value(ty, index, 1);
            let scale = author.builder.convert(ty, column);
            let value = author.builder.binary(BinaryOp::Mul, value, scale);
            author.store(row, column, value);
            let body = author.builder.end_region(vec![]);
            let args = vec![author.zero, len, author.one];
            author.builder.append(Opcode::For(ForKind::Serial), args.clone(), vec![body], &[]);
            let params = author.builder.begin_region(&[Type::I64, Type::Scalar(ty)]);
            let value = author.load(row, params[0]);
            let next = author.builder.binary(BinaryOp::Add, params[1], value);
            let body = author.builder.end_region(vec![next]);
            let start = author.constant(ty);
            let args = [args, vec![start]].concat();
            let sum = author.builder.value(Opcode::For(ForKind::Serial), args, vec![body], Type::Scalar(ty));
            author.builder.append(Opcode::Free, vec![row], vec![], &[]);
            author.store(buffer, index, sum);
        });
        self.written.push(buffer);
    }

    /// Two buffers that change places in each round.
    fn swapping(&mut self) {
        let ty = TYPES[self.below(3)];
        let before = self.written.len();
        let pair = [self.filled(ty), self.filled(ty)];
        self.written.truncate(before);
        self.allocated.truncate(self.allocated.len() - 2);
        let rounds = self.builder.i64(self.random.next() as i64 & 3);
        let types = [Type::I64, Type::Buffer(ty), Type::Buffer(ty)];
        let params = self.builder.begin_region(&types);
        let more = self.builder.compare(CompareOp::Lt, params[0], rounds);
        let cond = self.builder.end_region(vec![more]);
        let params = self.builder.begin_region(&types);
        let (from, to) = (params[1], params[2]);
        self.each(|author, index| {
            let old = author.load(from, index);
            let new = author.value(ty, index, 1);
            let value = author.builder.binary(BinaryOp::Sub, old, new);
            author.store(to, index, value);
        });
        let next = self.builder.binary(BinaryOp::Add, params[0], self.one);
        let body = self.builder.end_region(vec![next, to, from]);
        let args = vec![self.zero, pair[0], pair[1]];
        let op = self.builder.append(Opcode::While, args, vec![cond, body], &types);
        let results = self.builder.func.ops[op].results.clone();
        self.scalars.push(results[0]);
        self.written.extend(&results[1..]);
    }

    fn filled(&mut self, ty: Scalar) -> Value {
        let buffer = self.allocate(ty);
        self.each(|author, index| {
            let value = author.leaf(ty, index);
            author.store(buffer, index, value);
        });
        buffer
    }

    fn branch(&mut self, depth: u32) {
        let limit = self.builder.i64(self.random.next() as i64 & 63);
        let condition = self.builder.compare(CompareOp::Lt, self.n, limit);
        let regions: Vec<Block> = (0..2).map(|_| self.arm(depth)).collect();
        self.builder.append(Opcode::If, vec![condition], regions, &[]);
    }

    fn arm(&mut self, depth: u32) -> Block {
        let (written, allocated, scalars) = (self.written.len(), self.allocated.len(), self.scalars.len());
        self.builder.begin_region(&[]);
        for _ in 0..self.below(3) {
            self.statement(depth);
        }
        self.written.truncate(written);
        self.allocated.truncate(allocated);
        self.scalars.truncate(scalars);
        self.builder.end_region(vec![])
    }

    /// Fails for one size.
    fn check(&mut self) {
        let size = self.builder.i64(self.random.next() as i64 & 31);
        let other = self.builder.compare(CompareOp::Ne, self.n, size);
        self.builder.check(other, 1, &[]);
    }

    /// Everything that was computed goes out.
    fn results(&mut self) {
        for buffer in self.allocated.clone() {
            let output = self.output(self.element(buffer));
            self.builder.append(Opcode::Copy, vec![output, buffer, self.n], vec![], &[]);
        }
        for buffer in self.allocated.clone().into_iter().take(2) {
            self.builder.append(Opcode::Free, vec![buffer], vec![], &[]);
        }
    }
}
