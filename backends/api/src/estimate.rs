//! About how long an iteration of a parallel loop takes, as a small program over values known outside the
//! loop: products of trip counts and operations. Only whether threads pay depends on it, never a result.

use std::collections::BTreeMap;

use we3_ir::entity::SecondaryMap;
use we3_ir::{BinaryOp, Block, Func, Op, Opcode, Scalar, Type, UnaryOp, Value, ValueDef};

/// No estimate of an iteration counts for more than this, so that it can be multiplied by a number of iterations.
pub const MOST_WORK: i64 = 1 << 30;
/// A bound of so many iterations or fewer, as tiles and vectors have, is taken to be reached.
const FEW_TRIPS: i64 = 64;

/// Iterations of an inner loop about which nothing is known.
const UNKNOWN_TRIPS: i64 = 16;
/// What a byte of memory costs in picoseconds: about the rate of a second-level cache.
const PER_BYTE: i64 = 8;
/// Estimates take no more steps than this.
const MOST_STEPS: usize = 96;
/// How far subscripts are followed.
const MOST_DEPTH: u32 = 32;

/// How fast generated code is, in picoseconds for a simple operation, where it is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    /// On a scalar, as the backend may vectorise it.
    pub scalar: i64,
    /// On an `i64`, which is mostly a subscript.
    pub index: i64,
    /// On a vector register.
    pub vector: i64,
    /// Size of a vector register.
    pub vector_bytes: u32,
}

/// A number from 1 to `MOST_WORK`, computed where the loop stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// Each may refer to earlier ones.
    pub steps: Vec<Step>,
    /// Which of them is the number.
    pub result: usize,
}

/// One step of an estimate, an `i64`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// This number.
    Number(i64),
    /// A value that is defined outside the loop.
    Outside(Value),
    /// `add sub mul min max and shr div` of two earlier steps; divisors and shifts are numbers in range.
    Binary(BinaryOp, usize, usize),
}

impl Estimate {
    /// The result, if it does not depend on anything.
    pub fn number(&self) -> Option<i64> {
        match self.steps.get(self.result) {
            Some(Step::Number(number)) => Some(*number),
            Some(Step::Outside(_) | Step::Binary(..)) | None => None,
        }
    }
}

/// The estimate for a parallel loop; `defined` are the values that its body defines.
pub(crate) fn work_of_iteration(
    func: &Func,
    op: Op,
    defined: &SecondaryMap<Value, bool>,
    rates: Rates,
) -> Estimate {
    let mut guess = Guess { func, rates, defined, known: BTreeMap::new(), steps: Vec::new() };
    let data = &func.ops[op];
    guess.bind_middle(data.regions[0], data.args[0], data.args[1]);
    let work = guess.region(data.regions[0]);
    let (least, most) = (guess.number(1), guess.number(MOST_WORK));
    let work = guess.binary(BinaryOp::Max, work, least);
    let result = guess.binary(BinaryOp::Min, work, most);
    needed(&guess.steps, result)
}

/// The steps that the result is made of.
fn needed(steps: &[Step], result: usize) -> Estimate {
    let mut wanted = vec![false; steps.len()];
    wanted[result] = true;
    for number in (0..=result).rev() {
        if let (true, Step::Binary(_, left, right)) = (wanted[number], steps[number]) {
            (wanted[left], wanted[right]) = (true, true);
        }
    }
    let mut places = vec![0; steps.len()];
    let mut kept = Vec::new();
    for (number, step) in steps.iter().enumerate().filter(|(number, _)| wanted[*number]) {
        places[number] = kept.len();
        kept.push(match *step {
            Step::Binary(op, left, right) => Step::Binary(op, places[left], places[right]),
            Step::Number(_) | Step::Outside(_) => *step,
        });
    }
    Estimate { result: places[result], steps: kept }
}

/// Builds an estimate: sums and products of what is known outside the loop. Indices of loops inside count
/// as the middle of their range, so that triangular loops come out right. Nothing is clamped on the way: loops that
/// run for months wrap around, and an empty one may count for less than nothing, which is as good.
struct Guess<'a> {
    func: &'a Func,
    rates: Rates,
    defined: &'a SecondaryMap<Value, bool>,
    /// The step of a value; none: it is not known outside.
    known: BTreeMap<Value, Option<usize>>,
    steps: Vec<Step>,
}

impl Guess<'_> {
    fn number(&mut self, number: i64) -> usize {
        self.step(Step::Number(number))
    }

    fn step(&mut self, step: Step) -> usize {
        if let Some(found) = self.steps.iter().position(|other| *other == step) {
            return found;
        }
        self.steps.push(step);
        self.steps.len() - 1
    }

    fn as_number(&self, step: usize) -> Option<i64> {
        match self.steps[step] {
            Step::Number(number) => Some(number),
            Step::Outside(_) | Step::Binary(..) => None,
        }
    }

    fn binary(&mut self, op: BinaryOp, left: usize, right: usize) -> usize {
        match (self.as_number(left), self.as_number(right)) {
            (Some(left), Some(right)) => {
                let folded = we3_ir::eval::binary(op, Scalar::I64, left as u64, right as u64);
                self.number(folded as i64)
            }
            (None, Some(0)) if op == BinaryOp::Add => left,
            (Some(0), None) if op == BinaryOp::Add => right,
            (None, Some(0)) if op == BinaryOp::Sub => left,
            (None, Some(1)) if op == BinaryOp::Mul => left,
            (Some(1), None) if op == BinaryOp::Mul => right,
            _ => self.step(Step::Binary(op, left, right)),
        }
    }

    /// The work of one execution of a region.
    fn region(&mut self, block: Block) -> usize {
        let func = self.func;
        let (mut fixed, mut rest) = (0i64, None);
        for op in &func.blocks[block].ops {
            let step = self.operation(*op);
            match (self.as_number(step), rest) {
                (Some(number), _) => fixed = fixed.saturating_add(number),
                (None, None) => rest = Some(step),
                (None, Some(so_far)) => rest = Some(self.binary(BinaryOp::Add, so_far, step)),
            }
        }
        let fixed = self.number(fixed);
        match rest {
            None => fixed,
            Some(rest) => self.binary(BinaryOp::Add, rest, fixed),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "everything else is its own work and that of its regions"
    )]
    fn operation(&mut self, op: Op) -> usize {
        let data = &self.func.ops[op];
        match &data.opcode {
            Opcode::For(_) => {
                self.bind_middle(data.regions[0], data.args[0], data.args[1]);
                let trips = self.trips(data.args[0], data.args[1], data.args[2]);
                self.repeated(trips, data.regions[0])
            }
            Opcode::While | Opcode::Forever => {
                let trips = self.number(UNKNOWN_TRIPS);
                let each: Vec<usize> =
                    data.regions.iter().map(|region| self.repeated(trips, *region)).collect();
                let zero = self.number(0);
                each.into_iter().fold(zero, |sum, one| self.binary(BinaryOp::Add, sum, one))
            }
            // One of two: half of both.
            Opcode::If => {
                let (left, right) = (self.region(data.regions[0]), self.region(data.regions[1]));
                let sum = self.binary(BinaryOp::Add, left, right);
                let one = self.number(1);
                self.binary(BinaryOp::Shr, sum, one)
            }
            Opcode::Block => self.region(data.regions[0]),
            Opcode::Copy => {
                let count = self.value(data.args[2], 0);
                let count = count.unwrap_or_else(|| self.number(UNKNOWN_TRIPS));
                let each = self.number(self.rates.scalar);
                self.binary(BinaryOp::Mul, count, each)
            }
            _ => {
                let work = simple_work(self.func, op, self.rates);
                self.number(work)
            }
        }
    }

    fn repeated(&mut self, trips: usize, body: Block) -> usize {
        let once = self.region(body);
        self.binary(BinaryOp::Mul, trips, once)
    }

    fn trips(&mut self, lo: Value, hi: Value, step: Value) -> usize {
        if let Some(group) = self.rounds_down(lo, hi) {
            // What a loop in groups has left.
            return self.number(group / 2);
        }
        let bounds = self.value(lo, 0).zip(self.value(hi, 0));
        let Some((lo, hi)) = bounds.filter(|_| self.steps.len() < MOST_STEPS) else {
            return self.number(UNKNOWN_TRIPS);
        };
        let span = self.binary(BinaryOp::Sub, hi, lo);
        match self.constant(step) {
            Some(step) if step > 1 && step.count_ones() == 1 => {
                let shift = self.number(i64::from(step.trailing_zeros()));
                self.binary(BinaryOp::Shr, span, shift)
            }
            Some(step) if step > 1 => {
                let step = self.number(step);
                self.binary(BinaryOp::Div, span, step)
            }
            Some(_) | None => span,
        }
    }

    fn constant(&self, value: Value) -> Option<i64> {
        self.func.as_const(value).map(|constant| constant.bits as i64)
    }

    /// The group whose multiple `lo` is, if it is `hi` rounded down.
    fn rounds_down(&self, lo: Value, hi: Value) -> Option<i64> {
        let (whole, mask) = self.operands(lo, BinaryOp::And)?;
        let group = self.constant(mask)?.checked_neg().filter(|group| *group > 0)?;
        let from_zero = self.operands(whole, BinaryOp::Max).map(|(value, _)| value);
        (whole == hi || from_zero == Some(hi)).then_some(group)
    }

    /// The operands of a value that is computed by this operation.
    fn operands(&self, value: Value, wanted: BinaryOp) -> Option<(Value, Value)> {
        let data = &self.func.ops[self.func.def_op(value)?];
        (data.opcode == Opcode::Binary(wanted)).then(|| (data.args[0], data.args[1]))
    }

    /// The index of a loop counts as the middle of its range.
    fn bind_middle(&mut self, body: Block, lo: Value, hi: Value) {
        let Some(index) = self.func.blocks[body].params.first().copied() else { return };
        let bounds = self.value(lo, 0).zip(self.value(hi, 0));
        let middle = bounds.map(|(lo, hi)| {
            let (span, one) = (self.binary(BinaryOp::Sub, hi, lo), self.number(1));
            let half = self.binary(BinaryOp::Shr, span, one);
            self.binary(BinaryOp::Add, lo, half)
        });
        self.known.insert(index, middle);
    }

    /// An `i64` in terms of what is known outside the loop.
    fn value(&mut self, value: Value, depth: u32) -> Option<usize> {
        if let Some(constant) = self.func.as_const(value) {
            return Some(self.number(constant.bits as i64));
        }
        if *self.func.ty(value) != Type::I64 || depth > MOST_DEPTH || self.steps.len() > MOST_STEPS {
            return None;
        }
        if !self.defined[value] {
            return Some(self.step(Step::Outside(value)));
        }
        if let Some(known) = self.known.get(&value) {
            return *known;
        }
        let found = match self.func.values[value].def {
            ValueDef::Result(op, _) => self.computed(op, depth),
            ValueDef::Param(..) | ValueDef::ResultRef(_) => None,
        };
        self.known.insert(value, found);
        found
    }

    fn computed(&mut self, op: Op, depth: u32) -> Option<usize> {
        let data = &self.func.ops[op];
        let Opcode::Binary(binary) = data.opcode else { return None };
        let right = self.constant(data.args[1]);
        match (binary, right) {
            (BinaryOp::Min, Some(few)) if (0..=FEW_TRIPS).contains(&few) => return Some(self.number(few)),
            // Counts are not negative, and what is left of a group hardly counts.
            (BinaryOp::Max, Some(0)) | (BinaryOp::And, Some(..0)) => {
                return self.value(data.args[0], depth + 1);
            }
            _ => {}
        }
        let plain = match binary {
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Min | BinaryOp::Max | BinaryOp::And => {
                true
            }
            BinaryOp::Shr => right.is_some_and(|amount| (0..64).contains(&amount)),
            BinaryOp::Div => right.is_some_and(|divisor| divisor > 0),
            BinaryOp::Rem
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::RotateLeft
            | BinaryOp::MulHi
            | BinaryOp::CopySign
            | BinaryOp::AddSat
            | BinaryOp::SubSat
            | BinaryOp::MulSat => false,
        };
        if !plain {
            return None;
        }
        let (left, right) = (self.value(data.args[0], depth + 1)?, self.value(data.args[1], depth + 1)?);
        Some(self.binary(binary, left, right))
    }
}

/// The work of an operation without regions.
#[expect(clippy::wildcard_enum_match_arm, reason = "most operations count as one")]
fn simple_work(func: &Func, op: Op, rates: Rates) -> i64 {
    let data = &func.ops[op];
    match &data.opcode {
        Opcode::Const(_)
        | Opcode::Data { .. }
        | Opcode::Stack { .. }
        | Opcode::Bitcast(_)
        | Opcode::Offset
        | Opcode::Yield
        | Opcode::Break(_)
        | Opcode::Continue(_) => 0,
        Opcode::Load => memory_work(func, data.args[0], data.results[0], rates),
        Opcode::Store | Opcode::Stream => memory_work(func, data.args[0], data.args[2], rates),
        Opcode::LoadLanes => lanes_work(func, data.args[0], data.args[1], data.results[0], rates),
        Opcode::StoreLanes => lanes_work(func, data.args[0], data.args[1], data.args[3], rates),
        Opcode::Alloc(_) | Opcode::Free | Opcode::Output { .. } => 20_000,
        Opcode::Unary(UnaryOp::Sqrt) | Opcode::Binary(BinaryOp::Div | BinaryOp::Rem) => {
            8 * arithmetic_work(func, op, rates)
        }
        _ => arithmetic_work(func, op, rates),
    }
}

/// An operation on the widest of its operands and results.
fn arithmetic_work(func: &Func, op: Op, rates: Rates) -> i64 {
    let data = &func.ops[op];
    let types: Vec<&Type> = data.results.iter().chain(&data.args).map(|value| func.ty(*value)).collect();
    let vectors = types.iter().filter(|ty| matches!(ty, Type::Vector(..)));
    if let Some(bytes) = vectors.map(|ty| value_bytes(ty)).max() {
        let register = i64::from(rates.vector_bytes.max(1));
        return rates.vector * ((bytes + register - 1) / register);
    }
    if types.contains(&&Type::I64) { rates.index } else { rates.scalar }
}

/// A load or store of some lanes: of a run as of a vector, of scattered elements one by one.
fn lanes_work(func: &Func, buffer: Value, offset: Value, value: Value, rates: Rates) -> i64 {
    let run = memory_work(func, buffer, value, rates);
    match func.ty(offset) {
        Type::Vector(_, lanes) => run.max(i64::from(*lanes) * rates.index),
        Type::Scalar(_) | Type::Buffer(_) | Type::Array(..) => run,
    }
}

/// A load or store of a value. What lies in scratch is as good as in registers.
fn memory_work(func: &Func, buffer: Value, value: Value, rates: Rates) -> i64 {
    if is_scratch(func, buffer) {
        return rates.index;
    }
    (PER_BYTE * value_bytes(func.ty(value))).max(rates.scalar)
}

fn value_bytes(ty: &Type) -> i64 {
    match ty {
        Type::Vector(elem, lanes) => i64::from(*lanes) * i64::from(elem.bytes()),
        Type::Scalar(_) | Type::Buffer(_) | Type::Array(..) => i64::from(ty.element().bytes()),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "everything else may be any memory")]
fn is_scratch(func: &Func, buffer: Value) -> bool {
    let Some(op) = func.def_op(buffer) else { return false };
    let data = &func.ops[op];
    match data.opcode {
        Opcode::Stack { .. } => true,
        Opcode::Offset => is_scratch(func, data.args[0]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::outlines;

    const RATES: Rates = Rates { scalar: 10, index: 2, vector: 80, vector_bytes: 32 };

    /// The estimate of the only outlined loop with these values for what is outside, and its captures.
    fn estimated(text: &str, outside: impl Fn(&Func, Value) -> i64) -> (i64, usize) {
        let module = we3_ir::text::parse_module(text).unwrap_or_else(|errors| panic!("{errors:?}"));
        let func = module.funcs.values().next().expect("one function");
        let outlines = outlines(func, RATES);
        let outline = outlines.values().next().expect("a loop");
        let mut values: Vec<i64> = Vec::new();
        for step in &outline.work.steps {
            values.push(match *step {
                Step::Number(number) => number,
                Step::Outside(value) => outside(func, value),
                Step::Binary(op, left, right) => {
                    let (left, right) = (values[left] as u64, values[right] as u64);
                    we3_ir::eval::binary(op, Scalar::I64, left, right) as i64
                }
            });
        }
        (values[outline.work.result], outline.captures.len())
    }

    fn nest(hi: &str) -> String {
        format!(
            "loop module

entry func @f(%0: i64, %1: i64, %2: buffer f32) -> () {{
  %3: i64 = const 0
  %4: i64 = const 1
  for.parallel %3, %0, %4 {{
  b(%5: i64):
    for.parallel %3, {hi}, %4 {{
    b(%6: i64):
      %7: f32 = load %2, %6
      store %2, %6, %7
      yield
    }}
    yield
  }}
  return
}}
"
        )
    }

    #[test]
    fn inner_trip_counts_multiply_and_triangles_are_halved() {
        let size = |func: &Func, value: Value| if value == func.params()[0] { 1000 } else { 7 };
        // Two accesses of four bytes each.
        assert_eq!(estimated(&nest("%1"), size), (7 * 64, 4));
        assert_eq!(estimated(&nest("%5"), size), (500 * 64, 3));
        assert_eq!(estimated(&nest("%0"), |_, _| 1 << 40).0, MOST_WORK);
        assert_eq!(estimated(&nest("%1"), |_, _| -3).0, 1);
    }

    #[test]
    fn groups_count_and_what_they_leave_hardly() {
        let text = "loop module

entry func @f(%0: i64, %1: i64, %2: buffer f32) -> () {
  %3: i64 = const 0
  %4: i64 = const 1
  for.parallel %3, %0, %4 {
  b(%5: i64):
    %6: i64 = max %1, %3
    %7: i64 = const -8
    %8: i64 = and %6, %7
    %9: i64 = const 8
    for.serial %3, %8, %9 {
    b(%10: i64):
      %11: f32x8 = load %2, %10
      store %2, %10, %11
      yield
    }
    for.serial %8, %1, %4 {
    b(%12: i64):
      %13: f32 = load %2, %12
      store %2, %12, %13
      yield
    }
    yield
  }
  return
}
";
        // A group of 32 bytes is read and written; the rest counts as 4 iterations.
        let rounding = 2 * RATES.index;
        assert_eq!(estimated(text, |_, _| 800).0, 100 * 2 * 8 * 32 + 4 * 64 + rounding);
    }

    #[test]
    fn a_loop_that_is_known_to_be_small_stays() {
        let text = nest("%4").replace("for.parallel %3, %0", "for.parallel %3, %4");
        let module = we3_ir::text::parse_module(&text).unwrap_or_else(|errors| panic!("{errors:?}"));
        assert!(module.funcs.values().all(|func| outlines(func, RATES).is_empty()));
    }
}
