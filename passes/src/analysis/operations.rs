//! How many operations a call executes at most, where the bounds of its loops are known: whether compiling for longer
//! pays for a call that is the only one.

use std::collections::BTreeMap;

use we3_ir::{Block, Func, Op, Opcode, Type, Value, eval};

/// Memory is managed in about the time of so many operations.
const ALLOCATION: u64 = 50;
/// How often a `while` loop is followed.
const MOST_ITERATIONS: usize = 64;

/// The number of operations that a call of this loop-level function executes at most; none when a bound is not known.
pub fn executed(func: &Func) -> Option<u64> {
    Count { func, known: BTreeMap::new() }.region(func.body)
}

/// The number of operations that are written in it.
pub fn written(func: &Func) -> u64 {
    func.ops.len() as u64
}

struct Count<'a> {
    func: &'a Func,
    /// Integers and truth values that are no constants but known where they are used.
    known: BTreeMap<Value, u64>,
}

impl Count<'_> {
    fn region(&mut self, block: Block) -> Option<u64> {
        let func = self.func;
        let ops = &func.blocks[block].ops;
        ops.iter().try_fold(0u64, |sum, op| Some(sum.saturating_add(self.operation(*op)?)))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "most operations count as one")]
    fn operation(&mut self, op: Op) -> Option<u64> {
        let data = &self.func.ops[op];
        Some(match &data.opcode {
            Opcode::For(_) => {
                let [lo, hi, step] = [0, 1, 2].map(|position| self.number(data.args[position]));
                let span = hi?.saturating_sub(lo?).max(0) as u64;
                let trips = span.div_ceil(step?.max(1) as u64);
                trips.saturating_mul(self.region(data.regions[0])?).saturating_add(1)
            }
            Opcode::While => self.iterations(op)?,
            Opcode::Forever => return None,
            Opcode::If => self.region(data.regions[0])?.max(self.region(data.regions[1])?).saturating_add(1),
            Opcode::Block => self.region(data.regions[0])?,
            Opcode::Copy => self.number(data.args[2])?.max(0) as u64,
            Opcode::Alloc(_) | Opcode::Free | Opcode::Output { .. } => ALLOCATION,
            _ => {
                self.note(op);
                1
            }
        })
    }

    /// Follows a loop whose condition hangs on integers that are known, such as a halving.
    fn iterations(&mut self, op: Op) -> Option<u64> {
        let func = self.func;
        let data = &func.ops[op];
        let (condition, body) = (data.regions[0], data.regions[1]);
        let mut carried: Vec<Option<u64>> = data.args.iter().map(|value| self.bits(*value)).collect();
        let mut sum = 0u64;
        for _ in 0..MOST_ITERATIONS {
            self.enter(condition, &carried);
            sum = sum.saturating_add(self.region(condition)?);
            let goes_on = self.bits(*func.yields(condition).first()?)?;
            if goes_on == 0 {
                return Some(sum);
            }
            self.enter(body, &carried);
            sum = sum.saturating_add(self.region(body)?);
            carried = func.yields(body).iter().map(|value| self.bits(*value)).collect();
        }
        None
    }

    /// Gives the parameters of a region what is known of them this time.
    fn enter(&mut self, region: Block, given: &[Option<u64>]) {
        for (param, bits) in self.func.blocks[region].params.iter().zip(given) {
            match bits {
                Some(bits) => self.known.insert(*param, *bits),
                None => self.known.remove(param),
            };
        }
    }

    /// Keeps what an operation on known integers gives, and forgets what it gave the last time.
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else decides how often loops run")]
    fn note(&mut self, op: Op) {
        let data = &self.func.ops[op];
        let ([result], [left, right]) = (&data.results[..], &data.args[..]) else { return };
        let found = self.bits(*left).zip(self.bits(*right)).and_then(|(a, b)| match &data.opcode {
            Opcode::Binary(kind) => Some(eval::binary(*kind, self.func.ty(*left).element(), a, b)),
            Opcode::Compare(kind) => Some(eval::compare(*kind, self.func.ty(*left).element(), a, b).into()),
            _ => None,
        });
        match found {
            Some(bits) => self.known.insert(*result, bits),
            None => self.known.remove(result),
        };
    }

    /// An integer or truth value, if it is known here.
    fn bits(&self, value: Value) -> Option<u64> {
        if !matches!(*self.func.ty(value), Type::I64 | Type::BOOL) {
            return None;
        }
        let constant = self.func.as_const(value).map(|constant| constant.bits);
        constant.or_else(|| self.known.get(&value).copied())
    }

    fn number(&self, value: Value) -> Option<i64> {
        self.bits(value).map(|bits| bits as i64)
    }
}

#[cfg(test)]
mod tests {
    use we3_ir::text::parse_module;

    use super::*;

    fn executed_by(bound: &str) -> Option<u64> {
        let text = format!(
            "loop module

entry func @f(%0: i64, %1: buffer f32, %2: bool) -> () {{
  %3: i64 = const 0
  %4: i64 = const 10
  %5: i64 = const 3
  for.parallel %3, %4, %5 {{
  b(%6: i64):
    for.serial %3, {bound}, %5 {{
    b(%7: i64):
      %8: f32 = load %1, %7
      store %1, %6, %8
      yield
    }}
    if %2 {{
      %9: f32 = load %1, %6
      store %1, %6, %9
      yield
    }} {{
      yield
    }}
    yield
  }}
  return
}}
"
        );
        let module = parse_module(&text).unwrap_or_else(|errors| panic!("{errors:?}"));
        module.funcs.values().map(executed).next().expect("one function")
    }

    #[test]
    fn trip_counts_multiply_and_the_longer_branch_counts() {
        // Four times: four times three and the loop, three and the branch, the end.
        assert_eq!(executed_by("%4"), Some(3 + 1 + 4 * (4 * 3 + 1 + 3 + 1 + 1) + 1));
        // No iteration.
        assert_eq!(executed_by("%3"), Some(3 + 1 + 4 * (1 + 3 + 1 + 1) + 1));
    }

    #[test]
    fn an_unknown_bound_means_no_number() {
        assert_eq!(executed_by("%0"), None);
        assert_eq!(executed_by("%6"), None);
    }

    #[test]
    fn a_halving_is_followed_and_no_end_is_no_number() {
        let text = "loop module

entry func @f(%0: i64) -> (i64) {
  %1: i64 = const 8
  %2: i64 = const 1
  %3: i64 = const 0
  %4: i64 = while %1 {
  b(%5: i64):
    %6: bool = gt %5, %3
    yield %6
  } {
  b(%7: i64):
    %8: i64 = shr %7, %2
    yield %8
  }
  return %4
}
";
        let count = |text: &str| {
            let module = parse_module(text).unwrap_or_else(|errors| panic!("{errors:?}"));
            module.funcs.values().map(executed).next().expect("one function")
        };
        // 8, 4, 2, 1 and the end.
        assert_eq!(count(text), Some(3 + 5 * 2 + 4 * 2 + 1));
        assert_eq!(count(&text.replace("shr %7, %2", "add %7, %2")), None);
        assert_eq!(count(&text.replace("while %1", "while %0")), None);
    }
}
