//! `reduce`: what is combined, chains, and adjacent pairs. Lanes are in `lanes` and, where the order is
//! free, in `free`.

use we3_ir::{BinaryOp, Block, CompareOp, Op, Order, ReduceKind, Scalar, Type, Value};

use super::state::Lower;

/// How two partial results become one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Combiner {
    /// A scalar operation.
    Builtin(BinaryOp),
    /// A region of the source: `(a…, b…) -> c…`.
    Region(Block),
}

/// Where the elements of a reduction come from.
#[derive(Clone, Copy)]
pub(super) enum Elements<'a> {
    /// A region of the source: `(k) -> [present,] e…`.
    Body(Block),
    /// Memory, read in order.
    Stored(&'a Columns),
    /// Memory, read through a permutation from some position on.
    Gathered { columns: &'a Columns, order: Value, from: Value },
}

/// One buffer per value, and one of `bool` when elements may be absent.
pub(super) struct Columns {
    /// The values.
    pub values: Vec<Value>,
    /// Whether they are there.
    pub flags: Option<Value>,
}

/// How to reduce.
#[derive(Clone, Debug)]
pub(super) struct Reduction {
    /// Combines.
    pub combiner: Combiner,
    /// Whether elements may be absent (a body then yields "present" first).
    pub masked: bool,
    /// Types that are accumulated: `f32` for narrow floats.
    pub columns: Vec<Scalar>,
    /// What no element gives, in those types.
    pub empty: Vec<Value>,
    /// An element that changes nothing, if there is one.
    pub identity: Option<Value>,
}

impl Reduction {
    /// Bytes of the narrowest value in a lane.
    pub(super) fn lane_bytes(&self) -> u32 {
        self.columns.iter().map(|column| column.bytes()).min().unwrap_or(8)
    }
}

impl Lower<'_> {
    pub(super) fn lower_reduce(&mut self, op: Op, kind: ReduceKind, masked: bool) {
        let src = self.src;
        let data = &src.ops[op];
        let n = self.scalar(data.args[0]);
        let const_n = self.const_i64(data.args[0]);
        let elem = src.ty(data.results[0]).element();
        let reduction = match kind {
            ReduceKind::Combine(_) => Reduction {
                combiner: Combiner::Region(data.regions[1]),
                masked,
                columns: data.results.iter().map(|result| src.ty(*result).element()).collect(),
                empty: self.scalars(&data.args[1..]),
                identity: None,
            },
            ReduceKind::Sum
            | ReduceKind::Prod
            | ReduceKind::Min
            | ReduceKind::Max
            | ReduceKind::Any
            | ReduceKind::All => self.builtin_reduction(kind, elem, masked),
        };
        let elements = Elements::Body(data.regions[0]);
        let values = match tree_order(kind, elem) {
            Order::Lanes => self.lanes(&reduction, elements, n, const_n),
            Order::Pairs => self.pairs(&reduction, elements, n),
            Order::Free => self.free_order(&reduction, elements, n, const_n),
        };
        for (result, value) in data.results.iter().zip(values) {
            let value = self.narrow(value, src.ty(*result).element());
            self.set_scalar(*result, value);
        }
    }

    pub(super) fn builtin_reduction(&mut self, kind: ReduceKind, elem: Scalar, masked: bool) -> Reduction {
        let column = accumulator(kind, elem);
        let identity = identity_bits(kind, column);
        let empty = if kind == ReduceKind::Sum { 0 } else { identity };
        Reduction {
            combiner: Combiner::Builtin(builtin(kind)),
            masked,
            columns: vec![column],
            empty: vec![self.b.constant(column, empty)],
            identity: Some(self.b.constant(column, identity)),
        }
    }

    /// Converts an accumulator back to the element type, which rounds once.
    pub(super) fn narrow(&mut self, value: Value, elem: Scalar) -> Value {
        if self.b.func.ty(value).element() == elem { value } else { self.b.convert(elem, value) }
    }

    /// Element `k`: whether it is there (`None`: always), and its values in accumulator types.
    pub(super) fn element(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        k: Value,
    ) -> (Option<Value>, Vec<Value>) {
        let (present, mut values) = match elements {
            Elements::Body(block) => {
                let mut values = self.scalar_region(block, &[k]);
                (reduction.masked.then(|| values.remove(0)), values)
            }
            Elements::Stored(columns) => self.stored_element(columns, k),
            Elements::Gathered { columns, order, from } => {
                let at = self.add(from, k);
                let place = self.load(Scalar::I64, order, at);
                self.stored_element(columns, place)
            }
        };
        for (value, column) in values.iter_mut().zip(&reduction.columns) {
            *value = self.narrow(*value, *column);
        }
        (present, values)
    }

    fn stored_element(&mut self, columns: &Columns, at: Value) -> (Option<Value>, Vec<Value>) {
        let present = columns.flags.map(|flags| self.load(Scalar::Bool, flags, at));
        let values = columns.values.iter().map(|buffer| self.load_elem(*buffer, at)).collect();
        (present, values)
    }

    pub(super) fn combine(&mut self, combiner: Combiner, left: &[Value], right: &[Value]) -> Vec<Value> {
        match combiner {
            Combiner::Builtin(op) => {
                left.iter().zip(right).map(|(left, right)| self.b.binary(op, *left, *right)).collect()
            }
            Combiner::Region(block) => self.scalar_region(block, &[left, right].concat()),
        }
    }

    /// The types of the accumulators.
    pub(super) fn column_types(reduction: &Reduction) -> Vec<Type> {
        reduction.columns.iter().map(|column| Type::Scalar(*column)).collect()
    }

    /// Order-free, one after the other: elements `lo .. hi` onto nothing.
    pub(super) fn chain(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        bounds: (Value, Value),
        empty: &[Value],
    ) -> Vec<Value> {
        let nothing = reduction.identity.is_none().then(|| self.b.bool(false));
        self.chain_on(reduction, elements, bounds, (nothing, empty))
    }

    /// Elements `lo .. hi` onto values so far; without an identity a flag says whether these are there.
    pub(super) fn chain_on(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        (lo, hi): (Value, Value),
        (some, so_far): (Option<Value>, &[Value]),
    ) -> Vec<Value> {
        match some {
            None => self.for_carry(lo, hi, so_far, |this, k, carried| {
                let (present, mut values) = this.element(reduction, elements, k);
                if let (Some(present), Some(identity)) = (present, reduction.identity) {
                    values[0] = this.b.select(present, values[0], identity);
                }
                this.combine(reduction.combiner, carried, &values)
            }),
            Some(some) => self.chain_of_present(reduction, elements, (lo, hi), (some, so_far)),
        }
    }

    /// Order-free without an identity: the first element there starts the chain.
    fn chain_of_present(
        &mut self,
        reduction: &Reduction,
        elements: Elements<'_>,
        (lo, hi): (Value, Value),
        (some, so_far): (Value, &[Value]),
    ) -> Vec<Value> {
        let init = [&[some], so_far].concat();
        let mut result = self.for_carry(lo, hi, &init, |this, k, carried| {
            let (present, values) = this.element(reduction, elements, k);
            let (some, so_far) = (carried[0], &carried[1..]);
            let joined = this.join_present(reduction, (Some(some), so_far), (present, &values));
            let any = match present {
                Some(present) => this.b.binary(BinaryOp::Or, some, present),
                None => this.b.bool(true),
            };
            [vec![any], joined].concat()
        });
        result.remove(0);
        result
    }

    /// `left ⊕ right` where either may be absent (`None`: it is there); if both are, `left`.
    pub(super) fn join_present(
        &mut self,
        reduction: &Reduction,
        left: (Option<Value>, &[Value]),
        right: (Option<Value>, &[Value]),
    ) -> Vec<Value> {
        let types = Self::column_types(reduction);
        let both = |this: &mut Self| match left.0 {
            None => this.combine(reduction.combiner, left.1, right.1),
            Some(there) => this.if_else(
                there,
                &types,
                |this| this.combine(reduction.combiner, left.1, right.1),
                |_| right.1.to_vec(),
            ),
        };
        match right.0 {
            None => both(self),
            Some(there) => self.if_else(there, &types, both, |_| left.1.to_vec()),
        }
    }

    /// Adjacent pairs, level by level: a binary counter of finished subtrees, one per level.
    pub(super) fn pairs(&mut self, reduction: &Reduction, elements: Elements<'_>, n: Value) -> Vec<Value> {
        let stacks: Vec<Value> = reduction.columns.iter().map(|column| self.stack(*column, 64)).collect();
        let flags = self.stack(Scalar::Bool, 64);
        let zero = self.i64(0);
        self.for_each(zero, n, |this, k| {
            let (present, values) = this.element(reduction, elements, k);
            let present = present.unwrap_or_else(|| this.b.bool(true));
            let start = [vec![zero, present], values].concat();
            let filled = |this: &mut Self, state: &[Value]| {
                let bits = this.b.binary(BinaryOp::Shr, k, state[0]);
                let one = this.i64(1);
                let bit = this.b.binary(BinaryOp::And, bits, one);
                this.compare_const(CompareOp::Ne, bit, 0)
            };
            let state = this
                .while_loop(&start, filled, |this, state| this.absorb_left(reduction, &stacks, flags, state));
            this.store(flags, state[0], state[1]);
            for (stack, value) in stacks.iter().zip(&state[2..]) {
                this.store(*stack, state[0], *value);
            }
        });
        // What is left are the subtrees at the set bits of `n`, the rightmost at the lowest bit.
        let absent = self.b.bool(false);
        let start = [vec![zero, absent], reduction.empty.clone()].concat();
        let below = |this: &mut Self, state: &[Value]| {
            let bits = this.b.binary(BinaryOp::Shr, n, state[0]);
            this.compare_const(CompareOp::Gt, bits, 0)
        };
        let state = self.while_loop(&start, below, |this, state| {
            let bits = this.b.binary(BinaryOp::Shr, n, state[0]);
            let one = this.i64(1);
            let bit = this.b.binary(BinaryOp::And, bits, one);
            let set = this.compare_const(CompareOp::Ne, bit, 0);
            let types: Vec<Type> = state.iter().map(|value| this.b.func.ty(*value).clone()).collect();
            let next = |this: &mut Self| vec![this.add_const(state[0], 1)];
            this.if_else(
                set,
                &types,
                |this| this.absorb_left(reduction, &stacks, flags, state),
                |this| [next(this), state[1..].to_vec()].concat(),
            )
        });
        let (any, values) = (state[1], &state[2..]);
        let empty = values.iter().zip(&reduction.empty);
        empty.map(|(value, empty)| self.b.select(any, *value, *empty)).collect()
    }

    /// Joins the subtree of this level, which stands to the left, with the current one:
    /// `(level, present, values…) -> (level + 1, present, values…)`.
    fn absorb_left(
        &mut self,
        reduction: &Reduction,
        stacks: &[Value],
        flags: Value,
        state: &[Value],
    ) -> Vec<Value> {
        let (level, present, values) = (state[0], state[1], &state[2..]);
        let left_there = self.load(Scalar::Bool, flags, level);
        let mut left = Vec::new();
        for stack in stacks {
            left.push(self.load_elem(*stack, level));
        }
        let joined = self.join_present(reduction, (Some(left_there), &left), (Some(present), values));
        let any = self.b.binary(BinaryOp::Or, left_there, present);
        [vec![self.add_const(level, 1), any], joined].concat()
    }
}

/// The order that the result depends on; `Free` when it does not.
pub(super) fn tree_order(kind: ReduceKind, elem: Scalar) -> Order {
    match kind {
        ReduceKind::Sum | ReduceKind::Prod if elem.is_float() => Order::Lanes,
        ReduceKind::Sum
        | ReduceKind::Prod
        | ReduceKind::Min
        | ReduceKind::Max
        | ReduceKind::Any
        | ReduceKind::All => Order::Free,
        ReduceKind::Combine(order) => order,
    }
}

/// Narrow floats are summed and multiplied in `f32`.
fn accumulator(kind: ReduceKind, elem: Scalar) -> Scalar {
    let widens = matches!(kind, ReduceKind::Sum | ReduceKind::Prod);
    if widens && matches!(elem, Scalar::F16 | Scalar::Bf16) { Scalar::F32 } else { elem }
}

/// The operation of a kind that has one.
pub(super) fn builtin(kind: ReduceKind) -> BinaryOp {
    match kind {
        ReduceKind::Sum => BinaryOp::Add,
        ReduceKind::Prod => BinaryOp::Mul,
        ReduceKind::Min => BinaryOp::Min,
        ReduceKind::Max => BinaryOp::Max,
        ReduceKind::Any => BinaryOp::Or,
        ReduceKind::All | ReduceKind::Combine(_) => BinaryOp::And,
    }
}

/// The bits of the exact identity: −0.0 for float sums, the largest value for `min`.
fn identity_bits(kind: ReduceKind, elem: Scalar) -> u64 {
    let sign = 1u64 << (elem.bits() - 1);
    match kind {
        ReduceKind::Sum => {
            if elem.is_float() {
                sign
            } else {
                0
            }
        }
        ReduceKind::Prod => one_bits(elem),
        ReduceKind::Min => greatest_bits(elem),
        ReduceKind::Max => {
            if elem.is_float() {
                greatest_bits(elem) | sign
            } else if elem.is_signed_int() {
                sign
            } else {
                0
            }
        }
        ReduceKind::Any => 0,
        ReduceKind::All | ReduceKind::Combine(_) => 1,
    }
}

fn one_bits(elem: Scalar) -> u64 {
    match elem {
        Scalar::F16 => 0x3c00,
        Scalar::Bf16 => 0x3f80,
        Scalar::F32 => u64::from(1f32.to_bits()),
        Scalar::F64 => 1f64.to_bits(),
        Scalar::Bool
        | Scalar::I8
        | Scalar::I16
        | Scalar::I32
        | Scalar::I64
        | Scalar::U8
        | Scalar::U16
        | Scalar::U32
        | Scalar::U64 => 1,
    }
}

fn greatest_bits(elem: Scalar) -> u64 {
    match elem {
        Scalar::F16 => 0x7c00,
        Scalar::Bf16 => 0x7f80,
        Scalar::F32 => u64::from(f32::INFINITY.to_bits()),
        Scalar::F64 => f64::INFINITY.to_bits(),
        Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64 => (1 << (elem.bits() - 1)) - 1,
        Scalar::Bool | Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 => u64::MAX >> (64 - elem.bits()),
    }
}
