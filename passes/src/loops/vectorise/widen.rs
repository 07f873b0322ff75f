//! What the values of a body become in lanes, and the operations that only compute.

use we3_ir::hash::IdMap;
use we3_ir::{BinaryOp, Block, FuncBuilder, Op, OpData, Opcode, Scalar, Type, Value};

use super::Unfit;
use super::divergence::Divergence;
use crate::analysis::effects::is_pure_scalar;

/// What a value of the body has become.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// The same scalar in every lane.
    Uniform(Value),
    /// Lane k holds `base + k · stride` (`i64`).
    Linear { base: Value, stride: i64 },
    /// A vector.
    Varying(Value),
    /// An address.
    Place(Place),
}

/// An address: elements from `offset` on. In private memory element e of lane k lies at `e · lanes + k`.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub buffer: Value,
    pub offset: Option<Box<Shape>>,
    pub private: bool,
}

/// What a body in lanes does, to see whether it pays.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// Operations on vectors.
    pub vectors: u32,
    /// Accesses of lanes one by one.
    pub scattered: u32,
    /// Loops that lanes leave at different times.
    pub divergent: u32,
}

impl Cost {
    /// A lane by itself costs about what a scalar access does; everything else is shared.
    pub(super) fn pays(self, lanes: u16) -> bool {
        let saved = self.vectors * (u32::from(lanes) - 1) / u32::from(lanes) + self.divergent;
        self.scattered == 0 || saved >= 2 * self.scattered
    }
}

/// Writes a body in lanes.
pub(super) struct Widener<'a> {
    pub b: FuncBuilder<'a>,
    pub divergence: &'a Divergence,
    pub lanes: u16,
    /// Whether loads and stores of some lanes are as fast as of all.
    pub masks: bool,
    /// The lanes at work; none: all.
    pub mask: Option<Value>,
    pub cost: Cost,
    map: IdMap<Value, Shape>,
}

impl<'a> Widener<'a> {
    pub(super) fn new(
        b: FuncBuilder<'a>,
        divergence: &'a Divergence,
        lanes: u16,
        masks: bool,
    ) -> Widener<'a> {
        Widener { b, divergence, lanes, masks, mask: None, cost: Cost::default(), map: IdMap::default() }
    }

    pub(super) fn bind(&mut self, source: Value, shape: Shape) {
        self.map.insert(source, shape);
    }

    /// What a value has become; one from outside the loop is itself.
    pub(super) fn shape(&self, source: Value) -> Shape {
        self.map.get(&source).cloned().unwrap_or(Shape::Uniform(source))
    }

    /// How far an index is from that of the lane before, if all lanes agree; also of one that is not written yet.
    pub(super) fn stride(&self, value: Value) -> Option<i64> {
        if !self.divergence.is_varying(value) {
            return Some(0);
        }
        match self.map.get(&value) {
            Some(Shape::Linear { stride, .. }) => return Some(*stride),
            Some(Shape::Uniform(_) | Shape::Varying(_) | Shape::Place(_)) => return None,
            None => {}
        }
        let data = &self.b.func.ops[self.b.func.def_op(value)?];
        if data.opcode != Opcode::Binary(BinaryOp::Add) {
            return None;
        }
        self.stride(data.args[0])?.checked_add(self.stride(data.args[1])?)
    }

    /// Writes all operations of a block but the terminator.
    pub(super) fn ops(&mut self, block: Block) -> Result<(), Unfit> {
        let ops = self.b.func.blocks[block].ops.clone();
        for op in &ops[..ops.len().saturating_sub(1)] {
            self.b.span = self.b.func.spans[*op];
            self.op(*op)?;
        }
        Ok(())
    }

    /// What a block yields.
    pub(super) fn yields(&self, block: Block) -> Vec<Shape> {
        self.b.func.yields(block).iter().map(|value| self.shape(*value)).collect()
    }

    fn op(&mut self, op: Op) -> Result<(), Unfit> {
        let data = self.b.func.ops[op].clone();
        #[expect(clippy::wildcard_enum_match_arm, reason = "divergence let only these through")]
        match &data.opcode {
            opcode if is_pure_scalar(opcode) => self.pure(&data),
            Opcode::Stack { elem, len } => return self.stack(*elem, *len, data.results[0]),
            Opcode::Offset => self.offset(&data),
            Opcode::Load => self.load(&data),
            Opcode::Store => return self.store(&data),
            Opcode::Check { site } => self.check(&data, *site),
            Opcode::If => return self.branch(&data),
            Opcode::While => return self.while_loop(&data),
            Opcode::For(_) => return self.for_loop(&data),
            opcode => return Err(Unfit::Form(opcode.name())),
        }
        Ok(())
    }

    /// An operation that only computes.
    fn pure(&mut self, data: &OpData) {
        let result = data.results[0];
        let shape = if self.divergence.is_varying(result) {
            self.linear(data).unwrap_or_else(|| self.lanewise(data))
        } else {
            let args = data.args.iter().map(|arg| self.uniform(*arg)).collect();
            let ty = self.b.func.ty(result).clone();
            Shape::Uniform(self.b.value(data.opcode.clone(), args, vec![], ty))
        };
        self.bind(result, shape);
    }

    /// The scalar that a value without differences has become.
    #[expect(clippy::panic, reason = "the analysis marks every value that depends on the index")]
    pub(super) fn uniform(&self, source: Value) -> Value {
        match self.shape(source) {
            Shape::Uniform(value) | Shape::Linear { base: value, stride: 0 } => value,
            Shape::Place(Place { buffer, offset: None, private: false }) => buffer,
            Shape::Linear { .. } | Shape::Varying(_) | Shape::Place(_) => panic!("{source} differs by lane"),
        }
    }

    /// Sums and multiples of indices stay indices.
    fn linear(&mut self, data: &OpData) -> Option<Shape> {
        let Opcode::Binary(op) = data.opcode else { return None };
        if *self.b.func.ty(data.results[0]) != Type::I64 {
            return None;
        }
        let [left, right] = [self.shape(data.args[0]), self.shape(data.args[1])];
        #[expect(clippy::wildcard_enum_match_arm, reason = "no other operation keeps the form")]
        match op {
            BinaryOp::Add => self.add(&left, &right),
            BinaryOp::Sub => {
                let (left, right) = (as_linear(&left)?, as_linear(&right)?);
                let stride = left.1.checked_sub(right.1)?;
                let base = self.b.binary(BinaryOp::Sub, left.0, right.0);
                Some(Shape::Linear { base, stride })
            }
            BinaryOp::Mul => {
                let (linear, factor) = match (&left, &right) {
                    (Shape::Linear { .. }, Shape::Uniform(factor)) => (&left, *factor),
                    (Shape::Uniform(factor), Shape::Linear { .. }) => (&right, *factor),
                    _ => return None,
                };
                let (base, stride) = as_linear(linear)?;
                let times = self.b.func.as_const(factor)?.bits as i64;
                let stride = stride.checked_mul(times)?;
                let base = self.b.binary(BinaryOp::Mul, base, factor);
                Some(Shape::Linear { base, stride })
            }
            _ => None,
        }
    }

    /// The sum of two indices, if it is one.
    pub(super) fn add(&mut self, left: &Shape, right: &Shape) -> Option<Shape> {
        let (left, right) = (as_linear(left)?, as_linear(right)?);
        let stride = left.1.checked_add(right.1)?;
        let base = self.b.binary(BinaryOp::Add, left.0, right.0);
        Some(if stride == 0 { Shape::Uniform(base) } else { Shape::Linear { base, stride } })
    }

    fn lanewise(&mut self, data: &OpData) -> Shape {
        let mut args = Vec::new();
        for (number, arg) in data.args.iter().enumerate() {
            let shape = self.shape(*arg);
            args.push(match shape {
                // One bool may select for all lanes.
                Shape::Uniform(value) if number == 0 && data.opcode == Opcode::Select => value,
                Shape::Uniform(_) | Shape::Linear { .. } | Shape::Varying(_) | Shape::Place(_) => {
                    self.vector(&shape)
                }
            });
        }
        self.cost.vectors += 1;
        let elem = self.b.func.ty(data.results[0]).element();
        let ty = Type::Vector(elem, self.lanes);
        Shape::Varying(self.b.value(data.opcode.clone(), args, vec![], ty))
    }

    /// The lanes as a vector.
    #[expect(clippy::panic, reason = "addresses are operands of memory operations only")]
    pub(super) fn vector(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::Varying(value) => *value,
            Shape::Uniform(value) => self.splat(*value),
            Shape::Linear { base, stride } => {
                let base = self.splat(*base);
                let lane = self.iota(Scalar::I64);
                if *stride == 1 {
                    return self.b.binary(BinaryOp::Add, base, lane);
                }
                let stride = self.b.i64(*stride);
                let stride = self.splat(stride);
                let distance = self.b.binary(BinaryOp::Mul, lane, stride);
                self.b.binary(BinaryOp::Add, base, distance)
            }
            Shape::Place(_) => panic!("an address among numbers"),
        }
    }

    pub(super) fn splat(&mut self, value: Value) -> Value {
        let ty = Type::Vector(self.b.func.ty(value).element(), self.lanes);
        self.b.value(Opcode::Splat(self.lanes), vec![value], vec![], ty)
    }

    pub(super) fn iota(&mut self, elem: Scalar) -> Value {
        let ty = Type::Vector(elem, self.lanes);
        self.b.value(Opcode::Iota { elem, lanes: self.lanes }, vec![], vec![], ty)
    }

    /// `mask ∧ condition`.
    pub(super) fn narrowed(&mut self, condition: Value) -> Value {
        match self.mask {
            Some(mask) => self.b.binary(BinaryOp::And, mask, condition),
            None => condition,
        }
    }

    /// The mask of the lanes at work, written out.
    pub(super) fn full_mask(&mut self) -> Value {
        match self.mask {
            Some(mask) => mask,
            None => {
                let all = self.b.bool(true);
                self.splat(all)
            }
        }
    }

    /// What the value is outside regions: a vector if it may differ, else a scalar.
    pub(super) fn merged(&mut self, shape: &Shape, varying: bool) -> Value {
        match (shape, varying) {
            (_, true) => self.vector(shape),
            (Shape::Uniform(value), false) => *value,
            (Shape::Linear { .. } | Shape::Varying(_) | Shape::Place(_), false) => self.vector(shape),
        }
    }

    /// The type of a value outside regions.
    pub(super) fn merged_type(&self, value: Value) -> Type {
        let ty = self.b.func.ty(value);
        if self.divergence.is_varying(value) { Type::Vector(ty.element(), self.lanes) } else { ty.clone() }
    }

    /// Binds a value to what it is outside regions.
    pub(super) fn bind_merged(&mut self, source: Value, value: Value) {
        let varying = self.divergence.is_varying(source);
        self.bind(source, if varying { Shape::Varying(value) } else { Shape::Uniform(value) });
    }
}

/// Base and stride of an index; a uniform one has stride 0.
fn as_linear(shape: &Shape) -> Option<(Value, i64)> {
    match shape {
        Shape::Uniform(base) => Some((*base, 0)),
        Shape::Linear { base, stride } => Some((*base, *stride)),
        Shape::Varying(_) | Shape::Place(_) => None,
    }
}
