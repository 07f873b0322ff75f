//! Decoding array operations.

use we3_ir::{BinaryOp, Block, Op, OpData, Opcode, Order, ReduceKind, Scalar, Type, Value};

use crate::RunArray;
use crate::array::write_element;
use crate::decode::FuncDecoder;
use crate::program::{
    ArrayUse, BuildCode, BuildOutput, BuildSource, Combiner, Combining, DotByCode, DotCode, IndexCode, Inst,
    Nothing, ReduceCode, RegionCombiner, ScanCode, ScatterCode, Tree, UpdateCode, WithSizesCode,
};

impl FuncDecoder<'_, '_> {
    /// An array operation whose results have slots.
    pub(crate) fn array_operation(&mut self, op: Op) -> Inst {
        let func = self.func;
        let data = &func.ops[op];
        #[expect(clippy::wildcard_enum_match_arm, reason = "the caller sends array operations only")]
        match &data.opcode {
            Opcode::Build { .. } => self.build(data),
            Opcode::Index => self.index(data),
            Opcode::Reduce { kind, masked } => self.reduce(data, *kind, *masked),
            Opcode::Dot { .. } => self.dot(data),
            Opcode::DotBy { rank } => self.dot_by(data, *rank as usize),
            Opcode::Scan { exclusive } => self.scan(data, *exclusive),
            Opcode::Scatter { kind, rank, masked } => self.scatter(op, data, *kind, *rank as usize, *masked),
            Opcode::Update { masked, .. } => self.update(op, data, *masked),
            _ => Inst::WithSizes(Box::new(WithSizesCode {
                array: self.array_use(op, 0),
                sizes: self.slots_of(&data.args[1..]),
                dst: self.slot(data.results[0]),
            })),
        }
    }

    /// A table of constants.
    pub(crate) fn data(&mut self, data: &OpData, elem: Scalar, bits: &[u64], insts: &mut Vec<Inst>) {
        let constant = |size: &Value| self.func.as_const(*size).map_or(0, |constant| constant.bits as i64);
        let sizes = data.args.iter().map(constant).collect();
        let mut bytes = vec![0; bits.len() * elem.bytes() as usize];
        for (position, bits) in bits.iter().enumerate() {
            // The memory was made for this many elements.
            let _ = write_element(&mut bytes, elem, position, *bits);
        }
        self.program.tables.push(RunArray { elem, sizes, data: bytes });
        let table = (self.program.tables.len() - 1) as u32;
        let dst = self.slot(data.results[0]);
        insts.push(match self.func.ty(data.results[0]) {
            Type::Buffer(_) => Inst::DataBuffer { dst, table },
            Type::Array(..) | Type::Scalar(_) | Type::Vector(..) => Inst::Data { dst, table },
        });
    }

    fn build(&mut self, data: &OpData) -> Inst {
        let func = self.func;
        let region = data.regions[0];
        let body = self.body(region, false);
        let yielding = func.terminator(region);
        let outputs = data.results.iter().zip(func.yields(region)).enumerate();
        let outputs = outputs
            .map(|(number, (result, value))| {
                let take = yielding.is_some_and(|op| self.last_uses.takes(op, number));
                let slot = self.slot(*value);
                let source = match func.ty(*value) {
                    Type::Array(..) => BuildSource::Array(ArrayUse { slot, take }),
                    Type::Scalar(_) | Type::Buffer(_) | Type::Vector(..) => BuildSource::Scalar(slot),
                };
                let ty = func.ty(*result);
                let sizes = self.slots_of(ty.sizes());
                BuildOutput { dst: self.slot(*result), elem: ty.element(), sizes, source }
            })
            .collect();
        let sizes = self.slots_of(&data.args);
        Inst::Build(Box::new(BuildCode { sizes, body: body.block, subscripts: body.subscripts, outputs }))
    }

    fn index(&self, data: &OpData) -> Inst {
        let (dst, array) = (self.slot(data.results[0]), self.slot(data.args[0]));
        match data.args[1..] {
            [subscript] => Inst::Index1 { dst, array, subscript: self.slot(subscript) },
            [row, column] => Inst::Index2 { dst, array, subscripts: [self.slot(row), self.slot(column)] },
            _ => {
                let subscripts = self.slots_of(&data.args[1..]);
                Inst::Index(Box::new(IndexCode { dst, array, subscripts }))
            }
        }
    }

    fn region_combiner(&mut self, region: Block, n_left: usize) -> RegionCombiner {
        let body = self.body(region, false);
        let (left, right) = body.subscripts.split_at(n_left.min(body.subscripts.len()));
        RegionCombiner { block: body.block, left: left.to_vec(), right: right.to_vec(), results: body.values }
    }

    /// What a kind of reduction does on elements of a type.
    fn combining(
        &mut self,
        kind: ReduceKind,
        elem: Scalar,
        region: Option<Block>,
        width: usize,
    ) -> Combining {
        let order = match (kind, region) {
            (ReduceKind::Combine(order), Some(region)) => {
                let combiner = Combiner::Region(self.region_combiner(region, width));
                let tree = match order {
                    Order::Lanes => Tree::Lanes,
                    Order::Pairs => Tree::Pairs,
                    Order::Free => Tree::Fold,
                };
                return Combining { combiner, tree, narrow: None };
            }
            (ReduceKind::Sum | ReduceKind::Prod, _) if elem.is_float() => Tree::Lanes,
            _ => Tree::Fold,
        };
        let is_narrow = order == Tree::Lanes && matches!(elem, Scalar::F16 | Scalar::Bf16);
        let ty = if is_narrow { Scalar::F32 } else { elem };
        let (op, identity) = operation(kind, ty);
        Combining {
            combiner: Combiner::Op { op, ty, identity },
            tree: order,
            narrow: is_narrow.then_some(elem),
        }
    }

    fn reduce(&mut self, data: &OpData, kind: ReduceKind, masked: bool) -> Inst {
        let elem = self.func.ty(data.results[0]).element();
        let body = self.body(data.regions[0], masked);
        let combining = self.combining(kind, elem, data.regions.get(1).copied(), data.results.len());
        let nothing = match kind {
            ReduceKind::Combine(_) => Nothing::Slots(self.slots_of(&data.args[1..])),
            // A sum starts from −0.0 and is +0.0 when there is nothing.
            ReduceKind::Sum => Nothing::Bits(0),
            ReduceKind::Prod | ReduceKind::Min | ReduceKind::Max | ReduceKind::Any | ReduceKind::All => {
                Nothing::Bits(operation(kind, elem).1)
            }
        };
        let (size, results) = (self.slot(data.args[0]), self.slots_of(&data.results));
        Inst::Reduce(Box::new(ReduceCode { size, body, combining, nothing, results }))
    }

    fn dot(&mut self, data: &OpData) -> Inst {
        let body = self.body(data.regions[0], false);
        let ty = self.func.ty(data.results[0]).element();
        let (sizes, dst) = (self.slots_of(&data.args), self.slot(data.results[0]));
        Inst::Dot(Box::new(DotCode { sizes, body, ty, dst }))
    }

    fn dot_by(&mut self, data: &OpData, rank: usize) -> Inst {
        let width = data.results.len();
        let body = self.body(data.regions[0], false);
        let step = self.region_combiner(data.regions[1], width);
        let join = Combiner::Region(self.region_combiner(data.regions[2], width));
        let (sizes, zeros) = data.args.split_at(rank);
        let (sizes, zeros) = (self.slots_of(sizes), self.slots_of(zeros));
        let results = self.slots_of(&data.results);
        Inst::DotBy(Box::new(DotByCode { sizes, body, zeros, step, join, results }))
    }

    fn scan(&mut self, data: &OpData, exclusive: bool) -> Inst {
        let body = self.body(data.regions[0], false);
        let combiner = Combiner::Region(self.region_combiner(data.regions[1], data.results.len()));
        let result = |value: &Value| (self.slot(*value), self.func.ty(*value).element());
        let results = data.results.iter().map(result).collect();
        let (size, init) = (self.slot(data.args[0]), self.slots_of(&data.args[1..]));
        Inst::Scan(Box::new(ScanCode { size, init, body, combiner, exclusive, results }))
    }

    fn scatter(&mut self, op: Op, data: &OpData, kind: ReduceKind, rank: usize, masked: bool) -> Inst {
        let elem = self.func.ty(data.results[0]).element();
        let body = self.body(data.regions[0], masked);
        let combining = self.combining(kind, elem, data.regions.get(1).copied(), data.results.len());
        let dests = (1..data.args.len()).map(|operand| self.array_use(op, operand)).collect();
        let (size, results) = (self.slot(data.args[0]), self.slots_of(&data.results));
        Inst::Scatter(Box::new(ScatterCode { size, rank, body, combining, dests, results }))
    }

    fn update(&mut self, op: Op, data: &OpData, masked: bool) -> Inst {
        let body = self.body(data.regions[0], masked);
        Inst::Update(Box::new(UpdateCode {
            dest: self.array_use(op, 0),
            sizes: self.slots_of(&data.args[1..]),
            body,
            result: self.slot(data.results[0]),
        }))
    }
}

/// The scalar operation of a kind, with its exact identity.
fn operation(kind: ReduceKind, ty: Scalar) -> (BinaryOp, u64) {
    match kind {
        ReduceKind::Sum => (BinaryOp::Add, if ty.is_float() { sign_bit(ty) } else { 0 }),
        ReduceKind::Prod => (BinaryOp::Mul, one(ty)),
        ReduceKind::Min => (BinaryOp::Min, largest(ty)),
        ReduceKind::Max => (BinaryOp::Max, least(ty)),
        ReduceKind::Any => (BinaryOp::Or, 0),
        // `Combine` never comes here: it has a region.
        ReduceKind::All | ReduceKind::Combine(_) => (BinaryOp::And, 1),
    }
}

fn sign_bit(ty: Scalar) -> u64 {
    1 << (ty.bits() - 1)
}

fn one(ty: Scalar) -> u64 {
    match ty {
        Scalar::F16 => 0x3c00,
        Scalar::Bf16 => 0x3f80,
        Scalar::F32 => 0x3f80_0000,
        Scalar::F64 => 0x3ff0_0000_0000_0000,
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

/// The largest value; +inf for floats.
fn largest(ty: Scalar) -> u64 {
    match ty {
        Scalar::F16 => 0x7c00,
        Scalar::Bf16 => 0x7f80,
        Scalar::F32 => 0x7f80_0000,
        Scalar::F64 => 0x7ff0_0000_0000_0000,
        Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64 => sign_bit(ty) - 1,
        Scalar::Bool | Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 => u64::MAX >> (64 - ty.bits()),
    }
}

/// The least value; −inf for floats.
fn least(ty: Scalar) -> u64 {
    if ty.is_float() {
        largest(ty) | sign_bit(ty)
    } else if ty.is_signed_int() {
        sign_bit(ty)
    } else {
        0
    }
}
