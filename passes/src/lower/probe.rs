//! Probes around nests, for profiles: before a nest one that says that it begins, behind it one that says what it
//! computed and moved. Written only where the context asks for it, and never inside a nest. What an element costs
//! is what `nests` counts for reports; how many there are is computed where the nest stands.

use std::collections::{BTreeMap, BTreeSet};

use we3_ir::span::Span;
use we3_ir::{BinaryOp, Block, Func, Op, Opcode, Value};

use super::nests::flops;
use super::state::{Lower, Lowered};

/// A nest that has begun.
pub(super) struct Probe {
    op: Op,
    span: Span,
    flops: Value,
    bytes: Value,
}

/// What is written where something is not known.
const UNKNOWN: i64 = -1;

impl Lower<'_> {
    /// Whether this operation is a nest of its own.
    pub(super) fn is_nest(&self, op: Op) -> bool {
        matches!(
            self.src.ops[op].opcode,
            Opcode::Build { .. }
                | Opcode::Reduce { .. }
                | Opcode::Dot { .. }
                | Opcode::DotBy { .. }
                | Opcode::Scan { .. }
                | Opcode::Scatter { .. }
                | Opcode::Update { .. }
        )
    }

    /// Says that a nest begins, if that is wanted and no other one is around it.
    pub(super) fn open_probe(&mut self, op: Op) -> Option<Probe> {
        if !self.probes {
            return None;
        }
        self.probes = false;
        let span = self.src.spans[op];
        self.b.span = span;
        let amounts = Amounts::of(self.src, op);
        let (flops, bytes) = amounts.write(self, op);
        self.b.append(Opcode::Probe { nest: op.as_u32(), leave: false }, vec![], vec![], &[]);
        Some(Probe { op, span, flops, bytes })
    }

    /// Says that it ends.
    pub(super) fn close_probe(&mut self, probe: Option<Probe>) {
        let Some(probe) = probe else { return };
        self.probes = true;
        self.b.span = probe.span;
        let opcode = Opcode::Probe { nest: probe.op.as_u32(), leave: true };
        self.b.append(opcode, vec![probe.flops, probe.bytes], vec![], &[]);
    }
}

/// A number that may not be known.
type Amount = Option<Value>;

/// Counts what an operation does, with all of its rounds.
struct Amounts<'a> {
    src: &'a Func,
    /// What the operation's regions define.
    inside: BTreeSet<Value>,
    /// The middle of what an index runs through.
    middle: BTreeMap<Value, Amount>,
    /// How many elements are read of each array from outside.
    reads: BTreeMap<Value, Amount>,
}

impl<'a> Amounts<'a> {
    fn of(src: &'a Func, op: Op) -> Amounts<'a> {
        let mut inside = BTreeSet::new();
        let mut open = src.ops[op].regions.clone();
        while let Some(block) = open.pop() {
            inside.extend(&src.blocks[block].params);
            for op in &src.blocks[block].ops {
                inside.extend(&src.ops[*op].results);
                open.extend(&src.ops[*op].regions);
            }
        }
        Amounts { src, inside, middle: BTreeMap::new(), reads: BTreeMap::new() }
    }

    /// Writes the computation; says which values are flops and bytes.
    fn write(mut self, lower: &mut Lower<'_>, op: Op) -> (Value, Value) {
        let one = lower.i64(1);
        let flops = self.operation(lower, op, Some(one));
        let mut bytes = self.written(lower, op);
        for (array, count) in std::mem::take(&mut self.reads) {
            let read = self.bytes_read(lower, array, count);
            bytes = plus(lower, bytes, read);
        }
        let mut settle = |amount: Amount| amount.unwrap_or_else(|| lower.i64(UNKNOWN));
        (settle(flops), settle(bytes))
    }

    /// Flops of so many executions of an operation; notes what it reads.
    fn operation(&mut self, lower: &mut Lower<'_>, op: Op, times: Amount) -> Amount {
        let data = &self.src.ops[op];
        if data.opcode == Opcode::Index {
            let array = self.origin(data.args[0]);
            if !self.inside.contains(&array) {
                let zero = lower.i64(0);
                let so_far = self.reads.get(&array).copied().unwrap_or(Some(zero));
                let sum = plus(lower, so_far, times);
                self.reads.insert(array, sum);
            }
        }
        let floats = data.results.first().is_some_and(|result| self.src.ty(*result).element().is_float());
        let own = if floats { flops(&data.opcode) } else { 0 };
        let rounds = match self.rounds(op) {
            Rounds::Once => times,
            Rounds::Unknown => None,
            Rounds::Sizes(sizes) => {
                let mut rounds = times;
                for (axis, size) in sizes.iter().enumerate() {
                    let size = self.known(lower, *size);
                    let middle = size.map(|size| lower.shr_const(size, 1));
                    for region in &data.regions {
                        if let Some(index) = self.src.blocks[*region].params.get(axis) {
                            self.middle.insert(*index, middle);
                        }
                    }
                    rounds = product(lower, rounds, size);
                }
                rounds
            }
        };
        let mut sum = rounds.map(|rounds| lower.mul_const(rounds, own as i64));
        for region in self.counted_regions(op) {
            let inner = self.region(lower, region, rounds);
            sum = plus(lower, sum, inner);
        }
        sum
    }

    fn region(&mut self, lower: &mut Lower<'_>, block: Block, times: Amount) -> Amount {
        let zero = lower.i64(0);
        let (mut simple, mut sum) = (0, Some(zero));
        for op in &self.src.blocks[block].ops {
            let data = &self.src.ops[*op];
            if data.regions.is_empty() && data.opcode != Opcode::Index {
                let float =
                    data.results.first().is_some_and(|result| self.src.ty(*result).element().is_float());
                simple += if float { flops(&data.opcode) as i64 } else { 0 };
            } else {
                let inner = self.operation(lower, *op, times);
                sum = plus(lower, sum, inner);
            }
        }
        if simple == 0 {
            return sum;
        }
        let simple = times.map(|times| lower.mul_const(times, simple));
        plus(lower, sum, simple)
    }

    /// Regions that combine are counted by `flops`.
    fn counted_regions(&self, op: Op) -> Vec<Block> {
        let data = &self.src.ops[op];
        let combines = matches!(
            data.opcode,
            Opcode::Reduce { .. } | Opcode::Scan { .. } | Opcode::DotBy { .. } | Opcode::Scatter { .. }
        );
        data.regions.iter().take(if combines { 1 } else { usize::MAX }).copied().collect()
    }

    fn rounds(&self, op: Op) -> Rounds {
        let data = &self.src.ops[op];
        let sizes = |from: usize, count: u32| {
            Rounds::Sizes(data.args.iter().skip(from).take(count as usize).copied().collect())
        };
        #[expect(clippy::wildcard_enum_match_arm, reason = "everything else is executed once")]
        match data.opcode {
            Opcode::Build { rank } | Opcode::Dot { rank } | Opcode::DotBy { rank } => sizes(0, rank),
            Opcode::Update { rank, .. } => sizes(1, rank),
            Opcode::Reduce { .. } | Opcode::Scan { .. } | Opcode::Loop | Opcode::Scatter { .. } => {
                sizes(0, 1)
            }
            Opcode::While => Rounds::Unknown,
            _ => Rounds::Once,
        }
    }

    /// Bytes of the arrays that the operation makes, or of the cells that it writes.
    fn written(&mut self, lower: &mut Lower<'_>, op: Op) -> Amount {
        let data = &self.src.ops[op];
        let zero = lower.i64(0);
        let mut sum = Some(zero);
        for result in &data.results {
            let ty = self.src.ty(*result);
            if ty.as_scalar().is_some() {
                continue;
            }
            let sizes = match (&data.opcode, self.rounds(op)) {
                (Opcode::Scatter { .. } | Opcode::Update { .. }, Rounds::Sizes(sizes)) => sizes,
                _ => ty.sizes().to_vec(),
            };
            let bytes = self.bytes_of(lower, &sizes, ty.element().bytes());
            sum = plus(lower, sum, bytes);
        }
        sum
    }

    /// Each element once, however often it is read.
    fn bytes_read(&mut self, lower: &mut Lower<'_>, array: Value, count: Amount) -> Amount {
        let ty = self.src.ty(array);
        let width = ty.element().bytes();
        let whole = self.bytes_of(lower, ty.sizes(), width);
        let read = count.map(|count| lower.mul_const(count, i64::from(width)));
        match (whole, read) {
            (Some(whole), Some(read)) => Some(lower.min(whole, read)),
            (one, other) => one.or(other),
        }
    }

    fn bytes_of(&mut self, lower: &mut Lower<'_>, sizes: &[Value], width: u32) -> Amount {
        let width = lower.i64(i64::from(width));
        sizes.iter().try_fold(width, |so_far, size| {
            let size = self.known(lower, *size)?;
            Some(lower.mul(so_far, size))
        })
    }

    /// The array whose elements an array shows under other sizes.
    fn origin(&self, array: Value) -> Value {
        let op = self.src.def_op(array).map(|op| &self.src.ops[op]);
        match op.filter(|data| matches!(data.opcode, Opcode::Reshape | Opcode::Resize)) {
            Some(data) => self.origin(data.args[0]),
            None => array,
        }
    }

    /// A size as a value that stands where the nest begins; indices inside count as the middle of their range.
    fn known(&mut self, lower: &mut Lower<'_>, value: Value) -> Amount {
        if !self.inside.contains(&value) {
            return match &lower.env[value] {
                Lowered::Scalar(value) => Some(*value),
                Lowered::Nothing | Lowered::Array(_) => None,
            };
        }
        if let Some(middle) = self.middle.get(&value) {
            return *middle;
        }
        let data = &self.src.ops[self.src.def_op(value)?];
        #[expect(clippy::wildcard_enum_match_arm, reason = "other operations are not followed")]
        match data.opcode {
            Opcode::Const(constant) => Some(lower.i64(constant.bits as i64)),
            Opcode::Binary(
                op @ (BinaryOp::Add
                | BinaryOp::Sub
                | BinaryOp::Mul
                | BinaryOp::Min
                | BinaryOp::Max
                | BinaryOp::AddSat
                | BinaryOp::SubSat
                | BinaryOp::MulSat),
            ) => {
                let left = self.known(lower, data.args[0])?;
                let right = self.known(lower, data.args[1])?;
                Some(lower.b.binary(op, left, right))
            }
            _ => None,
        }
    }
}

/// How often the regions of an operation are executed for one execution of it.
enum Rounds {
    Once,
    Sizes(Vec<Value>),
    Unknown,
}

fn plus(lower: &mut Lower<'_>, left: Amount, right: Amount) -> Amount {
    Some(lower.add(left?, right?))
}

fn product(lower: &mut Lower<'_>, left: Amount, right: Amount) -> Amount {
    Some(lower.mul(left?, right?))
}
