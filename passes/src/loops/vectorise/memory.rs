//! Memory in lanes: addresses, loads, stores, scratch of each lane.

use we3_ir::{BinaryOp, CompareOp, OpData, Opcode, Scalar, Type, Value};

use super::Unfit;
use super::widen::{Place, Shape, Widener};

/// Elements of scratch for all lanes together.
const SCRATCH_LIMIT: u32 = 1 << 14;

impl Widener<'_> {
    /// Scratch of its own for each lane, lanes side by side.
    pub(super) fn stack(&mut self, elem: Scalar, len: u32, result: Value) -> Result<(), Unfit> {
        let all = len.checked_mul(u32::from(self.lanes)).filter(|all| *all <= SCRATCH_LIMIT);
        let len = all.ok_or(Unfit::Scratch)?;
        let buffer = self.b.value(Opcode::Stack { elem, len }, vec![], vec![], Type::Buffer(elem));
        self.bind(result, Shape::Place(Place { buffer, offset: None, private: true }));
        Ok(())
    }

    pub(super) fn offset(&mut self, data: &OpData) {
        let place = self.place(data.args[0]);
        let by = self.shape(data.args[1]);
        let moved = match (&place.offset, &by) {
            (None, Shape::Uniform(by)) => {
                let by = if place.private { self.times_lanes(*by) } else { *by };
                let ty = self.b.func.ty(place.buffer).clone();
                let buffer = self.b.value(Opcode::Offset, vec![place.buffer, by], vec![], ty);
                Place { buffer, ..place }
            }
            _ => Place { offset: Some(Box::new(self.total(&place, &by))), ..place },
        };
        let shape = match moved {
            Place { buffer, offset: None, private: false } => Shape::Uniform(buffer),
            moved => Shape::Place(moved),
        };
        self.bind(data.results[0], shape);
    }

    #[expect(clippy::panic, reason = "the verifier gives memory operations buffers")]
    fn place(&self, buffer: Value) -> Place {
        match self.shape(buffer) {
            Shape::Place(place) => place,
            Shape::Uniform(buffer) => Place { buffer, offset: None, private: false },
            Shape::Linear { .. } | Shape::Varying(_) => panic!("{buffer} is no address"),
        }
    }

    fn times_lanes(&mut self, index: Value) -> Value {
        let lanes = self.b.i64(i64::from(self.lanes));
        self.b.binary(BinaryOp::Mul, index, lanes)
    }

    /// The offset of an address and more.
    fn total(&mut self, place: &Place, by: &Shape) -> Shape {
        let Some(before) = &place.offset else { return by.clone() };
        if let Some(sum) = self.add(before, by) {
            return sum;
        }
        let [left, right] = [self.vector(before), self.vector(by)];
        Shape::Varying(self.b.binary(BinaryOp::Add, left, right))
    }

    pub(super) fn load(&mut self, data: &OpData) {
        let result = data.results[0];
        let place = self.place(data.args[0]);
        let by = self.shape(data.args[1]);
        let at = self.total(&place, &by);
        let elem = self.b.func.ty(result).element();
        let shape = match at {
            Shape::Uniform(index) if !place.private => {
                let args = vec![place.buffer, index];
                Shape::Uniform(self.b.value(Opcode::Load, args, vec![], Type::Scalar(elem)))
            }
            // Scratch is there for every lane.
            Shape::Uniform(index) => {
                let first = self.times_lanes(index);
                Shape::Varying(self.load_run(place.buffer, first, elem, None))
            }
            Shape::Linear { base, stride: 1 } if !place.private => {
                Shape::Varying(self.load_run(place.buffer, base, elem, self.mask))
            }
            Shape::Linear { base, stride: -1 } if !place.private && self.mask.is_none() => {
                Shape::Varying(self.load_backwards(place.buffer, base, elem))
            }
            Shape::Linear { base, stride: 2 } if self.pairs_are_runs(&place) => {
                Shape::Varying(self.load_seconds(place.buffer, base, elem))
            }
            Shape::Linear { .. } | Shape::Varying(_) | Shape::Place(_) => {
                Shape::Varying(self.load_each(&place, &at, elem))
            }
        };
        let shape = match shape {
            Shape::Uniform(value) if self.divergence.is_varying(result) => Shape::Varying(self.splat(value)),
            Shape::Uniform(_) | Shape::Linear { .. } | Shape::Varying(_) | Shape::Place(_) => shape,
        };
        self.bind(result, shape);
    }

    fn load_run(&mut self, buffer: Value, first: Value, elem: Scalar, mask: Option<Value>) -> Value {
        self.cost.vectors += 1;
        let ty = Type::Vector(elem, self.lanes);
        match mask {
            None => self.b.value(Opcode::Load, vec![buffer, first], vec![], ty),
            Some(mask) => self.b.value(Opcode::LoadLanes, vec![buffer, first, mask], vec![], ty),
        }
    }

    /// Neighbours whose last is in lane 0.
    fn load_backwards(&mut self, buffer: Value, last: Value, elem: Scalar) -> Value {
        let before = self.b.i64(i64::from(self.lanes) - 1);
        let first = self.b.binary(BinaryOp::Sub, last, before);
        let run = self.load_run(buffer, first, elem, None);
        let turned = (0..self.lanes).rev().collect();
        self.cost.vectors += 1;
        self.b.value(Opcode::Shuffle(turned), vec![run, run], vec![], Type::Vector(elem, self.lanes))
    }

    /// Whether every second element is better taken as two vectors of neighbours, for all lanes are at work.
    fn pairs_are_runs(&self, place: &Place) -> bool {
        self.masks && !place.private && self.mask.is_none() && self.lanes.is_multiple_of(2)
    }

    /// Every second element, as of complex numbers: from two runs, of which the second ends with the last of them.
    fn load_seconds(&mut self, buffer: Value, base: Value, elem: Scalar) -> Value {
        let low = self.load_run(buffer, base, elem, None);
        let rest = self.b.i64(i64::from(self.lanes) - 1);
        let rest = self.b.binary(BinaryOp::Add, base, rest);
        let high = self.load_run(buffer, rest, elem, None);
        let picks = (0..self.lanes).map(|lane| 2 * lane + u16::from(2 * lane >= self.lanes)).collect();
        self.cost.vectors += 1;
        self.b.value(Opcode::Shuffle(picks), vec![low, high], vec![], Type::Vector(elem, self.lanes))
    }

    /// The same for a store: two masks leave out those between.
    fn store_seconds(&mut self, buffer: Value, base: Value, value: Value) {
        let ty = self.b.func.ty(value).clone();
        let one = self.b.i64(1);
        let one = self.splat(one);
        let lane = self.iota(Scalar::I64);
        let odd = self.b.binary(BinaryOp::And, lane, one);
        let zero = self.b.i64(0);
        let zero = self.splat(zero);
        let mask = self.b.compare(CompareOp::Eq, odd, zero);
        for half in 0..2 {
            let picks = (0..self.lanes).map(|lane| (self.lanes * half + lane) / 2).collect();
            let spread = self.b.value(Opcode::Shuffle(picks), vec![value, value], vec![], ty.clone());
            let by = self.b.i64(i64::from(self.lanes * half));
            let first = self.b.binary(BinaryOp::Add, base, by);
            self.b.append(Opcode::StoreLanes, vec![buffer, first, mask, spread], vec![], &[]);
        }
    }

    fn load_each(&mut self, place: &Place, at: &Shape, elem: Scalar) -> Value {
        self.cost.scattered += 1;
        let offsets = self.lane_offsets(place, at);
        let mask = self.full_mask();
        let ty = Type::Vector(elem, self.lanes);
        self.b.value(Opcode::LoadLanes, vec![place.buffer, offsets, mask], vec![], ty)
    }

    /// The offset of each lane's element.
    fn lane_offsets(&mut self, place: &Place, at: &Shape) -> Value {
        let index = self.vector(at);
        if !place.private {
            return index;
        }
        let lanes = self.b.i64(i64::from(self.lanes));
        let lanes = self.splat(lanes);
        let row = self.b.binary(BinaryOp::Mul, index, lanes);
        let lane = self.iota(Scalar::I64);
        self.b.binary(BinaryOp::Add, row, lane)
    }

    pub(super) fn store(&mut self, data: &OpData) -> Result<(), Unfit> {
        let place = self.place(data.args[0]);
        let by = self.shape(data.args[1]);
        let at = self.total(&place, &by);
        let shape = self.shape(data.args[2]);
        let value = self.vector(&shape);
        self.cost.vectors += 1;
        let (offset, run) = match at {
            Shape::Linear { base, stride: 2 } if self.pairs_are_runs(&place) => {
                self.store_seconds(place.buffer, base, value);
                return Ok(());
            }
            Shape::Uniform(_) if !place.private => return Err(Unfit::Shape),
            Shape::Uniform(index) => (self.times_lanes(index), true),
            Shape::Linear { base, stride: 1 } if !place.private => (base, true),
            Shape::Linear { .. } | Shape::Varying(_) | Shape::Place(_) => {
                self.cost.scattered += 1;
                (self.lane_offsets(&place, &at), false)
            }
        };
        if run && self.mask.is_none() {
            self.b.append(Opcode::Store, vec![place.buffer, offset, value], vec![], &[]);
        } else {
            let mask = self.full_mask();
            self.b.append(Opcode::StoreLanes, vec![place.buffer, offset, mask, value], vec![], &[]);
        }
        Ok(())
    }
}
