//! Which uses of arrays are the last ones: there the value moves instead of being shared, so that updates
//! happen in place.
//!
//! Walks blocks backwards with the set of arrays used later. A region that may run many times counts
//! everything it uses from outside as used later; the arms of an `if` run at most once.

use std::collections::{BTreeMap, BTreeSet};

use we3_ir::{Block, Func, Op, Opcode, Type, Value};

/// Facts about the arrays of one function.
#[derive(Default)]
pub(crate) struct LastUses {
    /// Operands that are last uses.
    takes: BTreeSet<(Op, usize)>,
    /// Arrays that are dead after an operation and did not move.
    kills: BTreeMap<Op, Vec<Value>>,
}

impl LastUses {
    /// Analyses a function.
    pub(crate) fn of(func: &Func) -> LastUses {
        let mut analysis = Analysis { func, facts: LastUses::default() };
        analysis.block(func.body, &BTreeSet::new());
        analysis.facts
    }

    /// Whether this operand is the last use of its array.
    pub(crate) fn takes(&self, op: Op, operand: usize) -> bool {
        self.takes.contains(&(op, operand))
    }

    /// Arrays to drop after this operation.
    pub(crate) fn kills(&self, op: Op) -> &[Value] {
        self.kills.get(&op).map_or(&[], Vec::as_slice)
    }
}

type Set = BTreeSet<Value>;

struct Analysis<'a> {
    func: &'a Func,
    facts: LastUses,
}

impl Analysis<'_> {
    fn is_array(&self, value: Value) -> bool {
        matches!(self.func.ty(value), Type::Array(..))
    }

    /// Arrays of outside that a block uses, given what is used after it.
    fn block(&mut self, block: Block, later: &Set) -> Set {
        let data = &self.func.blocks[block];
        let mut live = later.clone();
        let mut used = Set::new();
        for (number, op) in data.ops.iter().enumerate().rev() {
            let here = self.operation(*op, &live, number + 1 == data.ops.len());
            live.extend(&here);
            used.extend(&here);
            for result in &self.func.ops[*op].results {
                used.remove(result);
                live.remove(result);
            }
        }
        for param in &data.params {
            used.remove(param);
        }
        used
    }

    /// Arrays that an operation uses, in its regions too.
    fn operation(&mut self, op: Op, live: &Set, is_terminator: bool) -> Set {
        let data = &self.func.ops[op];
        let mut inside = Set::new();
        if matches!(data.opcode, Opcode::If) {
            for region in &data.regions {
                let used = self.block(*region, live);
                inside.extend(used);
            }
        } else {
            let (mut uses, mut definitions) = (Set::new(), Set::new());
            for region in &data.regions {
                self.collect(*region, &mut uses, &mut definitions);
            }
            let outside: Set = live.iter().copied().chain(uses.difference(&definitions).copied()).collect();
            for (number, region) in data.regions.iter().enumerate() {
                let mut later = outside.clone();
                if matches!(data.opcode, Opcode::While) && number == 0 {
                    // The condition only looks at the carried values; they go on to the body.
                    later.extend(self.func.blocks[*region].params.iter().copied());
                }
                let used = self.block(*region, &later);
                inside.extend(used);
            }
        }
        let holding = self.uses_while_held(op, &inside);
        let mut seen = Set::new();
        for (number, value) in data.args.iter().enumerate().rev() {
            if !self.is_array(*value) {
                continue;
            }
            // Of equal operands only the last may move.
            if seen.insert(*value) && !live.contains(value) && !holding.contains(value) {
                self.facts.takes.insert((op, number));
            }
        }
        seen.extend(inside);
        if !is_terminator {
            self.kills_after(op, live, &seen);
        }
        seen
    }

    /// Arrays that the regions of an operation use after it took its operands.
    fn uses_while_held(&self, op: Op, inside: &Set) -> Set {
        let data = &self.func.ops[op];
        if !matches!(data.opcode, Opcode::Update { .. } | Opcode::Scatter { .. }) {
            return inside.clone();
        }
        // The body runs before the destination is taken; only what combines runs after.
        let (mut uses, mut definitions) = (Set::new(), Set::new());
        for region in data.regions.iter().skip(1) {
            self.collect(*region, &mut uses, &mut definitions);
        }
        uses
    }

    fn kills_after(&mut self, op: Op, live: &Set, used: &Set) {
        let results = self.func.ops[op].results.iter().filter(|value| self.is_array(**value));
        let dead: Vec<Value> =
            used.iter().chain(results).copied().filter(|value| !live.contains(value)).collect();
        if !dead.is_empty() {
            self.facts.kills.insert(op, dead);
        }
    }

    /// Array operands and definitions in a block and the blocks inside it.
    fn collect(&self, block: Block, uses: &mut Set, definitions: &mut Set) {
        definitions.extend(&self.func.blocks[block].params);
        for op in &self.func.blocks[block].ops {
            let data = &self.func.ops[*op];
            uses.extend(data.args.iter().copied().filter(|value| self.is_array(*value)));
            definitions.extend(&data.results);
            for region in &data.regions {
                self.collect(*region, uses, definitions);
            }
        }
    }
}
