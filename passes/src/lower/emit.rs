//! Writing loop IR: arithmetic on sizes, loops and branches from closures. No decision is taken here.

use we3_ir::{BinaryOp, CompareOp, ForKind, Opcode, Scalar, Type, Value};

use super::state::Lower;

impl Lower<'_> {
    pub(super) fn i64(&mut self, number: i64) -> Value {
        self.b.i64(number)
    }

    pub(super) fn add(&mut self, left: Value, right: Value) -> Value {
        self.b.binary(BinaryOp::Add, left, right)
    }

    pub(super) fn sub(&mut self, left: Value, right: Value) -> Value {
        self.b.binary(BinaryOp::Sub, left, right)
    }

    pub(super) fn mul(&mut self, left: Value, right: Value) -> Value {
        self.b.binary(BinaryOp::Mul, left, right)
    }

    pub(super) fn min(&mut self, left: Value, right: Value) -> Value {
        self.b.binary(BinaryOp::Min, left, right)
    }

    pub(super) fn add_const(&mut self, left: Value, number: i64) -> Value {
        let right = self.i64(number);
        self.add(left, right)
    }

    pub(super) fn mul_const(&mut self, left: Value, number: i64) -> Value {
        if number == 1 {
            return left;
        }
        let right = self.i64(number);
        self.mul(left, right)
    }

    pub(super) fn min_const(&mut self, left: Value, number: i64) -> Value {
        let right = self.i64(number);
        self.min(left, right)
    }

    /// `value / 2^bits` for a value ≥ 0.
    pub(super) fn shr_const(&mut self, value: Value, bits: i64) -> Value {
        let amount = self.i64(bits);
        self.b.binary(BinaryOp::Shr, value, amount)
    }

    /// `⌈value / 2^bits⌉` for a value ≥ 0 that is not within `2^bits` of overflow.
    pub(super) fn ceil_shift(&mut self, value: Value, bits: i64) -> Value {
        let sum = self.add_const(value, (1 << bits) - 1);
        self.shr_const(sum, bits)
    }

    pub(super) fn compare_const(&mut self, op: CompareOp, left: Value, number: i64) -> Value {
        let right = self.i64(number);
        self.b.compare(op, left, right)
    }

    /// Number of elements for these sizes; saturates, so that too many is "out of memory".
    pub(super) fn count(&mut self, sizes: &[Value]) -> Value {
        match sizes.split_first() {
            None => self.i64(1),
            Some((first, rest)) => {
                rest.iter().fold(*first, |product, size| self.b.binary(BinaryOp::MulSat, product, *size))
            }
        }
    }

    pub(super) fn load(&mut self, elem: Scalar, buffer: Value, at: Value) -> Value {
        self.b.value(Opcode::Load, vec![buffer, at], vec![], Type::Scalar(elem))
    }

    /// Loads what the buffer holds.
    pub(super) fn load_elem(&mut self, buffer: Value, at: Value) -> Value {
        let elem = self.b.func.ty(buffer).element();
        self.load(elem, buffer, at)
    }

    pub(super) fn store(&mut self, buffer: Value, at: Value, value: Value) {
        self.b.append(Opcode::Store, vec![buffer, at, value], vec![], &[]);
    }

    pub(super) fn alloc(&mut self, elem: Scalar, count: Value) -> Value {
        self.b.value(Opcode::Alloc(elem), vec![count], vec![], Type::Buffer(elem))
    }

    pub(super) fn stack(&mut self, elem: Scalar, len: u32) -> Value {
        self.b.value(Opcode::Stack { elem, len }, vec![], vec![], Type::Buffer(elem))
    }

    pub(super) fn free(&mut self, buffer: Value) {
        self.b.append(Opcode::Free, vec![buffer], vec![], &[]);
    }

    fn value_types(&self, values: &[Value]) -> Vec<Type> {
        values.iter().map(|value| self.b.func.ty(*value).clone()).collect()
    }

    /// `for i in lo..hi` in order, carrying values.
    pub(super) fn for_carry(
        &mut self,
        lo: Value,
        hi: Value,
        init: &[Value],
        body: impl FnOnce(&mut Self, Value, &[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        self.for_kind(ForKind::Serial, lo, hi, init, body)
    }

    /// `for i in lo..hi` in order.
    pub(super) fn for_each(&mut self, lo: Value, hi: Value, body: impl FnOnce(&mut Self, Value)) {
        self.for_carry(lo, hi, &[], |this, i, _| {
            body(this, i);
            Vec::new()
        });
    }

    /// Writes code that runs once for thousands of elements: short rather than fast, so without lanes.
    pub(super) fn rarely<R>(&mut self, body: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.rare, true);
        let result = body(self);
        self.rare = before;
        result
    }

    /// `for i in lo..hi` with independent iterations, in lanes of so many bytes where there are vectors.
    pub(super) fn for_lanes(
        &mut self,
        bytes: u32,
        lo: Value,
        hi: Value,
        body: impl FnOnce(&mut Self, Value),
    ) {
        let lanes = self.facts.lanes(bytes).filter(|_| !self.rare);
        let kind = lanes.map_or(ForKind::Serial, ForKind::Lanes);
        self.for_kind(kind, lo, hi, &[], |this, i, _| {
            body(this, i);
            Vec::new()
        });
    }

    /// `for i in 0..n` of a kind, carrying values.
    pub(super) fn for_kind(
        &mut self,
        kind: ForKind,
        lo: Value,
        hi: Value,
        init: &[Value],
        body: impl FnOnce(&mut Self, Value, &[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        let types = self.value_types(init);
        let mut params = vec![Type::I64];
        params.extend_from_slice(&types);
        let step = self.i64(1);
        let params = self.b.begin_region(&params);
        let yields = body(self, params[0], &params[1..]);
        let region = self.b.end_region(yields);
        let mut args = vec![lo, hi, step];
        args.extend_from_slice(init);
        let op = self.b.append(Opcode::For(kind), args, vec![region], &types);
        self.b.func.ops[op].results.clone()
    }

    /// `if` with results of these types.
    pub(super) fn if_else(
        &mut self,
        condition: Value,
        types: &[Type],
        if_true: impl FnOnce(&mut Self) -> Vec<Value>,
        if_false: impl FnOnce(&mut Self) -> Vec<Value>,
    ) -> Vec<Value> {
        self.b.begin_region(&[]);
        let yields = if_true(self);
        let then = self.b.end_region(yields);
        self.b.begin_region(&[]);
        let yields = if_false(self);
        let other = self.b.end_region(yields);
        let op = self.b.append(Opcode::If, vec![condition], vec![then, other], types);
        self.b.func.ops[op].results.clone()
    }

    /// `if` without results or an `else`.
    pub(super) fn if_then(&mut self, condition: Value, body: impl FnOnce(&mut Self)) {
        self.if_else(
            condition,
            &[],
            |this| {
                body(this);
                Vec::new()
            },
            |_| Vec::new(),
        );
    }

    /// `while cond(carried) { carried = body(carried) }`.
    pub(super) fn while_loop(
        &mut self,
        init: &[Value],
        cond: impl FnOnce(&mut Self, &[Value]) -> Value,
        body: impl FnOnce(&mut Self, &[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        let types = self.value_types(init);
        let params = self.b.begin_region(&types);
        let truth = cond(self, &params);
        let cond_region = self.b.end_region(vec![truth]);
        let params = self.b.begin_region(&types);
        let yields = body(self, &params);
        let body_region = self.b.end_region(yields);
        let op = self.b.append(Opcode::While, init.to_vec(), vec![cond_region, body_region], &types);
        self.b.func.ops[op].results.clone()
    }
}
